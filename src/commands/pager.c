#include "commands/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND 127 /* how a shell says so */
#define NOT_EXECUTABLE 126

static enum ml_status write_plainly(const char *text, size_t n, struct ml_error *err)
{
    if (fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0)
        return ML_OK;
    return ml_fail_errno(err, ML_RUN_LOST, "the report cannot be written");
}

static bool is_in_path(const char *program)
{
    char path[PATH_MAX];
    const char *folder = getenv("PATH");
    while (folder && *folder) {
        size_t n = strcspn(folder, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)n, folder, program);
        if (n && access(path, X_OK) == 0)
            return true;
        folder += n + (folder[n] == ':');
    }
    return false;
}

/* NULL: none, or a terminal on which pagers do not work well. */
static const char *choose(void)
{
    const char *pager = getenv("PAGER"), *terminal = getenv("TERM");
    if (!isatty(STDOUT_FILENO) || !terminal || strcmp(terminal, "dumb") == 0)
        return NULL;
    if (!pager)
        return is_in_path("less") ? "less" : NULL;
    bool none = strspn(pager, " \t") == strlen(pager) || strcmp(pager, "cat") == 0;
    return none ? NULL : pager;
}

/* F: not for what fits on the screen, R: colours, X: what was shown stays. */
static _Noreturn void become(const char *pager, int in)
{
    if (in == STDIN_FILENO)
        fcntl(in, F_SETFD, 0);
    else
        dup2(in, STDIN_FILENO);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    setenv("LESS", "FRX", 0);
    setenv("LV", "-c", 0);
    execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
    _exit(NOT_FOUND);
}

/* What a pager that is left early does not read is lost, as it should be. */
static void feed(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, text, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        text += written;
        n -= (size_t)written;
    }
    close(fd);
}

/* Whether PAGER was there to show it. Interrupts and broken pipes are for the pager to handle. */
static bool page(const char *pager, const char *text, size_t n)
{
    int ends[2], state = 0;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, broken;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGPIPE, &ignore, &broken);
    pid_t child = fork();
    if (child == 0)
        become(pager, ends[0]);
    close(ends[0]);
    if (child > 0)
        feed(ends[1], text, n);
    else
        close(ends[1]);
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGPIPE, &broken, NULL);
    bool missing = WIFEXITED(state) &&
                   (WEXITSTATUS(state) == NOT_FOUND || WEXITSTATUS(state) == NOT_EXECUTABLE);
    return child > 0 && !missing;
}

enum ml_status ml_command_page(const char *text, size_t n, struct ml_error *err)
{
    const char *pager = choose();
    if (pager && page(pager, text, n))
        return ML_OK;
    return write_plainly(text, n, err);
}
