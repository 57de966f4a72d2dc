/* How the memory of each owner changes in a run's heap profile, as far as it is drawn: for the
 * forms that draw owners. */
#ifndef ML_PLOT_HEAP_CHANGES_H
#define ML_PLOT_HEAP_CHANGES_H

#include "base/intern.h"
#include "plot/source.h"
#include "read/heap.h"

#define ML_HEAP_CELLS ((size_t)1 << 14) /* of time, in which sums over all rows are kept */

/* From TIME_NS on a site of PROCESS has so much more, or less. */
struct ml_heap_change {
    int64_t time_ns;
    size_t process;
    uint32_t owner;
    double bytes, variance;
};

typedef void ml_heap_see(void *context, const struct ml_heap_change *change);

struct ml_heap_changes {
    const struct ml_plot_source *source;
    struct ml_stacks stacks; /* and their frames */
    uint32_t *owner_of;      /* of each stack, and at last of calls that are not known */
    int32_t *frame_of;       /* of each owner; -1: calls that are not known */
    size_t n_owners, frames_capacity;
    int64_t cell_ns;
    struct ml_intern keys; /* process and site: the numbers of SITES */
    struct ml_heap_site *sites;
    size_t n_sites, capacity;
    ml_heap_see *see;
    void *context;
    bool bad; /* some row refers to nothing */
};

/* Errors: there is no heap profile; those of reading. Free with ml_heap_changes_close, also after
 * an error. */
enum ml_status ml_heap_changes_open(const struct ml_plot_source *source,
                                    struct ml_heap_changes *out_changes, struct ml_error *err);

/* Tells SEE of all changes: those of the table in its order, then what goes with each process. Each
 * call goes through the table once. Errors: those of reading; numbers that refer to nothing. */
enum ml_status ml_heap_changes_walk(struct ml_heap_changes *h, ml_heap_see *see, void *context,
                                    struct ml_error *err);

/* The cell at whose begin a change at TIME_NS has happened, and when that is. */
size_t ml_heap_cell_of(const struct ml_heap_changes *h, int64_t time_ns);
int64_t ml_heap_cell_time(const struct ml_heap_changes *h, size_t cell);

/* When all that is drawn has most together. */
struct ml_heap_peak {
    size_t cell;
    double bytes, variance;
    double *of;    /* each owner then */
    double *cells; /* [ML_HEAP_CELLS] the sum at the begin of each */
};

/* Free with ml_heap_peak_free, also after an error. */
enum ml_status ml_heap_find_peak(struct ml_heap_changes *h, struct ml_heap_peak *out_peak,
                                 struct ml_error *err);

void ml_heap_peak_free(struct ml_heap_peak *peak);

/* What OWNER is called; the caller frees it. */
char *ml_heap_owner_name(const struct ml_heap_changes *h, uint32_t owner);

void ml_heap_changes_close(struct ml_heap_changes *h);

#endif
