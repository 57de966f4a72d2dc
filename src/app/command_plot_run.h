/* Runs gnuplot on a script. No name or text of the user's goes through gnuplot's hands: it reads
 * the script from a descriptor and writes the picture to one. */
#ifndef ML_APP_COMMAND_PLOT_RUN_H
#define ML_APP_COMMAND_PLOT_RUN_H

#include "base/buffer.h"
#include "base/error.h"

/* A window, or a drawing in the terminal; returns when the window is closed. */
enum ml_status ml_plot_show(const struct ml_buffer *script, struct ml_error *err);

/* A picture of FORM ("png", "svg", "pdf") at PATH, which is replaced when it is whole. */
enum ml_status ml_plot_draw(const struct ml_buffer *script, const char *form, const char *path,
                            struct ml_error *err);

/* The script itself at PATH. */
enum ml_status ml_plot_save(const struct ml_buffer *script, const char *path, struct ml_error *err);

#endif
