/* What the curve of each file is called. */
#ifndef ML_COMMANDS_PLOT_LABELS_H
#define ML_COMMANDS_PLOT_LABELS_H

#include <stddef.h>

/* Labels of N PATHS, ended by NULL: of the first N_GIVEN what is GIVEN; of the others the file's
 * name without .h5, and of those that would be called the same as much of the folders before it as
 * tells them apart. Free with ml_plot_labels_free. */
char **ml_plot_labels(char *const *paths, const char *const *given, size_t n, size_t n_given);

void ml_plot_labels_free(char **labels); /* NULL is fine */

#endif
