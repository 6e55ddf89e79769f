/* Preloaded by faults.py: system calls that fail, and a clock that is set otherwise.

FAULT is "CALL ERRNO PATTERN": of the calls open, read, write and fsync, those of this name fail
with this error for the paths that match. CLOCK is a file of 8 bytes, a double: the seconds that
are added to the clock, at any time. Files keep the times of the real one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

static int fails(const char *call, const char *path) {
    char name[16], text[256];
    int error;
    const char *fault = getenv("FAULT");
    if (!fault || sscanf(fault, "%15s %d %255s", name, &error, text) != 3 || strcmp(name, call))
        return 0;
    if (fnmatch(text, path, 0)) return 0;
    errno = error;
    return 1;
}

static int fails_at(const char *call, int fd) {
    char link[32], path[4096];
    if (!getenv("FAULT")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

#define OPEN(name)                                       \
    int name(const char *path, int flags, ...) {         \
        va_list more;                                    \
        va_start(more, flags);                           \
        int mode = va_arg(more, int);                    \
        va_end(more);                                    \
        return fails("open", path) ? -1 : REAL(name)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

ssize_t read(int fd, void *bytes, size_t n) { return fails_at("read", fd) ? -1 : REAL(read)(fd, bytes, n); }
ssize_t write(int fd, const void *bytes, size_t n) { return fails_at("write", fd) ? -1 : REAL(write)(fd, bytes, n); }
int fsync(int fd) { return fails_at("fsync", fd) ? -1 : REAL(fsync)(fd); }

static double offset(void) {
    static double *seconds, none;
    if (!seconds) {
        const char *path = getenv("CLOCK");
        int fd = path ? REAL(open)(path, O_RDONLY) : -1;
        void *found = fd < 0 ? MAP_FAILED : mmap(0, sizeof(double), PROT_READ, MAP_SHARED, fd, 0);
        seconds = found == MAP_FAILED ? &none : found;
        if (fd >= 0) close(fd);
    }
    return *seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += (time_t)offset();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
