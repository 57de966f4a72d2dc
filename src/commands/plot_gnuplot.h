/* gnuplot as a child process. */
#ifndef ML_COMMANDS_PLOT_GNUPLOT_H
#define ML_COMMANDS_PLOT_GNUPLOT_H

#include "base/buffer.h"
#include "base/error.h"
#include "plot/page.h"

/* A picture of FORM ("png", "svg", "pdf", "eps", "tex"), into OUTPUT. */
enum ml_status ml_gnuplot_draw(const struct ml_buffer *script, const char *form, int output,
                               struct ml_error *err);

/* A window with PAGE, whose script this is, until it is closed; clicks on marks print their texts
 * on stdout. Error: there was no window. */
enum ml_status ml_gnuplot_window(const struct ml_buffer *script, const struct ml_plot_page *page,
                                 struct ml_error *err);

#endif
