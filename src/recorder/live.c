#include "recorder/live.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/units.h"
#include "sums/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct ml_live {
    bool in_place; /* a terminal: one line that changes; else a line each time */
};

struct ml_live *ml_live_open(const struct ml_options *options)
{
    bool terminal = isatty(STDERR_FILENO);
    if (options->quiet || !(terminal || options->live))
        return NULL;
    struct ml_live *live = ml_alloc(sizeof *live);
    live->in_place = terminal;
    return live;
}

void ml_live_format(char *out, size_t size, const struct ml_job_sample_row *row, int64_t elapsed_ns,
                    const struct ml_layout_node *nodes)
{
    char elapsed[24], total[16], largest[16], least[16], gpus[16];
    ml_elapsed_format(elapsed, sizeof elapsed, elapsed_ns);
    ml_size_format(total, sizeof total, ml_memory_of_job(row));
    ml_size_format(largest, sizeof largest, row->largest_memory_B);
    ml_size_format(least, sizeof least, row->least_available_B);
    int n = snprintf(out, size, "%s  %d rank%s  %s", elapsed, row->ranks,
                     row->ranks == 1 ? "" : "s", total);
    if (row->gpu_B > 0 && n > 0 && (size_t)n < size)
        n += snprintf(out + n, size - (size_t)n, "  GPUs %s",
                      ml_size_format(gpus, sizeof gpus, row->gpu_B));
    if (row->largest_rank >= 0 && n > 0 && (size_t)n < size)
        n += snprintf(out + n, size - (size_t)n, "  largest: rank %d, %s", row->largest_rank,
                      largest);
    if (row->least_node >= 0 && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "  least free: %.32s, %s", nodes[row->least_node].name,
                 least);
}

void ml_live_show(struct ml_live *live, const struct ml_job_sample_row *row, int64_t elapsed_ns,
                  const struct ml_layout_node *nodes)
{
    char line[256];
    ml_live_format(line, sizeof line, row, elapsed_ns, nodes);
    if (live->in_place)
        ml_log_status(line);
    else
        ml_log(ML_LOG_NOTICE, "%s", line);
}

void ml_live_close(struct ml_live *live)
{
    if (!live)
        return;
    ml_log_status("");
    free(live);
}
