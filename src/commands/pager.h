/* Text for people: through a pager on a terminal, else plainly on stdout. */
#ifndef ML_COMMANDS_PAGER_H
#define ML_COMMANDS_PAGER_H

#include "base/error.h"

#include <stddef.h>

/* Shows N bytes of TEXT through $PAGER (else less) where stdout is a terminal and there is such a
 * program, else writes them to stdout. A pager that is left before the end is no error. Error:
 * stdout cannot be written. */
enum ml_status ml_command_page(const char *text, size_t n, struct ml_error *err);

#endif
