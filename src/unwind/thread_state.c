#include "unwind/thread_state.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One hexadecimal number with what separates it from the next. */
static bool parse_hex(const char **text, uint64_t *out)
{
    const char *start = *text;
    char *end;
    while (*start == ' ')
        start++;
    if (start[0] != '0' || start[1] != 'x' || !isxdigit((unsigned char)start[2]))
        return false;
    errno = 0;
    *out = strtoull(start, &end, 16);
    if (errno || (*end != ' ' && *end != '\n' && *end != 0))
        return false;
    *text = end;
    return true;
}

bool ml_blocked_parse(const char *text, struct ml_blocked *out_blocked)
{
    struct ml_blocked b;
    char *end;
    errno = 0;
    b.call = strtoll(text, &end, 10);
    if (errno || end == text || *end != ' ' || b.call < -1)
        return false;
    const char *rest = end;
    for (int i = 0; i < 6; i++) {
        b.arguments[i] = 0;
        if (b.call >= 0 && !parse_hex(&rest, &b.arguments[i]))
            return false;
    }
    if (!parse_hex(&rest, &b.sp) || !parse_hex(&rest, &b.pc) || !b.sp || !b.pc)
        return false;
    *out_blocked = b;
    return true;
}

int ml_native_parse(const char *text)
{
    const char *line = strstr(text, "\nNSpid:");
    long number = 0;
    if (!line)
        return 0;
    char *end = (char *)line + strlen("\nNSpid:");
    while (*end == '\t' || *end == ' ')
        number = strtol(end, &end, 10);
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

uint64_t ml_runs_parse(const char *text)
{
    char *end;
    strtoull(text, &end, 10);
    if (*end != ' ')
        return 0;
    strtoull(end, &end, 10);
    return *end == ' ' ? strtoull(end, NULL, 10) : 0;
}
