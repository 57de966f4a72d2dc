#include "recorder/event.h"

void ml_event_put(struct ml_journal *journal, int node, int64_t time_ns, int process,
                  enum ml_event_kind kind, int64_t value, const char *text)
{
    struct ml_event_row row = {.time_ns = time_ns,
                               .node = node,
                               .process = process,
                               .kind = (int8_t)kind,
                               .value = value,
                               .text = text};
    ml_journal_row(journal, ML_FRAME_EVENT, time_ns, &ml_table_events, &row);
}
