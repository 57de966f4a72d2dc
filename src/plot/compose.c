#include "plot/compose.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/chain.h"
#include "plot/clock.h"
#include "plot/difference.h"
#include "plot/gpu.h"
#include "plot/marks.h"
#include "plot/owner.h"
#include "plot/runs.h"
#include "plot/trim.h"
#include "plot/values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAND_ABOVE 12    /* ranks: more lines cannot be told apart */
#define LIMIT_SHARE 0.4  /* of the limit: smaller values would be squashed by drawing it */
#define COMMAND_SHOWN 60 /* characters */
#define SEEN 0.02        /* of the time axis */

static enum ml_status make_curves(const struct ml_plot_source *source, int run,
                                  const struct ml_plot_wish *wish, struct ml_plot_page *page,
                                  struct ml_error *err)
{
    switch (page->form) {
    case ML_PLOT_BAND:
        return ml_plot_form_band(source, page, err);
    case ML_PLOT_STACKED:
        return ml_plot_form_stacked(
            source, wish->by == ML_PLOT_BY_NODE ? wish->by : ML_PLOT_BY_RANK, page, err);
    case ML_PLOT_HEAP:
        return ml_plot_form_heap(source, page, err);
    case ML_PLOT_HEATMAP:
        return ml_plot_form_heatmap(source, run, page, err);
    case ML_PLOT_MULTIPLES:
        return ml_plot_form_multiples(source, page, err);
    case ML_PLOT_FLAME: /* is no picture of time: form_flame.h */
    case ML_PLOT_LINES:
        break;
    }
    return ml_plot_form_lines(source, wish->by, page, err);
}

static bool is_empty(const struct ml_plot_page *page, size_t first_curve)
{
    for (size_t i = first_curve; i < page->n_curves; i++) {
        if (page->curves[i].n_points)
            return false;
    }
    for (size_t i = 0; i < page->map.n_rows * page->map.n_columns; i++) {
        if (!isnan(page->map.cells[i]))
            return false;
    }
    return true;
}

static size_t count_ranks(const struct ml_plot_source *source)
{
    size_t n = 0;
    for (size_t i = 0; i < source->n_processes; i++)
        n += source->processes[i].rank >= 0;
    return n;
}

static bool is_whole(const struct ml_plot_source *s)
{
    return s->begin_ns == 0 && s->until_ns == INT64_MAX && !s->is_part &&
           s->n_nodes_drawn == s->n_nodes;
}

static enum ml_status say_empty(const struct ml_plot_source *source, struct ml_error *err)
{
    if (source->minus)
        return ml_fail(err, ML_RUN_LOST, "%.200s and %.200s have no %s in common to be compared",
                       source->minus->path, source->path,
                       source->clock->n ? "time" : "time, rank or node");
    return ml_fail(err, ML_RUN_LOST, "%.300s: %s %.200s has no values%s", source->path,
                   source->owner ? "owner" : "column",
                   source->owner ? source->owner->name : source->column->name,
                   is_whole(source) ? "" : " in that part of it");
}

/* Of the nodes of SOURCE, of which curves and rows have the numbers. */
static void name_nodes(const struct ml_plot_source *source, struct ml_plot_page *page)
{
    page->node_names = ml_realloc_array(page->node_names, page->n_nodes + source->n_nodes + 1,
                                        sizeof *page->node_names);
    for (size_t i = 0; i < source->n_nodes; i++)
        page->node_names[page->n_nodes++] = ml_strdup(source->nodes[i].name);
}

static enum ml_status add_run(const struct ml_plot_source *source, const char *label, int run,
                              const struct ml_plot_wish *wish, struct ml_plot_page *page,
                              struct ml_error *err)
{
    struct ml_plot_target target = {page, wish->by, page->n_curves};
    enum ml_status status = make_curves(source, run, wish, page, err);
    if (page->n_runs)
        ml_plot_runs_tell(page, target.first, run);
    if (run == 0 || page->form == ML_PLOT_HEATMAP)
        name_nodes(source, page);
    if (!status && wish->by == ML_PLOT_BY_TOTAL && page->form == ML_PLOT_LINES &&
        page->n_curves > target.first) {
        free(page->curves[target.first].label);
        page->curves[target.first].label = ml_strdup(label);
    }
    if (!status && is_empty(page, target.first))
        return say_empty(source, err);
    if (page->form == ML_PLOT_HEATMAP)
        return status ? status : ml_plot_marks_events(source, &target, err);
    if (!status && wish->stacks)
        status = ml_plot_marks_stacks(source, &target, err);
    if (!status && wish->output)
        status = ml_plot_marks_output(source, &target, wish->trim, err);
    if (!status)
        status = ml_plot_marks_events(source, &target, err);
    return status;
}

static int64_t limit_of(const struct ml_plot_source *s, size_t i)
{
    const struct ml_node_row *node = &s->nodes[i];
    if (s->values)
        return s->values->limits_B ? (int64_t)s->values->limits_B[i] : 0;
    return node->cgroup_limit_B > 0 &&
                   (node->memory_B <= 0 || node->cgroup_limit_B < node->memory_B)
               ? node->cgroup_limit_B
               : node->memory_B;
}

/* Sum of the limits of the nodes that are drawn, and whether they are equal; 0: unknown. */
static double limits_of(const struct ml_plot_source *s, bool *out_equal)
{
    double sum = 0;
    int64_t first = 0;
    *out_equal = true;
    for (size_t i = 0; i < s->n_nodes; i++) {
        int64_t limit = limit_of(s, i);
        if (!s->node_drawn[i])
            continue;
        if (limit <= 0)
            return 0;
        first = first ? first : limit;
        *out_equal &= limit == first;
        sum += (double)limit;
    }
    return sum;
}

static double find_limit(const struct ml_plot_source *sources, size_t n, bool per_node)
{
    double limit = 0;
    for (size_t i = 0; i < n; i++) {
        bool equal;
        double sum = limits_of(&sources[i], &equal);
        if (per_node)
            sum = equal ? sum / (double)sources[i].n_nodes_drawn : 0;
        if (!(sum > 0) || sources[i].is_part || (i && sum != limit))
            return 0;
        limit = sum;
    }
    return limit;
}

/* Whether the picture of all memory has what the GPUs hold beside that of the host: then a limit
 * of either would be one of neither. */
static bool has_both(const struct ml_plot_page *page, const struct ml_plot_wish *wish, size_t n)
{
    return n == 1 && page->form == ML_PLOT_LINES && wish->by == ML_PLOT_BY_TOTAL &&
           page->n_curves > 1;
}

static char *limit_words(const struct ml_plot_source *s, bool one)
{
    if (s->values)
        return one ? ml_strdup("limit of GPUs")
                   : ml_format("limit of the GPUs of %zu nodes", s->n_nodes_drawn);
    return one ? ml_strdup("node limit") : ml_format("limit of %zu nodes", s->n_nodes_drawn);
}

static void add_limit(const struct ml_plot_source *sources, size_t n,
                      const struct ml_plot_wish *wish, struct ml_plot_page *page)
{
    bool lines = page->form == ML_PLOT_LINES, total = wish->by == ML_PLOT_BY_TOTAL;
    bool per_node = page->form == ML_PLOT_MULTIPLES || (lines && wish->by == ML_PLOT_BY_NODE);
    if (page->measure != ML_PLOT_BYTES || page->rate || page->diff || n == 0 || sources->owner ||
        has_both(page, wish, n) || !(per_node || (lines && total) || ml_plot_has_layers(page)) ||
        strcmp(sources->column->name, "vsize_B") == 0)
        return;
    double limit = find_limit(sources, n, per_node);
    if (limit <= 0)
        return;
    page->known_limit = limit;
    if (ml_plot_extent_of(page).largest >= LIMIT_SHARE * limit)
        page->limit = limit;
    page->limit_text = limit_words(sources, per_node || sources->n_nodes_drawn == 1);
}

static const char *what(const struct ml_plot_source *s)
{
    static const struct {
        const char *column, *words;
    } known[] = {
        {"memory_B", "Memory"},
        {"rss_B", "Resident memory"},
        {"rss_anon_B", "Anonymous memory"},
        {"rss_file_B", "File mappings"},
        {"rss_shmem_B", "Shared memory"},
        {"hugetlb_B", "Huge pages"},
        {"heap_used_B", "Heap in use"},
        {"heap_held_B", "Heap of the allocator"},
        {"pss_B", "Proportional memory"},
        {"gpu_B", "GPU memory"},
        {"swap_B", "Swapped-out memory"},
        {"vsize_B", "Virtual memory"},
        {"peak_rss_B", "Largest resident memory until then"},
        {"cpu_s", "CPU time"},
        {"threads", "Threads"},
        {"major_faults", "Major page faults"},
        {"read_B", "Bytes read"},
        {"written_B", "Bytes written"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].column, s->column->name) == 0)
            return known[i].words;
    }
    return s->column->name;
}

static char *title_of(const struct ml_plot_source *s, char *const *labels,
                      const struct ml_plot_wish *wish, const struct ml_plot_page *page, bool both)
{
    static const char *const groups[] = {"", "by node", "by rank", "by process"};
    const char *how = wish->by == ML_PLOT_BY_TOTAL ? wish->whose : groups[wish->by];
    if (page->form == ML_PLOT_STACKED)
        how = wish->by == ML_PLOT_BY_NODE ? "node upon node" : "rank upon rank";
    if (page->form == ML_PLOT_BAND)
        how = "smallest to largest rank";
    if (page->form == ML_PLOT_HEATMAP)
        how = "rank by rank";
    if (page->form == ML_PLOT_MULTIPLES)
        how = "node by node";
    if (page->form == ML_PLOT_HEAP)
        return ml_format("Heap of %s, by owner", wish->whose);
    ML_AUTO_FREE char *owned = s->owner ? ml_format("Heap of %.200s", s->owner->name) : NULL;
    const char *words = owned ? owned : both ? "Memory of host and GPUs" : what(s);
    if (page->diff)
        return ml_format("%s, %.40s minus %.40s, %s", words, labels[1], labels[0], how);
    bool shouts = words[0] && words[1] >= 'A' && words[1] <= 'Z'; /* "CPU time" */
    if (page->rate)
        return ml_format("Growth of %c%s, %s", shouts ? words[0] : words[0] | 32, words + 1, how);
    return ml_format("%s, %s", words, how);
}

static char *hint_of(const struct ml_plot_page *page)
{
    if (page->uncertain > 0)
        return ml_format("   |   sampled, ± %.2g%% %s", 100 * page->uncertain,
                         page->form == ML_PLOT_HEAP ? "at the peak" : "where a rank has most");
    if (page->form == ML_PLOT_MULTIPLES && !page->n_runs)
        return ml_format("   |   bold: node, thin: ranks%s",
                         page->limit > 0 ? ", dashed: limit" : "");
    return ml_strdup("");
}

/* "64 ranks" or "3 of 64 ranks". */
static void share_of(char *out, size_t size, size_t n, size_t all, const char *what)
{
    if (n == all)
        snprintf(out, size, "%zu %s%s", n, what, n == 1 ? "" : "s");
    else
        snprintf(out, size, "%zu of %zu %ss", n, all, what);
}

/* Which of two runs ends first, if that can be seen; NULL: neither. */
static const char *shorter(const struct ml_plot_source *s, char *const *labels,
                           const struct ml_plot_page *page)
{
    int64_t mine_ns = ml_plot_clock_at(s->clock, s->lives.end_ns);
    int64_t other_ns = ml_plot_clock_at(s->minus->clock, s->minus->lives.end_ns);
    double apart_ns = fabs((double)(mine_ns - other_ns));
    if (apart_ns < SEEN * (double)(ml_plot_extent_of(page).end_ns - page->begin_ns))
        return NULL;
    return mine_ns < other_ns ? labels[1] : labels[0];
}

static char *subtitle_of_difference(const struct ml_plot_source *s, char *const *labels,
                                    const struct ml_plot_wish *wish,
                                    const struct ml_plot_page *page)
{
    bool ranks = page->form == ML_PLOT_BAND || page->form == ML_PLOT_HEATMAP;
    enum ml_plot_by by = page->form == ML_PLOT_MULTIPLES ? ML_PLOT_BY_NODE
                         : ranks                         ? ML_PLOT_BY_RANK
                                                         : wish->by;
    ML_AUTO_FREE char *common = ml_plot_in_common(s, labels[1], labels[0], by);
    const char *ends = shorter(s, labels, page);
    return ml_format("%s%s%s%s%.40s%s", wish->axis ? wish->axis : "each from its start",
                     common ? "   |   " : "", common ? common : "", ends ? "   |   until " : "",
                     ends ? ends : "", ends ? " ends" : "");
}

static char *subtitle_of(const struct ml_plot_source *sources, size_t n,
                         const struct ml_plot_wish *wish, const struct ml_plot_page *page)
{
    ML_AUTO_FREE char *command =
        ml_plot_trim(ml_plot_source_attribute(sources, "command"), COMMAND_SHOWN);
    char nodes[48], ranks[48];
    if (n > 1)
        return ml_format("%zu runs, %s", n,
                         wish->chain  ? "one after the other"
                         : wish->axis ? wish->axis
                                      : "each from its start");
    share_of(nodes, sizeof nodes, sources->n_nodes_drawn, sources->n_nodes, "node");
    share_of(ranks, sizeof ranks, sources->n_ranks_drawn, count_ranks(sources), "rank");
    ML_AUTO_FREE char *hint = hint_of(page);
    bool known = count_ranks(sources) > 0; /* not in logs of memory_logger.py */
    return ml_format("%s%s%s%s%s%s", command ? command : "", command ? "   |   " : "", nodes,
                     known ? ", " : "", known ? ranks : "", hint);
}

/* As asked for: the curves may begin later and end earlier. */
static void set_range(const struct ml_plot_source *sources, size_t n, struct ml_plot_page *page)
{
    page->begin_ns = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        int64_t begin_ns = sources[i].clock ? sources[i].clock->begin_ns : sources[i].begin_ns;
        if (begin_ns < page->begin_ns)
            page->begin_ns = begin_ns;
        if (sources[i].until_ns < INT64_MAX && sources[i].until_ns > page->end_ns)
            page->end_ns = sources[i].until_ns;
    }
}

/* Lines of too many ranks to be told apart are a band, or of an owner a map. */
static enum ml_plot_form form_of(const struct ml_plot_source *sources, size_t n,
                                 const struct ml_plot_wish *wish)
{
    bool many = false;
    for (size_t i = 0; i < n; i++)
        many |= sources[i].n_ranks_drawn > BAND_ABOVE;
    if (wish->form != ML_PLOT_LINES || wish->by != ML_PLOT_BY_RANK || !many || wish->rate)
        return wish->form;
    return sources->owner ? ML_PLOT_HEATMAP : ML_PLOT_BAND;
}

static enum ml_status add_runs(const struct ml_plot_source *sources, char *const *labels, size_t n,
                               const struct ml_plot_wish *wish, struct ml_plot_page *page,
                               struct ml_error *err)
{
    enum ml_status status = ML_OK;
    if (n > 1 && (page->form != ML_PLOT_LINES || wish->by != ML_PLOT_BY_TOTAL))
        ml_plot_runs_name(page, labels, n);
    for (size_t i = 0; !status && i < n; i++) {
        size_t first = page->n_events;
        status = add_run(&sources[i], labels[i], (int)i, wish, page, err);
        if (n > 1)
            ml_plot_runs_tell_events(page, first, (int)i, labels[i]);
    }
    if (n > 1 && !wish->chain)
        ml_plot_runs_sort_events(page);
    if (!status && page->n_runs && page->form == ML_PLOT_MULTIPLES)
        ml_plot_runs_panels(sources, n, page);
    if (!status && wish->chain)
        status = ml_plot_chain(sources, n, page, err);
    return status;
}

/* What is drawn of two runs to be compared is the second, as it differs from the first. */
static const struct ml_plot_source *take_difference(struct ml_plot_source *sources,
                                                    struct ml_plot_page *page)
{
    int64_t end_ns;
    page->diff = true;
    sources[1].minus = &sources[0];
    end_ns = ml_plot_end_of(&sources[1]);
    for (int i = 0; i < 2; i++)
        sources[i].clock->end_ns = end_ns;
    return &sources[1];
}

static bool wants_gpus(const struct ml_plot_source *s, const struct ml_plot_wish *wish,
                       const struct ml_plot_page *page)
{
    return wish->gpus && page->form == ML_PLOT_LINES && wish->by == ML_PLOT_BY_TOTAL && !s->values;
}

enum ml_status ml_plot_compose(struct ml_plot_source *sources, char *const *labels, size_t n,
                               const struct ml_plot_wish *wish, struct ml_plot_page *out_page,
                               struct ml_error *err)
{
    struct ml_plot_page *page = out_page;
    const struct ml_plot_source *drawn = wish->diff ? take_difference(sources, page) : sources;
    char *difference[] = {"difference"};
    char *const *names = wish->diff ? difference : labels;
    n = wish->diff ? 1 : n;
    page->form = form_of(sources, wish->diff ? 2 : n, wish);
    page->measure = ml_plot_source_measure(drawn);
    page->axis = wish->axis ? ml_strdup(wish->axis) : NULL;
    if (n == 1 && drawn->owner && !wish->diff)
        page->uncertain = drawn->owner->uncertain;
    set_range(drawn, n, page);
    enum ml_status status = add_runs(drawn, names, n, wish, page, err);
    if (!status && n == 1 && !wish->diff && wants_gpus(drawn, wish, page))
        status = ml_plot_gpu_add(drawn, page, err);
    bool has_room = page->form != ML_PLOT_MULTIPLES && page->form != ML_PLOT_HEATMAP;
    if (!status && n == 1 && has_room)
        status = ml_plot_marks_phases(drawn, page, err);
    if (status)
        return status;
    if (wish->rate)
        ml_plot_form_rate(page);
    add_limit(drawn, n, wish, page);
    page->title = wish->title ? ml_strdup(wish->title)
                              : title_of(drawn, labels, wish, page, has_both(page, wish, n));
    page->subtitle = wish->diff ? subtitle_of_difference(drawn, labels, wish, page)
                                : subtitle_of(drawn, n, wish, page);
    return ML_OK;
}
