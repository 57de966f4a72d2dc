/* How text is to look where stdout leads. */
#ifndef ML_COMMANDS_TERMINAL_H
#define ML_COMMANDS_TERMINAL_H

#include "report/style.h"

/* As wide as $COLUMNS or else the terminal says, else 80; in colour on a terminal, unless NO_COLOR
 * or the variable of that name forbids it. */
struct ml_style ml_command_style(bool no_color);

#endif
