/* memlog read --json: what a run did, for scripts. The form is docs/read.schema.json. */
#ifndef ML_REPORT_JSON_H
#define ML_REPORT_JSON_H

#include "base/buffer.h"
#include "read/heap_budget.h"
#include "report/death.h"
#include "report/facts.h"
#include "report/mpi_sums.h"
#include "report/output.h"

struct ml_json_parts {
    const struct ml_facts *facts;
    const struct ml_death_report *death;
    const char *name;                         /* of the file */
    bool by_node;                             /* memory over time of each node too */
    const struct ml_stacks *stacks;           /* NULL: without */
    const struct ml_output *output;           /* all lines, by row; NULL: without */
    const struct ml_mpi_sums *mpi;            /* NULL: without */
    const struct ml_heap_profile *heap;       /* NULL: without */
    const struct ml_heap_choice *heap_choice; /* what it is of */
    const struct ml_heap_budget *heap_budget;
};

/* Appends one object and a newline. Texts become valid UTF-8: a byte that is none is U+FFFD. What
 * was not measured is null. Error: no memory. */
enum ml_status ml_report_json(const struct ml_json_parts *parts, struct ml_buffer *out,
                              struct ml_error *err);

#endif
