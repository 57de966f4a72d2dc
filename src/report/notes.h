/* What was recorded otherwise than asked, and why: sampling that slowed down, output that was cut,
 * debuggers that died, warnings. */
#ifndef ML_REPORT_NOTES_H
#define ML_REPORT_NOTES_H

#include "read/run.h"
#include "record/tables.h"

#define ML_NOTES_MOST 8 /* that are kept; the rest is counted */

struct ml_note {
    enum ml_event_kind kind;
    char *text;
    int64_t first_ns; /* when it was told first */
    int64_t value;    /* the largest that was told; for ML_EVENT_SLOWED the period, ns */
    int node;         /* that told first */
    size_t n;         /* how often */
};

struct ml_notes {
    struct ml_note *list; /* in order of time; equal texts are one */
    size_t n;
    size_t n_more; /* different ones that are not kept */
};

/* Errors: those of reading. */
enum ml_status ml_notes_gather(struct ml_run *run, struct ml_notes *out_notes,
                               struct ml_error *err);

void ml_notes_free(struct ml_notes *notes);

#endif
