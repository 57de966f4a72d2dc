/* libFuzzer: lines of gdb's machine interface, threads and frames in them. */
#include "debuggers/gdb_stack.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void look_at(const struct ml_mi_record *r)
{
    size_t n;
    for (size_t i = 0; i < r->n_values; i++)
        must(r->values[i].size >= 1 && r->values[i].size <= r->n_values - i);
    ML_AUTO_FREE struct ml_gdb_thread *threads = ml_gdb_threads(r, &n);
    for (size_t i = 0; i < n; i++)
        must(threads[i].thread > 0 && *threads[i].id);
    ML_AUTO_FREE struct ml_told *frames = ml_gdb_frames(r, &n);
    must(n <= ML_GDB_FRAMES_MAX);
    for (size_t i = 0; i < n; i++)
        must(frames[i].function && frames[i].file && frames[i].line != 0);
    must(n == 0 || !frames[n - 1].inlined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ml_mi_record record = {0};
    ML_AUTO_FREE char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    for (char *end, *line = text; line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        if (ml_mi_parse(line, &record))
            look_at(&record);
        else
            must(record.type == 0);
    }
    ml_mi_free(&record);
    return 0;
}
