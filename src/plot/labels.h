/* Labels at the ends of curves and at their peaks, for src/plot alone. */
#ifndef ML_PLOT_LABELS_H
#define ML_PLOT_LABELS_H

#include "plot/gnuplot.h"

#define LABEL_COLUMNS 28

/* Appends them for axes that end at END_S and Y_END, in units of UNIT_B bytes. */
void ml_labels_emit(const struct ml_plot_page *page, double end_s, double y_end, double unit_B,
                    struct ml_buffer *out);

#endif
