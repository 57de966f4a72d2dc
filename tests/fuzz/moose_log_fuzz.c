/* A log of memory_logger.py, and each of its lines as a call of a stack. */
#include "base/memory.h"
#include "read/moose_log.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frames(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        struct ml_frame_row frame;
        char *room = ml_alloc(length + 1);
        if (ml_moose_log_frame(text, length, room, &frame) &&
            strlen(frame.function) + strlen(frame.file) + strlen(frame.module) > length)
            abort();
        free(room);
        text += length + (text[length] == '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ml_error err;
    struct ml_moose_log log;
    char *copy = malloc(size ? size : 1); /* of the exact size, so that reading past it is seen */
    memcpy(copy, data, size);
    ml_moose_log_is(copy, size);
    if (ml_moose_log_parse(copy, size, &log, &err) == ML_OK) {
        for (size_t i = 0; i < log.n_rows; i++) {
            const struct ml_moose_row *row = &log.rows[i];
            if (row->node < 0 || (size_t)row->node >= log.n_nodes || row->node_B < 0 ||
                (i && row->wall_ns < row[-1].wall_ns))
                abort();
            check_frames(row->output);
            check_frames(row->stack);
        }
        ml_moose_log_free(&log);
    }
    free(copy);
    return 0;
}
