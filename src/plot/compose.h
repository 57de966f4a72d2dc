/* A page from runs: curves, marks, limit and texts, as a person wishes them. */
#ifndef ML_PLOT_COMPOSE_H
#define ML_PLOT_COMPOSE_H

#include "plot/forms.h"

struct ml_plot_wish {
    enum ml_plot_form form;
    enum ml_plot_by by;
    bool rate, stacks, output;
    bool gpus;         /* where it is all memory: what the GPUs hold too */
    bool chain;        /* several runs one after the other, in place of each from its start */
    bool diff;         /* of two runs, by how much the second has more */
    const char *axis;  /* what the times are of, as ml_plot_align says it; NULL: elapsed */
    const char *title; /* NULL: ours */
    const char *whose; /* in our title, of a total: "all ranks" */
    int trim;          /* of the texts beside marks */
};

/* Fills OUT_PAGE (zeroed but for what only src/draw looks at) from N sources named by LABELS; free
 * with ml_plot_page_free, also after an error. More than one source has been aligned (align.h);
 * layers and --chain do not go with several, or with several by another sum than the total. */
enum ml_status ml_plot_compose(struct ml_plot_source *sources, char *const *labels, size_t n,
                               const struct ml_plot_wish *wish, struct ml_plot_page *out_page,
                               struct ml_error *err);

#endif
