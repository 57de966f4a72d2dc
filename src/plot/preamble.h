/* The part of every script that does not depend on the data: colours, terminal, frame. */
#ifndef ML_PLOT_PREAMBLE_H
#define ML_PLOT_PREAMBLE_H

/* Follows a line that gives `dark` its default. */
extern const char ml_plot_preamble[];

#endif
