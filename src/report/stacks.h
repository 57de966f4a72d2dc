/* memlog read --pstack: the stacks of a run as text for people. Pure: facts in, text out. */
#ifndef ML_REPORT_STACKS_H
#define ML_REPORT_STACKS_H

#include "read/stack_tree.h"
#include "report/moments.h"
#include "report/style.h"

/* The stacks of MOMENT, the innermost call first; threads with equal ones are one. Unless ALL, the
 * most frequent ones, of long ones both ends. */
void ml_report_moment(const struct ml_stacks *stacks, const struct ml_moments *moments,
                      const struct ml_moment *moment, bool all, const struct ml_style *style,
                      struct ml_buffer *out);

/* STACKS, those nearest to AT_NS, under a line that says so, and when they were taken; INT64_MAX:
 * to the run's end. */
void ml_report_nearest(const struct ml_facts *facts, const struct ml_stacks *stacks, int64_t at_ns,
                       bool all, const struct ml_style *style, struct ml_buffer *out);

/* All stacks merged from the root: for each branch samples, their share, the largest memory of a
 * process, ranks. Unless ALL, branches under 1 % are summed up; what STACKS left out is told. There
 * is at least one sample. */
void ml_report_stack_tree(const struct ml_stacks *stacks, bool all, const struct ml_style *style,
                          struct ml_buffer *out);

/* Why no stack was recorded: not asked for, or what hindered them by the events of the run, or that
 * none was due by its options. The caller frees it. */
char *ml_report_why_no_stacks(const struct ml_facts *facts);

/* Says that there are no stacks, and why; false if there are some. */
bool ml_report_no_stacks(const struct ml_stacks *stacks, const struct ml_facts *facts,
                         const struct ml_style *style, struct ml_buffer *out);

#endif
