/* memlog read --follow: a line whenever there is something new, as long as the run goes on. */
#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/units.h"
#include "commands/read.h"
#include "commands/source.h"
#include "report/facts.h"

#include <stdio.h>
#include <time.h>

#define SHARE 10 /* of the time at most one part is spent with reading */

static int running_ranks(const struct ml_facts *f)
{
    int n = 0;
    for (size_t i = 0; i < f->n_processes; i++)
        n += f->processes[i].rank >= 0 && f->processes[i].end_ns < 0;
    return n;
}

static void add_largest(const struct ml_facts *f, struct ml_buffer *out)
{
    ptrdiff_t largest = -1;
    char size[24];
    for (size_t i = 0; i < f->n_processes; i++) {
        if (f->processes[i].rank >= 0 && f->processes[i].end_ns < 0 &&
            f->by_process[i].last_B > (largest < 0 ? -1 : f->by_process[largest].last_B))
            largest = (ptrdiff_t)i;
    }
    if (largest >= 0)
        ml_buffer_printf(out, "  largest: rank %d, %s", f->processes[largest].rank,
                         ml_size_format(size, sizeof size, f->by_process[largest].last_B));
}

static void add_least(const struct ml_facts *f, struct ml_buffer *out)
{
    ptrdiff_t least = -1;
    char size[24];
    for (size_t i = 0; i < f->n_nodes; i++) {
        int64_t left_B = f->by_node[i].last_left_B;
        if (left_B >= 0 && (least < 0 || left_B < f->by_node[least].last_left_B))
            least = (ptrdiff_t)i;
    }
    if (least >= 0)
        ml_buffer_printf(out, "  least left: %.32s, %s", f->nodes[least].name,
                         ml_size_format(size, sizeof size, f->by_node[least].last_left_B));
}

static void print_line(const struct ml_facts *f)
{
    struct ml_buffer line = {0};
    char elapsed[24], memory[24], peak[24], gpus[24];
    int ranks = running_ranks(f);
    ml_buffer_printf(&line, "%s  %d rank%s  %s (peak %s)",
                     ml_elapsed_format(elapsed, sizeof elapsed, f->total.last.time_ns), ranks,
                     ranks == 1 ? "" : "s",
                     ml_size_format(memory, sizeof memory, f->total.last.bytes),
                     ml_size_format(peak, sizeof peak, f->total.peak.bytes));
    if (f->gpus.n_uses)
        ml_buffer_printf(&line, "  GPUs %s", ml_size_format(gpus, sizeof gpus, f->gpus.last_B));
    add_largest(f, &line);
    add_least(f, &line);
    printf("%.*s\n", (int)line.length, line.data);
    fflush(stdout);
    ml_buffer_free(&line);
}

/* One reading of the run: OUT_RUNS says whether it goes on; a line if IN_OUT_NS, the time of the
 * last sample that was shown, is not the last any more. */
static enum ml_status look(const char *path, int64_t *in_out_ns, bool *out_runs,
                           struct ml_error *err)
{
    struct ml_run *run;
    struct ml_facts facts;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 1, 0, false};
    enum ml_status status = ml_command_open_run(path, &run, err);
    if (status)
        return status;
    status = ml_facts_gather(run, &range, &facts, err);
    if (!status) {
        *out_runs = facts.age_ns >= 0;
        if (*out_runs && facts.total.last.time_ns != *in_out_ns && facts.total.last.bytes >= 0)
            print_line(&facts);
        *in_out_ns = facts.total.last.time_ns;
        ml_facts_free(&facts);
    }
    ml_run_close(run);
    return status;
}

static void rest(int64_t reading_ns, int64_t every_ns)
{
    int64_t pause_ns = SHARE * reading_ns > every_ns ? SHARE * reading_ns : every_ns;
    struct timespec t = {pause_ns / ML_NS_PER_S, pause_ns % ML_NS_PER_S};
    nanosleep(&t, NULL);
}

enum ml_status ml_read_follow(const char *path, int64_t every_ns, struct ml_error *err)
{
    int64_t shown_ns = INT64_MIN;
    bool runs = true;
    while (runs) {
        int64_t begin_ns = ml_mono_now().ns;
        enum ml_status status = look(path, &shown_ns, &runs, err);
        if (status)
            return status;
        ml_log_setup("memlog", NULL, ML_LOG_ERROR); /* what is to be said of the journals was */
        if (runs)
            rest(ml_mono_now().ns - begin_ns, every_ns);
    }
    return ML_OK;
}
