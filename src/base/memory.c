#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *p)
{
    static const char message[] = "memlog: out of memory; what was recorded is in the journals\n";
    if (!p) {
        ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
        (void)ignored;
        _exit(70);
    }
    return p;
}

void *ml_alloc(size_t n)
{
    return must(calloc(1, n ? n : 1));
}

void *ml_alloc_aligned(size_t alignment, size_t n)
{
    return must(aligned_alloc(alignment, n));
}

void *ml_realloc_array(void *p, size_t count, size_t size)
{
    return must(reallocarray(p, count ? count : 1, size));
}

char *ml_strdup(const char *s)
{
    return must(strdup(s));
}

char *ml_join(char *const *words, const char *separator)
{
    size_t n = 1;
    for (char *const *word = words; *word; word++)
        n += strlen(*word) + strlen(separator);
    char *text = ml_alloc(n), *end = text;
    for (char *const *word = words; *word; word++) {
        end = stpcpy(end, *word);
        if (word[1])
            end = stpcpy(end, separator);
    }
    return text;
}

char *ml_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return must(n < 0 ? NULL : text);
}
