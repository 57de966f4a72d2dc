/* memlog top: the full screen. */
#ifndef ML_COMMANDS_TOP_H
#define ML_COMMANDS_TOP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Shows the run of PATH, read again every EVERY_NS while it goes on, until the user leaves or the
 * terminal goes away. Errors: those of reading it at first; a terminal that cannot do it, or a
 * memlog without ncurses, which names --plain. */
enum ml_status ml_top_show(const char *path, int64_t every_ns, bool no_color, struct ml_error *err);

#endif
