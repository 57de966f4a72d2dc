#include "debuggers/gdb_stack.h"

#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* "Thread 0x7f25e155da40 (LWP 26067)", "LWP 26067" (without libthread_db), "process 26067"; -1:
 * none of these. */
static pid_t parse_target_id(const char *text)
{
    static const char *const marks[] = {"LWP ", "process "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *mark = strstr(text, marks[i]);
        if (mark) {
            long number = strtol(mark + strlen(marks[i]), NULL, 10);
            return number > 0 && number <= INT_MAX ? (pid_t)number : -1;
        }
    }
    return -1;
}

struct ml_gdb_thread *ml_gdb_threads(const struct ml_mi_record *record, size_t *out_n)
{
    const struct ml_mi_value *list = ml_mi_find(record, "threads");
    size_t n = 0, size = list ? list->size : 0;
    struct ml_gdb_thread *threads = ml_alloc((size + 1) * sizeof *threads);
    for (size_t i = 1; i < size; i += list[i].size) {
        struct ml_gdb_thread t = {ml_mi_text(&list[i], "id"),
                                  parse_target_id(ml_mi_text(&list[i], "target-id"))};
        if (*t.id && t.thread > 0)
            threads[n++] = t;
    }
    *out_n = n;
    return threads;
}

static int32_t parse_line(const char *text)
{
    long line = strtol(text, NULL, 10);
    return line > 0 && line <= INT32_MAX ? (int32_t)line : -1;
}

/* frame={level="3",addr="0x000055cd78a241ca",func="leaf",file="t.c",fullname="/home/u/t.c",
 * line="6",arch="i386:x86-64"} */
static struct ml_told parse_frame(const struct ml_mi_value *v)
{
    const char *full = ml_mi_text(v, "fullname"), *function = ml_mi_text(v, "func");
    return (struct ml_told){.pc = strtoull(ml_mi_text(v, "addr"), NULL, 16),
                            .function = function,
                            .file = *full ? full : ml_mi_text(v, "file"),
                            .line = parse_line(ml_mi_text(v, "line"))};
}

static bool is_same_call(const struct ml_told *a, const struct ml_told *b)
{
    return a->line == b->line && strcmp(a->function, b->function) == 0;
}

/* After how many of N frames the functions begin anew: N is a multiple of that, unless there are
 * MORE than these. */
static size_t find_period(const struct ml_told *frames, size_t n, bool more)
{
    for (size_t period = 1; period < n; period++) {
        size_t i = 0;
        while (i + period < n && is_same_call(&frames[i], &frames[i + period]))
            i++;
        if (i + period == n && (more || n % period == 0))
            return period;
    }
    return n;
}

/* N frames have one address. MI (as of gdb 13) does not say which of them are inlined: frames at
 * one place in the code are one call with the others inlined into it, or the same again and again
 * where that calls itself. (A function that the compiler inlined into itself looks like one that
 * calls itself.) */
static void mark_inlined(struct ml_told *frames, size_t n, bool more)
{
    size_t period = find_period(frames, n, more);
    for (size_t i = 0; i < n; i++)
        frames[i].inlined = (i + 1) % period != 0;
}

struct ml_told *ml_gdb_frames(const struct ml_mi_record *record, size_t *out_n)
{
    const struct ml_mi_value *list = ml_mi_find(record, "stack");
    size_t n = 0, begin = 0, size = list ? list->size : 0;
    struct ml_told *frames = ml_alloc(ML_GDB_FRAMES_MAX * sizeof *frames);
    for (size_t i = 1; i < size && n < ML_GDB_FRAMES_MAX; i += list[i].size)
        frames[n++] = parse_frame(&list[i]);
    for (size_t i = 1; i <= n; i++) {
        if (i == n || frames[i].pc != frames[begin].pc) {
            mark_inlined(frames + begin, i - begin, i == ML_GDB_FRAMES_MAX);
            begin = i;
        }
    }
    *out_n = n;
    return frames;
}
