#include "report/report.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/ranges.h"
#include "base/units.h"
#include "report/commands.h"
#include "report/gpu.h"
#include "report/growth.h"
#include "report/text.h"

#include <math.h>
#include <string.h>

#define LABEL 18
#define LOOSE 0.05    /* of the peak: a bound that is worth a word */
#define OTHERWISE 0.1 /* an imbalance that differs by so much is another one */
#define ALONE 0.1     /* the job grows as one rank does, but for that share */
#define LINES 6       /* of a text that is wrapped */
#define COMMANDS 8    /* that are shown */

static const char *times(const struct ml_style *style)
{
    return style->utf8 ? "×" : "x";
}

/* "label   text", the text wrapped. TEXT is freed; NULL: no line. */
static void line(struct ml_buffer *out, const struct ml_style *style, const char *label, char *text)
{
    if (!text)
        return;
    int indent = style->width < 60 ? 11 : LABEL;
    if (style->colour)
        ml_buffer_printf(out, "\033[2m");
    int used = ml_text_append(out, label, indent, style->utf8);
    if (style->colour)
        ml_buffer_printf(out, "\033[0m");
    ml_text_pad(out, indent - used);
    ml_text_wrap(out, text, indent, style->width - indent, LINES, style->utf8);
    ml_buffer_printf(out, "\n");
    free(text);
}

static char *copy(const char *text)
{
    return text ? ml_strdup(text) : NULL;
}

static char *when(const struct ml_facts *f)
{
    char stamp[32] = "", length[24];
    time_t seconds = (time_t)(f->origin_wall_ns / ML_NS_PER_S);
    struct tm local;
    ml_elapsed_format(length, sizeof length, f->length_ns);
    if (f->origin_wall_ns < 0 || !localtime_r(&seconds, &local))
        return ml_format("(when is not known), ran %s", length);
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S %z", &local);
    return ml_format("%s, ran %s", stamp, length);
}

/* "2 nodes × 4 ranks", or "2 nodes, 7 ranks" where they are not spread evenly. */
static char *shape(const struct ml_facts *f, const struct ml_style *style)
{
    bool even = f->n_nodes > 0 && f->ranks > 0;
    for (size_t i = 0; i < f->n_nodes; i++)
        even = even && f->by_node[i].ranks == f->by_node[0].ranks;
    if (f->ranks == 0)
        return ml_format("%zu node%s", f->n_nodes, f->n_nodes == 1 ? "" : "s");
    int ranks = even ? f->by_node[0].ranks : f->ranks;
    return ml_format("%zu node%s %s %d rank%s", f->n_nodes, f->n_nodes == 1 ? "" : "s",
                     even ? times(style) : "with", ranks, ranks == 1 ? "" : "s");
}

static char *job(const struct ml_facts *f, const struct ml_style *style)
{
    ML_AUTO_FREE char *nodes = shape(f, style);
    const char *id = ml_facts_attribute(f, "job_id");
    const char *mpi = ml_facts_attribute(f, "mpi");
    return ml_format("%s%s%s%s%s", nodes, mpi ? ", " : "", mpi ? mpi : "", id ? ", job " : "",
                     id ? id : "");
}

static char *ending(const struct ml_facts *f)
{
    const char *verdict = ml_facts_attribute(f, "verdict");
    const char *code = ml_facts_attribute(f, "exit_code");
    bool known = code && code[0] != '-';
    char age[24];
    if (f->age_ns >= 0)
        return ml_format("still running; the last sample is %s old",
                         ml_elapsed_format(age, sizeof age, f->age_ns));
    if (!known)
        return ml_strdup(verdict ? verdict : "not known");
    return ml_format("exit code %s%s%s", code, verdict ? ": " : "", verdict ? verdict : "");
}

/* "ranks 1-2: ./b". */
static char *of_ranks(const struct ml_command_group *group)
{
    struct ml_buffer ranks = {0};
    ml_ranges_append(&ranks, group->ranks, group->n);
    ml_buffer_append(&ranks, "", 1);
    char *text = ml_format("rank%s %s: %s", group->n == 1 ? "" : "s", ranks.data, group->command);
    ml_buffer_free(&ranks);
    return text;
}

/* That of the run, or those of its ranks where they differ. */
static void commands(const struct ml_facts *f, const struct ml_style *style, struct ml_buffer *out)
{
    struct ml_command_groups groups;
    ml_command_groups_find(f, &groups);
    if (groups.n < 2)
        line(out, style, "command", copy(ml_facts_attribute(f, "command")));
    for (size_t i = 0; groups.n > 1 && i < groups.n && i < COMMANDS; i++)
        line(out, style, i ? "" : "command", of_ranks(&groups.list[i]));
    if (groups.n > COMMANDS)
        line(out, style, "", ml_format("(and %zu more)", groups.n - COMMANDS));
    ml_command_groups_free(&groups);
}

/* What --attach has joined, and what its record lacks. */
static char *attached(const struct ml_facts *f)
{
    const char *what = ml_facts_attribute(f, "attached");
    return what ? ml_format("to %s while it ran; not recorded are its output, its MPI calls, its "
                            "exit codes and what came before",
                            what)
                : NULL;
}

void ml_report_header(const struct ml_facts *facts, const struct ml_death_report *death,
                      const char *name, const struct ml_style *style, struct ml_buffer *out)
{
    const char *recovered = ml_facts_attribute(facts, "recovered");
    if (style->colour)
        ml_buffer_printf(out, "\033[1m");
    ml_text_append(out, name, style->width, style->utf8);
    ml_buffer_printf(out, style->colour ? "\033[0m\n" : "\n");
    commands(facts, style, out);
    line(out, style, "directory", copy(ml_facts_attribute(facts, "directory")));
    line(out, style, "attached", attached(facts));
    line(out, style, "started", when(facts));
    line(out, style, "job", job(facts, style));
    line(out, style, "ended", ending(facts));
    line(out, style, "before that", death ? ml_death_words(death, facts) : NULL);
    if (recovered && strcmp(recovered, "0") != 0 && facts->age_ns < 0)
        line(out, style, "recovered", ml_strdup("from the journals of the run"));
}

/* "; up to 12 MiB more, WHAT" where that is worth a word; NULL: it is not. */
static char *or_more(const struct ml_facts *f, int64_t bytes, const char *what)
{
    char size[16];
    if ((double)bytes <= LOOSE * (double)f->total.peak.bytes)
        return NULL;
    return ml_format("; up to %s more%s", ml_size_format(size, sizeof size, bytes), what);
}

static char *peak(const struct ml_facts *f)
{
    char size[16], at[24];
    if (f->total.peak.bytes < 0)
        return ml_strdup("no memory was measured");
    ml_size_format(size, sizeof size, f->total.peak.bytes);
    ml_elapsed_format(at, sizeof at, f->total.peak.time_ns);
    ML_AUTO_FREE char *loose = or_more(f, f->peak_error_B, ", of pages that may be shared");
    ML_AUTO_FREE char *hidden = or_more(f, f->hidden_B, " between samples");
    return ml_format("%s at %s%s%s", size, at, loose ? loose : "", hidden ? hidden : "");
}

/* Of all GPUs together. */
static char *gpu_peak(const struct ml_facts *f)
{
    char size[16], at[24];
    if (!f->gpus.n_uses)
        return NULL;
    return ml_format("%s at %s, of all GPUs", ml_size_format(size, sizeof size, f->gpus.peak_B),
                     ml_elapsed_format(at, sizeof at, f->gpus.peak_ns));
}

static char *rank_peak(const struct ml_facts *f, ptrdiff_t process)
{
    char size[16], at[24];
    if (process < 0)
        return NULL;
    const struct ml_process_row *p = &f->processes[process];
    const struct ml_process_facts *seen = &f->by_process[process];
    const struct ml_node_row *node = ml_facts_node(f, p->node);
    ml_size_format(size, sizeof size, seen->peak_B);
    ml_elapsed_format(at, sizeof at, seen->peak_ns);
    return ml_format("%s, rank %d on %s%s%s", size, p->rank, node ? node->name : "?",
                     seen->peak_ns >= 0 ? " at " : "", seen->peak_ns >= 0 ? at : "");
}

/* A job that is spread evenly has 0 %. */
static char *imbalance(const struct ml_facts *f)
{
    char mean[16];
    double more = ml_facts_imbalance(f);
    if (isnan(more) || f->ranks < 2)
        return NULL;
    ml_size_format(mean, sizeof mean, (int64_t)f->mean_peak_B);
    double own = ml_facts_own_imbalance(f);
    if (!(fabs(more - own) > OTHERWISE))
        return ml_format("%.0f%%: the largest rank over the mean of %s", 100 * more, mean);
    return ml_format("%.0f%%: the largest rank over the mean of %s; %.0f%% without files and "
                     "shared memory",
                     100 * more, mean, 100 * own);
}

static char *closest(const struct ml_facts *f)
{
    static const char *const whose[] = {
        [ML_LIMIT_NODE] = "",
        [ML_LIMIT_CGROUP] = " (cgroup)",
        [ML_LIMIT_CGROUP_HIGH] = " (memory.high of a cgroup)",
        [ML_LIMIT_ADDRESS_SPACE] = " (ulimit -v)",
        [ML_LIMIT_SCHEDULER] = " (batch system)",
        [ML_LIMIT_NUMA] = " (NUMA nodes that ranks are bound to)",
        [ML_LIMIT_DATA] = " (ulimit -d)",
    };
    const struct ml_node_facts *best = ml_facts_closest(f);
    if (!best)
        return NULL;
    char left[16], limit[16], at[24];
    size_t n = sizeof whose / sizeof *whose;
    bool known = (size_t)best->limit < n && whose[best->limit];
    ml_size_format(left, sizeof left, best->left_B);
    ml_size_format(limit, sizeof limit, best->limit_B);
    ml_elapsed_format(at, sizeof at, best->left_ns);
    return ml_format("%s of %s left (%.0f%%) on %s%s at %s", left, limit,
                     100 * (double)best->left_B / (double)best->limit_B,
                     f->nodes[best - f->by_node].name, known ? whose[best->limit] : "", at);
}

/* "; at that pace n03 is full in 3:02:11"; NULL: it is far away. */
static char *until_full(const struct ml_facts *f)
{
    char in[24];
    const struct ml_node_facts *full = ml_growth_full_first(f);
    return full ? ml_format("; at that pace %s is full in %s", f->nodes[full - f->by_node].name,
                            ml_elapsed_format(in, sizeof in, ml_growth_full_ns(full)))
                : NULL;
}

/* "rank 32 on n03 grows by 1.00 MiB/s since 0:12.0", and the job where that is another matter. */
static char *growth(const struct ml_facts *f)
{
    char pace[24], since[24], all[24];
    if (isnan(f->growth_B_per_s))
        return NULL;
    if (f->growing < 0)
        return ml_strdup("none to speak of");
    const struct ml_process_row *p = &f->processes[f->growing];
    const struct ml_process_facts *most = &f->by_process[f->growing];
    const struct ml_node_row *node = ml_facts_node(f, p->node);
    bool alone = fabs(f->growth_B_per_s / most->growth_B_per_s - 1) < ALONE;
    ML_AUTO_FREE char *rank = p->rank < 0 ? ml_strdup(p->name) : ml_format("rank %d", p->rank);
    ML_AUTO_FREE char *full = until_full(f);
    ml_rate_format(pace, sizeof pace, most->growth_B_per_s);
    ml_elapsed_format(since, sizeof since, most->since_ns);
    ml_rate_format(all, sizeof all, f->growth_B_per_s);
    return ml_format("%s on %s grows by %s since %s%s%s%s", rank, node ? node->name : "?", pace,
                     since, alone ? "" : ", the job by ", alone ? "" : all, full ? full : "");
}

/* "sampling slows down ..., to 0.813s (n01 at 0:05, 3 times in all)". */
static char *note(const struct ml_facts *f, const struct ml_note *n)
{
    char at[24], every[24] = "", often[48] = "";
    const struct ml_node_row *node = ml_facts_node(f, n->node);
    ml_elapsed_format(at, sizeof at, n->first_ns);
    if (n->kind == ML_EVENT_SLOWED)
        snprintf(every, sizeof every, ", to %.3gs", (double)n->value / ML_NS_PER_S);
    if (n->n > 1)
        snprintf(often, sizeof often, ", %zu times in all", n->n);
    return ml_format("%s%s (%s at %s%s)", n->text, every, node ? node->name : "?", at, often);
}

static void notes(const struct ml_facts *f, const struct ml_style *style, struct ml_buffer *out)
{
    for (size_t i = 0; i < f->notes.n; i++)
        line(out, style, "note", note(f, &f->notes.list[i]));
    if (f->notes.n_more)
        line(out, style, "note",
             ml_format("%zu more; the table events has all (memlog export --json)",
                       f->notes.n_more));
}

void ml_report_summary(const struct ml_facts *facts, const struct ml_style *style,
                       struct ml_buffer *out)
{
    ml_buffer_printf(out, "\n");
    line(out, style, "peak", peak(facts));
    line(out, style, "GPU peak", gpu_peak(facts));
    line(out, style, style->width < 60 ? "largest" : "largest rank",
         rank_peak(facts, ml_facts_extreme(facts, 1)));
    if (facts->ranks > 1)
        line(out, style, style->width < 60 ? "smallest" : "smallest rank",
             rank_peak(facts, ml_facts_extreme(facts, -1)));
    line(out, style, "imbalance", imbalance(facts));
    line(out, style, "growth", growth(facts));
    line(out, style, style->width < 60 ? "limit" : "closest to limit", closest(facts));
    line(out, style, ml_facts_closest(facts) ? "" : "closest to limit",
         ml_report_gpu_fullest(facts));
    notes(facts, style, out);
}
