/* What a process starts that has entered another root (chroot, unshare, bwrap): the loader there
 * says of each preloaded library that it does not find so, in the application's output. So our
 * libraries are left out of LD_PRELOAD where they are not to be seen, or a container is started.
 *
 * This runs in children of vfork(2) and in signal handlers too: no memory is taken, no lock. The
 * functions of exec(3) call each other inside of the C library, so each is here; execvpe(3), which
 * two of them end in, is not. */
#include "mpi_hooks/containers.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define VARIABLE "LD_PRELOAD="
#define OURS "libmemlog_"
#define SEPARATORS ": " /* ld.so(8) */

typedef int exec_function(const char *path, char *const *argv, char *const *environment);

static int by_path(const char *path, char *const *argv, char *const *environment)
{
    return (int)syscall(SYS_execve, path, argv, environment);
}

static int by_name(const char *name, char *const *argv, char *const *environment)
{
    return execvpe(name, argv, environment);
}

static bool is_ours(const char *entry, size_t n)
{
    const char *name = memrchr(entry, '/', n);
    name = name ? name + 1 : entry;
    return (size_t)(entry + n - name) > strlen(OURS) && strncmp(name, OURS, strlen(OURS)) == 0;
}

static bool is_to_go(const char *entry, size_t n, bool contained)
{
    char path[PATH_MAX];
    if (n >= sizeof path || !is_ours(entry, n))
        return false;
    memcpy(path, entry, n);
    path[n] = '\0';
    return contained || access(path, F_OK) != 0;
}

/* LIST without the libraries that are to go, into OUT (as long as LIST; NULL: only counts). Returns
 * how many go. */
static int leave_out(const char *list, bool contained, char *out)
{
    int gone = 0;
    const char *separator = "";
    while (*list) {
        size_t n = strcspn(list, SEPARATORS);
        bool goes = is_to_go(list, n, contained);
        gone += goes;
        if (out && n && !goes) {
            out = stpcpy(out, separator);
            out = mempcpy(out, list, n);
            separator = ":";
        }
        list += n + (list[n] != '\0');
    }
    if (out)
        *out = '\0';
    return gone;
}

static int start(exec_function *how, const char *path, char *const *argv, char *const *environment)
{
    size_t n = 0, at = SIZE_MAX;
    for (; environment && environment[n]; n++)
        if (at == SIZE_MAX && strncmp(environment[n], VARIABLE, strlen(VARIABLE)) == 0)
            at = n;
    bool contained = path && ml_starts_container(path);
    if (at == SIZE_MAX || !leave_out(environment[at] + strlen(VARIABLE), contained, NULL))
        return how(path, argv, environment);
    char *entry = __builtin_alloca(strlen(environment[at]) + 1);
    char **fitting = __builtin_alloca((n + 1) * sizeof *fitting);
    strcpy(entry, VARIABLE);
    leave_out(environment[at] + strlen(VARIABLE), contained, entry + strlen(VARIABLE));
    memcpy(fitting, environment, (n + 1) * sizeof *fitting);
    fitting[at] = entry;
    if (!entry[strlen(VARIABLE)]) /* the order of variables is nobody's business */
        memmove(&fitting[at], &fitting[at + 1], (n - at) * sizeof *fitting);
    return how(path, argv, fitting);
}

EXPORTED int execve(const char *path, char *const argv[], char *const envp[])
{
    return start(by_path, path, argv, envp);
}

EXPORTED int execv(const char *path, char *const argv[])
{
    return start(by_path, path, argv, environ);
}

EXPORTED int execvp(const char *file, char *const argv[])
{
    return start(by_name, file, argv, environ);
}

/* Calls START with the arguments from FIRST on, which follow LAST up to a NULL. With a true
 * HAS_ENVIRONMENT they are followed by one. */
#define START_LISTED(how, path, first, last, has_environment)                                      \
    do {                                                                                           \
        va_list list;                                                                              \
        size_t n = 0;                                                                              \
        va_start(list, last);                                                                      \
        for (const char *word = first; word; word = va_arg(list, const char *))                    \
            n++;                                                                                   \
        va_end(list);                                                                              \
        char **argv = __builtin_alloca((n + 1) * sizeof *argv);                                    \
        char *const *environment = environ;                                                        \
        va_start(list, last);                                                                      \
        argv[0] = (char *)first;                                                                   \
        for (size_t i = 1; i <= n; i++)                                                            \
            argv[i] = va_arg(list, char *);                                                        \
        if (has_environment)                                                                       \
            environment = va_arg(list, char *const *);                                             \
        va_end(list);                                                                              \
        return start(how, path, argv, environment);                                                \
    } while (0)

EXPORTED int execl(const char *path, const char *arg, ...)
{
    START_LISTED(by_path, path, arg, arg, false);
}

EXPORTED int execlp(const char *file, const char *arg, ...)
{
    START_LISTED(by_name, file, arg, arg, false);
}

EXPORTED int execle(const char *path, const char *arg, ...)
{
    START_LISTED(by_path, path, arg, arg, true);
}
