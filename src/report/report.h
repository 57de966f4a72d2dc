/* memlog read: what a run did, as text for people. Pure: facts in, text out. */
#ifndef ML_REPORT_REPORT_H
#define ML_REPORT_REPORT_H

#include "base/buffer.h"
#include "report/death.h"
#include "report/facts.h"
#include "report/style.h"

/* Command, when, where, how it ended. NAME is the file's; DEATH may be NULL. */
void ml_report_header(const struct ml_facts *facts, const struct ml_death_report *death,
                      const char *name, const struct ml_style *style, struct ml_buffer *out);

/* What people ask first: the peak, the largest and smallest rank, how evenly it is spread, whether
 * it grows, the approach to a limit. */
void ml_report_summary(const struct ml_facts *facts, const struct ml_style *style,
                       struct ml_buffer *out);

/* A row a node; past 64 nodes the largest and all whose record is not complete, unless ALL. */
void ml_report_nodes(const struct ml_facts *facts, bool all, const struct ml_style *style,
                     struct ml_buffer *out);

/* A row a rank; past 64 ranks the largest and the smallest, unless ALL, which also shows each
 * rank's helper processes below it. */
void ml_report_ranks(const struct ml_facts *facts, bool all, const struct ml_style *style,
                     struct ml_buffer *out);

/* A line a row of HISTORY: date, time, memory, a bar, percent of the history's peak. */
void ml_report_history(const struct ml_facts *facts, const char *title,
                       const struct ml_history *history, const struct ml_style *style,
                       struct ml_buffer *out);

/* As above, with lines below some rows: ADD is called with the number of each row. */
struct ml_report_below {
    void (*add)(void *context, size_t row, struct ml_buffer *out);
    void *context;
};
void ml_report_history_with(const struct ml_facts *facts, const char *title,
                            const struct ml_history *history, const struct ml_report_below *below,
                            const struct ml_style *style, struct ml_buffer *out);

#endif
