/* memlog plot --flame: from a run to its flame graph. */
#ifndef ML_COMMANDS_PLOT_FLAME_H
#define ML_COMMANDS_PLOT_FLAME_H

#include "commands/plot_wish.h"

/* Fills the texts, the flame graph and, where it was not asked for, the height of PAGE: of the heap
 * or of stacks, as R says; where it says neither, of what the run has. Errors: those of reading;
 * there is neither. */
enum ml_status ml_plot_flame_compose(const struct ml_plot_request *r,
                                     const struct ml_plot_wish *wish, struct ml_plot_page *page,
                                     struct ml_error *err);

#endif
