/* Facts of the format: Python's csv module with '|' as quote and '\' as escape character; sizes in
 * KiB, as ps has them; no head. Its own reader refuses fields over 131072 characters. */
#include "base/memory.h"
#include "base/own.h"
#include "base/utf8.h"
#include "export/cells.h"
#include "read/merge.h"
#include "read/total.h"
#include "sums/memory.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TEXT_B 65536 /* in a field: what comes on top goes into a line of its own */

#define NO_RANK (INT32_MAX - 1) /* comes behind all ranks */

/* A stack that a line of its node is to show. */
struct due {
    int64_t time_ns;
    size_t sample;
    int node;
};

struct logging {
    const struct ml_export_run *e;
    const struct ml_stacks *stacks;
    FILE *out;
    int64_t *node_kib; /* of each node: its last */
    size_t last_node;
    bool any_node;
    struct due *dues; /* by time */
    size_t n_dues, next_due;
    size_t *pending; /* of each node: sample + 1 of the stack to be shown next */
    struct ml_buffer said, text, line;
    int32_t *frames;
};

/* What a log holds without harm: no controls, for which its readers are not made. */
static void put_clean(const char *text, struct ml_buffer *out)
{
    uint32_t point;
    for (size_t n; (n = ml_utf8_decode(text, &point)); text += n) {
        bool kept = point != ML_UTF8_INVALID && (point == '\t' || !ml_utf8_is_hidden(point));
        ml_buffer_append(out, kept ? text : "\xef\xbf\xbd", kept ? n : 3);
    }
}

static void put_field(struct ml_buffer *line, const char *text, size_t n)
{
    bool quoted = false;
    for (size_t i = 0; i < n; i++)
        quoted |= strchr(",|\\\r\n", text[i]) != NULL;
    ml_buffer_append(line, "|", quoted);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '|' || text[i] == '\\')
            ml_buffer_append(line, text[i] == '|' ? "|" : "\\", 1);
        ml_buffer_append(line, text + i, 1);
    }
    ml_buffer_append(line, "|", quoted);
}

static void put_stack(struct logging *l, size_t sample)
{
    const struct ml_stacks *s = l->stacks;
    struct ml_buffer name = {0};
    size_t n = ml_stacks_frames(s, s->samples[sample].stack, l->frames);
    for (size_t i = 0; i < n; i++) {
        const struct ml_frame_row *frame = &s->frames[l->frames[i]];
        ml_buffer_clear(&name);
        ml_stacks_name(frame, &name);
        ml_buffer_printf(&l->text, "#%-3zu", i);
        put_clean(name.data, &l->text);
        ml_buffer_printf(&l->text, " ()%s", *frame->file ? " at " : *frame->module ? " from " : "");
        put_clean(*frame->file ? frame->file : frame->module, &l->text);
        if (*frame->file && frame->line > 0)
            ml_buffer_printf(&l->text, ":%d", frame->line);
        ml_buffer_append(&l->text, "\n", 1);
    }
    ml_buffer_free(&name);
}

/* A line at TIME_NS of the node that was sampled last. */
static void put_line(struct logging *l, int64_t time_ns)
{
    int64_t total_kib = 0,
            wall_ns = time_ns + (l->e->origin_wall_ns > 0 ? l->e->origin_wall_ns : 0);
    size_t node = l->last_node;
    for (size_t i = 0; i < l->e->n_nodes; i++)
        total_kib += l->node_kib[i];
    ml_buffer_clear(&l->line);
    ml_buffer_printf(&l->line, "%.6f,%lld,", (double)wall_ns / 1e9, (long long)total_kib);
    put_field(&l->line, l->said.data, l->said.length);
    ml_buffer_clear(&l->said);
    ml_buffer_clear(&l->text);
    if (l->pending[node])
        put_stack(l, l->pending[node] - 1);
    l->pending[node] = 0;
    ml_buffer_append(&l->line, ",", 1);
    put_field(&l->line, l->text.data, l->text.length);
    ml_buffer_append(&l->line, ",", 1);
    ml_buffer_clear(&l->text);
    put_clean(l->e->nodes[node].name, &l->text);
    put_field(&l->line, l->text.data, l->text.length);
    ml_buffer_printf(&l->line, ",%lld\r\n", (long long)l->node_kib[node]);
    fwrite(l->line.data, 1, l->line.length, l->out);
}

static void see_node(struct logging *l, const struct ml_node_sample_row *r)
{
    const struct ml_stacks_choice *choice = l->e->choice;
    int64_t memory_B = ml_memory_of_node(r);
    if (r->node < 0 || (size_t)r->node >= l->e->n_nodes || memory_B < 0)
        return;
    l->last_node = (size_t)r->node;
    l->any_node = true;
    l->node_kib[r->node] = memory_B / 1024;
    for (; l->next_due < l->n_dues && l->dues[l->next_due].time_ns <= r->time_ns; l->next_due++)
        l->pending[l->dues[l->next_due].node] = l->dues[l->next_due].sample + 1;
    if (r->time_ns >= choice->since_ns && r->time_ns <= choice->until_ns)
        put_line(l, r->time_ns);
}

static void see_output(struct logging *l, const struct ml_output_row *r)
{
    if (!ml_cell_row_is_chosen(l->e, &ml_table_output, NULL, r))
        return;
    if (r->continued == 1 && l->said.length)
        l->said.length--; /* goes on in the same line */
    put_clean(r->text, &l->said);
    ml_buffer_append(&l->said, "\n", 1);
    if (l->said.length > MOST_TEXT_B && l->any_node)
        put_line(l, r->time_ns);
}

static int by_time(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->sample < y->sample ? -1 : x->sample > y->sample;
}

/* A log has one stack a node at a time: that of the first thread of its lowest rank. */
static void find_dues(struct logging *l)
{
    const struct ml_stacks *s = l->stacks;
    const struct ml_export_run *e = l->e;
    ML_AUTO_FREE int32_t *lowest = ml_realloc_array(NULL, e->n_nodes, sizeof *lowest);
    l->dues = ml_realloc_array(NULL, s->n_samples, sizeof *l->dues);
    for (size_t i = 0; i < e->n_nodes; i++)
        lowest[i] = INT32_MAX;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < s->n_samples; i++) {
            const struct ml_process_row *p = &e->processes[s->samples[i].process];
            int32_t rank = p->rank < 0 ? NO_RANK : p->rank;
            if (!s->samples[i].first || p->node < 0 || (size_t)p->node >= e->n_nodes)
                continue;
            if (pass == 0 && rank < lowest[p->node])
                lowest[p->node] = rank;
            if (pass == 1 && rank == lowest[p->node])
                l->dues[l->n_dues++] = (struct due){s->samples[i].time_ns, i, p->node};
        }
    }
    if (l->n_dues)
        qsort(l->dues, l->n_dues, sizeof *l->dues, by_time);
}

/* Both tables by time: what was written comes before the sample that saw it. */
static enum ml_status write_log(struct logging *l, struct ml_merge *nodes, struct ml_merge *output,
                                struct ml_error *err)
{
    const void *sample, *said;
    enum ml_status status = ml_merge_next(nodes, &sample, err);
    if (!status)
        status = ml_merge_next(output, &said, err);
    while (!status && (sample || said)) {
        const struct ml_node_sample_row *n = sample;
        const struct ml_output_row *o = said;
        if (o && (!n || o->time_ns <= n->time_ns)) {
            see_output(l, o);
            status = ml_merge_next(output, &said, err);
        } else {
            see_node(l, n);
            status = ml_merge_next(nodes, &sample, err);
        }
    }
    return status;
}

static enum ml_status open_and_write(struct logging *l, struct ml_error *err)
{
    static const char *const wanted[] = {"time_s", "node", "memory_B", "rss_B", NULL};
    struct ml_column columns[sizeof wanted / sizeof *wanted];
    struct ml_table few;
    struct ml_merge *nodes = NULL, *output = NULL;
    ml_slice_pick(&ml_table_node_samples, wanted, columns, &few);
    enum ml_status status = ml_merge_open(l->e->run, &few, &nodes, err);
    if (!status)
        status = ml_merge_open(l->e->run, &ml_table_output, &output, err);
    if (!status)
        status = write_log(l, nodes, output, err);
    if (!status && l->said.length && l->any_node) {
        int64_t last_ns = 0;
        status = ml_total_end(l->e->run, &last_ns, err);
        if (!status)
            put_line(l, last_ns);
    }
    ml_merge_close(nodes);
    ml_merge_close(output);
    return status;
}

enum ml_status ml_export_moose_csv(const struct ml_export_run *export,
                                   const struct ml_stacks *stacks, FILE *out, struct ml_error *err)
{
    struct logging l = {.e = export, .stacks = stacks, .out = out};
    l.node_kib = ml_alloc((export->n_nodes + 1) * sizeof *l.node_kib);
    l.pending = ml_alloc((export->n_nodes + 1) * sizeof *l.pending);
    l.frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *l.frames);
    find_dues(&l);
    enum ml_status status = open_and_write(&l, err);
    free(l.node_kib);
    free(l.pending);
    free(l.frames);
    free(l.dues);
    ml_buffer_free(&l.said);
    ml_buffer_free(&l.text);
    ml_buffer_free(&l.line);
    return status;
}
