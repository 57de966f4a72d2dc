/* What a rank had and did before it died, where the run's verdict names one. */
#ifndef ML_REPORT_DEATH_H
#define ML_REPORT_DEATH_H

#include "read/heap.h"
#include "report/facts.h"

struct ml_death_report {
    const char
        *kind; /* "oom_cgroup": docs/format.md; owned by the run. NULL: no death to tell of */
    bool sure; /* else it is likely */
    ptrdiff_t process; /* row of the rank's; -1: not in the file */
    int64_t rank_B;    /* that it had at last; -1: not measured */
    int64_t node_B;    /* the most that the run's processes had on its node; -1 */
    /* The calls of its last stack, innermost first, "main at app.c:11"; none: none was taken. */
    char **calls;
    size_t n_calls;
    int64_t stack_age_ns; /* from that stack to its end */
    /* Where it died for want of memory, and there is a heap profile: who allocated most of what it
     * had when it was seen last, as CALLS; NULL: not known. */
    char *owner;
    struct ml_heap_sum owned; /* by OWNER */
    int64_t heap_B;           /* by all */
};

/* Errors: those of reading stacks and the heap. */
enum ml_status ml_death_gather(struct ml_run *run, const struct ml_facts *facts,
                               struct ml_death_report *out_death, struct ml_error *err);

/* "rank 2 had 155 MiB, all processes of n03 up to 163 MiB; ...", for the caller to free; NULL:
 * nothing is known. */
char *ml_death_words(const struct ml_death_report *death, const struct ml_facts *facts);

void ml_death_free(struct ml_death_report *death);

#endif
