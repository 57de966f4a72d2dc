#include "commands/import_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "base/view.h"
#include "commands/import_log_stacks.h"
#include "read/moose_log.h"
#include "store/store.h"
#include "version.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BEGIN_B 256
#define PIECE_B 500 /* of a line of output; the format holds 511 */

struct piece {
    int64_t time_ns;
    char *text;
    int8_t continued;
};

/* The tables of the file that is made of the log. */
struct import {
    const struct ml_moose_log *log;
    size_t *order; /* rows by node, by time */
    struct ml_process_row *processes;
    struct piece *pieces;
    size_t n_pieces, capacity;
};

static int64_t time_of(const struct ml_moose_log *log, size_t row)
{
    return log->rows[row].wall_ns - log->rows[0].wall_ns;
}

static void fetch_node(void *context, size_t i, void *out_row)
{
    const struct import *im = context;
    struct ml_node_row *row = out_row;
    ml_row_clear(&ml_table_nodes, row);
    row->node = (int32_t)i;
    row->name = im->log->nodes[i]; /* whether the log goes on to the run's end is not in it */
}

static void fetch_process(void *context, size_t i, void *out_row)
{
    const struct import *im = context;
    *(struct ml_process_row *)out_row = im->processes[i];
}

static void fetch_sample(void *context, size_t i, void *out_row)
{
    const struct import *im = context;
    const struct ml_moose_row *from = &im->log->rows[im->order[i]];
    struct ml_sample_row *row = out_row;
    ml_row_clear(&ml_table_samples, row);
    row->time_ns = time_of(im->log, im->order[i]);
    row->process = from->node;
    row->memory_B = row->rss_B = from->node_B;
}

static void fetch_node_sample(void *context, size_t i, void *out_row)
{
    const struct import *im = context;
    const struct ml_moose_row *from = &im->log->rows[im->order[i]];
    struct ml_node_sample_row *row = out_row;
    ml_row_clear(&ml_table_node_samples, row);
    row->time_ns = time_of(im->log, im->order[i]);
    row->node = from->node;
    row->memory_B = row->rss_B = from->node_B;
}

static void fetch_job_sample(void *context, size_t i, void *out_row)
{
    const struct import *im = context;
    struct ml_job_sample_row *row = out_row;
    ml_row_clear(&ml_table_job_samples, row);
    row->time_ns = time_of(im->log, i);
    row->memory_B = row->rss_B = im->log->rows[i].total_B;
}

static void fetch_piece(void *context, size_t i, void *out_row)
{
    const struct import *im = context;
    struct ml_output_row *row = out_row;
    ml_row_clear(&ml_table_output, row);
    row->time_ns = im->pieces[i].time_ns;
    row->stream = ML_STDOUT;
    row->continued = im->pieces[i].continued;
    row->text = im->pieces[i].text;
}

static void sort_rows(struct import *im)
{
    const struct ml_moose_log *log = im->log;
    size_t *next = ml_alloc((log->n_nodes + 1) * sizeof *next);
    im->order = ml_realloc_array(NULL, log->n_rows, sizeof *im->order);
    for (size_t i = 0; i < log->n_rows; i++)
        next[log->rows[i].node + 1]++;
    for (size_t i = 1; i <= log->n_nodes; i++)
        next[i] += next[i - 1];
    for (size_t i = 0; i < log->n_rows; i++)
        im->order[next[log->rows[i].node]++] = i;
    free(next);
}

static void make_processes(struct import *im)
{
    const struct ml_moose_log *log = im->log;
    im->processes = ml_alloc(log->n_nodes * sizeof *im->processes);
    for (size_t i = 0; i < log->n_nodes; i++) {
        struct ml_process_row *p = &im->processes[i];
        ml_row_clear(&ml_table_processes, p);
        p->process = p->node = (int32_t)i;
        p->name = "all of the node";
        p->n_rows = 0;
    }
    for (size_t i = 0; i < log->n_rows; i++) {
        const struct ml_moose_row *row = &log->rows[im->order[i]];
        struct ml_process_row *p = &im->processes[row->node];
        if (p->n_rows++ == 0) {
            p->first_row = (int64_t)i;
            p->start_ns = time_of(log, im->order[i]);
        }
        if (row->node_B > p->peak_rss_B) {
            p->peak_memory_B = p->peak_rss_B = row->node_B;
            p->peak_memory_ns = p->peak_ns = time_of(log, im->order[i]);
        }
    }
}

/* A line in pieces that are whole characters. */
static void cut_line(struct import *im, int64_t time_ns, const char *line, size_t n)
{
    for (size_t from = 0; from == 0 || from < n;) {
        size_t to = n - from > PIECE_B ? from + PIECE_B : n;
        while (to < n && to > from + PIECE_B - 4 && ((unsigned char)line[to] & 0xc0) == 0x80)
            to--;
        ML_GROW(im->pieces, im->n_pieces, im->capacity);
        im->pieces[im->n_pieces++] =
            (struct piece){time_ns, ml_format("%.*s", (int)(to - from), line + from), from > 0};
        if (to == n)
            return;
        from = to;
    }
}

static void cut_output(struct import *im)
{
    for (size_t i = 0; i < im->log->n_rows; i++) {
        for (const char *line = im->log->rows[i].output; *line;) {
            size_t n = strcspn(line, "\n");
            cut_line(im, time_of(im->log, i), line, n);
            line += n + (line[n] == '\n');
        }
    }
}

static enum ml_status write_attributes(struct ml_store *store, const struct ml_moose_log *log,
                                       const char *path, struct ml_error *err)
{
    ML_AUTO_FREE char *origin = ml_format("%.9f", (double)log->rows[0].wall_ns / ML_NS_PER_S);
    ML_AUTO_FREE char *title = ml_format("log of memory_logger.py: %.200s", path);
    const struct ml_attribute attributes[] = {
        {"format", ML_TEXT, "memlog"},
        {"format_version", ML_TEXT, ML_FORMAT_VERSION},
        {"title", ML_TEXT, title},
        {"creator", ML_TEXT, "memory_logger.py, read by memlog " MEMLOG_VERSION},
        {"time_origin", ML_REAL, origin},
        {"exit_code", ML_INT64, "-1"},
        {"verdict", ML_TEXT,
         log->torn ? "a log of memory_logger.py that breaks off"
                   : "a log of memory_logger.py, which does not say"},
    };
    return ml_store_attributes(store, 0, attributes, sizeof attributes / sizeof *attributes, err);
}

static enum ml_status write_tables(struct ml_store *store, struct import *im, struct ml_error *err)
{
    const struct {
        const struct ml_table *table;
        struct ml_rows rows;
    } tables[] = {
        {&ml_table_nodes, {im->log->n_nodes, fetch_node, im}},
        {&ml_table_processes, {im->log->n_nodes, fetch_process, im}},
        {&ml_table_job_samples, {im->log->n_rows, fetch_job_sample, im}},
        {&ml_table_events, {0, fetch_piece, im}},
        {&ml_table_node_samples, {im->log->n_rows, fetch_node_sample, im}},
        {&ml_table_output, {im->n_pieces, fetch_piece, im}},
        {&ml_table_samples, {im->log->n_rows, fetch_sample, im}},
    };
    enum ml_status status = ML_OK;
    for (size_t i = 0; !status && i < sizeof tables / sizeof *tables; i++)
        status = ml_store_table(store, tables[i].table, &tables[i].rows, 1, err);
    return status ? status : ml_command_import_stacks(store, im->log, err);
}

static enum ml_status write_file(const struct ml_moose_log *log, const char *path,
                                 const char *outfile, struct ml_error *err)
{
    struct ml_team team;
    struct ml_draft *draft;
    struct ml_store *store;
    struct import im = {.log = log};
    ml_team_solo(&team);
    enum ml_status status = ml_draft_open(&team, outfile, "log", ML_DRAFT_ASK, &draft, err);
    if (status)
        return status;
    status = ml_store_create(&team, draft, &store, err);
    if (status) {
        ml_draft_close(draft);
        return status;
    }
    sort_rows(&im);
    make_processes(&im);
    cut_output(&im);
    status = write_attributes(store, log, path, err);
    if (!status)
        status = write_tables(store, &im, err);
    if (status)
        ml_store_abandon(store);
    else
        status = ml_store_finish(store, true, err);
    ml_draft_close(draft);
    for (size_t i = 0; i < im.n_pieces; i++)
        free(im.pieces[i].text);
    free(im.pieces);
    free(im.processes);
    free(im.order);
    return status;
}

bool ml_command_is_log(const char *path)
{
    char begin[BEGIN_B];
    struct stat st;
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return false;
    ssize_t n = pread(fd, begin, sizeof begin, 0);
    return n > 0 && ml_moose_log_is(begin, (size_t)n);
}

enum ml_status ml_command_import_log(const char *path, const char *outfile, struct ml_error *err)
{
    struct ml_error why = {{0}};
    struct ml_moose_log log;
    char by[24];
    struct ml_view *view;
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s", path);
    if (ml_view_open(fd, &view, &why) != ML_OK)
        return ml_fail(err, ML_RUN_LOST, "%.200s: %.200s", path, why.text);
    enum ml_status status =
        ml_moose_log_parse((const char *)ml_view_bytes(view), ml_view_size(view), &log, &why);
    ml_view_close(view);
    if (status)
        return ml_fail(err, status, "%.200s: not a log of memory_logger.py: %.200s", path,
                       why.text);
    if (log.torn)
        ml_log(ML_LOG_NOTICE, "%s: its last line is not whole, and left out", path);
    if (log.set_back_line)
        ml_log(ML_LOG_NOTICE,
               "%s: line %zu: its clock was set back by %s; times go on from there as before", path,
               log.set_back_line, ml_elapsed_format(by, sizeof by, log.set_back_ns));
    status = write_file(&log, path, outfile, err);
    ml_moose_log_free(&log);
    return status;
}
