/* Things of one kind that the runs on two sides have, by name, and how they differ: ranks, nodes,
 * phases, MPI functions, owners of memory. Pure. */
#ifndef ML_REPORT_DIFF_TABLE_H
#define ML_REPORT_DIFF_TABLE_H

#include "base/intern.h"
#include "report/diff_numbers.h"

enum ml_diff_measure { ML_DIFF_BYTES, ML_DIFF_SECONDS, ML_DIFF_CALLS, ML_DIFF_MEASURES };

struct ml_diff_row {
    const char *name;
    struct ml_diff_change by[ML_DIFF_MEASURES]; /* those that the table has */
    bool small; /* under 1 MiB and 1 % of the table's largest; of time, 1 s and 1 % */
};

struct ml_diff_table {
    struct ml_diff_row *rows; /* what changed most in bytes first, then in time */
    size_t n_rows, n_small;   /* the small ones are the last */
    size_t n_old_only, n_new_only;
    bool comparable; /* on each side a run has something */
    /* private */
    size_t n_old, n_new, n_measures;
    bool absent_is_none;
    bool *recorded; /* [n_old + n_new]: the run has something */
    struct ml_intern names, groups;
    struct ml_diff_entry *entries; /* [names.n] */
    size_t capacity;
};

/* For N_OLD and N_NEW runs and the first N_MEASURES. ABSENT_IS_NONE: a run that has some
 * things has 0 of all others; else the thing is compared only where both sides have it, and
 * counted. */
void ml_diff_table_init(struct ml_diff_table *table, size_t n_old, size_t n_new, size_t n_measures,
                        bool absent_is_none);

/* RUN has NUMBERS of NAME, which are added to those that it has already. GROUP is a broader name:
 * things of it that only the old and things that only the new runs have become one, named so. */
void ml_diff_table_add(struct ml_diff_table *table, size_t run, const char *name, const char *group,
                       const struct ml_diff_number *numbers);

/* Makes the rows of what was added. */
void ml_diff_table_finish(struct ml_diff_table *table);

/* A table of zeros is fine. */
void ml_diff_table_free(struct ml_diff_table *table);

#endif
