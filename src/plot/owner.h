/* What one owner has of the heap, as if it were a column of the samples: all forms can draw it. */
#ifndef ML_PLOT_OWNER_H
#define ML_PLOT_OWNER_H

#include "plot/source.h"

struct ml_plot_owner {
    char *name;
    double uncertain; /* of what the process has that has most: so great a share it may be off */
};

/* SOURCE's values are those of the owner that is called NAME, or whose name has NAME in it; NULL:
 * that has most when all that is drawn has most together. Errors: there is no heap profile, or no
 * such owner, or several; those of reading. */
enum ml_status ml_plot_owner_take(struct ml_plot_source *source, const char *name,
                                  struct ml_error *err);

void ml_plot_owner_free(struct ml_plot_owner *owner); /* NULL is fine */

#endif
