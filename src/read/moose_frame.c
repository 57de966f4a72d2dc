#include "read/moose_log.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_NUMBER 100000000

/* The last " WORD " in TEXT, or NULL. */
static char *find_last(char *text, const char *word)
{
    char *last = NULL;
    for (char *p = text; (p = strstr(p, word)); p++)
        last = p;
    return last;
}

static char *skip_address(char *p)
{
    if (strncmp(p, "0x", 2) != 0)
        return p;
    p += 2 + strspn(p + 2, "0123456789abcdefABCDEF");
    return p + strspn(p, " ");
}

/* "core.cpp:118" */
static void set_place(char *place, struct ml_frame_row *frame)
{
    char *colon = strrchr(place, ':'), *end;
    frame->file = place;
    if (!colon)
        return;
    long number = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || number < 0 || number > LINE_MAX_NUMBER)
        return;
    *colon = 0;
    frame->line = (int32_t)number;
}

/* "0x00007f3a in poll (fds=...) from /lib/libc.so.6" */
static void parse_gdb(char *p, struct ml_frame_row *frame)
{
    p = skip_address(p);
    if (strncmp(p, "in ", 3) == 0)
        p += 3;
    char *at = find_last(p, " at "), *from = find_last(p, " from ");
    if (at) {
        *at = 0;
        set_place(at + 4, frame);
    } else if (from) {
        *from = 0;
        frame->module = from + 6;
    }
    char *arguments = strstr(p, " (");
    if (arguments)
        *arguments = 0;
    frame->function = strcmp(p, "??") == 0 ? "" : p;
}

/* "0x00007f3a solver`Solver::run(int) + 23 at core.cpp:118" */
static void parse_lldb(char *p, struct ml_frame_row *frame)
{
    p = skip_address(p);
    char *tick = strchr(p, '`'), *at = find_last(p, " at ");
    if (at) {
        *at = 0;
        set_place(at + 4, frame);
    }
    if (tick) {
        *tick = 0;
        frame->module = p;
        p = tick + 1;
    }
    char *offset = find_last(p, " + ");
    if (offset)
        *offset = 0;
    frame->function = p;
}

bool ml_moose_log_frame(const char *line, size_t length, char *room, struct ml_frame_row *out_frame)
{
    static const char lldb[] = "frame #";
    memcpy(room, line, length);
    room[length] = 0;
    char *p = room + strspn(room, " \t*");
    bool is_lldb = strncmp(p, lldb, sizeof lldb - 1) == 0;
    p += is_lldb ? sizeof lldb - 2 : 0;
    size_t digits = *p == '#' ? strspn(p + 1, "0123456789") : 0;
    if (digits == 0)
        return false;
    p += 1 + digits;
    if (*p != (is_lldb ? ':' : ' '))
        return false;
    p += 1 + strspn(p + 1, " ");
    p[strcspn(p, "\r\n")] = 0;
    ml_row_clear(&ml_table_frames, out_frame);
    out_frame->inlined = 0;
    if (is_lldb)
        parse_lldb(p, out_frame);
    else
        parse_gdb(p, out_frame);
    return true;
}
