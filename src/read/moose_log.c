#include "read/moose_log.h"

#include "base/clock.h"
#include "base/intern.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define FIELDS 6
#define MOST_NODES 65536
#define OUT_OF_ORDER_NS (5 * ML_NS_PER_S)
#define MOST_KIB (INT64_C(1) << 50)

enum field { TIME, TOTAL, OUTPUT, STACK, NODE, MEMORY };

struct reading {
    const char *p, *end;
    char *next; /* where the next text goes: texts are never longer than what they are read from */
    size_t line;
    struct ml_intern nodes;
    struct ml_moose_log *log;
    size_t capacity, nodes_capacity;
    int64_t shift_ns,
        step_ns; /* added to times, since a clock was set back; the last step forward */
};

static bool is_end(const struct reading *r)
{
    return r->p == r->end || *r->p == '\n' || *r->p == '\r';
}

static void keep(struct reading *r, char c)
{
    r->line += c == '\n';
    if (c)
        *r->next++ = c;
}

/* Reads a field up to its comma or the end of its line. False: the text ends in its quotes. */
static bool read_field(struct reading *r, char **out_text)
{
    bool quoted = r->p < r->end && *r->p == '|';
    *out_text = r->next;
    r->p += quoted;
    while (r->p < r->end && (quoted || (*r->p != ',' && !is_end(r)))) {
        char c = *r->p++;
        if (quoted && c == '|') {
            quoted = r->p < r->end && *r->p == '|';
            if (!quoted)
                continue;
            r->p++;
        } else if (c == '\\' && r->p < r->end) {
            c = *r->p++;
        }
        keep(r, c);
    }
    *r->next++ = 0;
    return !quoted;
}

/* The fields of a row up to FIELDS; *OUT_N: how many it has. False: the text ends before the line.
 */
static bool read_row(struct reading *r, char **fields, size_t *out_n)
{
    char *spare;
    size_t n = 0;
    for (;;) {
        if (!read_field(r, n < FIELDS ? &fields[n] : &spare))
            return false;
        n++;
        if (is_end(r))
            break;
        r->p++;
    }
    *out_n = n;
    bool whole = r->p < r->end;
    while (r->p < r->end && (*r->p == '\r' || *r->p == '\n')) {
        bool pair = *r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n';
        r->line++;
        r->p += pair ? 2 : 1;
    }
    return whole;
}

static bool parse_time(const char *text, int64_t *out_ns)
{
    char *end;
    double s = strtod(text, &end);
    if (end == text || *end || !(s >= 0 && s < 9e9) || strspn(text, "0123456789.") != strlen(text))
        return false;
    int64_t us = (int64_t)(s * 1e6 + 0.5); /* a double holds no more of it */
    *out_ns = us * 1000;
    return true;
}

static bool parse_size(const char *text, int64_t *out_B)
{
    char *end;
    long long kib = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || kib > MOST_KIB)
        return false;
    *out_B = kib * 1024;
    return true;
}

static enum ml_status find_node(struct reading *r, const char *name, int32_t *out_node,
                                struct ml_error *err)
{
    uint32_t before = r->nodes.n;
    *out_node = (int32_t)ml_intern_add(&r->nodes, name, strlen(name));
    if (r->nodes.n == before)
        return ML_OK;
    if (before == MOST_NODES)
        return ml_fail(err, ML_RUN_LOST, "line %zu: over %d nodes", r->line, MOST_NODES);
    ML_GROW(r->log->nodes, r->log->n_nodes, r->nodes_capacity);
    r->log->nodes[r->log->n_nodes++] = name;
    return ML_OK;
}

/* The time of a row, never before the row above. Rows of several nodes may be out of order by a
 * moment; more is a clock that was set back, and then time goes on by the last step. */
static int64_t go_on(struct reading *r, int64_t wall_ns, size_t line)
{
    struct ml_moose_log *log = r->log;
    if (!log->n_rows)
        return wall_ns;
    int64_t before_ns = log->rows[log->n_rows - 1].wall_ns, now_ns = wall_ns + r->shift_ns;
    if (before_ns - now_ns > OUT_OF_ORDER_NS) {
        if (!log->set_back_line) {
            log->set_back_line = line;
            log->set_back_ns = before_ns + r->step_ns - now_ns;
        }
        r->shift_ns += before_ns + r->step_ns - now_ns;
        return before_ns + r->step_ns;
    }
    if (now_ns > before_ns)
        r->step_ns = now_ns - before_ns;
    return now_ns > before_ns ? now_ns : before_ns;
}

static enum ml_status take_row(struct reading *r, char **fields, size_t n, size_t line,
                               struct ml_error *err)
{
    struct ml_moose_log *log = r->log;
    struct ml_moose_row row = {.output = fields[OUTPUT], .stack = fields[STACK]};
    if (n != FIELDS)
        return ml_fail(err, ML_RUN_LOST, "line %zu: %zu fields, a log of memory_logger.py has %d",
                       line, n, FIELDS);
    if (!parse_time(fields[TIME], &row.wall_ns))
        return ml_fail(err, ML_RUN_LOST, "line %zu: its first field is no unix time", line);
    if (!parse_size(fields[TOTAL], &row.total_B) || !parse_size(fields[MEMORY], &row.node_B))
        return ml_fail(err, ML_RUN_LOST, "line %zu: its %s field is no number of KiB", line,
                       parse_size(fields[TOTAL], &row.total_B) ? "last" : "second");
    enum ml_status status = find_node(r, fields[NODE], &row.node, err);
    if (status)
        return status;
    row.wall_ns = go_on(r, row.wall_ns, line);
    ML_GROW(log->rows, log->n_rows, r->capacity);
    log->rows[log->n_rows++] = row;
    return ML_OK;
}

bool ml_moose_log_is(const char *bytes, size_t n)
{
    size_t i = 0, begin;
    for (; i < n && ((bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == '.');)
        i++;
    if (i == 0 || i == n || bytes[i] != ',')
        return false;
    for (begin = ++i; i < n && bytes[i] >= '0' && bytes[i] <= '9';)
        i++;
    return i > begin && i < n && bytes[i] == ',';
}

enum ml_status ml_moose_log_parse(const char *bytes, size_t n, struct ml_moose_log *out_log,
                                  struct ml_error *err)
{
    struct ml_moose_log log = {.texts = ml_alloc(n + 1)};
    struct reading r = {.p = bytes, .end = bytes + n, .next = log.texts, .line = 1, .log = &log};
    enum ml_status status = ML_OK;
    while (!status && r.p < r.end) {
        char *fields[FIELDS] = {0};
        size_t line = r.line, n_fields = 0;
        if (read_row(&r, fields, &n_fields))
            status = take_row(&r, fields, n_fields, line, err);
        else
            log.torn = true;
    }
    if (!status && log.n_rows == 0)
        status = ml_fail(err, ML_RUN_LOST, "it has no whole line");
    ml_intern_free(&r.nodes);
    if (status)
        ml_moose_log_free(&log);
    else
        *out_log = log;
    return status;
}

void ml_moose_log_free(struct ml_moose_log *log)
{
    free(log->rows);
    free(log->nodes);
    free(log->texts);
    *log = (struct ml_moose_log){0};
}
