/* Loaded into ccp before the C library (LD_PRELOAD): makes fsync and fdatasync as bad as the files in a folder say.
   "stops": they do not come to their end, and say so with "waited-for"; "slow": they take 300 ms longer; "fails": they fail with EIO. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *path_of(const char *name, char *path, size_t size)
{
    const char *folder = getenv("UNSOUND_SYNC_FOLDER");
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
