/* Loaded into ccp before the C library (LD_PRELOAD): its clocks run as ever, but ahead by as many nanoseconds as the file MOVED_CLOCK says, which may
   change at any time; whoever waits with a time limit notices within milliseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define LOOKS_AGAIN_AFTER (5 * SECOND / 1000)

/* Nobody's uptime, and everybody's date, is this late: which clock a moment is on shows. */
#define LONGEST_UPTIME (1000000000LL * SECOND)

static int64_t not_moved;
static volatile int64_t *moved = &not_moved;
static int (*wait_until)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("MOVED_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED)
        abort();

    moved = page;
    close(file);
    wait_until = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
}

static int64_t nanoseconds(const struct timespec *time)
{
    return time->tv_sec * SECOND + time->tv_nsec;
}

static struct timespec moment(int64_t nanoseconds)
{
    struct timespec time = { nanoseconds / SECOND, nanoseconds % SECOND };
    return time;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (syscall(SYS_clock_gettime, clock, time) != 0)
        return -1;

    /* The others count what a thread or the process has worked. */
    if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME)
        *time = moment(nanoseconds(time) + *moved);

    return 0;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end)
{
    int64_t until = nanoseconds(end);
    clockid_t clock = until > LONGEST_UPTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    for (;;) {
        struct timespec now;
        syscall(SYS_clock_gettime, clock, &now);
        int64_t left = until - *moved - nanoseconds(&now);
        struct timespec look = moment(nanoseconds(&now) + (left < LOOKS_AGAIN_AFTER ? left : LOOKS_AGAIN_AFTER));
        int result = left <= 0 ? ETIMEDOUT : wait_until(condition, mutex, &look);
        if (result != ETIMEDOUT || left <= LOOKS_AGAIN_AFTER)
            return result;
    }
}
