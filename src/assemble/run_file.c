#include "assemble/run_file.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "mpi_hooks/calls.h"
#include "store/stacks.h"
#include "version.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Somebody cuts a journal while the file is written from it: it is written anew so often. */
enum { CUTS_MOST = 10 };

/* Attributes that own their texts, one of a name. */
struct list {
    struct ml_attribute *items;
    size_t n, capacity;
};

/* The nodes whose rows this member writes. */
struct node_range {
    struct ml_harvest **harvests;
    size_t n_harvests;
    int first;
    size_t count;
};

/* A journal may not say these of the file. */
static const char *const ours[] = {"format",      "format_version",  "creator",  "created",
                                   "time_origin", "time_origin_iso", "complete", NULL};

static bool is_ours(const char *name)
{
    for (const char *const *o = ours; *o; o++) {
        if (!strcmp(*o, name))
            return true;
    }
    return false;
}

/* Takes TEXT over. */
static void set(struct list *l, const char *name, enum ml_kind kind, char *text)
{
    size_t i = 0;
    while (i < l->n && strcmp(l->items[i].name, name) != 0)
        i++;
    if (i == l->n) {
        ML_GROW(l->items, l->n, l->capacity);
        l->items[l->n++] = (struct ml_attribute){.name = ml_strdup(name)};
    } else {
        free((char *)l->items[i].text);
    }
    l->items[i].kind = kind;
    l->items[i].text = text;
}

static const char *get(const struct list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!strcmp(l->items[i].name, name))
            return l->items[i].text;
    }
    return "";
}

static void free_list(struct list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free((char *)l->items[i].name);
        free((char *)l->items[i].text);
    }
    free(l->items);
}

/* "2026-01-31T12:34:56.789Z" */
static char *iso_time(int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / ML_NS_PER_S);
    int ms = (int)(wall_ns % ML_NS_PER_S / ML_NS_PER_MS);
    struct tm t;
    char text[64] = "";
    if (wall_ns >= 0 && gmtime_r(&seconds, &t))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    return *text ? ml_format("%s.%03dZ", text, ms) : ml_strdup("");
}

static void add_standard(struct list *l, const struct ml_journal_header *header)
{
    static const char *const texts[] = {"command", "directory", "job_id", "mpi"};
    set(l, "format", ML_TEXT, ml_strdup("memlog"));
    set(l, "format_version", ML_TEXT, ml_strdup(ML_FORMAT_VERSION));
    set(l, "title", ML_TEXT, ml_strdup(""));
    set(l, "creator", ML_TEXT, ml_strdup("memlog-mpi " MEMLOG_VERSION));
    set(l, "created", ML_TEXT, iso_time(ml_wall_now().ns));
    set(l, "time_origin", ML_REAL, ml_format("%.9f", (double)header->origin_wall / ML_NS_PER_S));
    set(l, "time_origin_iso", ML_TEXT, iso_time(header->origin_wall));
    set(l, "recovered", ML_INT64, ml_strdup("0"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        set(l, texts[i], ML_TEXT, ml_strdup(""));
    set(l, "exit_code", ML_INT64, ml_strdup("-1"));
    set(l, "verdict", ML_TEXT, ml_strdup("unknown: the record breaks off, or the job still runs"));
}

static void collect(struct list *l, const struct ml_harvest *h, const struct ml_attribute *extra,
                    size_t n_extra)
{
    add_standard(l, ml_harvest_header(h));
    for (size_t i = 0; i < ml_harvest_n_attributes(h); i++) {
        const struct ml_attribute *a = ml_harvest_attribute(h, i);
        if (!is_ours(a->name))
            set(l, a->name, a->kind, ml_strdup(a->text));
    }
    for (size_t i = 0; i < n_extra; i++)
        set(l, extra[i].name, extra[i].kind, ml_strdup(extra[i].text));
    if (!*get(l, "title"))
        set(l, "title", ML_TEXT, ml_format("memory of: %.200s", get(l, "command")));
}

/* This member's journal that speaks for the run; *OUT_RANK: 2 rank 0's node, 1 another, 0 none. */
static struct ml_harvest *spokesman(struct ml_harvest **harvests, size_t n, int *out_rank)
{
    for (size_t i = 0; i < n; i++) {
        if (ml_harvest_header(harvests[i])->root) {
            *out_rank = 2;
            return harvests[i];
        }
    }
    *out_rank = n ? 1 : 0;
    return n ? harvests[0] : NULL;
}

/* The member whose journal speaks for the run, -1 without any journal. */
static int choose_source(struct ml_team *team, int rank)
{
    ML_AUTO_FREE int64_t *ranks = ml_alloc((size_t)team->size * sizeof *ranks);
    team->share(team, rank, ranks);
    int source = -1;
    for (int i = 0; i < team->size; i++) {
        if (ranks[i] > (source < 0 ? 0 : ranks[source]))
            source = i;
    }
    return source;
}

/* Each member writes the nodes from its first one up to the next member's first one, so that the
 * nodes between, which have no journal, stand there too. */
static struct node_range node_range(struct ml_team *team, struct ml_harvest **harvests, size_t n)
{
    ML_AUTO_FREE int64_t *first = ml_alloc((size_t)team->size * sizeof *first);
    int64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t nodes = (int64_t)ml_harvest_n_nodes(harvests[i]);
        end = nodes > end ? nodes : end;
    }
    end = team->largest(team, end);
    team->share(team, n ? ml_harvest_header(harvests[0])->node : -1, first);
    bool lowest = true;
    for (int i = 0; i < team->member; i++)
        lowest = lowest && first[i] < 0;
    for (int i = team->size - 1; i > team->member; i--)
        end = first[i] >= 0 ? first[i] : end;
    int64_t start = lowest ? 0 : first[team->member];
    return (struct node_range){.harvests = harvests,
                               .n_harvests = n,
                               .first = (int)start,
                               .count = n && end > start ? (size_t)(end - start) : 0};
}

static void fetch_node(void *context, size_t i, void *out_row)
{
    const struct node_range *range = context;
    struct ml_node_row *row = out_row;
    size_t node = (size_t)range->first + i;
    ml_row_clear(&ml_table_nodes, row);
    row->node = (int32_t)node;
    row->ended = ML_NODE_END_NO_RECORD;
    for (size_t k = 0; k < range->n_harvests; k++) {
        const struct ml_harvest *h = range->harvests[k];
        bool own = ml_harvest_header(h)->node == (int)node;
        if (node < ml_harvest_n_nodes(h) && (own || !*row->name))
            ml_harvest_node(h, node, row);
        if (own)
            return;
    }
}

/* Numbers processes and sample rows through all journals. */
static void set_bases(struct ml_team *team, struct ml_harvest **harvests, size_t n)
{
    int64_t processes = 0, samples = 0, total;
    for (size_t i = 0; i < n; i++) {
        processes += (int64_t)ml_harvest_rows(harvests[i], &ml_table_processes).count;
        samples += (int64_t)ml_harvest_rows(harvests[i], &ml_table_samples).count;
    }
    processes = team->offset(team, processes, &total);
    samples = team->offset(team, samples, &total);
    for (size_t i = 0; i < n; i++) {
        ml_harvest_set_bases(harvests[i], (int32_t)processes, samples);
        processes += (int64_t)ml_harvest_rows(harvests[i], &ml_table_processes).count;
        samples += (int64_t)ml_harvest_rows(harvests[i], &ml_table_samples).count;
    }
}

static enum ml_status write_each(struct ml_store *store, const struct ml_table *const *tables,
                                 struct ml_harvest **harvests, size_t n, struct ml_error *err)
{
    ML_AUTO_FREE struct ml_rows *sets = ml_alloc(n * sizeof *sets);
    enum ml_status status = ML_OK;
    for (const struct ml_table *const *t = tables; *t && status == ML_OK; t++) {
        for (size_t i = 0; i < n; i++)
            sets[i] = ml_harvest_rows(harvests[i], *t);
        status = ml_store_table(store, *t, sets, n, err);
    }
    return status;
}

static void fetch_mpi_call(void *context, size_t i, void *out_row)
{
    struct ml_mpi_call_row *row = out_row;
    (void)context;
    row->name = ml_mpi_call_name((int)i);
    row->kind = ml_mpi_kind_name(ml_mpi_call_kind((int)i));
}

/* Makes one tree of the stacks of all journals, and tells the journals' samples their rows in it,
 * which *OUT_ROWS holds. */
static enum ml_status write_stacks(struct ml_store *store, struct ml_harvest **harvests, size_t n,
                                   int32_t **out_rows, struct ml_error *err)
{
    ML_AUTO_FREE struct ml_stack_set *sets = ml_alloc(n * sizeof *sets);
    for (size_t i = 0; i < n; i++) {
        sets[i].frames = ml_harvest_rows(harvests[i], &ml_table_frames);
        sets[i].stacks = ml_harvest_rows(harvests[i], &ml_table_stacks);
    }
    enum ml_status status = ml_store_stacks(store, sets, n, out_rows, err);
    size_t first = 0;
    for (size_t i = 0; i < n && status == ML_OK && *out_rows; i++) {
        ml_harvest_set_stacks(harvests[i], *out_rows + first);
        first += sets[i].stacks.count;
    }
    return status;
}

static enum ml_status write_tables(struct ml_team *team, struct ml_store *store,
                                   struct ml_harvest **harvests, size_t n, struct ml_error *err)
{
    /* The small ones first, so that they are on the disk early. */
    static const struct ml_table *const small[] = {
        &ml_table_processes,   &ml_table_job_samples,
        &ml_table_events,      &ml_table_node_samples,
        &ml_table_output,      &ml_table_mpi,
        &ml_table_gpus,        &ml_table_gpu_samples,
        &ml_table_gpu_choices, NULL,
    };
    static const struct ml_table *const large[] = {
        &ml_table_stack_samples,       &ml_table_heap,    &ml_table_heap_samples,
        &ml_table_gpu_process_samples, &ml_table_samples, NULL,
    };
    struct node_range range = node_range(team, harvests, n);
    struct ml_rows nodes = {.count = range.count, .fetch = fetch_node, .context = &range};
    struct ml_rows mpi_calls = {.count = team->member == 0 ? ML_MPI_CALLS : 0,
                                .fetch = fetch_mpi_call};
    ML_AUTO_FREE int32_t *stack_rows = NULL;
    set_bases(team, harvests, n);
    enum ml_status status = ml_store_table(store, &ml_table_nodes, &nodes, 1, err);
    if (status == ML_OK)
        status = write_each(store, small, harvests, n, err);
    if (status == ML_OK)
        status = ml_store_table(store, &ml_table_mpi_calls, &mpi_calls, 1, err);
    if (status == ML_OK)
        status = write_stacks(store, harvests, n, &stack_rows, err);
    if (status == ML_OK)
        status = write_each(store, large, harvests, n, err);
    for (size_t i = 0; i < n; i++)
        ml_harvest_set_stacks(harvests[i], NULL);
    return status;
}

/* Collective. The store, with all that is to be in it. */
static enum ml_status fill(struct ml_team *team, struct ml_harvest **harvests, size_t n,
                           const struct ml_attribute *extra, size_t n_extra, struct ml_draft *draft,
                           struct ml_store **out_store, struct ml_error *err)
{
    int rank;
    struct ml_harvest *speaks = spokesman(harvests, n, &rank);
    int source = choose_source(team, rank);
    if (source < 0)
        return ml_fail(err, ML_RUN_LOST, "%s: there is no journal to write it from",
                       ml_draft_path(draft));
    struct ml_store *store;
    enum ml_status status = ml_store_create(team, draft, &store, err);
    if (status != ML_OK)
        return status;
    struct list attributes = {0};
    if (team->member == source)
        collect(&attributes, speaks, extra, n_extra);
    status = ml_store_attributes(store, source, attributes.items, attributes.n, err);
    free_list(&attributes);
    if (status == ML_OK)
        status = write_tables(team, store, harvests, n, err);
    if (status == ML_OK)
        *out_store = store;
    else
        ml_store_abandon(store);
    return status;
}

/* Collective. Whether anybody has cut a journal, of any member, since it was read; it is read again
 * then. */
static bool read_cut_again(struct ml_team *team, struct ml_harvest **harvests, size_t n)
{
    bool cut = false;
    for (size_t i = 0; i < n; i++) {
        if (!ml_harvest_is_cut(harvests[i]))
            continue;
        ml_harvest_read_again(harvests[i]);
        cut = true;
    }
    return team->largest(team, cut) != 0;
}

enum ml_status ml_run_file_write(struct ml_team *team, struct ml_harvest **harvests, size_t n,
                                 const struct ml_attribute *extra, size_t n_extra,
                                 struct ml_draft *draft, bool replace, struct ml_error *err)
{
    for (int i = 0; i < CUTS_MOST; i++) {
        struct ml_store *store = NULL;
        enum ml_status status = fill(team, harvests, n, extra, n_extra, draft, &store, err);
        bool again = read_cut_again(team, harvests, n);
        if (!again && status == ML_OK)
            return ml_store_finish(store, replace, err);
        ml_store_abandon(store);
        if (!again)
            return status;
    }
    return ml_fail(err, ML_RUN_LOST, "%.300s: somebody keeps cutting a journal while it is read",
                   ml_draft_path(draft));
}
