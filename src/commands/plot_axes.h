/* The axes of a picture as people wish them. Pure. */
#ifndef ML_COMMANDS_PLOT_AXES_H
#define ML_COMMANDS_PLOT_AXES_H

#include "base/error.h"
#include "plot/page.h"

/* "0:4GiB", "1MiB:", ":300" or "-1GiB:1GiB", sizes or numbers. Errors: no range, an empty one. */
enum ml_status ml_plot_range_parse(const char *text, struct ml_plot_range *out_range,
                                   struct ml_error *err);

/* "s", "min" or "h". */
enum ml_status ml_plot_time_parse(const char *text, enum ml_plot_time *out_told,
                                  struct ml_error *err);

#endif
