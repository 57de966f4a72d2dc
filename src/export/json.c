#include "base/memory.h"
#include "base/own.h"
#include "base/utf8.h"
#include "export/cells.h"
#include "sums/owners.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_B 65536 /* written at once */

/* A column of a table: read with what tells which rows are wanted. */
struct writing {
    const struct ml_export_run *e;
    const int32_t *ranks;
    FILE *out;
    struct ml_table table; /* of these few columns */
    const struct ml_column *column;
    struct ml_buffer text;
    bool first;
};

static void flush(struct writing *w, size_t least)
{
    if (w->text.length < least)
        return;
    fwrite(w->text.data, 1, w->text.length, w->out);
    ml_buffer_clear(&w->text);
}

/* As a literal of ASCII: what is no UTF-8 becomes U+FFFD, all else can be had back. */
static void put_text(struct ml_buffer *out, const char *text)
{
    uint32_t point;
    ml_buffer_append(out, "\"", 1);
    for (size_t n; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == ML_UTF8_INVALID)
            point = 0xfffd;
        if (point == '"' || point == '\\')
            ml_buffer_printf(out, "\\%c", (char)point);
        else if (point >= 0x20 && point < 0x7f)
            ml_buffer_append(out, text, n);
        else if (point <= 0xffff)
            ml_buffer_printf(out, "\\u%04x", point);
        else
            ml_buffer_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10),
                             0xdc00 + (point & 0x3ff));
    }
    ml_buffer_append(out, "\"", 1);
}

static void put_value(void *context, const void *row)
{
    struct writing *w = context;
    const struct ml_column *c = w->column;
    if (!ml_cell_row_is_chosen(w->e, &w->table, w->ranks, row))
        return;
    if (!w->first)
        ml_buffer_append(&w->text, ",", 1);
    w->first = false;
    const char *code = c->kind == ML_CODE ? ml_cell_code(c, row) : NULL;
    if (c->kind == ML_TEXT)
        put_text(&w->text, *(const char *const *)(const void *)((const char *)row + c->offset));
    else if (code)
        put_text(&w->text, code);
    else if (c->codes || !ml_cell_number(c, row, &w->text))
        ml_buffer_append(&w->text, "null", 4);
    flush(w, PIECE_B);
}

static enum ml_status put_column(struct writing *w, const struct ml_table *table, size_t i,
                                 struct ml_error *err)
{
    /* The first one tells how many rows there are where this one is not in the file. */
    const char *const names[] = {
        table->columns[0].name, table->columns[i].name, "time_s", "process", "rank", NULL};
    struct ml_column columns[sizeof names / sizeof *names];
    ml_slice_pick(table, names, columns, &w->table);
    w->column = &table->columns[i];
    w->first = true;
    ml_buffer_printf(&w->text, "%s\n  ", i ? "," : "");
    put_text(&w->text, w->column->name);
    ml_buffer_printf(&w->text, ": [");
    enum ml_status status = ml_slice_each(w->e->run, &w->table, put_value, w, err);
    ml_buffer_printf(&w->text, "]");
    return status;
}

static enum ml_status put_table(struct writing *w, const struct ml_table *table,
                                struct ml_error *err)
{
    size_t rows;
    enum ml_status status = ML_OK;
    if (ml_run_has(w->e->run, table->name, table->columns[0].name))
        status = ml_run_count(w->e->run, table, &rows, err);
    ml_buffer_printf(&w->text, ",\n ");
    put_text(&w->text, table->name);
    ml_buffer_printf(&w->text, ": {");
    for (size_t i = 0; !status && i < table->n_columns; i++)
        status = put_column(w, table, i, err);
    ml_buffer_printf(&w->text, "\n }");
    return status;
}

static void put_attributes(struct writing *w)
{
    const struct ml_attribute *a;
    size_t n = ml_run_attributes(w->e->run, &a);
    ml_buffer_printf(&w->text,
                     "{\n \"format\": \"memlog-export\",\n \"version\": 1,\n \"exporter\": ");
    put_text(&w->text, w->e->exporter);
    ml_buffer_printf(&w->text, ",\n \"file\": ");
    put_text(&w->text, w->e->title);
    ml_buffer_printf(&w->text, ",\n \"attributes\": {");
    for (size_t i = 0; i < n; i++) {
        double value = a[i].kind == ML_REAL ? strtod(a[i].text, NULL) : 0;
        ml_buffer_printf(&w->text, "%s\n  ", i ? "," : "");
        put_text(&w->text, a[i].name);
        ml_buffer_printf(&w->text, ": ");
        if (a[i].kind == ML_TEXT)
            put_text(&w->text, a[i].text);
        else
            ml_buffer_printf(&w->text, "%s", value - value == 0 ? a[i].text : "null");
    }
    ml_buffer_printf(&w->text, "\n }");
}

enum ml_status ml_export_json(const struct ml_export_run *export, FILE *out, struct ml_error *err)
{
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(export->processes, export->n_processes);
    struct writing w = {.e = export, .ranks = ranks, .out = out};
    enum ml_status status = ML_OK;
    put_attributes(&w);
    for (size_t i = 0; !status && ml_tables[i]; i++)
        status = put_table(&w, ml_tables[i], err);
    ml_buffer_printf(&w.text, "\n}\n");
    flush(&w, 0);
    ml_buffer_free(&w.text);
    return status;
}
