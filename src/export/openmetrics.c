/* OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/: a metric family a
 * column; its series one after the other, each in the order of time, as the specification asks. */
#include "base/memory.h"
#include "base/own.h"
#include "base/utf8.h"
#include "export/cells.h"
#include "sums/memory.h"
#include "sums/owners.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_B 65536 /* written at once */

/* A column as a family. TYPE counter: values only grow, and samples are named ..._total. */
struct family {
    const struct ml_table *table;
    const char *column, *name, *unit, *type;
};

static const struct family families[] = {
    {&ml_table_samples, "memory_B", "memlog_process_memory_bytes", "bytes", "gauge"},
    {&ml_table_samples, "rss_B", "memlog_process_resident_bytes", "bytes", "gauge"},
    {&ml_table_samples, "pss_B", "memlog_process_proportional_bytes", "bytes", "gauge"},
    {&ml_table_samples, "swap_B", "memlog_process_swap_bytes", "bytes", "gauge"},
    {&ml_table_samples, "vsize_B", "memlog_process_virtual_bytes", "bytes", "gauge"},
    {&ml_table_samples, "heap_used_B", "memlog_process_heap_used_bytes", "bytes", "gauge"},
    {&ml_table_samples, "heap_held_B", "memlog_process_heap_held_bytes", "bytes", "gauge"},
    {&ml_table_samples, "cpu_s", "memlog_process_cpu_seconds", "seconds", "counter"},
    {&ml_table_samples, "major_faults", "memlog_process_major_faults", NULL, "counter"},
    {&ml_table_samples, "read_B", "memlog_process_read_bytes", "bytes", "counter"},
    {&ml_table_samples, "written_B", "memlog_process_written_bytes", "bytes", "counter"},
    {&ml_table_samples, "threads", "memlog_process_threads", NULL, "gauge"},
    {&ml_table_node_samples, "memory_B", "memlog_node_memory_bytes", "bytes", "gauge"},
    {&ml_table_node_samples, "processes", "memlog_node_processes", NULL, "gauge"},
    {&ml_table_node_samples, "available_B", "memlog_node_available_bytes", "bytes", "gauge"},
    {&ml_table_node_samples, "cgroup_B", "memlog_node_cgroup_bytes", "bytes", "gauge"},
    {&ml_table_node_samples, "left_B", "memlog_node_left_bytes", "bytes", "gauge"},
    {&ml_table_node_samples, "limit_B", "memlog_node_limit_bytes", "bytes", "gauge"},
    {&ml_table_node_samples, "cpu_Hz", "memlog_node_cpu_hertz", "hertz", "gauge"},
    {&ml_table_job_samples, "memory_B", "memlog_job_memory_bytes", "bytes", "gauge"},
    {&ml_table_job_samples, "ranks", "memlog_job_ranks", NULL, "gauge"},
};

#define N_FAMILIES (sizeof families / sizeof *families)

/* A process or a node has a series; the job is the only one of its table. */
struct writing {
    const struct ml_export_run *e;
    const int32_t *ranks;
    FILE *out;
    struct ml_buffer text, labels;
    const struct family *family;
    struct ml_table table; /* of the family's few columns */
    struct ml_column columns[4];
    const struct ml_column *value, *time, *subject;
    char *seen; /* of each subject: its series has begun */
    size_t n_subjects;
    int64_t last_ns, last; /* of the series */
    int current;           /* subject of it; -1: none */
    bool headed;           /* the family has a series */
    struct ml_error *err;
    enum ml_status status;
};

static void flush(struct writing *w, size_t least)
{
    if (w->text.length < least)
        return;
    fwrite(w->text.data, 1, w->text.length, w->out);
    ml_buffer_clear(&w->text);
}

/* Escaped as both HELP and labels are; what is no UTF-8, or hides text, becomes U+FFFD. */
static void put_escaped(struct ml_buffer *out, const char *text)
{
    uint32_t point;
    for (size_t n; (n = ml_utf8_decode(text, &point)); text += n) {
        if (point == '\n')
            ml_buffer_append(out, "\\n", 2);
        else if (point == '"' || point == '\\')
            ml_buffer_printf(out, "\\%c", (char)point);
        else if (point == ML_UTF8_INVALID || ml_utf8_is_hidden(point))
            ml_buffer_append(out, "\xef\xbf\xbd", 3);
        else
            ml_buffer_append(out, text, n);
    }
}

static void put_label(struct writing *w, const char *name, const char *value)
{
    ml_buffer_printf(&w->labels, "%s%s=\"", w->labels.length ? "," : "", name);
    put_escaped(&w->labels, value);
    ml_buffer_append(&w->labels, "\"", 1);
}

static void put_number_label(struct writing *w, const char *name, int32_t value)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", value);
    put_label(w, name, digits);
}

static void put_node_labels(struct writing *w, int32_t node)
{
    bool known = node >= 0 && (size_t)node < w->e->n_nodes;
    put_number_label(w, "node", node);
    put_label(w, "node_name", known ? w->e->nodes[node].name : "");
}

/* Numbers make the sets of labels unique: neither names nor pids are. */
static void put_labels(struct writing *w, int subject)
{
    ml_buffer_clear(&w->labels);
    put_label(w, "run", w->e->title);
    if (w->family->table == &ml_table_node_samples) {
        put_node_labels(w, subject);
    } else if (w->family->table == &ml_table_samples) {
        const struct ml_process_row *p = &w->e->processes[subject];
        put_number_label(w, "process", subject);
        put_number_label(w, "rank", w->ranks[subject]);
        put_node_labels(w, p->node);
        put_number_label(w, "pid", p->pid);
        put_label(w, "name", p->name);
    }
}

static const struct ml_column *find(const struct ml_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

static void put_head(struct writing *w)
{
    const struct family *f = w->family;
    ml_buffer_printf(&w->text, "# TYPE %s %s\n", f->name, f->type);
    if (f->unit)
        ml_buffer_printf(&w->text, "# UNIT %s %s\n", f->name, f->unit);
    ml_buffer_printf(&w->text, "# HELP %s ", f->name);
    put_escaped(&w->text, w->value->description);
    ml_buffer_append(&w->text, "\n", 1);
}

/* The series of SUBJECT begins, unless it goes on. False: it ended before, and may not begin again.
 */
static bool begin_series(struct writing *w, int32_t subject)
{
    if (subject == w->current)
        return true;
    if (subject < 0 || (size_t)subject >= w->n_subjects || w->seen[subject]) {
        w->status = ml_fail(w->err, ML_RUN_LOST,
                            "%.300s: the rows of table %s that belong to %s %d are not together",
                            w->e->title, w->family->table->name,
                            w->subject ? w->subject->name : "job", subject);
        return false;
    }
    if (!w->headed)
        put_head(w);
    w->headed = true;
    w->seen[subject] = 1;
    w->current = subject;
    w->last_ns = INT64_MIN;
    w->last = INT64_MIN;
    put_labels(w, subject);
    return true;
}

/* What files that do not have the column yet have in its place counts too. */
static bool is_memory(const struct family *f)
{
    return strcmp(f->column, ML_MEMORY_COLUMN) == 0;
}

static int64_t integer_at(const struct ml_column *c, const void *row)
{
    const void *field = (const char *)row + c->offset;
    return c->kind == ML_INT32 ? *(const int32_t *)field : *(const int64_t *)field;
}

static int64_t value_of(const struct writing *w, const void *row)
{
    if (!is_memory(w->family))
        return integer_at(w->value, row);
    if (w->family->table == &ml_table_samples)
        return ml_memory_of(row);
    return w->family->table == &ml_table_node_samples ? ml_memory_of_node(row)
                                                      : ml_memory_of_job(row);
}

static void put_point(void *context, const void *row)
{
    struct writing *w = context;
    int64_t time_ns = integer_at(w->time, row), value = value_of(w, row);
    if (w->status || value == ML_NOT_MEASURED ||
        !ml_cell_row_is_chosen(w->e, &w->table, w->ranks, row))
        return;
    if (!begin_series(w, w->subject ? (int32_t)integer_at(w->subject, row) : 0))
        return;
    bool counts = *w->family->type == 'c';
    if (time_ns <= w->last_ns || (counts && value < w->last))
        return;
    w->last_ns = time_ns;
    w->last = value;
    ml_buffer_printf(&w->text, "%s%s{", w->family->name, counts ? "_total" : "");
    ml_buffer_append(&w->text, w->labels.data, w->labels.length);
    ml_buffer_append(&w->text, "} ", 2);
    if (w->value->kind == ML_SPAN)
        ml_cell_seconds(&w->text, value);
    else
        ml_cell_integer(&w->text, value);
    ml_buffer_append(&w->text, " ", 1);
    ml_cell_seconds(&w->text, w->e->origin_wall_ns + time_ns);
    ml_buffer_append(&w->text, "\n", 1);
    flush(w, PIECE_B);
}

static enum ml_status put_family(struct writing *w, const struct family *f)
{
    bool of_process = f->table == &ml_table_samples, of_node = f->table == &ml_table_node_samples;
    const char *const names[] = {"time_s", of_process ? "process" : "node", f->column,
                                 is_memory(f) ? ML_MEMORY_COLUMN_BEFORE : NULL, NULL};
    ml_slice_pick(f->table, names, w->columns, &w->table);
    w->family = f;
    w->time = find(&w->table, "time_s");
    w->value = find(&w->table, f->column);
    w->subject = of_process || of_node ? find(&w->table, names[1]) : NULL;
    w->n_subjects = of_process ? w->e->n_processes : of_node ? w->e->n_nodes : 1;
    w->seen = ml_alloc(w->n_subjects);
    w->current = -1;
    w->headed = false;
    enum ml_status status = ml_slice_each(w->e->run, &w->table, put_point, w, w->err);
    free(w->seen);
    return status ? status : w->status;
}

/* What the run was, as a family of type info, whose value is always 1. */
static void put_run(struct writing *w)
{
    static const char *const told[] = {"command", "mpi", "job_id"};
    const struct ml_attribute *a;
    size_t n = ml_run_attributes(w->e->run, &a);
    ml_buffer_printf(&w->text, "# TYPE memlog_run info\n# HELP memlog_run what was recorded\n");
    ml_buffer_clear(&w->labels);
    put_label(w, "run", w->e->title);
    put_label(w, "exporter", w->e->exporter);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        for (size_t k = 0; k < n; k++) {
            if (strcmp(a[k].name, told[i]) == 0)
                put_label(w, told[i], a[k].text);
        }
    }
    ml_buffer_append(&w->text, "memlog_run_info{", 16);
    ml_buffer_append(&w->text, w->labels.data, w->labels.length);
    ml_buffer_printf(&w->text, "} 1 ");
    ml_cell_seconds(&w->text, w->e->origin_wall_ns); /* promtool wants a time of each sample */
    ml_buffer_printf(&w->text, "\n");
}

enum ml_status ml_export_openmetrics(const struct ml_export_run *export, FILE *out,
                                     struct ml_error *err)
{
    if (export->origin_wall_ns < 0)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s does not say when the run started, and OpenMetrics has unix times",
                       export->title);
    ML_AUTO_FREE int32_t *ranks = ml_owner_ranks(export->processes, export->n_processes);
    struct writing w = {.e = export, .ranks = ranks, .out = out, .err = err};
    enum ml_status status = ML_OK;
    put_run(&w);
    for (size_t i = 0; !status && i < N_FAMILIES; i++)
        status = put_family(&w, &families[i]);
    ml_buffer_printf(&w.text, "# EOF\n");
    flush(&w, 0);
    ml_buffer_free(&w.text);
    ml_buffer_free(&w.labels);
    return status;
}
