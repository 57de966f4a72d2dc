/* The log of the MOOSE framework's memory_logger.py, which memlog reads beside its own files. Pure:
 * text in, structs out.
 *
 *   1417035512.347000,104500,|Time Step 1
 *   |,,node01,52250
 *
 * unix time, KiB of all nodes, what was written since, a stack, the node, its KiB. As Python's csv
 * module writes it: '|' quotes, doubled in quotes, '\' makes the next character plain. */
#ifndef ML_READ_MOOSE_LOG_H
#define ML_READ_MOOSE_LOG_H

#include "base/error.h"
#include "record/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_moose_row {
    int64_t wall_ns; /* unix time; never before the row above */
    int64_t total_B, node_B;
    const char *output, *stack; /* "": nothing */
    int32_t node;
};

struct ml_moose_log {
    struct ml_moose_row *rows; /* at least one */
    size_t n_rows;
    const char **nodes; /* names, in the order of their first rows */
    size_t n_nodes;
    bool torn;            /* it breaks off in its last row, which is left out */
    size_t set_back_line; /* where its clock was set back by SET_BACK_NS, for the first time: from
                             there on times go on as before; 0: it was not */
    int64_t set_back_ns;
    char *texts; /* what the others point into */
};

/* Whether N BYTES, the begin of a file, look like such a log. */
bool ml_moose_log_is(const char *bytes, size_t n);

/* Reads N BYTES. Errors name the line: another number of fields, no time, no size, over 65536
 * nodes. Free with ml_moose_log_free. */
enum ml_status ml_moose_log_parse(const char *bytes, size_t n, struct ml_moose_log *out_log,
                                  struct ml_error *err);

void ml_moose_log_free(struct ml_moose_log *log);

/* A call as gdb or lldb print it in a line of LENGTH bytes:
 *
 *   #1  0x00007f3a in Solver::run (this=0x55) at /src/core.cpp:118
 *   frame #1: 0x00007f3a solver`Solver::run(int) + 23 at core.cpp:118
 *
 * The texts of OUT_FRAME point into ROOM, of LENGTH + 1 bytes. False: another line. */
bool ml_moose_log_frame(const char *line, size_t length, char *room,
                        struct ml_frame_row *out_frame);

#endif
