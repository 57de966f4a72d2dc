/* The tables of nodes and ranks. */
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/grid.h"
#include "report/report.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MANY 64    /* rows; more are shown only if asked for */
#define EXTREMES 8 /* at each end, then */

static const struct ml_grid_column node_columns[] = {
    {"node", false, 0},  {"ranks", true, 3},      {"peak", true, 0},   {"at", true, 4},
    {"memory", true, 1}, {"least left", true, 2}, {"missed", true, 5}, {"record", false, 1},
};

static const struct ml_grid_column rank_columns[] = {
    {"rank", true, 0},   {"node", false, 2}, {"pid", true, 4},      {"name", false, 1},
    {"peak", true, 0},   {"at", true, 5},    {"GPU peak", true, 1}, {"final", true, 1},
    {"growth", true, 4}, {"exit", false, 3},
};

#define COLUMNS(c) (c), sizeof(c) / sizeof *(c)

static void add_number(struct ml_grid *grid, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    ml_grid_add(grid, value < 0 ? "-" : text);
}

static void add_size(struct ml_grid *grid, int64_t bytes)
{
    char text[16];
    ml_grid_add(grid, ml_size_format(text, sizeof text, bytes));
}

static void add_time(struct ml_grid *grid, int64_t ns)
{
    char text[24];
    ml_grid_add(grid, ns < 0 ? "-" : ml_elapsed_format(text, sizeof text, ns));
}

/* What was left at the closest approach to the limit. */
static void add_left(struct ml_grid *grid, const struct ml_node_facts *n)
{
    char size[16], text[40];
    ml_size_format(size, sizeof size, n->left_B);
    snprintf(text, sizeof text, "%s %3.0f%%", size,
             n->left_B < 0 ? 0 : 100 * (double)n->left_B / (double)n->limit_B);
    ml_grid_add(grid, n->left_B < 0 ? "-" : text);
}

static const char *record_of(const struct ml_facts *f, const struct ml_node_row *node)
{
    if (f->age_ns >= 0 && node->ended == ML_NODE_END_CUT)
        return "so far";
    switch (node->ended) {
    case ML_NODE_END_COMPLETE:
        return "complete";
    case ML_NODE_END_CUT:
        return "cut off";
    case ML_NODE_END_NO_RECORD:
        return "none";
    default:
        return "unknown";
    }
}

static void add_node(struct ml_grid *grid, const struct ml_facts *f, size_t i)
{
    const struct ml_node_facts *n = &f->by_node[i];
    ml_grid_add(grid, f->nodes[i].name);
    add_number(grid, f->ranks ? n->ranks : -1); /* of none at all: they are not known */
    add_size(grid, n->peak_B);
    add_time(grid, n->peak_ns);
    add_size(grid, f->nodes[i].memory_B);
    add_left(grid, n);
    add_number(grid, f->nodes[i].missed);
    ml_grid_add(grid, record_of(f, &f->nodes[i]));
}

/* Something to be sorted by size: a node or a rank process. */
struct ranked {
    size_t index;
    int64_t size;
};

static int largest_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static struct ranked *nodes_by_size(const struct ml_facts *f)
{
    struct ranked *list = ml_realloc_array(NULL, f->n_nodes, sizeof *list);
    for (size_t i = 0; i < f->n_nodes; i++)
        list[i] = (struct ranked){i, f->by_node[i].peak_B};
    qsort(list, f->n_nodes, sizeof *list, largest_first);
    return list;
}

static void add_some_nodes(struct ml_grid *grid, const struct ml_facts *f)
{
    char note[96];
    ML_AUTO_FREE struct ranked *list = nodes_by_size(f);
    size_t shown = 0;
    for (size_t i = 0; i < f->n_nodes; i++) {
        bool broken = f->nodes[list[i].index].ended != ML_NODE_END_COMPLETE;
        if (i < EXTREMES || (broken && shown < MANY)) {
            add_node(grid, f, list[i].index);
            shown++;
        }
    }
    snprintf(note, sizeof note, "(the largest of %zu nodes; --ranks shows all)", f->n_nodes);
    ml_grid_note(grid, note);
}

void ml_report_nodes(const struct ml_facts *facts, bool all, const struct ml_style *style,
                     struct ml_buffer *out)
{
    struct ml_grid *grid = ml_grid_new(COLUMNS(node_columns));
    if (all || facts->n_nodes <= MANY) {
        for (size_t i = 0; i < facts->n_nodes; i++)
            add_node(grid, facts, i);
    } else {
        add_some_nodes(grid, facts);
    }
    ml_buffer_printf(out, "\n");
    ml_grid_print(grid, style, out);
    ml_grid_free(grid);
}

static void add_exit(struct ml_grid *grid, const struct ml_process_row *p)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
        [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGXCPU] = "SIGXCPU",
    };
    char text[32];
    if (p->signal > 0 && p->signal < (int)(sizeof names / sizeof *names) && names[p->signal])
        snprintf(text, sizeof text, "%s", names[p->signal]);
    else if (p->signal > 0)
        snprintf(text, sizeof text, "signal %d", p->signal);
    else if (p->exit_code >= 0)
        snprintf(text, sizeof text, "%d", p->exit_code);
    else
        snprintf(text, sizeof text, "-");
    ml_grid_add(grid, text);
}

/* Blank where it is level, or not known. */
static void add_growth(struct ml_grid *grid, double B_per_s)
{
    char text[24] = "";
    if (B_per_s < 0 || B_per_s > 0)
        ml_rate_format(text, sizeof text, B_per_s);
    ml_grid_add(grid, text);
}

/* Blank where it had none. */
static void add_gpu(struct ml_grid *grid, int64_t bytes)
{
    char text[16] = "";
    if (bytes > 0)
        ml_size_format(text, sizeof text, bytes);
    ml_grid_add(grid, text);
}

static void add_process(struct ml_grid *grid, const struct ml_facts *f, size_t i)
{
    const struct ml_process_row *p = &f->processes[i];
    const struct ml_node_row *node = ml_facts_node(f, p->node);
    char name[600];
    if (p->rank >= 0)
        add_number(grid, p->rank);
    else
        ml_grid_add(grid, "");
    ml_grid_add(grid, node ? node->name : "?");
    add_number(grid, p->pid);
    const char *program = f->processes[f->by_process[i].program].name;
    bool wrapped = strcmp(program, p->name) != 0;
    snprintf(name, sizeof name, "%s%s%s%s", p->rank < 0 ? "- " : "", program,
             wrapped ? ", in " : "", wrapped ? p->name : "");
    ml_grid_add(grid, name);
    add_size(grid, f->by_process[i].peak_B);
    add_time(grid, f->by_process[i].peak_ns);
    add_gpu(grid, p->rank < 0 ? -1 : ml_gpu_facts_peak_of(&f->gpus, p->rank));
    add_size(grid, f->by_process[i].last_B);
    add_growth(grid, f->by_process[i].growth_B_per_s);
    add_exit(grid, p);
}

/* A process in the order of the table: by rank, helpers behind their rank, strays last. */
struct placed {
    size_t index;
    int64_t rank, owner;
};

static int in_order(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    bool x_leads = x->owner == (int64_t)x->index, y_leads = y->owner == (int64_t)y->index;
    if (x_leads != y_leads)
        return x_leads ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Rank processes by rank, with WITH_HELPERS their helpers too; the caller frees. */
static struct placed *place(const struct ml_facts *f, bool with_helpers, size_t *out_n)
{
    struct placed *list = ml_realloc_array(NULL, f->n_processes, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < f->n_processes; i++) {
        if (f->processes[i].rank < 0 && !with_helpers)
            continue;
        int64_t owner = f->by_process[i].owner;
        list[n++] = (struct placed){i, owner < 0 ? INT64_MAX : f->processes[owner].rank, owner};
    }
    qsort(list, n, sizeof *list, in_order);
    *out_n = n;
    return list;
}

static void add_extreme_ranks(struct ml_grid *grid, const struct ml_facts *f,
                              const struct placed *placed, size_t n)
{
    char note[96];
    ML_AUTO_FREE struct ranked *list = ml_realloc_array(NULL, n, sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct ranked){placed[i].index, f->by_process[placed[i].index].peak_B};
    qsort(list, n, sizeof *list, largest_first);
    for (size_t i = 0; i < EXTREMES; i++)
        add_process(grid, f, list[i].index);
    snprintf(note, sizeof note, "(%zu ranks in between; --ranks shows all)", n - 2 * EXTREMES);
    ml_grid_note(grid, note);
    for (size_t i = n - EXTREMES; i < n; i++)
        add_process(grid, f, list[i].index);
}

void ml_report_ranks(const struct ml_facts *facts, bool all, const struct ml_style *style,
                     struct ml_buffer *out)
{
    size_t n;
    struct ml_grid *grid = ml_grid_new(COLUMNS(rank_columns));
    ML_AUTO_FREE struct placed *list = place(facts, all || facts->ranks == 0, &n);
    if (all || n <= MANY) {
        for (size_t i = 0; i < n; i++)
            add_process(grid, facts, list[i].index);
    } else {
        add_extreme_ranks(grid, facts, list, n);
    }
    ml_buffer_printf(out, "\n");
    ml_grid_print(grid, style, out);
    ml_grid_free(grid);
}
