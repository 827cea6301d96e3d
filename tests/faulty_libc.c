/* Between a program and the system, by LD_PRELOAD: while $FAULTS/eio exists, no sync succeeds;
   while $FAULTS/hour exists, the clock on the wall is an hour ahead. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int there(const char *name)
{
    const char *folder = getenv("FAULTS");
    char path[4096];
    int before = errno, found;

    if (!folder)
        return 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    found = access(path, F_OK) == 0;
    errno = before;
    return found;
}

static int synced(long call, int fd)
{
    if (there("eio")) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd) { return synced(SYS_fsync, fd); }

int fdatasync(int fd) { return synced(SYS_fdatasync, fd); }

int clock_gettime(clockid_t id, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, id, now);

    if (!failed && id == CLOCK_REALTIME && there("hour"))
        now->tv_sec += 3600;
    return failed;
}
