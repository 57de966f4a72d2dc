#include "app/command_plot_run.h"

#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOT_FOUND 127

static bool write_all(int fd, const char *bytes, size_t n)
{
    for (ssize_t done; n > 0; bytes += done, n -= (size_t)done) {
        done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            done = 0;
        if (done < 0)
            return false;
    }
    return true;
}

static enum ml_status check_exit(int code, struct ml_error *err)
{
    if (WIFEXITED(code) && WEXITSTATUS(code) == 0)
        return ML_OK;
    if (WIFEXITED(code) && WEXITSTATUS(code) == NOT_FOUND)
        return ml_fail(err, ML_RUN_LOST,
                       "gnuplot not found in PATH, so nothing is drawn; install gnuplot (or "
                       "gnuplot-nox), or keep the script with -o FILE.gp");
    return ml_fail(err, ML_RUN_LOST, "gnuplot failed (%s %d); the script is shown by -o -",
                   WIFEXITED(code) ? "exit code" : "signal",
                   WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code));
}

/* Runs gnuplot with SETTING (trusted text) on SCRIPT; its stdout is OUTPUT, unless that is -1. */
static enum ml_status run_gnuplot(const struct ml_buffer *script, const char *setting, int output,
                                  struct ml_error *err)
{
    char script_path[32];
    int code;
    ML_AUTO_FD int fd = memfd_create("memlog-plot", 0); /* gnuplot inherits it */
    if (fd < 0 || !write_all(fd, script->data, script->length) || lseek(fd, 0, SEEK_SET) < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "no memory for the script");
    snprintf(script_path, sizeof script_path, "/proc/self/fd/%d", fd);
    pid_t pid = fork();
    if (pid == 0) {
        if (output >= 0)
            dup2(output, STDOUT_FILENO);
        execlp("gnuplot", "gnuplot", "-d", "-e", setting, script_path, (char *)NULL);
        _exit(errno == ENOENT ? NOT_FOUND : 126);
    }
    if (pid < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "gnuplot cannot be started");
    while (waitpid(pid, &code, 0) < 0) {
        if (errno != EINTR)
            return ml_fail_errno(err, ML_RUN_LOST, "gnuplot cannot be waited for");
    }
    return check_exit(code, err);
}

enum ml_status ml_plot_show(const struct ml_buffer *script, struct ml_error *err)
{
    return run_gnuplot(script, "form=\"\"", -1, err);
}

/* A new file beside PATH, so that PATH is never half a picture. */
static int create_beside(const char *path, char **out_name, struct ml_error *err)
{
    char *name = ml_format("%s.XXXXXX", path);
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) {
        ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", path);
        free(name);
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    *out_name = name;
    return fd;
}

/* Gives the file at NAME its PATH when STATUS is good, else removes it. */
static enum ml_status finish(enum ml_status status, int fd, char *name, const char *path,
                             struct ml_error *err)
{
    struct stat st;
    if (!status && (fstat(fd, &st) || st.st_size == 0))
        status = ml_fail(err, ML_RUN_LOST, "%.300s: gnuplot drew nothing", path);
    if (!status && rename(name, path))
        status = ml_fail_errno(err, ML_RUN_LOST, "%.300s: cannot be written", path);
    if (status)
        unlink(name);
    free(name);
    return status;
}

enum ml_status ml_plot_draw(const struct ml_buffer *script, const char *form, const char *path,
                            struct ml_error *err)
{
    char setting[32];
    char *name;
    ML_AUTO_FD int fd = create_beside(path, &name, err);
    if (fd < 0)
        return ML_RUN_LOST;
    snprintf(setting, sizeof setting, "form=\"%s\"", form);
    return finish(run_gnuplot(script, setting, fd, err), fd, name, path, err);
}

enum ml_status ml_plot_save(const struct ml_buffer *script, const char *path, struct ml_error *err)
{
    char *name;
    ML_AUTO_FD int fd = create_beside(path, &name, err);
    if (fd < 0)
        return ML_RUN_LOST;
    enum ml_status status = ML_OK;
    if (!write_all(fd, script->data, script->length))
        status = ml_fail_errno(err, ML_RUN_LOST, "%.300s", path);
    return finish(status, fd, name, path, err);
}
