/* memlog read --heap: who owns the memory, as text for people. Pure: facts in, text out. */
#ifndef ML_REPORT_HEAP_H
#define ML_REPORT_HEAP_H

#include "read/heap_budget.h"
#include "report/facts.h"
#include "report/style.h"

struct ml_heap_view {
    const struct ml_heap_profile *profile;
    const struct ml_heap_budget *budget;
    const struct ml_facts *facts;
    struct ml_heap_choice choice;
    bool flat; /* by function and line; else the tree from the outermost call */
    bool all;  /* also what is under 1 % */
};

/* Appends the report, or why there is none. */
void ml_report_heap(const struct ml_heap_view *view, const struct ml_style *style,
                    struct ml_buffer *out);

/* "heap at the peak of the job, 0:12", where that was at PEAK_NS; the caller frees it. */
char *ml_report_heap_moment(const struct ml_heap_choice *choice, int64_t peak_ns);

#endif
