#include "commands/plot_gnuplot.h"

#include "base/memory.h"
#include "base/own.h"
#include "draw/click.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

/* Starts gnuplot with SETTING (trusted text) on SCRIPT, its stdout OUTPUT. gnuplot 5.4 takes no
 * multi-line blocks from "-" beside -e, so it gets the script as a file that has no name. */
static enum ml_status start(const struct ml_buffer *script, const char *setting, int output,
                            int errors, pid_t *out_pid, struct ml_error *err)
{
    char script_path[32];
    ML_AUTO_FD int fd = memfd_create("memlog-plot", 0); /* gnuplot inherits it */
    if (fd < 0 || !write_all(fd, script->data, script->length) || lseek(fd, 0, SEEK_SET) < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "no memory for the script");
    snprintf(script_path, sizeof script_path, "/proc/self/fd/%d", fd);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(output, STDOUT_FILENO);
        dup2(errors, STDERR_FILENO);
        execlp("gnuplot", "gnuplot", "-d", "-e", setting, script_path, (char *)NULL);
        _exit(errno == ENOENT ? NOT_FOUND : 126);
    }
    if (pid < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "gnuplot cannot be started");
    *out_pid = pid;
    return ML_OK;
}

/* What gnuplot complained of first, without where in the script. */
static void first_complaint(int errors, char *out, size_t size)
{
    char text[2048];
    ssize_t n = pread(errors, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    char *line = strstr(text, ": ");
    line = line ? line + 2 : text;
    line[strcspn(line, "\n")] = 0;
    snprintf(out, size, "%.150s", line);
}

/* A crash is a fault of gnuplot's, which its authors want to see: the script is left for them. */
static enum ml_status crashed(const struct ml_buffer *script, int number, struct ml_error *err)
{
    const char *folder = getenv("TMPDIR");
    ML_AUTO_FREE char *path =
        ml_format("%s/memlog-plot.XXXXXX.gp", folder && *folder ? folder : "/tmp");
    ML_AUTO_FD int fd = mkostemps(path, 3, O_CLOEXEC);
    bool kept = fd >= 0 && write_all(fd, script->data, script->length);
    return ml_fail(err, ML_RUN_LOST, "gnuplot crashed (signal %d); %.300s shows it", number,
                   kept ? path : "the script of -o -");
}

static enum ml_status finish(pid_t pid, const struct ml_buffer *script, int errors,
                             struct ml_error *err)
{
    int code;
    char complaint[200];
    while (waitpid(pid, &code, 0) < 0) {
        if (errno != EINTR)
            return ml_fail_errno(err, ML_RUN_LOST, "gnuplot cannot be waited for");
    }
    if (WIFEXITED(code) && WEXITSTATUS(code) == 0)
        return ML_OK;
    if (WIFEXITED(code) && WEXITSTATUS(code) == NOT_FOUND)
        return ml_fail(
            err, ML_RUN_LOST,
            "gnuplot not found in PATH, so nothing is drawn; install gnuplot (or "
            "gnuplot-nox), keep the script with -o FILE.gp, or use -o FILE.html or .txt");
    if (WIFSIGNALED(code))
        return crashed(script, WTERMSIG(code), err);
    first_complaint(errors, complaint, sizeof complaint);
    return ml_fail(err, ML_RUN_LOST, "gnuplot failed (exit code %d: %s); -o - shows the script",
                   WEXITSTATUS(code), complaint);
}

enum ml_status ml_gnuplot_draw(const struct ml_buffer *script, const char *form, int output,
                               struct ml_error *err)
{
    char setting[32];
    pid_t pid = -1;
    ML_AUTO_FD int errors = memfd_create("memlog-errors", MFD_CLOEXEC);
    snprintf(setting, sizeof setting, "keys=1; form=\"%s\"", form);
    enum ml_status status = start(script, setting, output, errors, &pid, err);
    return status ? status : finish(pid, script, errors, err);
}

static void answer(const struct ml_plot_page *page, const char *line)
{
    struct ml_click click;
    if (!ml_click_parse(line, &click))
        return;
    const struct ml_plot_mark *mark = ml_click_find(page, &click);
    if (!mark)
        return;
    struct ml_buffer text = {0};
    ml_click_text(mark, &text);
    printf("%.*s\n", (int)text.length, text.data);
    fflush(stdout);
    ml_buffer_free(&text);
}

enum ml_status ml_gnuplot_window(const struct ml_buffer *script, const struct ml_plot_page *page,
                                 struct ml_error *err)
{
    int ends[2];
    pid_t pid = -1;
    char *line = NULL;
    size_t size = 0;
    if (pipe2(ends, O_CLOEXEC))
        return ml_fail_errno(err, ML_RUN_LOST, "no pipe to gnuplot");
    ML_AUTO_FD int errors = memfd_create("memlog-errors", MFD_CLOEXEC);
    enum ml_status status = start(script, "form=\"\"; driven=1", ends[1], errors, &pid, err);
    close(ends[1]);
    if (status) {
        close(ends[0]);
        return status;
    }
    if (page->n_marks)
        fprintf(stderr, "memlog: click a ring or a cross to see what is behind it\n");
    ML_AUTO_FILE FILE *clicks = fdopen(ends[0], "r");
    bool none = false;
    while (clicks && getline(&line, &size, clicks) >= 0) {
        none |= strncmp(line, "NO WINDOW", 9) == 0;
        answer(page, line);
    }
    free(line);
    status = finish(pid, script, errors, err);
    if (!status && none)
        status = ml_fail(err, ML_RUN_LOST, "gnuplot has no window here; install gnuplot-qt");
    return status;
}
