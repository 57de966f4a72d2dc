/* One gdb that is kept: commands of its machine interface and their answers. */
#ifndef ML_DEBUGGERS_GDB_SESSION_H
#define ML_DEBUGGERS_GDB_SESSION_H

#include "debuggers/debugger.h"
#include "debuggers/gdb_mi.h"

#include <stdbool.h>
#include <sys/types.h>

struct ml_gdb {
    struct ml_debugger debugger;
    int64_t token; /* of the last command */
    /* CLOCK_MONOTONIC at which gdb told, since the last command, that it holds a process, and that
     * it let one go or saw its end; 0: it did not */
    int64_t held_ns, left_ns;
    bool spoilt; /* it holds a process that ended: gdb 13 aborts when it is asked to detach */
};

/* Starts gdb with the settings that sampling needs. Error (ML_NODE_LOST): it is not there, or does
 * not answer. */
enum ml_status ml_gdb_open(struct ml_gdb *out_gdb, struct ml_error *err);

/* Gives a command and waits for its answer, OUT_ANSWER (zeroed, or used before), whose word is
 * "done" or "error". With STOP (not 0), waits also until gdb tells that a process stopped, unless
 * the command failed or process STOP ended. Error (ML_NODE_LOST): gdb ended or does not answer. */
enum ml_status ml_gdb_ask(struct ml_gdb *gdb, int64_t patience_ns, pid_t stop,
                          struct ml_mi_record *out_answer, struct ml_error *err,
                          const char *command, ...) __attribute__((format(printf, 6, 7)));

/* Whether ANSWER is an error; OUT_TEXT is then gdb's text of it in one line. */
bool ml_gdb_failed(const struct ml_mi_record *answer, struct ml_error *out_text);

/* The processes that it holds run on. */
void ml_gdb_close(struct ml_gdb *gdb);

#endif
