/* What memlog read was asked for, and its two forms. */
#ifndef ML_COMMANDS_READ_H
#define ML_COMMANDS_READ_H

#include "base/buffer.h"
#include "commands/choice.h"
#include "report/style.h"

struct ml_read_request {
    bool all, ranks, separate, mpi, pstack, tree, output, json, no_color;
    int64_t every_ns; /* 0: not given */
    size_t rows;      /* of memory over time */
    struct ml_command_choice given;
    struct ml_stacks_choice choice; /* what GIVEN means for the run */
    const char *name;               /* of the file */
};

/* Appends the report on RUN. Errors: those of reading; --every gives too many rows. */
enum ml_status ml_read_text(struct ml_run *run, const struct ml_read_request *request,
                            const struct ml_style *style, struct ml_buffer *out,
                            struct ml_error *err);

/* The same as JSON (docs/read.schema.json). */
enum ml_status ml_read_json(struct ml_run *run, const struct ml_read_request *request,
                            struct ml_buffer *out, struct ml_error *err);

#endif
