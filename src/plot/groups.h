/* Which processes are drawn together, and the groups' names. For src/plot alone. */
#ifndef ML_PLOT_GROUPS_H
#define ML_PLOT_GROUPS_H

#include "plot/forms.h"

struct ml_plot_groups {
    int *of;       /* of each process; -1: in none */
    size_t n;      /* the largest of them and one */
    size_t n_used; /* that have a process */
    char **labels;
    int *nodes; /* of each group: where its first process was */
};

void ml_plot_groups_make(const struct ml_plot_source *source, enum ml_plot_by by,
                         struct ml_plot_groups *out_groups);

void ml_plot_groups_free(struct ml_plot_groups *groups);

/* Appends a curve to PAGE; takes LABEL and the points of POINTS. */
struct ml_plot_curve *ml_plot_groups_add(struct ml_plot_page *page, char *label,
                                         struct ml_decimate *points, int64_t end_ns);

#endif
