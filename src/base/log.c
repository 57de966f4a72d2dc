#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *prefix = "memlog";
static const char *node_name;
static enum ml_log_level threshold = ML_LOG_NOTICE;
static bool status_shown;

void ml_log_setup(const char *program, const char *node, enum ml_log_level level)
{
    prefix = program;
    node_name = node;
    threshold = level;
}

static void write_all(const char *text, size_t n)
{
    ssize_t ignored = write(STDERR_FILENO, text, n);
    (void)ignored;
}

void ml_log(enum ml_log_level level, const char *format, ...)
{
    if (level > threshold)
        return;
    char line[1024];
    size_t n =
        (size_t)snprintf(line, sizeof line, "%s%s: ", status_shown ? "\r\033[K" : "", prefix);
    if (node_name)
        n += (size_t)snprintf(line + n, sizeof line - n, "%.64s: ", node_name);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (more > 0)
        n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    line[n++] = '\n';
    write_all(line, n);
    status_shown = false;
}

void ml_log_status(const char *text)
{
    char line[512];
    if (!*text && !status_shown)
        return;
    int n = snprintf(line, sizeof line, "\r%.400s\033[K", text);
    write_all(line, (size_t)n);
    status_shown = *text != 0;
}
