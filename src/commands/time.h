/* Times of a run as people give them to --since and --until. */
#ifndef ML_COMMANDS_TIME_H
#define ML_COMMANDS_TIME_H

#include "base/error.h"

#include <stdint.h>

/* "90s", "1:30", "1:02:03.5" from the run's start on, or "2026-01-31 12:00:00" in local time, with
 * " +0200", "+02:00" or "Z" in that zone, to ns since the start, which was at ORIGIN_WALL_NS. TEXT
 * NULL: nothing is written. Errors: it is no time, or one that the local clock showed twice, or
 * never. */
enum ml_status ml_command_time(const char *text, int64_t origin_wall_ns, int64_t *out_ns,
                               struct ml_error *err);

#endif
