#include "report/notes.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/slice.h"

#include <string.h>

static bool is_note(int64_t kind)
{
    switch ((enum ml_event_kind)kind) {
    case ML_EVENT_SLOWED:
    case ML_EVENT_OUTPUT_CUT:
    case ML_EVENT_NOTE:
    case ML_EVENT_DEBUGGER:
        return true;
    case ML_EVENT_EXIT:
    case ML_EVENT_SIGNAL:
    case ML_EVENT_ABORT:
    case ML_EVENT_FORWARDED:
    case ML_EVENT_ENDED_BY_US:
    case ML_EVENT_NODE_LOST:
    case ML_EVENT_PHASE_BEGIN:
    case ML_EVENT_PHASE_END:
    case ML_EVENT_MARK:
    case ML_EVENT_DEATH:
        break;
    }
    return false;
}

static struct ml_note *find(const struct ml_notes *notes, const struct ml_event_row *e)
{
    for (size_t i = 0; i < notes->n; i++) {
        if (notes->list[i].kind == (enum ml_event_kind)e->kind &&
            strcmp(notes->list[i].text, e->text) == 0)
            return &notes->list[i];
    }
    return NULL;
}

static void add(struct ml_notes *notes, const struct ml_event_row *e)
{
    struct ml_note *known = find(notes, e);
    if (known) {
        known->n++;
        known->value = e->value > known->value ? e->value : known->value;
        return;
    }
    if (notes->n == ML_NOTES_MOST) {
        notes->n_more++;
        return;
    }
    notes->list[notes->n++] = (struct ml_note){.kind = (enum ml_event_kind)e->kind,
                                               .text = ml_strdup(e->text),
                                               .first_ns = e->time_ns,
                                               .value = e->value,
                                               .node = e->node,
                                               .n = 1};
}

/* Events may be many, since phases are among them: only the rows that are notes are read whole. */
static enum ml_status add_slice(struct ml_run *run, size_t first, size_t count, int64_t *kinds,
                                struct ml_notes *notes, struct ml_error *err)
{
    enum ml_status status =
        ml_run_column_int64(run, ml_table_events.name, "kind", first, count, kinds, err);
    for (size_t i = 0; !status && i < count; i++) {
        struct ml_slice row;
        if (!is_note(kinds[i]))
            continue;
        status = ml_slice_read(run, &ml_table_events, first + i, 1, &row, err);
        if (status)
            break;
        add(notes, row.rows);
        ml_slice_free(&row);
    }
    return status;
}

enum ml_status ml_notes_gather(struct ml_run *run, struct ml_notes *out_notes, struct ml_error *err)
{
    struct ml_notes notes = {.list = ml_alloc(ML_NOTES_MOST * sizeof *notes.list)};
    ML_AUTO_FREE int64_t *kinds = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *kinds);
    size_t rows = 0;
    enum ml_status status = ML_OK;
    if (ml_run_has(run, ml_table_events.name, "kind"))
        status = ml_run_count(run, &ml_table_events, &rows, err);
    for (size_t first = 0; !status && first < rows; first += ML_SLICE_ROWS) {
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        status = add_slice(run, first, count, kinds, &notes, err);
    }
    if (status)
        ml_notes_free(&notes);
    else
        *out_notes = notes;
    return status;
}

void ml_notes_free(struct ml_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++)
        free(notes->list[i].text);
    free(notes->list);
    *notes = (struct ml_notes){0};
}
