/* The stacks of a log of memory_logger.py as tables. */
#ifndef ML_COMMANDS_IMPORT_LOG_STACKS_H
#define ML_COMMANDS_IMPORT_LOG_STACKS_H

#include "read/moose_log.h"
#include "store/store.h"

/* Writes /frames, /stacks and /stack_samples: of each stack the lines that are calls. Errors: those
 * of writing. */
enum ml_status ml_command_import_stacks(struct ml_store *store, const struct ml_moose_log *log,
                                        struct ml_error *err);

#endif
