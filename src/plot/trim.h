/* Texts that are too long for their place. */
#ifndef ML_PLOT_TRIM_H
#define ML_PLOT_TRIM_H

/* The first N characters of TEXT without the blanks around, and an ellipsis where there are more;
 * the caller frees it. NULL: there are none. */
char *ml_plot_trim(const char *text, int n);

#endif
