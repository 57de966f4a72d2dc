/* Which memory grows and is not given back. A process's time is divided into parts, and of each
 * call stack the least is looked at that it had in each: what comes and goes within a part is not
 * in it, and what is freed before the end is not in the last. Pure. */
#ifndef ML_READ_LEAKS_H
#define ML_READ_LEAKS_H

#include "read/heap.h"
#include "read/phases.h"

enum { ML_LEAK_PARTS = 8 };

/* Part i is from at_ns[i] on and ends before at_ns[i + 1]. */
struct ml_leak_parts {
    int64_t at_ns[ML_LEAK_PARTS + 1];
    size_t n;
};

/* Of what lives from BEGIN_NS to END_NS: its first ninth is left out, in which a program becomes
 * what it then is. */
struct ml_leak_parts ml_leak_parts_of_life(int64_t begin_ns, int64_t end_ns);

/* From each begin of phase NAME to the next, the last until END_NS; the first of more than two is
 * left out, and of many several are one part. Where it began once: the moment before it, itself,
 * and what came later. No parts: there is no such phase. */
struct ml_leak_parts ml_leak_parts_of_phase(const struct ml_run_phases *phases, const char *name,
                                            int64_t end_ns);

/* What a site had, over time. */
struct ml_leak_site {
    struct ml_heap_sum now, least[ML_LEAK_PARTS];
    int64_t since_ns; /* it has had NOW */
    unsigned known;   /* bit i: least[i] is */
};

/* It had nothing until now. */
struct ml_leak_site ml_leak_site_new(void);

/* SITE had what it has until TIME_NS, THEN from then on. Times do not go back. */
void ml_leak_follow(struct ml_leak_site *site, const struct ml_leak_parts *parts, int64_t time_ns,
                    const struct ml_heap_sum *then);

/* Whether the N least amounts grow steadily: the last is more than the first by more than two
 * standard errors; from one to the next they rise in at least half of the steps and fall in at most
 * a quarter, steps of less than a quarter of their mean being neither. */
bool ml_leak_grows(const struct ml_heap_sum *least, size_t n);

/* By how much the last of N is more than the first; not less than 0. */
struct ml_heap_sum ml_leak_growth(const struct ml_heap_sum *least, size_t n);

#endif
