#include "journal/harvest.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/view.h"
#include "journal/index.h"
#include "journal/lines.h"
#include "sums/memory.h"

#include <fcntl.h>
#include <string.h>

#define DEEPEST 64 /* generations between a process and its rank */

struct ml_harvest {
    struct ml_view *view;
    struct ml_spill *spill;
    struct ml_spool_place place; /* of the sample that was fetched last */
    bool lost;                   /* a sample that the spill cannot give back */
    struct ml_index x;
    int32_t process_base;
    int64_t sample_base;
    const int32_t *stack_rows; /* in the file, of the journal's stacks; NULL before they are set */
    size_t last_process;       /* whose samples were fetched last: the next row is mostly its too */
    struct ml_sample_row sample;        /* the one fetched last, as it was written, */
    size_t sample_process, sample_rows; /* row SAMPLE_ROWS - 1 of that process; 0: none */
    size_t last_frame;                  /* of output, likewise */
    char line[ML_LINE_WIDTH];
};

/* What is there: each time that somebody cuts into what was just read, it is less. */
static enum ml_status build(struct ml_harvest *h, struct ml_error *err)
{
    struct ml_index_source source = {ml_view_bytes(h->view), ml_view_whole(h->view), h->view,
                                     h->spill};
    enum ml_status status = ml_index_build(&source, &h->x, err);
    while (status == ML_OK && ml_harvest_is_cut(h)) {
        ml_index_free(&h->x);
        source.n = ml_view_whole(h->view);
        status = ml_index_build(&source, &h->x, err);
    }
    return status;
}

static enum ml_status open_view(const char *path, struct ml_view **out_view, struct ml_error *err)
{
    struct ml_error why = {{0}};
    /* O_NONBLOCK: a fifo of that name must not hold us up. */
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ml_fail_errno(err, ML_NODE_LOST, "%s", path);
    enum ml_status status = ml_view_open(fd, out_view, &why);
    return status == ML_OK ? ML_OK : ml_fail(err, status, "%s: %.300s", path, why.text);
}

enum ml_status ml_harvest_open(const char *path, struct ml_spill *spill,
                               struct ml_harvest **out_harvest, struct ml_error *err)
{
    struct ml_error why = {{0}};
    struct ml_view *view = NULL;
    enum ml_status status = open_view(path, &view, err);
    if (status != ML_OK)
        return status;
    struct ml_harvest *h = ml_alloc(sizeof *h);
    h->view = view;
    h->spill = spill;
    status = build(h, &why);
    if (status != ML_OK) {
        ml_harvest_close(h);
        return ml_fail(err, status, "%s: %.300s", path, why.text);
    }
    *out_harvest = h;
    return ML_OK;
}

enum ml_status ml_harvest_look(const char *path, struct ml_journal_header *out_header,
                               struct ml_error *err)
{
    struct ml_error why = {{0}};
    struct ml_view *view = NULL;
    enum ml_status status = open_view(path, &view, err);
    if (status != ML_OK)
        return status;
    struct ml_index_source source = {.bytes = ml_view_bytes(view), .n = ml_view_whole(view)};
    status = ml_index_header(&source, out_header, &why);
    ml_view_close(view);
    return status == ML_OK ? ML_OK : ml_fail(err, status, "%s: %.300s", path, why.text);
}

bool ml_harvest_is_cut(const struct ml_harvest *h)
{
    return h->lost || ml_view_whole(h->view) < h->x.length;
}

void ml_harvest_read_again(struct ml_harvest *h)
{
    struct ml_journal_header header = h->x.header;
    ml_index_free(&h->x);
    h->lost = false;
    if (build(h, NULL) != ML_OK)
        ml_index_make_empty(&header, &h->x);
    h->last_process = h->last_frame = h->sample_rows = 0;
    h->place = (struct ml_spool_place){0};
}

int64_t ml_harvest_read_B(const struct ml_harvest *h)
{
    return (int64_t)h->x.length;
}

int64_t ml_harvest_torn_B(const struct ml_harvest *h)
{
    return (int64_t)(ml_view_size(h->view) - h->x.length);
}

void ml_harvest_close(struct ml_harvest *h)
{
    if (!h)
        return;
    ml_index_free(&h->x);
    ml_view_close(h->view);
    free(h);
}

const struct ml_journal_header *ml_harvest_header(const struct ml_harvest *h)
{
    return &h->x.header;
}

int ml_harvest_complete(const struct ml_harvest *h)
{
    return h->x.complete;
}

size_t ml_harvest_n_attributes(const struct ml_harvest *h)
{
    return h->x.n_attributes;
}

const struct ml_attribute *ml_harvest_attribute(const struct ml_harvest *h, size_t i)
{
    return &h->x.attributes[i];
}

size_t ml_harvest_n_nodes(const struct ml_harvest *h)
{
    return h->x.n_nodes;
}

/* What only the end of the journal says is made up for as far as the samples know it. */
static void complete_own_node(const struct ml_index *x, struct ml_node_row *row)
{
    row->ended = x->complete ? ML_NODE_END_COMPLETE : ML_NODE_END_CUT;
    if (row->ticks < 0)
        row->ticks = (int64_t)ml_spool_rows(&x->spool, ML_STREAM_NODE_SAMPLES);
    if (row->cpu_ns < 0)
        row->cpu_ns = x->last_sampler_cpu_ns;
    if (row->stacks < 0)
        row->stacks = (int64_t)x->stacks.samples.n;
    if (x->clock.n) {
        row->clock_offset_s = (double)x->clock.points[x->clock.n - 1].offset_ns / ML_NS_PER_S;
        row->clock_error_s =
            x->clock_err_ns < 0 ? ML_NOT_MEASURED : (double)x->clock_err_ns / ML_NS_PER_S;
    }
}

void ml_harvest_node(const struct ml_harvest *h, size_t i, struct ml_node_row *out_row)
{
    *out_row = h->x.nodes[i];
    if ((int)i == h->x.header.node) {
        complete_own_node(&h->x, out_row);
        return;
    }
    out_row->ended = ML_NODE_END_NO_RECORD;
    out_row->ticks = out_row->missed = out_row->cpu_ns = ML_NOT_MEASURED;
    out_row->stacks = out_row->stacks_failed = out_row->stacks_cpu_ns = ML_NOT_MEASURED;
    out_row->debugger_restarts = ML_NOT_MEASURED;
    out_row->clock_offset_s = out_row->clock_error_s = ML_NOT_MEASURED;
}

int64_t ml_harvest_last_ns(const struct ml_harvest *h)
{
    struct ml_timeline clock = h->x.clock; /* a look-up remembers where it was */
    return ml_timeline_run_ns(&clock, h->x.last_ns);
}

static int64_t run_ns(struct ml_harvest *h, int64_t local_ns)
{
    return local_ns == ML_NOT_MEASURED ? local_ns : ml_timeline_run_ns(&h->x.clock, local_ns);
}

static int32_t file_process(const struct ml_harvest *h, int64_t number)
{
    int32_t entry = ml_index_entry(&h->x, number);
    return entry < 0 ? -1 : h->process_base + entry;
}

static int32_t rank_of(const struct ml_harvest *h, int64_t number)
{
    int32_t entry = ml_index_entry(&h->x, number);
    return entry < 0 ? -1 : h->x.processes[entry].row.rank;
}

/* The row that lies at AT; the index has seen that it is whole. */
static void unpack_at(const struct ml_harvest *h, const struct ml_table *table, uint64_t at,
                      void *out_row)
{
    const uint8_t *p = h->x.bytes + at;
    ml_view_go(h->view, at);
    if (!ml_row_unpack(table, &p, h->x.bytes + h->x.length, out_row))
        ml_row_clear(table, out_row);
}

/* Row I of a stream of the spool. */
static void unpack_spooled(struct ml_harvest *h, const struct ml_table *table, size_t stream,
                           size_t i, void *out_row)
{
    size_t n;
    const uint8_t *p = ml_spool_row(&h->x.spool, &h->place, stream, i, &n);
    h->lost |= !p;
    if (!p || !ml_row_unpack(table, &p, p + n, out_row))
        ml_row_clear(table, out_row);
}

/* Steps from the sample that was fetched last, or from the first one, to row I of PROCESS: each
 * says what differs from the one before. */
static void unpack_sample(struct ml_harvest *h, size_t process, size_t i)
{
    if (!h->sample_rows || h->sample_process != process || h->sample_rows > i + 1) {
        memset(&h->sample, 0, sizeof h->sample);
        h->sample_process = process;
        h->sample_rows = 0;
    }
    while (h->sample_rows <= i) {
        size_t n;
        const uint8_t *p = ml_spool_row(&h->x.spool, &h->place, ML_STREAM_PROCESSES + process,
                                        h->sample_rows++, &n);
        h->lost |= !p || !ml_delta_unpack(&h->sample, ML_SAMPLE_WORDS, p, n);
    }
}

/* What it took between its last sample and its end. */
static void add_last_peak(const struct ml_process_entry *entry, struct ml_process_row *row)
{
    if (entry->has_children || entry->end_peak_rss_B <= row->peak_rss_B)
        return;
    struct ml_sample_row last = entry->last;
    if (!entry->n_samples)
        ml_row_clear(&ml_table_samples, &last);
    last.memory_B = entry->n_samples ? last.memory_B : 0;
    last.rss_B = entry->n_samples ? last.rss_B : 0;
    last.peak_rss_B = entry->end_peak_rss_B;
    row->peak_rss_B = entry->end_peak_rss_B;
    row->peak_ns = entry->row.end_ns;
    if (ml_memory_peak_of(&last) > row->peak_memory_B) {
        row->peak_memory_B = ml_memory_peak_of(&last);
        row->peak_memory_ns = entry->row.end_ns;
    }
}

/* As ml_owner_of, over numbers of this node. */
static int32_t rank_of_family(const struct ml_harvest *h, const struct ml_process_entry *entry)
{
    for (int generation = 0; generation < DEEPEST && entry->row.rank < 0; generation++) {
        int32_t parent = ml_index_entry(&h->x, entry->row.parent);
        if (parent < 0)
            return -1;
        entry = &h->x.processes[parent];
    }
    return entry->row.rank;
}

static void fetch_process(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    const struct ml_process_entry *entry = &h->x.processes[i];
    struct ml_process_row *row = out_row;
    *row = entry->row;
    row->process = h->process_base + (int32_t)i;
    row->parent = file_process(h, row->parent);
    row->of_rank = rank_of_family(h, entry);
    row->start_ns = run_ns(h, row->start_ns);
    row->end_ns = run_ns(h, row->end_ns);
    row->first_row = h->sample_base + (int64_t)entry->first_row;
    row->n_rows = (int64_t)entry->n_samples;
    if (entry->n_samples) {
        row->peak_rss_B = entry->peak_rss_B;
        row->peak_ns = entry->peak_ns;
        row->peak_memory_B = entry->peak_memory_B;
        row->peak_memory_ns = entry->peak_memory_ns;
    }
    add_last_peak(entry, row);
    row->peak_ns = run_ns(h, row->peak_ns);
    row->peak_memory_ns = run_ns(h, row->peak_memory_ns);
}

/* The process that sample row I of this journal belongs to. */
static size_t process_of(struct ml_harvest *h, size_t i)
{
    const struct ml_process_entry *p = h->x.processes;
    size_t low = h->last_process;
    if (i >= p[low].first_row && i - p[low].first_row < p[low].n_samples)
        return low;
    size_t high = h->x.n_processes;
    low = 0;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (p[middle].first_row <= i)
            low = middle;
        else
            high = middle;
    }
    h->last_process = low;
    return low;
}

static void fetch_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    size_t process = process_of(h, i);
    const struct ml_process_entry *entry = &h->x.processes[process];
    struct ml_sample_row *row = out_row;
    unpack_sample(h, process, i - entry->first_row);
    *row = h->sample;
    row->process = h->process_base + (int32_t)process;
    row->rank = entry->row.rank; /* it may have become known after the sample */
    row->time_ns = run_ns(h, row->time_ns);
}

static void fetch_node_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_node_sample_row *row = out_row;
    unpack_spooled(h, &ml_table_node_samples, ML_STREAM_NODE_SAMPLES, i, row);
    row->time_ns = run_ns(h, row->time_ns);
}

static void fetch_job_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_job_sample_row *row = out_row;
    unpack_spooled(h, &ml_table_job_samples, ML_STREAM_JOB_SAMPLES, i, row);
    row->time_ns = run_ns(h, row->time_ns);
}

static void fetch_event(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_event_row *row = out_row;
    unpack_at(h, &ml_table_events, h->x.events.at[i], row);
    row->time_ns = run_ns(h, row->time_ns);
    row->process = file_process(h, row->process);
}

/* The start of the output frame that holds byte AT. */
static uint64_t output_frame(struct ml_harvest *h, uint64_t at)
{
    const struct ml_offsets *frames = &h->x.output_frames;
    size_t low = h->last_frame, high = frames->n;
    if (at < frames->at[low])
        low = 0;
    else if (low + 1 == high || at < frames->at[low + 1])
        return frames->at[low];
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (frames->at[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    h->last_frame = low;
    return frames->at[low];
}

static void fetch_line(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_output_row *row = out_row;
    uint64_t entry = h->x.output_lines.at[i], at = entry >> 16;
    ml_view_go(h->view, at);
    const uint8_t *head = h->x.bytes + output_frame(h, at);
    struct ml_frame f = ml_frame_at(head);
    struct ml_output_chunk chunk = {.stream = ML_STDOUT};
    ml_output_unpack(&f, &chunk);
    ml_line_text(h->x.bytes + at, (entry & 0xffff) >> 1, h->line);
    *row = (struct ml_output_row){.time_ns = run_ns(h, f.time_ns),
                                  .rank = chunk.rank,
                                  .stream = (int8_t)chunk.stream,
                                  .continued = (int8_t)(entry & 1),
                                  .text = h->line};
}

static void fetch_frame(void *context, size_t i, void *out_row)
{
    const struct ml_harvest *h = context;
    unpack_at(h, &ml_table_frames, h->x.stacks.frames.at[i], out_row);
}

static void fetch_stack(void *context, size_t i, void *out_row)
{
    const struct ml_harvest *h = context;
    struct ml_stack_row *row = out_row;
    unpack_at(h, &ml_table_stacks, h->x.stacks.stacks.at[i], row);
    row->parent = ml_stack_index_stack(&h->x.stacks, row->parent);
    row->frame = ml_stack_index_frame(&h->x.stacks, row->frame);
}

static void fetch_stack_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_stack_sample_row *row = out_row;
    unpack_at(h, &ml_table_stack_samples, h->x.stacks.samples.at[i], row);
    row->time_ns = run_ns(h, row->time_ns);
    row->process = file_process(h, row->process);
    row->stack = ml_stack_index_stack(&h->x.stacks, row->stack);
    if (h->stack_rows && row->stack >= 0 && (size_t)row->stack < h->x.stacks.stacks.n)
        row->stack = h->stack_rows[row->stack];
}

static void fetch_mpi(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_mpi_row *row = out_row;
    unpack_at(h, &ml_table_mpi, h->x.mpi.at[i], row);
    row->process = file_process(h, row->process);
}

/* The row in the file of the stack of SITE. */
static int32_t stack_of_site(const struct ml_harvest *h, int32_t site)
{
    int32_t stack = ml_heap_index_stack(&h->x.heap, site);
    return stack >= 0 && h->stack_rows ? h->stack_rows[stack] : stack;
}

static void fetch_heap_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_heap_sample_row *row = out_row;
    unpack_at(h, &ml_table_heap_samples, h->x.heap.samples.at[i], row);
    row->time_ns = run_ns(h, row->time_ns);
    row->rank = rank_of(h, row->process);
    row->process = file_process(h, row->process);
    row->stack = stack_of_site(h, row->site);
}

static void fetch_heap(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    int32_t number = h->x.heap.used[i];
    const struct ml_heap_site *site = &h->x.heap.sites[number];
    struct ml_heap_sample_row peak = {0}, last;
    unpack_at(h, &ml_table_heap_samples, site->last_at, &last);
    if (site->peak_at)
        unpack_at(h, &ml_table_heap_samples, site->peak_at, &peak);
    int32_t entry = ml_index_entry(&h->x, last.process);
    int64_t peak_ns = entry < 0 ? ML_NOT_MEASURED : h->x.processes[entry].peak_memory_ns;
    *(struct ml_heap_row *)out_row = (struct ml_heap_row){
        .process = file_process(h, last.process),
        .rank = rank_of(h, last.process),
        .site = number,
        .stack = stack_of_site(h, number),
        .kind = last.kind,
        .peak_ns = run_ns(h, peak_ns),
        .peak_B = peak.live_B,
        .peak_blocks = peak.live_blocks,
        .peak_error_B = peak.live_error_B,
        .end_B = last.live_B,
        .end_blocks = last.live_blocks,
        .end_error_B = last.live_error_B,
        .allocated_B = last.allocated_B,
        .allocated_blocks = last.allocated_blocks,
        .allocated_error_B = last.allocated_error_B,
    };
}

static void fetch_gpu(void *context, size_t i, void *out_row)
{
    const struct ml_harvest *h = context;
    unpack_at(h, &ml_table_gpus, h->x.gpus.at[i], out_row);
}

static void fetch_gpu_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_gpu_sample_row *row = out_row;
    unpack_at(h, &ml_table_gpu_samples, h->x.gpu_samples.at[i], row);
    row->time_ns = run_ns(h, row->time_ns);
}

static void fetch_gpu_process_sample(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_gpu_process_sample_row *row = out_row;
    unpack_at(h, &ml_table_gpu_process_samples, h->x.gpu_process_samples.at[i], row);
    row->time_ns = run_ns(h, row->time_ns);
    row->process = file_process(h, row->process);
}

static void fetch_gpu_choice(void *context, size_t i, void *out_row)
{
    struct ml_harvest *h = context;
    struct ml_gpu_choice_row *row = out_row;
    unpack_at(h, &ml_table_gpu_choices, h->x.gpu_choices.at[i], row);
    row->time_ns = run_ns(h, row->time_ns);
    row->process = file_process(h, row->process);
}

static struct ml_rows gpu_rows(struct ml_harvest *h, const struct ml_table *table)
{
    if (table == &ml_table_gpus)
        return (struct ml_rows){.count = h->x.gpus.n, .fetch = fetch_gpu, .context = h};
    if (table == &ml_table_gpu_samples)
        return (struct ml_rows){
            .count = h->x.gpu_samples.n, .fetch = fetch_gpu_sample, .context = h};
    if (table == &ml_table_gpu_process_samples)
        return (struct ml_rows){
            .count = h->x.gpu_process_samples.n, .fetch = fetch_gpu_process_sample, .context = h};
    if (table == &ml_table_gpu_choices)
        return (struct ml_rows){
            .count = h->x.gpu_choices.n, .fetch = fetch_gpu_choice, .context = h};
    return (struct ml_rows){.context = h};
}

struct ml_rows ml_harvest_rows(struct ml_harvest *h, const struct ml_table *table)
{
    struct ml_rows rows = gpu_rows(h, table);
    if (table == &ml_table_processes) {
        rows.count = h->x.n_processes;
        rows.fetch = fetch_process;
    } else if (table == &ml_table_samples) {
        rows.count = h->x.n_samples;
        rows.fetch = fetch_sample;
    } else if (table == &ml_table_node_samples) {
        rows.count = ml_spool_rows(&h->x.spool, ML_STREAM_NODE_SAMPLES);
        rows.fetch = fetch_node_sample;
    } else if (table == &ml_table_job_samples) {
        rows.count = ml_spool_rows(&h->x.spool, ML_STREAM_JOB_SAMPLES);
        rows.fetch = fetch_job_sample;
    } else if (table == &ml_table_events) {
        rows.count = h->x.events.n;
        rows.fetch = fetch_event;
    } else if (table == &ml_table_output) {
        rows.count = h->x.output_lines.n;
        rows.fetch = fetch_line;
    } else if (table == &ml_table_frames) {
        rows.count = h->x.stacks.frames.n;
        rows.fetch = fetch_frame;
    } else if (table == &ml_table_stacks) {
        rows.count = h->x.stacks.stacks.n;
        rows.fetch = fetch_stack;
    } else if (table == &ml_table_stack_samples) {
        rows.count = h->x.stacks.samples.n;
        rows.fetch = fetch_stack_sample;
    } else if (table == &ml_table_mpi) {
        rows.count = h->x.mpi.n;
        rows.fetch = fetch_mpi;
    } else if (table == &ml_table_heap) {
        rows.count = h->x.heap.n_used;
        rows.fetch = fetch_heap;
    } else if (table == &ml_table_heap_samples) {
        rows.count = h->x.heap.samples.n;
        rows.fetch = fetch_heap_sample;
    }
    return rows;
}

void ml_harvest_set_bases(struct ml_harvest *h, int32_t process_base, int64_t sample_base)
{
    h->process_base = process_base;
    h->sample_base = sample_base;
}

void ml_harvest_set_stacks(struct ml_harvest *h, const int32_t *rows)
{
    h->stack_rows = rows;
}
