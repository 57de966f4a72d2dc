#include "store/hints.h"

#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_B (64 << 10)
#define BLANKS " \t"

char *ml_hints_read(void)
{
    const char *path = getenv("ROMIO_HINTS");
    char *text = ml_alloc(FILE_MAX_B + 1);
    size_t n = 0;
    /* O_NONBLOCK: a fifo of that name must not hold us up. */
    ML_AUTO_FD int fd = open(path ? path : "/etc/romio-hints", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    for (ssize_t got = fd < 0 ? 0 : 1; got > 0 || (got < 0 && errno == EINTR);) {
        got = read(fd, text + n, FILE_MAX_B - n);
        n += got > 0 ? (size_t)got : 0;
    }
    text[n] = 0;
    return text;
}

/* Whether the line from LINE up to END is NAME and one more word. */
static bool is_hint(const char *line, const char *end, const char *name)
{
    const char *word = line + strspn(line, BLANKS);
    size_t length = strcspn(word, BLANKS "\n");
    if (*line == '#' || length != strlen(name) || strncmp(word, name, length) != 0)
        return false;
    const char *value = word + length + strspn(word + length, BLANKS);
    const char *after = value + strcspn(value, BLANKS "\n");
    return value < end && value < after && after + strspn(after, BLANKS) == end;
}

bool ml_hints_have(const char *text, const char *name)
{
    while (*text) {
        const char *end = text + strcspn(text, "\n");
        if (is_hint(text, end, name))
            return true;
        text = *end ? end + 1 : end;
    }
    return false;
}
