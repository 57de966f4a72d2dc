/* Events of a node, as rows of the journal. */
#ifndef ML_RECORDER_EVENT_H
#define ML_RECORDER_EVENT_H

#include "journal/journal.h"

/* TIME_NS: of the node's clock. PROCESS: its number on NODE; -1: of none. */
void ml_event_put(struct ml_journal *journal, int node, int64_t time_ns, int process,
                  enum ml_event_kind kind, int64_t value, const char *text);

#endif
