#include "report/under.h"

#include "base/clock.h"
#include "base/memory.h"
#include "report/report.h"
#include "report/stack_text.h"
#include "report/stacks.h"

#include <stdlib.h>

#define NEAR_NS (250 * ML_NS_PER_MS)

void ml_under_init(struct ml_under *u, const struct ml_history *history,
                   const struct ml_moments *moments)
{
    static const struct ml_moments none;
    const struct ml_moments *m = moments ? moments : &none;
    *u = (struct ml_under){.history = *history};
    u->history.rows = ml_realloc_array(NULL, history->n_rows + m->n, sizeof *u->history.rows);
    u->moment_of = ml_realloc_array(NULL, history->n_rows + m->n, sizeof *u->moment_of);
    struct ml_history_row *rows = u->history.rows;
    size_t n = 0, next = 0;
    for (size_t i = 0; i <= history->n_rows; i++) {
        int64_t time_ns = i < history->n_rows ? history->rows[i].time_ns : INT64_MAX;
        for (; next < m->n && m->moments[next].time_ns < time_ns; next++) {
            const struct ml_moment *moment = &m->moments[next];
            if (n && u->moment_of[n - 1] == SIZE_MAX && rows[n - 1].bytes == moment->total_B &&
                moment->time_ns - rows[n - 1].time_ns < NEAR_NS)
                n--;
            u->moment_of[n] = next;
            rows[n++] =
                (struct ml_history_row){moment->time_ns, moment->total_B > 0 ? moment->total_B : 0};
        }
        if (i == history->n_rows)
            break;
        u->moment_of[n] = SIZE_MAX;
        rows[n++] = history->rows[i];
    }
    u->history.n_rows = n;
}

void ml_under_free(struct ml_under *u)
{
    free(u->history.rows);
    free(u->moment_of);
    *u = (struct ml_under){0};
}

struct showing {
    const struct ml_under *under;
    const struct ml_under_what *what;
    const struct ml_style *style;
};

static void add(void *context, size_t row, struct ml_buffer *out)
{
    const struct showing *s = context;
    const struct ml_under_what *what = s->what;
    size_t moment = s->under->moment_of[row];
    if (what->stacks && moment != SIZE_MAX)
        ml_report_moment(what->stacks, what->moments, &what->moments->moments[moment], what->all,
                         s->style, out);
    if (what->output)
        ml_output_print(what->output, row, what->all, s->style, out);
}

void ml_report_under(const struct ml_facts *facts, const struct ml_under *under,
                     const struct ml_under_what *what, const struct ml_style *style,
                     struct ml_buffer *out)
{
    struct showing showing = {under, what, style};
    struct ml_report_below below = {add, &showing};
    char *title =
        ml_format("memory of all processes%s%s%s", what->stacks || what->output ? ", " : "",
                  what->stacks ? (what->output ? "stacks " : "and stacks") : "",
                  what->output ? "and output" : "");
    ml_report_history_with(facts, title, &under->history, &below, style, out);
    free(title);
    const struct ml_moments *m = what->moments;
    if (what->stacks && m->n < m->n_all) {
        char *note =
            ml_format("stacks of %zu out of %zu times are shown; --all shows each", m->n, m->n_all);
        ml_stack_text_note(note, style, out);
        free(note);
    }
}
