/* Logs of memory_logger.py as runs. */
#ifndef ML_COMMANDS_IMPORT_LOG_H
#define ML_COMMANDS_IMPORT_LOG_H

#include "base/error.h"

#include <stdbool.h>

/* Whether PATH is a file that begins like such a log. */
bool ml_command_is_log(const char *path);

/* Writes OUTFILE, an HDF5 file of a run, from the log PATH: a process without a rank for each
 * node, whose memory is the node's. Errors name PATH: not read, not such a log, OUTFILE is not
 * written. */
enum ml_status ml_command_import_log(const char *path, const char *outfile, struct ml_error *err);

#endif
