/* Parts that make and unmake: processes, threads, libraries, memory; and sums. */
#include "survivor.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_end(struct part *part, pid_t pid, int code)
{
    int status = 0;
    pid_t ended;
    do
        ended = waitpid(pid, &status, 0);
    while (part_interrupted(part, ended));
    if (ended != pid || !WIFEXITED(status) || WEXITSTATUS(status) != code)
        part_wrong(part, "waitpid: status", status);
    short_sleep(2000000);
}

void turn_fork(struct part *part, long turn)
{
    int code = turn % 4 == 3 ? 0 : (int)(turn % 200);
    pid_t pid = fork();
    if (pid == 0) {
        if (turn % 4 == 3)
            execl("/bin/true", "true", (char *)NULL);
        _exit(code);
    }
    if (pid < 0)
        part_wrong(part, "fork", turn);
    else
        check_end(part, pid, code);
}

void turn_spawn(struct part *part, long turn)
{
    char *arguments[] = {turn % 2 ? "true" : "false", NULL}, path[32];
    pid_t pid;
    snprintf(path, sizeof path, "/bin/%s", arguments[0]);
    int error = posix_spawn(&pid, path, NULL, NULL, arguments, (char *[]){NULL});
    if (error)
        part_wrong(part, "posix_spawn", error);
    else
        check_end(part, pid, turn % 2 ? 0 : 1);
}

void turn_dlopen(struct part *part, long turn)
{
    char path[4200];
    long n = 1 + turn % 2;
    ssize_t used = readlink("/proc/self/exe", path, sizeof path - 32);
    path[used > 0 ? used : 0] = '\0';
    char *slash = strrchr(path, '/');
    snprintf(slash ? slash : path, 32, "/addend_%ld.so", n);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    long (*addend)(long) = library ? (long (*)(long))dlsym(library, "addend") : NULL;
    if (!addend || addend(turn) != turn + n)
        part_wrong(part, library ? "addend" : path, turn);
    if (library && dlclose(library))
        part_wrong(part, "dlclose", turn);
}

static void *negate(void *value)
{
    return (void *)~(uintptr_t)value;
}

void turn_thread(struct part *part, long turn)
{
    pthread_t thread;
    void *result = NULL;
    int error = pthread_create(&thread, NULL, negate, (void *)turn);
    if (error) {
        part_wrong(part, "pthread_create", error);
        return;
    }
    error = pthread_join(thread, &result);
    if (error || result != (void *)~turn)
        part_wrong(part, "pthread_join", error);
    short_sleep(200000);
}

/* A block that grows to some megabytes, with every 4 KB of it checked, then is freed. */
void turn_heap(struct part *part, long turn)
{
    static unsigned char *block;
    static size_t size;
    size_t more = 4096 + (size_t)turn % 16 * 8192;
    block = realloc(block, size + more);
    if (!block) {
        part_wrong(part, "realloc", (long)size);
        size = 0;
        return;
    }
    for (size_t i = size & ~(size_t)4095; i < size + more; i += 4096)
        block[i] = (unsigned char)(i >> 12);
    size += more;
    if (size > 8 << 20 || part->last) {
        for (size_t i = 0; i < size; i += 4096) {
            if (block[i] != (unsigned char)(i >> 12))
                part_wrong(part, "byte of the heap", (long)i);
        }
        free(block);
        block = NULL;
        size = 0;
    }
}

static uint64_t sum_of(uint64_t seed)
{
    double x = 1;
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        x = x * 0.75 + (double)(seed & 0xff);
    }
    return seed ^ (uint64_t)(x * 1000);
}

/* The same sum each time, in integers and floating point. */
void turn_sum(struct part *part, long turn)
{
    static uint64_t first;
    uint64_t sum = sum_of(88172645463325252u);
    if (turn == 0)
        first = sum;
    if (sum != first)
        part_wrong(part, "sum", (long)sum);
}
