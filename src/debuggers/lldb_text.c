#include "debuggers/lldb_text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR '\x1f'

/* In the order of ML_LLDB_FRAME_FORMAT, behind the "F". */
enum field {
    FIELD_PC,
    FIELD_MODULE,
    FIELD_MANGLED,
    FIELD_NAME,
    FIELD_FILE,
    FIELD_LINE,
    FIELD_ARTIFICIAL,
    N_FIELDS,
};

/* Cuts TEXT, "\x1fA\x1fB", into its N fields. False if they are more or fewer. */
static bool cut(char *text, char **out_fields, size_t n)
{
    size_t found = 0;
    for (char *next = text; next; found++) {
        if (*next != SEPARATOR || found == n)
            return false;
        *next = 0;
        out_fields[found] = next + 1;
        next = strchr(next + 1, SEPARATOR);
    }
    return found == n;
}

static bool parse_number(const char *text, int base, uint64_t max, uint64_t *out_value)
{
    char *end;
    if (*text < '0' || *text > '9') /* strtoull takes blanks and signs */
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    if (errno || *end || value > max)
        return false;
    *out_value = value;
    return true;
}

/* "T\x1f4711" */
static enum ml_lldb_kind parse_thread(char *rest, struct ml_lldb_line *out)
{
    char *id;
    uint64_t value;
    if (!cut(rest, &id, 1) || !parse_number(id, 10, INT_MAX, &value) || value == 0)
        return ML_LLDB_OTHER;
    out->thread = (pid_t)value;
    return ML_LLDB_THREAD;
}

/* Of an inlined call lldb says "ns::outer(int) [inlined] ns::inner(int)", and the same behind the
 * linkage name of the outer one. */
static void set_symbol(const char *mangled, const char *name, struct ml_lldb_line *out)
{
    static const char mark[] = " [inlined] ";
    const char *last = NULL;
    for (const char *at = strstr(name, mark); at; at = strstr(at + 1, mark))
        last = at;
    out->inlined = last != NULL;
    if (last)
        out->symbol = last + strlen(mark);
    else
        out->symbol = *mangled ? mangled : name;
}

/* "F\x1f0x00007f1c6c8f1dd0\x1f/lib/libc.so.6\x1f_Z1fi\x1ff(int)\x1f/src/f.cc\x1f7\x1f" */
static enum ml_lldb_kind parse_frame(char *rest, struct ml_lldb_line *out)
{
    char *fields[N_FIELDS];
    uint64_t line;
    if (!cut(rest, fields, N_FIELDS) || !parse_number(fields[FIELD_PC], 16, UINT64_MAX, &out->pc))
        return ML_LLDB_OTHER;
    out->module = fields[FIELD_MODULE];
    out->file = fields[FIELD_FILE];
    /* line 0: the compiler knows no line */
    bool known = parse_number(fields[FIELD_LINE], 10, INT32_MAX, &line) && line > 0;
    out->line = known ? (int32_t)line : -1;
    out->artificial = *fields[FIELD_ARTIFICIAL] != 0;
    set_symbol(fields[FIELD_MANGLED], fields[FIELD_NAME], out);
    return ML_LLDB_FRAME;
}

enum ml_lldb_kind ml_lldb_line_parse(char *line, struct ml_lldb_line *out_line)
{
    static const char error[] = "error: ";
    *out_line =
        (struct ml_lldb_line){.line = -1, .module = "", .symbol = "", .file = "", .error = ""};
    if (!strncmp(line, error, strlen(error))) {
        out_line->error = line + strlen(error);
        return ML_LLDB_ERROR;
    }
    line += strspn(line, " *"); /* the chosen thread and frame have a star */
    if (line[0] == 'T' && line[1] == SEPARATOR)
        return parse_thread(line + 1, out_line);
    if (line[0] == 'F' && line[1] == SEPARATOR)
        return parse_frame(line + 1, out_line);
    return ML_LLDB_OTHER;
}

bool ml_lldb_is_end(const char *line, const char *word)
{
    static const char before[] = "error: '";
    size_t n = strlen(word);
    return !strncmp(line, before, strlen(before)) && !strncmp(line + strlen(before), word, n) &&
           line[strlen(before) + n] == '\'';
}

int ml_lldb_version_parse(const char *line)
{
    static const char mark[] = "lldb version ";
    const char *at = strstr(line, mark);
    if (!at)
        return -1;
    at += strlen(mark);
    int version = 0;
    const char *p = at;
    for (; *p >= '0' && *p <= '9' && version < 100000; p++)
        version = 10 * version + (*p - '0');
    return p > at && (*p == '.' || *p == 0) ? version : -1;
}
