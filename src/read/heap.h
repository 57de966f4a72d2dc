/* Who owns the memory: the heap profile of a run at one moment, by call stack. */
#ifndef ML_READ_HEAP_H
#define ML_READ_HEAP_H

#include "base/intern.h"
#include "read/stacks.h"

/* Of a file that has sites, and none that is wanted. */
#define ML_HEAP_NOTHING_THEN "nothing that was allocated is known for these ranks at this time"

/* In place of a time: what each process had when it was seen last. */
#define ML_HEAP_AT_END INT64_MAX

struct ml_leak_parts;

struct ml_heap_choice {
    const struct ml_ranges *ranks; /* NULL: all, also of processes that belong to no rank */
    int64_t at_ns;
    const char *phase; /* of which AT_NS is a moment, for the words; NULL: of none */
    bool churn;        /* weights are of what was allocated until then, not of what lives */
    /* What lives is that which grows and is not given back (read/leaks.h), and AT_NS the time of
     * the last sample. PARTS: of time; NULL: of each process's life. */
    bool leaks;
    const struct ml_leak_parts *parts;
};

/* Bytes and blocks, and the standard error of the bytes. */
struct ml_heap_sum {
    int64_t bytes, blocks;
    double variance; /* bytes squared */
};

/* Of one site of one process. */
struct ml_heap_owner {
    struct ml_heap_sum live, allocated;
    int8_t kind; /* enum ml_site_kind */
};

struct ml_heap_profile {
    const char *why_none; /* the file has no sites; else NULL */
    bool churn;           /* as chosen */
    size_t n_recorded;    /* sites in the file */
    /* Frames and stacks; each site whose calls are known and that has a weight is a sample. */
    struct ml_stacks stacks;
    struct ml_heap_owner *owners; /* [stacks.n_samples] */
    struct ml_heap_owner unknown; /* of all sites whose calls are not known */
    struct ml_heap_owner total;   /* of all */
    /* By enum ml_site_kind; those of other kinds in 0. */
    struct ml_heap_owner by_kind[ML_SITE_HUGE + 1];
};

/* Loads what lived at CHOICE's time in processes that had not ended by then. PROCESSES are the rows
 * of the table. Errors: those of reading; numbers that refer to nothing. */
enum ml_status ml_heap_load(struct ml_run *run, const struct ml_process_row *processes,
                            size_t n_processes, const struct ml_heap_choice *choice,
                            struct ml_heap_profile *out_profile, struct ml_error *err);

/* What OWNER weighs in PROFILE: what lives, or what was allocated. */
const struct ml_heap_sum *ml_heap_weight(const struct ml_heap_profile *profile,
                                         const struct ml_heap_owner *owner);

void ml_heap_sum_add(struct ml_heap_sum *sum, const struct ml_heap_sum *more);

/* The standard error of SUM, in bytes. */
int64_t ml_heap_sum_error(const struct ml_heap_sum *sum);

/* The call of STACK that a reader takes for the owner: the innermost that is none of the language's
 * own ways to allocate (operator new, std::vector ...); where all are, the innermost. Its number in
 * /frames. */
int32_t ml_heap_owner_frame(const struct ml_stacks *stacks, int32_t stack);

/* The number in INTERN of the owner that FRAME is: equal for equal functions, and with BY_LINE
 * equal lines. */
uint32_t ml_heap_owner_number(struct ml_intern *intern, const struct ml_frame_row *frame,
                              bool by_line);

/* Whether RUN's file has the tables of the heap; an older one has not. */
bool ml_heap_has_tables(struct ml_run *run);

/* Why RUN has no site in these tables. */
const char *ml_heap_why_none(struct ml_run *run);

/* Why there is nothing to show of PROFILE, of which CHOICE has left nothing. */
const char *ml_heap_why_nothing(const struct ml_heap_profile *profile,
                                const struct ml_heap_choice *choice);

void ml_heap_profile_free(struct ml_heap_profile *profile);

#endif
