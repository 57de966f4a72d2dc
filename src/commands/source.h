/* The run that a subcommand is to show: its HDF5 file, or what its journals hold. */
#ifndef ML_COMMANDS_SOURCE_H
#define ML_COMMANDS_SOURCE_H

#include "base/error.h"
#include "read/run.h"

/* Opens the run of PATH: an HDF5 file; the name of one that was not made, whose journals lie
 * beside it (so for its draft, store/draft.h); a journal, which is read alone; or a log of
 * memory_logger.py. From journals and logs a file is made in TMPDIR, gone when the run is closed;
 * where journals are read in place of PATH, a line on stderr says so. */
enum ml_status ml_command_open_run(const char *path, struct ml_run **out_run, struct ml_error *err);

/* As above for N journals of one run. */
enum ml_status ml_command_open_journals(char *const *paths, size_t n, struct ml_run **out_run,
                                        struct ml_error *err);

bool ml_command_is_journal(const char *path);

#endif
