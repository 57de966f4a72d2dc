#include "base/own.h"
#include "base/utf8.h"
#include "export/cells.h"
#include "sums/owners.h"

#include <string.h>

#define PIECE_B 65536 /* written at once */

struct writing {
    const struct ml_export_run *e;
    const int32_t *ranks;
    FILE *out;
    struct ml_buffer line;
    const struct ml_mpi_call_row *calls;
    size_t n_calls;
};

static void flush(struct writing *w, size_t least)
{
    if (w->line.length < least)
        return;
    fwrite(w->line.data, 1, w->line.length, w->out);
    ml_buffer_clear(&w->line);
}

/* Quoted where it must be, and as valid UTF-8, without which readers give up. A name that a
 * spreadsheet would take for a formula begins with an apostrophe: applications name themselves. */
static void put_text(struct ml_buffer *line, const char *text)
{
    uint32_t point;
    bool quoted = text[strcspn(text, ",\"\r\n")];
    ml_buffer_append(line, "\"", quoted);
    ml_buffer_append(line, "'", *text && strchr("=+-@\t\r", *text));
    for (size_t n; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == ML_UTF8_INVALID)
            ml_buffer_append(line, "\xef\xbf\xbd", 3);
        else
            ml_buffer_append(line, text, n);
        if (point == '"')
            ml_buffer_append(line, "\"", 1);
    }
    ml_buffer_append(line, "\"", quoted);
}

static void put_head(struct writing *w)
{
    for (size_t i = 0; i < ml_table_samples.n_columns; i++)
        ml_buffer_printf(&w->line, "%s,", ml_table_samples.columns[i].name);
    ml_buffer_printf(&w->line, "node_name,process_name,of_rank,mpi_call_name\r\n");
}

static void put_names(struct writing *w, int process, int call)
{
    const struct ml_export_run *e = w->e;
    bool known = process >= 0 && (size_t)process < e->n_processes;
    int node = known ? e->processes[process].node : -1;
    put_text(&w->line, node >= 0 && (size_t)node < e->n_nodes ? e->nodes[node].name : "");
    ml_buffer_append(&w->line, ",", 1);
    put_text(&w->line, known ? e->processes[process].name : "");
    ml_buffer_append(&w->line, ",", 1);
    ml_cell_integer(&w->line, known ? w->ranks[process] : -1);
    ml_buffer_append(&w->line, ",", 1);
    put_text(&w->line, call >= 0 && (size_t)call < w->n_calls ? w->calls[call].name : "");
    ml_buffer_append(&w->line, "\r\n", 2);
}

static void put_row(void *context, const void *row)
{
    struct writing *w = context;
    const struct ml_sample_row *sample = row;
    if (!ml_cell_row_is_chosen(w->e, &ml_table_samples, w->ranks, row))
        return;
    for (size_t i = 0; i < ml_table_samples.n_columns; i++) {
        const struct ml_column *c = &ml_table_samples.columns[i];
        const char *code = c->kind == ML_CODE ? ml_cell_code(c, row) : NULL;
        if (code)
            put_text(&w->line, code);
        else if (c->kind != ML_CODE)
            ml_cell_number(c, row, &w->line);
        ml_buffer_append(&w->line, ",", 1);
    }
    put_names(w, sample->process, sample->mpi_call);
    flush(w, PIECE_B);
}

enum ml_status ml_export_csv(const struct ml_export_run *export, FILE *out, struct ml_error *err)
{
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(export->processes, export->n_processes);
    struct ml_slice calls = {0};
    enum ml_status status = ML_OK;
    if (ml_run_has(export->run, ml_table_mpi_calls.name, "name"))
        status = ml_slice_read_all(export->run, &ml_table_mpi_calls, &calls, err);
    struct writing w = {
        .e = export, .ranks = ranks, .out = out, .calls = calls.rows, .n_calls = calls.count};
    put_head(&w);
    if (!status)
        status = ml_slice_each(export->run, &ml_table_samples, put_row, &w, err);
    flush(&w, 0);
    ml_slice_free(&calls);
    ml_buffer_free(&w.line);
    return status;
}
