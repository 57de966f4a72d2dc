#include "doctor/ask.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_NS (10 * ML_NS_PER_S)
#define NOT_STARTED 127

static _Noreturn void become(char *const *argv, int output)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setpgid(0, 0);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(argv[0], argv);
    _exit(NOT_STARTED);
}

/* Until the other end is closed; false when the time is over before. */
static bool read_all(int fd, int64_t end_ns, char *text, size_t size)
{
    size_t length = 0;
    char rest[4096] = "";
    for (;;) {
        int64_t left_ns = end_ns - ml_mono_now().ns;
        struct pollfd wanted = {fd, POLLIN, 0};
        if (left_ns <= 0 || poll(&wanted, 1, (int)(left_ns / ML_NS_PER_MS) + 1) <= 0)
            return false;
        bool full = length + 1 >= size;
        ssize_t n = read(fd, full ? rest : text + length, full ? sizeof rest : size - 1 - length);
        if (n <= 0)
            return true;
        length += full ? 0 : (size_t)n;
        text[length] = 0;
    }
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ml_ask(char *const *argv, struct ml_answer *out_answer)
{
    struct ml_answer *a = out_answer;
    int ends[2], status;
    *a = (struct ml_answer){.code = NOT_STARTED};
    ML_AUTO_FREE char *path = ml_ask_find(argv[0]);
    a->started = path != NULL;
    if (!path || pipe2(ends, O_CLOEXEC))
        return;
    pid_t pid = fork();
    if (pid == 0)
        become(argv, ends[1]);
    close(ends[1]);
    bool ended =
        pid > 0 && read_all(ends[0], ml_mono_now().ns + DEADLINE_NS, a->text, sizeof a->text);
    close(ends[0]);
    if (pid > 0 && !ended)
        kill(-pid, SIGKILL);
    if (pid > 0 && waitpid(pid, &status, 0) == pid)
        a->code = ended ? code_of(status) : -1;
}

bool ml_ask_line(const char *text, const char *word, char *out, size_t size)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *begin = line + strspn(line, " \t\r");
        size_t n = strcspn(begin, "\r\n");
        ML_AUTO_FREE char *copy = strndup(begin, n);
        if (n == 0 || !copy || !strstr(copy, word))
            continue;
        snprintf(out, size, "%s", copy);
        return true;
    }
    *out = 0;
    return false;
}

void ml_ask_version(const char *text, char *out, size_t size)
{
    while (*text && !(isdigit((unsigned char)text[0]) && strspn(text, "0123456789.") > 2))
        text++;
    snprintf(out, size, "%.*s", (int)strspn(text, "0123456789."), text);
    size_t n = strlen(out);
    if (n && out[n - 1] == '.')
        out[n - 1] = 0;
}

static bool is_program(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode) && access(path, X_OK) == 0;
}

char *ml_ask_find(const char *program)
{
    if (strchr(program, '/'))
        return is_program(program) ? ml_strdup(program) : NULL;
    const char *path = getenv("PATH");
    ML_AUTO_FREE char *copy = ml_strdup(path ? path : "/bin:/usr/bin");
    for (char *rest = copy, *folder; (folder = strsep(&rest, ":"));) {
        char *candidate = ml_format("%s/%s", *folder ? folder : ".", program);
        if (is_program(candidate))
            return candidate;
        free(candidate);
    }
    return NULL;
}
