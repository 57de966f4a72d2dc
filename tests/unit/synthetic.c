#include "synthetic.h"

#include "base/memory.h"
#include "base/own.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

char *synthetic_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = ml_format("%s/memlog-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    must(mkdtemp(folder), "mkdtemp");
    return folder;
}

void synthetic_remove(char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        ML_AUTO_FREE char *path = ml_format("%s/%s", folder, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
    free(folder);
}

char *journal_folder, *journal_path;

int make_journal_folder(void **state)
{
    (void)state;
    journal_folder = synthetic_folder();
    journal_path = ml_format("%s/run.h5.n0.journal", journal_folder);
    return 0;
}

int remove_journal_folder(void **state)
{
    (void)state;
    free(journal_path);
    synthetic_remove(journal_folder);
    return 0;
}

int64_t synthetic_rss_B(int node, int process, int tick)
{
    return (int64_t)4096 * (1000 + 10 * node + process + (tick * 7) % 1009);
}

static int64_t local_ns(int node, int tick)
{
    return SYNTHETIC_ORIGIN_NS + SYNTHETIC_SKEW_NS(node) + tick * SYNTHETIC_PERIOD_NS;
}

struct ml_journal_header synthetic_header(int node, int n_nodes)
{
    struct ml_journal_header header = {.run = "test-run",
                                       .node = node,
                                       .n_nodes = n_nodes,
                                       .root = node == 0,
                                       .origin_ns = SYNTHETIC_ORIGIN_NS,
                                       .origin_wall = 1700000000000000000LL,
                                       .outfile = "/tmp/run.h5"};
    return header;
}

static void write_start(struct ml_journal *j, const struct synthetic *s)
{
    static const struct ml_attribute attributes[] = {
        {"command", ML_TEXT, "./app --flag"},
        {"repeat_rate", ML_REAL, "0.25"},
        {"exit_code", ML_INT64, "3"},
        {"verdict", ML_TEXT, "rank 1 ended with exit code 3"},
    };
    int64_t start = local_ns(s->node, 0);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        ml_journal_attribute(j, start, &attributes[i]);
    for (int node = 0; node < s->n_nodes; node++) {
        ML_AUTO_FREE char *name = ml_format("n%d%s", node, s->text);
        struct ml_node_row row;
        ml_row_clear(&ml_table_nodes, &row);
        row.node = node;
        row.name = name;
        row.memory_B = 64LL << 30;
        ml_journal_row(j, ML_FRAME_NODE, start, &ml_table_nodes, &row);
    }
    ml_journal_clock(j, start, -SYNTHETIC_SKEW_NS(s->node), 2000);
    for (int p = 0; p < s->processes; p++) {
        struct ml_process_row row;
        ml_row_clear(&ml_table_processes, &row);
        row.process = p;
        row.rank = s->node * s->processes + p;
        row.node = s->node;
        row.pid = 1000 + p;
        row.parent = p ? 0 : -1;
        row.start_ns = start;
        row.name = s->text;
        ml_journal_row(j, ML_FRAME_PROCESS, start, &ml_table_processes, &row);
    }
}

/* A cheap hash, so that trees and samples are made up the same way everywhere. */
static uint32_t scramble(uint32_t a, uint32_t b)
{
    uint32_t x = a * 2654435761U ^ (b + 1) * 2246822519U;
    x = (x ^ x >> 15) * 2246822519U;
    x = (x ^ x >> 13) * 3266489917U;
    return x ^ x >> 16;
}

int synthetic_stack(int node, int process, int tick, int n)
{
    return (int)(scramble((uint32_t)(node * 1000 + process), (uint32_t)tick) % (uint32_t)n);
}

static int count_functions(const struct synthetic *s)
{
    return s->stacks / 8 + 3;
}

/* Row I of a node's frames is function I + 7 * node of those of all, which begin anew behind the
 * last one: each node has its own numbers. */
static void pack_frame(const struct synthetic *s, int i, struct ml_buffer *out)
{
    int function = (i + 7 * s->node) % count_functions(s);
    bool unknown = function % 5 == 4;
    ML_AUTO_FREE char *name = ml_format("f%d%s", function, s->text);
    ML_AUTO_FREE char *file = ml_format("/src/%d.c", function / 3);
    struct ml_frame_row row;
    ml_row_clear(&ml_table_frames, &row);
    row.function = unknown ? "" : name;
    row.file = unknown ? "" : file;
    row.line = unknown ? -1 : function;
    row.module = function % 2 ? "/usr/bin/app" : "/lib/libm.so.6";
    row.offset_B = unknown ? 4096 + function : -1;
    row.inlined = function % 3 == 1;
    ml_row_pack(&ml_table_frames, &row, out);
}

static void pack_stack(const struct synthetic *s, int i, struct ml_stack_row *rows,
                       struct ml_buffer *out)
{
    uint32_t seed = i < s->stacks / 2 ? 0 : (uint32_t)s->node + 1, n = (uint32_t)count_functions(s);
    uint32_t function = scramble(seed, (uint32_t)i) % n;
    uint32_t other = scramble(seed + 1000, (uint32_t)i) % (uint32_t)(i + 1);
    struct ml_stack_row *row = &rows[i];
    ml_row_clear(&ml_table_stacks, row);
    row->frame = (int32_t)((function + n - (uint32_t)(7 * s->node) % n) % n);
    row->parent = i % 4 ? i - 1 : (int32_t)other - 1;
    row->depth = row->parent < 0 ? 0 : rows[row->parent].depth + 1;
    ml_row_pack(&ml_table_stacks, row, out);
}

/* In two messages each. */
static void write_stacks(struct ml_journal *j, const struct synthetic *s)
{
    ML_AUTO_FREE struct ml_stack_row *rows = ml_alloc((size_t)s->stacks * sizeof *rows);
    int64_t now = local_ns(s->node, 0);
    struct ml_buffer packed = {0};
    for (int i = 0, n = count_functions(s); i < n; i++) {
        pack_frame(s, i, &packed);
        if (i == n / 2 || i == n - 1) {
            ml_journal_packed(j, ML_FRAME_STACK_FRAMES, now, packed.data, packed.length);
            ml_buffer_clear(&packed);
        }
    }
    for (int i = 0; i < s->stacks; i++) {
        pack_stack(s, i, rows, &packed);
        if (i == s->stacks / 2 || i == s->stacks - 1) {
            ml_journal_packed(j, ML_FRAME_STACKS, now, packed.data, packed.length);
            ml_buffer_clear(&packed);
        }
    }
    ml_buffer_free(&packed);
}

/* The processes in falling order of time. */
static void write_stack_samples(struct ml_journal *j, const struct synthetic *s, int tick)
{
    struct ml_buffer packed = {0};
    int64_t now = local_ns(s->node, tick);
    for (int p = 0; p < s->processes; p++) {
        struct ml_stack_sample_row row;
        ml_row_clear(&ml_table_stack_samples, &row);
        row.time_ns = now + (s->processes - p) * 1000000;
        row.process = p;
        row.thread = 1000 + p;
        row.stack = synthetic_stack(s->node, p, tick, s->stacks);
        row.trigger = (int8_t)(1 + tick % 4);
        row.stopped_ns = p % 2 * 90000;
        row.took_ns = 150000;
        ml_row_pack(&ml_table_stack_samples, &row, &packed);
    }
    ml_journal_packed(j, ML_FRAME_STACK_SAMPLES, now, packed.data, packed.length);
    ml_buffer_free(&packed);
}

/* What is not set here nobody measured. */
static void write_samples(struct ml_journal *j, const struct synthetic *s, int tick)
{
    int64_t now = local_ns(s->node, tick);
    ml_journal_samples_begin(j, now);
    for (int p = 0; p < s->processes; p++) {
        struct ml_sample_row row;
        ml_row_clear(&ml_table_samples, &row);
        row.time_ns = now;
        row.process = p;
        row.rank = s->node * s->processes + p;
        row.tick = tick;
        row.memory_B = row.rss_B = synthetic_rss_B(s->node, p, tick);
        row.rss_anon_B = row.rss_B - 4096 * 300;
        row.rss_file_B = 4096 * 300;
        row.rss_shmem_B = 0;
        row.swap_B = 0;
        row.vsize_B = row.rss_B * 3;
        row.cpu_ns = tick * 240000000LL;
        row.threads = 3;
        row.major_faults = 12;
        row.state = 'R';
        ml_journal_samples_add(j, &row);
    }
    ml_journal_samples_commit(j);
}

static void write_tick(struct ml_journal *j, const struct synthetic *s, int tick)
{
    int64_t now = local_ns(s->node, tick);
    struct ml_node_sample_row row;
    write_samples(j, s, tick);
    if (s->stacks)
        write_stack_samples(j, s, tick);
    ml_row_clear(&ml_table_node_samples, &row);
    row.time_ns = now;
    row.node = s->node;
    row.tick = tick;
    row.processes = s->processes;
    row.memory_B = row.rss_B = 1LL << 30;
    row.available_B = 1LL << 33;
    row.swap_free_B = 0;
    row.sampler_cpu_ns = tick * 1000000LL;
    ml_journal_row(j, ML_FRAME_NODE_SAMPLE, now, &ml_table_node_samples, &row);
}

static void write_end(struct ml_journal *j, const struct synthetic *s)
{
    int64_t end = local_ns(s->node, s->ticks);
    for (int p = 0; p < s->processes; p++)
        ml_journal_process_end(j, end, p, p == 1 ? 3 : 0, 0, ML_NOT_MEASURED);
    struct ml_event_row event;
    ml_row_clear(&ml_table_events, &event);
    event.time_ns = end;
    event.node = s->node;
    event.process = s->processes - 1;
    event.kind = ML_EVENT_EXIT;
    event.value = 3;
    event.text = s->text;
    ml_journal_row(j, ML_FRAME_EVENT, end, &ml_table_events, &event);
    ml_journal_clock(j, end, -SYNTHETIC_SKEW_NS(s->node), 1000);
    ml_journal_end(j, end);
}

void synthetic_write(const char *path, const struct synthetic *s)
{
    struct ml_journal_header header = synthetic_header(s->node, s->n_nodes);
    struct ml_journal *j;
    struct ml_error err;
    must(ml_journal_create(path, &header, 1, &j, &err) == ML_OK, path);
    write_start(j, s);
    if (s->stacks)
        write_stacks(j, s);
    for (int tick = 0; tick < s->ticks; tick++) {
        write_tick(j, s, tick);
        must(ml_journal_flush(j, &err) == ML_OK, path);
    }
    for (int i = 0; i < s->lines; i++) {
        ML_AUTO_FREE char *line = ml_format("line %d %s\n", i, s->text);
        ml_journal_output(j, local_ns(s->node, 0) + i, i % 4, ML_STDOUT, line, strlen(line));
    }
    if (s->complete)
        write_end(j, s);
    must(ml_journal_flush(j, &err) == ML_OK, path);
    ml_journal_close(j);
}
