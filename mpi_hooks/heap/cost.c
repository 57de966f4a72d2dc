#include "mpi_hooks/heap/cost.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/system.h"

#define SAMPLES 32                  /* between two looks at the clock of the process */
#define WINDOW_NS INT64_C(20000000) /* of CPU time, at least */
/* What took longer was waiting for a processor, or read tables for the first time: the next sample
 * will not. */
#define LONGEST_NS INT64_C(50000)
#define LONGEST_B ((int64_t)1 << 40)

void ml_cost_spent(struct ml_heap_page *page, int64_t ns)
{
    ML_ADD(page->sampling_ns, ns < LONGEST_NS ? ns : LONGEST_NS);
}

static void set_mean(struct ml_heap_page *page, int64_t mean_B)
{
    ML_STORE(ml_books->blocks_mean_B, mean_B);
    ML_STORE(page->mean_B, mean_B);
}

static int64_t least_mean(void)
{
    int64_t first_B = ml_books_settings.mean_B;
    return ml_books->least_mean_B > first_B ? ml_books->least_mean_B : first_B;
}

static void adapt(struct ml_heap_page *page, int64_t spent_ns, int64_t cpu_ns)
{
    double may_ns = ml_books_settings.share * (double)cpu_ns;
    int64_t mean_B = ml_books_blocks_mean();
    if ((double)spent_ns > may_ns && mean_B < LONGEST_B)
        set_mean(page, 2 * mean_B);
    else if ((double)spent_ns < may_ns / 4 && mean_B / 2 >= least_mean())
        set_mean(page, mean_B / 2);
}

void ml_cost_check(struct ml_heap_page *page)
{
    if (++ml_books->n_unchecked < SAMPLES)
        return;
    ml_books->n_unchecked = 0;
    int64_t cpu_ns = ml_sys_ns(CLOCK_PROCESS_CPUTIME_ID), spent_ns = ML_LOAD(page->sampling_ns);
    int64_t more_ns = cpu_ns - ml_books->checked_cpu_ns;
    if (more_ns < WINDOW_NS)
        return;
    adapt(page, spent_ns - ml_books->checked_sampling_ns, more_ns);
    ml_books->checked_cpu_ns = cpu_ns;
    ml_books->checked_sampling_ns = spent_ns;
}
