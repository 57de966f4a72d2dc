#include "plot/compose.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "plot/marks.h"
#include "plot/trim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAND_ABOVE 12    /* ranks: more lines cannot be told apart */
#define LIMIT_SHARE 0.4  /* of the limit: smaller values would be squashed by drawing it */
#define COMMAND_SHOWN 60 /* characters */

static enum ml_status make_curves(const struct ml_plot_source *source,
                                  const struct ml_plot_wish *wish, struct ml_plot_page *page,
                                  struct ml_error *err)
{
    switch (page->form) {
    case ML_PLOT_BAND:
        return ml_plot_form_band(source, page, err);
    case ML_PLOT_STACKED:
        return ml_plot_form_stacked(
            source, wish->by == ML_PLOT_BY_NODE ? wish->by : ML_PLOT_BY_RANK, page, err);
    case ML_PLOT_HEATMAP:
        return ml_plot_form_heatmap(source, page, err);
    case ML_PLOT_MULTIPLES:
        return ml_plot_form_multiples(source, page, err);
    case ML_PLOT_LINES:
        break;
    }
    return ml_plot_form_lines(source, wish->by, page, err);
}

static enum ml_status add_run(const struct ml_plot_source *source, const char *label,
                              const struct ml_plot_wish *wish, struct ml_plot_page *page,
                              struct ml_error *err)
{
    struct ml_plot_target target = {page, wish->by, page->n_curves};
    enum ml_status status = make_curves(source, wish, page, err);
    if (!status && wish->by == ML_PLOT_BY_TOTAL && page->form == ML_PLOT_LINES &&
        page->n_curves > target.first) {
        free(page->curves[target.first].label);
        page->curves[target.first].label = ml_strdup(label);
    }
    if (!status && page->n_curves == target.first && page->map.n_rows == 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: column %s has no values", source->path,
                       source->column->name);
    if (!status && wish->stacks)
        status = ml_plot_marks_stacks(source, &target, err);
    if (!status && wish->output)
        status = ml_plot_marks_output(source, &target, wish->trim, err);
    if (!status)
        status = ml_plot_marks_events(source, &target, err);
    return status;
}

static int64_t limit_of(const struct ml_node_row *node)
{
    return node->cgroup_limit_B > 0 &&
                   (node->memory_B <= 0 || node->cgroup_limit_B < node->memory_B)
               ? node->cgroup_limit_B
               : node->memory_B;
}

/* Sum of the nodes' limits, and whether one of them is smaller than another; 0: unknown. */
static double limits_of(const struct ml_plot_source *s, bool *out_equal)
{
    double sum = 0;
    *out_equal = true;
    for (size_t i = 0; i < s->n_nodes; i++) {
        int64_t limit = limit_of(&s->nodes[i]);
        if (limit <= 0)
            return 0;
        *out_equal &= limit == limit_of(&s->nodes[0]);
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
            sum = equal ? sum / (double)sources[i].n_nodes : 0;
        if (sum <= 0 || (i && sum != limit))
            return 0;
        limit = sum;
    }
    return limit;
}

static void add_limit(const struct ml_plot_source *sources, size_t n,
                      const struct ml_plot_wish *wish, struct ml_plot_page *page)
{
    bool lines = page->form == ML_PLOT_LINES, total = wish->by == ML_PLOT_BY_TOTAL;
    bool per_node = page->form == ML_PLOT_MULTIPLES || (lines && wish->by == ML_PLOT_BY_NODE);
    char size[16];
    if (page->measure != ML_PLOT_BYTES || page->rate || n == 0 ||
        !(per_node || (lines && total) || page->form == ML_PLOT_STACKED) ||
        strcmp(sources->column->name, "vsize_B") == 0)
        return;
    double limit = find_limit(sources, n, per_node);
    if (limit <= 0)
        return;
    ml_size_format(size, sizeof size, (int64_t)limit);
    if (ml_plot_extent_of(page).largest >= LIMIT_SHARE * limit)
        page->limit = limit;
    page->limit_text = per_node || sources->n_nodes == 1
                           ? ml_format("node limit %s", size)
                           : ml_format("limit of %zu nodes %s", sources->n_nodes, size);
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
        {"pss_B", "Proportional memory"},
        {"swap_B", "Swapped-out memory"},
        {"vsize_B", "Virtual memory"},
        {"peak_rss_B", "Largest resident memory until then"},
        {"cpu_s", "CPU time"},
        {"threads", "Threads"},
        {"major_faults", "Major page faults"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].column, s->column->name) == 0)
            return known[i].words;
    }
    return s->column->name;
}

static char *title_of(const struct ml_plot_source *s, const struct ml_plot_wish *wish,
                      const struct ml_plot_page *page)
{
    static const char *const groups[] = {"all ranks", "by node", "by rank", "by process"};
    const char *how = groups[wish->by];
    if (page->form == ML_PLOT_STACKED)
        how = wish->by == ML_PLOT_BY_NODE ? "node upon node" : "rank upon rank";
    if (page->form == ML_PLOT_BAND)
        how = "smallest to largest rank";
    if (page->form == ML_PLOT_HEATMAP)
        how = "rank by rank";
    if (page->form == ML_PLOT_MULTIPLES)
        how = "node by node";
    const char *words = what(s);
    bool shouts = words[0] && words[1] >= 'A' && words[1] <= 'Z'; /* "CPU time" */
    if (page->rate)
        return ml_format("Growth of %c%s, %s", shouts ? words[0] : words[0] | 32, words + 1, how);
    return ml_format("%s, %s", words, how);
}

static const char *hint_of(const struct ml_plot_page *page)
{
    if (page->form == ML_PLOT_MULTIPLES)
        return page->limit > 0 ? "   |   bold: node, thin: ranks, dashed: limit"
                               : "   |   bold: node, thin: ranks";
    return "";
}

static char *subtitle_of(const struct ml_plot_source *sources, size_t n,
                         const struct ml_plot_page *page)
{
    ML_AUTO_FREE char *command =
        ml_plot_trim(ml_plot_source_attribute(sources, "command"), COMMAND_SHOWN);
    size_t n_ranks = 0, nodes = sources->n_nodes;
    if (n > 1)
        return ml_format("%zu runs, each from its start", n);
    for (size_t i = 0; i < sources->n_processes; i++)
        n_ranks += sources->processes[i].rank >= 0;
    bool limit = page->limit_text && (page->limit <= 0 || ml_plot_has_texts(page));
    return ml_format("%s%s%zu node%s, %zu rank%s%s%s%s", command ? command : "",
                     command ? "   |   " : "", nodes, nodes == 1 ? "" : "s", n_ranks,
                     n_ranks == 1 ? "" : "s", hint_of(page), limit ? "   |   " : "",
                     limit ? page->limit_text : "");
}

enum ml_status ml_plot_compose(const struct ml_plot_source *sources, char *const *labels, size_t n,
                               const struct ml_plot_wish *wish, struct ml_plot_page *out_page,
                               struct ml_error *err)
{
    struct ml_plot_page *page = out_page;
    enum ml_status status = ML_OK;
    page->form = wish->form;
    page->measure = ml_plot_source_measure(sources);
    if (page->form == ML_PLOT_LINES && wish->by == ML_PLOT_BY_RANK &&
        sources->n_ranks > BAND_ABOVE && !wish->rate)
        page->form = ML_PLOT_BAND;
    for (size_t i = 0; !status && i < n; i++)
        status = add_run(&sources[i], labels[i], wish, page, err);
    bool has_room = page->form != ML_PLOT_MULTIPLES && page->form != ML_PLOT_HEATMAP;
    if (!status && n == 1 && has_room)
        status = ml_plot_marks_phases(sources, page, err);
    if (wish->rate)
        ml_plot_form_rate(page);
    page->node_names = ml_alloc((sources->n_nodes + 1) * sizeof *page->node_names);
    for (; page->n_nodes < sources->n_nodes; page->n_nodes++)
        page->node_names[page->n_nodes] = ml_strdup(sources->nodes[page->n_nodes].name);
    add_limit(sources, n, wish, page);
    page->title = wish->title ? ml_strdup(wish->title) : title_of(sources, wish, page);
    page->subtitle = subtitle_of(sources, n, page);
    return status;
}
