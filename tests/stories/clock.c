/* The clock of one installation, ahead of the machine's: what tests/stories/clock.py loads before its programs.

   Seconds to add stand in the file that POSTROOM_CLOCK names, and are read anew each second. Only the time of day is
   another one, and the times of files with it; what measures how long something takes goes on as it did. PostgreSQL,
   which gets an environment of its own, is started with the same clock: what it writes is what our programs read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void) {
    static long asked = -1, seconds = 0;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (now.tv_sec != asked) {
        char text[32] = {0};
        const char *path = getenv("POSTROOM_CLOCK");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0) seconds = atol(text);
            close(file);
        }
        asked = now.tv_sec;
    }
    return seconds;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, which, now);
    if (!done && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead();
    return done;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec at;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &at);
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (kept) *kept = at.tv_sec;
    return at.tv_sec;
}

#define SHIFTED(done, found)                  \
    int was = (done);                         \
    if (!was) {                               \
        long by = ahead();                    \
        (found)->st_mtim.tv_sec += by;        \
        (found)->st_atim.tv_sec += by;        \
        (found)->st_ctim.tv_sec += by;        \
    }                                         \
    return was
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int stat(const char *path, struct stat *found) { SHIFTED(REAL(stat)(path, found), found); }
int lstat(const char *path, struct stat *found) { SHIFTED(REAL(lstat)(path, found), found); }
int fstat(int file, struct stat *found) { SHIFTED(REAL(fstat)(file, found), found); }
int fstatat(int at, const char *path, struct stat *found, int how) { SHIFTED(REAL(fstatat)(at, path, found, how), found); }
int stat64(const char *path, struct stat64 *found) { SHIFTED(REAL(stat64)(path, found), found); }
int lstat64(const char *path, struct stat64 *found) { SHIFTED(REAL(lstat64)(path, found), found); }
int fstat64(int file, struct stat64 *found) { SHIFTED(REAL(fstat64)(file, found), found); }
int fstatat64(int at, const char *path, struct stat64 *found, int how) { SHIFTED(REAL(fstatat64)(at, path, found, how), found); }

#define MOST 500
int execve(const char *path, char *const words[], char *const environment[]) {
    static char loaded[4096], clock[4096];
    static char *more[MOST + 3];
    const char *name = strrchr(path, '/'), *library = getenv("LD_PRELOAD"), *file = getenv("POSTROOM_CLOCK");
    int count = 0;
    if (!name || strcmp(name, "/postgres") || !library || !file) return REAL(execve)(path, words, environment);
    for (; environment[count] && count < MOST; count++) more[count] = environment[count];
    snprintf(loaded, sizeof loaded, "LD_PRELOAD=%s", library);
    snprintf(clock, sizeof clock, "POSTROOM_CLOCK=%s", file);
    more[count++] = loaded;
    more[count++] = clock;
    more[count] = NULL;
    return REAL(execve)(path, words, more);
}
