/* One process in the hands of gdb, from attach to detach. */
#ifndef ML_DEBUGGERS_GDB_HELD_H
#define ML_DEBUGGERS_GDB_HELD_H

#include "debuggers/gdb_session.h"
#include "symbols/modules.h"
#include "symbols/symbols.h"
#include "trace/backend.h"

/* An inferior of gdb, and the process that it has at the time. */
struct ml_held;

/* Takes gdb's first inferior, or adds one (FIRST false). Error (ML_NODE_LOST): of gdb. */
enum ml_status ml_held_open(struct ml_gdb *gdb, bool first, struct ml_held **out_held,
                            struct ml_error *err);

/* Attaches to TARGET. A target that cannot be had is no error: ml_held_pass tells of it. Error
 * (ML_NODE_LOST): of gdb. */
enum ml_status ml_held_attach(struct ml_held *held, const struct ml_stack_target *target,
                              struct ml_error *err);

/* Asks for its threads and their frames, if it is held. */
enum ml_status ml_held_ask(struct ml_held *held, struct ml_error *err);

/* Lets it go, if it is held. If it ended meanwhile, gdb is spoilt. */
enum ml_status ml_held_detach(struct ml_held *held, struct ml_error *err);

/* Once it is let go: continues it if gdb, confused by another target that ended, left it stopped.
 */
void ml_held_settle(const struct ml_held *held);

/* After gdb was lost and ended, for the reason WHY: the process runs on. */
void ml_held_lose(struct ml_held *held, const char *why);

/* Passes on what was obtained in an order that was given at ORDER_NS, and forgets it. */
void ml_held_pass(struct ml_held *held, int64_t order_ns, struct ml_modules *modules,
                  struct ml_symbols *symbols, const struct ml_stack_sink *sink);

void ml_held_close(struct ml_held *held); /* NULL is fine */

#endif
