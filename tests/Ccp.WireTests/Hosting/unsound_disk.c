/* Loaded into ccp before the C library (LD_PRELOAD): makes the disk as bad as the files in a folder say.
   "stops": fsync and fdatasync do not come to their end, and say so with "waited-for"; "slow": they take 300 ms longer; "fails": they fail with EIO.
   "read-only": writes to the files of the store fail with EROFS, as those to open files do once the kernel has made a failing disk read-only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *path_of(const char *name, char *path, size_t size)
{
    const char *folder = getenv("UNSOUND_DISK_FOLDER");
    snprintf(path, size, "%s/%s", folder ? folder : "", name);
    return path;
}

static int is_there(const char *name)
{
    char path[4096];
    return access(path_of(name, path, sizeof path), F_OK) == 0;
}

static int fails(void)
{
    char path[4096];
    while (is_there("stops")) {
        close(open(path_of("waited-for", path, sizeof path), O_CREAT | O_WRONLY, 0600));
        usleep(1000);
    }

    if (is_there("slow"))
        usleep(300 * 1000);

    if (!is_there("fails"))
        return 0;

    errno = EIO;
    return 1;
}

int fsync(int file)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    return fails() ? -1 : (int)syscall(SYS_fdatasync, file);
}

static int is_of_the_store(int file)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return strstr(path, "/ccp.db") != 0;
}

static int is_refused(int file)
{
    if (!is_there("read-only") || !is_of_the_store(file))
        return 0;

    errno = EROFS;
    return 1;
}

ssize_t write(int file, const void *bytes, size_t count)
{
    return is_refused(file) ? -1 : syscall(SYS_write, file, bytes, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at)
{
    return is_refused(file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, at);
}

int ftruncate64(int file, off64_t length)
{
    return is_refused(file) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}
