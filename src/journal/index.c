#include "journal/index.h"

#include "base/memory.h"
#include "base/own.h"
#include "journal/lines.h"
#include "sums/memory.h"

#include <stdlib.h>
#include <string.h>

static uint64_t at(const struct ml_index *x, const uint8_t *p)
{
    return (uint64_t)(p - x->bytes);
}

int32_t ml_index_entry(const struct ml_index *x, int64_t number)
{
    return number >= 0 && (uint64_t)number < x->n_numbers ? x->entry_of[number] : -1;
}

/* As ml_index_entry, but makes the entry. NULL: NUMBER is out of bounds. */
static struct ml_process_entry *process_entry(struct ml_index *x, int64_t number)
{
    int32_t known = ml_index_entry(x, number);
    if (known >= 0)
        return &x->processes[known];
    if (number < 0 || number >= ML_NODE_PROCESSES_MAX)
        return NULL;
    while (x->n_numbers <= (size_t)number) {
        ML_GROW(x->entry_of, x->n_numbers, x->numbers_capacity);
        x->entry_of[x->n_numbers++] = -1;
    }
    ML_GROW(x->processes, x->n_processes, x->processes_capacity);
    x->entry_of[number] = (int32_t)x->n_processes;
    struct ml_process_entry *entry = &x->processes[x->n_processes++];
    *entry = (struct ml_process_entry){.peak_rss_B = ML_NOT_MEASURED,
                                       .peak_ns = ML_NOT_MEASURED,
                                       .peak_memory_B = ML_NOT_MEASURED,
                                       .peak_memory_ns = ML_NOT_MEASURED,
                                       .end_peak_rss_B = ML_NOT_MEASURED};
    ml_row_clear(&ml_table_processes, &entry->row);
    entry->row.node = x->header.node;
    return entry;
}

static bool index_process(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_process_row row;
    if (!ml_frame_row(f, &ml_table_processes, &row))
        return false;
    struct ml_process_entry *entry = process_entry(x, row.process);
    if (!entry)
        return false;
    int32_t parent = ml_index_entry(x, row.parent);
    if (parent >= 0)
        x->processes[parent].has_children = true;
    struct ml_process_row before = entry->row;
    entry->row = row;
    entry->row.end_ns = before.end_ns;
    entry->row.exit_code = before.exit_code;
    entry->row.signal = before.signal;
    return true;
}

static bool index_process_end(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_process_end end;
    if (!ml_process_end_unpack(f, &end))
        return false;
    struct ml_process_entry *entry = process_entry(x, end.process);
    if (!entry)
        return false;
    entry->row.end_ns = end.time_ns;
    entry->row.exit_code = (int32_t)end.exit_code;
    entry->row.signal = (int32_t)end.signal;
    entry->end_peak_rss_B = end.peak_rss_B;
    return true;
}

static void index_peaks(struct ml_process_entry *entry, const struct ml_sample_row *row)
{
    int64_t rss_B = row->rss_B > row->peak_rss_B ? row->rss_B : row->peak_rss_B;
    if (rss_B > entry->peak_rss_B) {
        entry->peak_rss_B = rss_B;
        entry->peak_ns = row->time_ns;
    }
    bool hidden = row->peak_rss_B > entry->last.peak_rss_B; /* since the sample before */
    int64_t memory_B = hidden ? ml_memory_peak_of(row) : ml_memory_of(row);
    entry->last = *row;
    if (memory_B > entry->peak_memory_B) {
        entry->peak_memory_B = memory_B;
        entry->peak_memory_ns = row->time_ns;
    }
}

static bool index_samples(struct ml_index *x, const struct ml_frame *f)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    struct ml_sample_row row;
    memset(&row, 0, sizeof row);
    while (p < end) {
        if (!ml_row_unpack(&ml_table_samples, &p, end, &row))
            return false;
        struct ml_process_entry *entry = process_entry(x, row.process);
        if (!entry)
            return false;
        if (!entry->n_samples && entry->row.pid < 0) /* a process that its frame never named */
            entry->row.rank = row.rank;
        uint8_t delta[ML_DELTA_MAX_B];
        size_t n = ml_delta_pack(&entry->last, &row, ML_SAMPLE_WORDS, delta);
        ml_spool_add(&x->spool, ML_STREAM_PROCESSES + (size_t)(entry - x->processes), delta, n);
        entry->n_samples++;
        x->n_samples++;
        index_peaks(entry, &row);
    }
    return true;
}

static bool index_attribute(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_attribute a;
    if (!ml_attribute_unpack(f, &a))
        return false;
    for (size_t i = 0; i < x->n_attributes; i++) {
        if (!strcmp(x->attributes[i].name, a.name)) {
            x->attributes[i] = a;
            return true;
        }
    }
    ML_GROW(x->attributes, x->n_attributes, x->attributes_capacity);
    x->attributes[x->n_attributes++] = a;
    return true;
}

static void grow_nodes(struct ml_index *x, size_t n)
{
    while (x->n_nodes < n) {
        ML_GROW(x->nodes, x->n_nodes, x->nodes_capacity);
        struct ml_node_row *row = &x->nodes[x->n_nodes];
        ml_row_clear(&ml_table_nodes, row);
        row->node = (int32_t)x->n_nodes++;
        row->ended = ML_NODE_END_NO_RECORD;
    }
}

static bool index_node(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_node_row row;
    if (!ml_frame_row(f, &ml_table_nodes, &row) || row.node < 0 || row.node >= ML_NODES_MAX)
        return false;
    grow_nodes(x, (size_t)row.node + 1);
    x->nodes[row.node] = row;
    return true;
}

static bool index_clock(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_clock_point point;
    if (!ml_clock_unpack(f, &point))
        return false;
    ml_timeline_add(&x->clock, &point);
    x->clock_err_ns = point.error_ns;
    return true;
}

static bool index_node_sample(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_node_sample_row row;
    if (!ml_frame_row(f, &ml_table_node_samples, &row))
        return false;
    ml_spool_add(&x->spool, ML_STREAM_NODE_SAMPLES, f->payload, f->length);
    x->last_sampler_cpu_ns = row.sampler_cpu_ns;
    return true;
}

static bool index_job_sample(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_job_sample_row row;
    if (!ml_frame_row(f, &ml_table_job_samples, &row))
        return false;
    ml_spool_add(&x->spool, ML_STREAM_JOB_SAMPLES, f->payload, f->length);
    return true;
}

static bool index_event(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_event_row row;
    if (!ml_frame_row(f, &ml_table_events, &row))
        return false;
    ml_offsets_add(&x->events, at(x, f->payload));
    return true;
}

static bool index_output(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_output_chunk chunk;
    if (!ml_output_unpack(f, &chunk))
        return false;
    size_t slot = (size_t)chunk.rank + 1; /* of a launcher: rank -1 */
    while (x->n_open <= slot) {
        ML_GROW(x->open_lines, x->n_open, x->open_capacity);
        x->open_lines[x->n_open++] = 0;
    }
    uint8_t bit = (uint8_t)(1 << chunk.stream);
    bool open = x->open_lines[slot] & bit;
    ml_offsets_add(&x->output_frames, at(x, f->payload - ML_FRAME_HEAD));
    for (size_t length, used; chunk.n; chunk.bytes += used, chunk.n -= used) {
        bool ended, continued = open;
        used = ml_line_cut(chunk.bytes, chunk.n, &length, &ended);
        open = !ended;
        if (length || !continued) /* else only the end of a line that has its row already */
            ml_offsets_add(&x->output_lines, ml_line_entry(at(x, chunk.bytes), length, continued));
    }
    x->open_lines[slot] = (uint8_t)(open ? x->open_lines[slot] | bit : x->open_lines[slot] & ~bit);
    return true;
}

/* Rows of one process. */
static bool index_mpi(struct ml_index *x, const struct ml_frame *f)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    struct ml_process_entry *entry = NULL;
    while (p < end) {
        struct ml_mpi_row row;
        if (!ml_row_unpack(&ml_table_mpi, &p, end, &row))
            return false;
        struct ml_process_entry *of_row = process_entry(x, row.process);
        if (!of_row || (entry && of_row != entry))
            return false;
        entry = of_row;
    }
    if (entry) {
        entry->mpi_at = at(x, f->payload);
        entry->mpi_B = f->length;
    }
    return true;
}

static bool index_stacks(struct ml_index *x, const struct ml_frame *f)
{
    return ml_stack_index_add(&x->stacks, x->bytes, f);
}

static bool index_heap_samples(struct ml_index *x, const struct ml_frame *f)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    while (p < end) {
        uint64_t start = at(x, p);
        struct ml_heap_sample_row row;
        if (!ml_row_unpack(&ml_table_heap_samples, &p, end, &row) ||
            !process_entry(x, row.process) || !ml_heap_index_add(&x->heap, &row, start))
            return false;
    }
    return true;
}

static bool index_heap_stacks(struct ml_index *x, const struct ml_frame *f)
{
    return ml_heap_index_stacks(&x->heap, f, x->stacks.stacks.n);
}

/* Rows of TABLE, which ROW has room for. */
static bool index_rows(struct ml_index *x, const struct ml_frame *f, const struct ml_table *table,
                       void *row, struct ml_offsets *offsets)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    while (p < end) {
        uint64_t start = at(x, p);
        if (!ml_row_unpack(table, &p, end, row))
            return false;
        ml_offsets_add(offsets, start);
    }
    return true;
}

static bool index_gpus(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_gpu_row row;
    return index_rows(x, f, &ml_table_gpus, &row, &x->gpus);
}

static bool index_gpu_samples(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_gpu_sample_row row;
    return index_rows(x, f, &ml_table_gpu_samples, &row, &x->gpu_samples);
}

static bool index_gpu_process_samples(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_gpu_process_sample_row row;
    return index_rows(x, f, &ml_table_gpu_process_samples, &row, &x->gpu_process_samples);
}

static bool index_gpu_choices(struct ml_index *x, const struct ml_frame *f)
{
    struct ml_gpu_choice_row row;
    return index_rows(x, f, &ml_table_gpu_choices, &row, &x->gpu_choices);
}

static bool index_end(struct ml_index *x, const struct ml_frame *f)
{
    (void)f;
    x->complete = true;
    return true;
}

static bool (*const handlers[])(struct ml_index *, const struct ml_frame *) = {
    [ML_FRAME_ATTRIBUTE] = index_attribute,
    [ML_FRAME_NODE] = index_node,
    [ML_FRAME_CLOCK] = index_clock,
    [ML_FRAME_PROCESS] = index_process,
    [ML_FRAME_PROCESS_END] = index_process_end,
    [ML_FRAME_SAMPLES] = index_samples,
    [ML_FRAME_NODE_SAMPLE] = index_node_sample,
    [ML_FRAME_JOB_SAMPLE] = index_job_sample,
    [ML_FRAME_EVENT] = index_event,
    [ML_FRAME_OUTPUT] = index_output,
    [ML_FRAME_END] = index_end,
    [ML_FRAME_STACK_FRAMES] = index_stacks,
    [ML_FRAME_STACKS] = index_stacks,
    [ML_FRAME_STACK_SAMPLES] = index_stacks,
    [ML_FRAME_MPI] = index_mpi,
    [ML_FRAME_HEAP_SAMPLES] = index_heap_samples,
    [ML_FRAME_HEAP_STACKS] = index_heap_stacks,
    [ML_FRAME_GPUS] = index_gpus,
    [ML_FRAME_GPU_SAMPLES] = index_gpu_samples,
    [ML_FRAME_GPU_PROCESS_SAMPLES] = index_gpu_process_samples,
    [ML_FRAME_GPU_CHOICES] = index_gpu_choices,
};

static bool index_frame(struct ml_index *x, const struct ml_frame *f)
{
    size_t n = sizeof handlers / sizeof *handlers;
    if (f->type < 0 || (size_t)f->type >= n || !handlers[f->type])
        return true;
    return handlers[f->type](x, f);
}

/* Reads the header frame and moves *CURSOR behind it. */
static enum ml_status read_header(const uint8_t **cursor, const uint8_t *end,
                                  struct ml_journal_header *out_header, int64_t *out_created_ns,
                                  struct ml_error *err)
{
    struct ml_frame f;
    int64_t version, fingerprint;
    if (!ml_frame_read(cursor, end, &f) || !ml_header_version(&f, &version, &fingerprint))
        return ml_fail(err, ML_NODE_LOST, "not a memlog journal");
    if (version != ML_JOURNAL_VERSION || fingerprint != ml_schema_fingerprint())
        return ml_fail(err, ML_NODE_LOST,
                       "a journal of another version of memlog-mpi; read it with the memlog of "
                       "the version that wrote it");
    if (!ml_header_unpack(&f, out_header))
        return ml_fail(err, ML_NODE_LOST, "a journal with a damaged header");
    *out_created_ns = f.time_ns;
    return ML_OK;
}

/* A node that was lost before its clock was ever compared with the root's: its journal was made
 * about when the run started. */
static void guess_clock(struct ml_index *x, int64_t created_ns)
{
    int64_t offset_ns;
    if (x->clock.n || x->header.root ||
        __builtin_sub_overflow(x->header.origin_ns, created_ns, &offset_ns))
        return;
    ml_timeline_add(&x->clock, &(struct ml_clock_point){created_ns, offset_ns, ML_NOT_MEASURED});
}

static void list_mpi_rows(struct ml_index *x, const struct ml_process_entry *entry)
{
    const uint8_t *p = x->bytes + entry->mpi_at, *end = p + entry->mpi_B;
    struct ml_mpi_row row;
    uint64_t start = entry->mpi_at;
    while (p < end && ml_row_unpack(&ml_table_mpi, &p, end, &row)) {
        ml_offsets_add(&x->mpi, start);
        start = at(x, p);
    }
}

struct timed_event {
    int64_t time_ns;
    uint64_t at;
};

static int by_time(const void *a, const void *b)
{
    const struct timed_event *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* The sampling rank hears of a process's own events at the next tick only. */
static void sort_events(struct ml_index *x)
{
    ML_AUTO_FREE struct timed_event *events =
        ml_realloc_array(NULL, x->events.n + 1, sizeof *events);
    for (size_t i = 0; i < x->events.n; i++) {
        const uint8_t *p = x->bytes + x->events.at[i];
        struct ml_event_row row = {0};
        ml_row_unpack(&ml_table_events, &p, x->bytes + x->length, &row);
        events[i] = (struct timed_event){row.time_ns, x->events.at[i]};
    }
    qsort(events, x->events.n, sizeof *events, by_time);
    for (size_t i = 0; i < x->events.n; i++)
        x->events.at[i] = events[i].at;
}

static int64_t peak_ns(void *context, int32_t process)
{
    const struct ml_index *x = context;
    int32_t entry = ml_index_entry(x, process);
    return entry < 0 ? ML_NOT_MEASURED : x->processes[entry].peak_memory_ns;
}

/* Stacks without names that have them by now stand for nothing. */
static void drop_replaced(struct ml_index *x)
{
    if (!x->heap.replaced)
        return;
    ML_AUTO_FREE bool *used = ml_alloc(x->stacks.stacks.n + 1);
    for (size_t i = 0; i < x->heap.n_sites; i++) {
        if (x->heap.sites[i].stack >= 0)
            used[x->heap.sites[i].stack] = true;
    }
    ml_stack_index_prune(&x->stacks, x->bytes, x->length, used);
    for (size_t i = 0; i < x->heap.n_sites; i++)
        x->heap.sites[i].stack = ml_stack_index_stack(&x->stacks, x->heap.sites[i].stack);
}

static void finish_index(struct ml_index *x)
{
    size_t row = 0;
    ml_spool_finish(&x->spool);
    for (size_t i = 0; i < x->n_processes; i++) {
        x->processes[i].first_row = row;
        row += x->processes[i].n_samples;
        list_mpi_rows(x, &x->processes[i]);
    }
    sort_events(x);
    ml_stack_index_finish(&x->stacks, x->bytes, x->length);
    drop_replaced(x);
    ml_heap_index_finish(&x->heap, x->bytes, x->length, peak_ns, x);
    size_t own = (size_t)x->header.node + 1, all = (size_t)x->header.n_nodes;
    grow_nodes(x, own > all ? own : all);
}

static struct ml_index new_index(const uint8_t *bytes)
{
    return (struct ml_index){.bytes = bytes,
                             .clock_err_ns = ML_NOT_MEASURED,
                             .last_sampler_cpu_ns = ML_NOT_MEASURED,
                             .last_ns = INT64_MIN};
}

/* All whole frames from CURSOR on. */
static void read_frames(struct ml_index *x, const uint8_t *cursor,
                        const struct ml_index_source *source)
{
    const uint8_t *next = cursor, *end = source->bytes + source->n;
    struct ml_frame f;
    while (ml_frame_read(&next, end, &f) && index_frame(x, &f)) {
        cursor = next;
        x->last_ns = f.time_ns > x->last_ns ? f.time_ns : x->last_ns;
        if (source->view)
            ml_view_go(source->view, at(x, next));
    }
    x->length = at(x, cursor);
}

enum ml_status ml_index_build(const struct ml_index_source *source, struct ml_index *out_index,
                              struct ml_error *err)
{
    struct ml_index x = new_index(source->bytes);
    const uint8_t *cursor = source->bytes;
    int64_t created_ns = 0;
    x.spool.spill = source->spill;
    enum ml_status status = read_header(&cursor, cursor + source->n, &x.header, &created_ns, err);
    if (status != ML_OK)
        return status;
    x.clock.origin_ns = x.header.origin_ns;
    read_frames(&x, cursor, source);
    if (x.last_ns == INT64_MIN)
        x.last_ns = created_ns;
    guess_clock(&x, created_ns);
    finish_index(&x);
    *out_index = x;
    return ML_OK;
}

enum ml_status ml_index_header(const struct ml_index_source *source,
                               struct ml_journal_header *out_header, struct ml_error *err)
{
    const uint8_t *cursor = source->bytes;
    int64_t created_ns;
    return read_header(&cursor, cursor + source->n, out_header, &created_ns, err);
}

void ml_index_make_empty(const struct ml_journal_header *header, struct ml_index *out_index)
{
    struct ml_index x = new_index(NULL);
    x.header = *header;
    x.clock.origin_ns = x.last_ns = header->origin_ns;
    finish_index(&x);
    *out_index = x;
}

void ml_index_free(struct ml_index *x)
{
    free(x->processes);
    free(x->entry_of);
    free(x->attributes);
    free(x->nodes);
    ml_spool_free(&x->spool);
    free(x->events.at);
    free(x->mpi.at);
    free(x->gpus.at);
    free(x->gpu_samples.at);
    free(x->gpu_process_samples.at);
    free(x->gpu_choices.at);
    free(x->output_frames.at);
    free(x->output_lines.at);
    free(x->open_lines);
    ml_stack_index_free(&x->stacks);
    ml_heap_index_free(&x->heap);
    ml_timeline_free(&x->clock);
    *x = (struct ml_index){0};
}
