/* Brings a page to whoever wants to see it: a file, a window, the terminal. No name or text of the
 * user's goes through gnuplot's hands unquoted: it reads the script from a descriptor and writes
 * the picture to one. */
#ifndef ML_COMMANDS_PLOT_RUN_H
#define ML_COMMANDS_PLOT_RUN_H

#include "base/buffer.h"
#include "commands/plot_wish.h"

/* As the request says; returns when a window is closed. A file is replaced when it is whole. */
enum ml_status ml_plot_deliver(const struct ml_plot_request *request, struct ml_plot_page *page,
                               struct ml_error *err);

#endif
