/* What memlog plot was asked for of several files. */
#ifndef ML_COMMANDS_PLOT_COMPARE_H
#define ML_COMMANDS_PLOT_COMPARE_H

#include "commands/plot_wish.h"

/* "time", "phase", "phase=NAME", "line" or "line=TEXT"; OUT_ALIGNMENT keeps a part of TEXT. */
enum ml_status ml_plot_align_parse(const char *text, struct ml_plot_alignment *out_alignment,
                                   struct ml_error *err);

/* What does not go together with several files, or only with them; NULL: all is well. */
const char *ml_plot_compare_conflict(const struct ml_plot_request *r);

#endif
