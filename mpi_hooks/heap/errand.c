#include "mpi_hooks/heap/errand.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/chance.h"
#include "mpi_hooks/heap/cost.h"
#include "mpi_hooks/heap/modules.h"
#include "mpi_hooks/heap/seldom.h"
#include "mpi_hooks/heap/self.h"
#include "mpi_hooks/heap/system.h"
#include "mpi_hooks/heap/walk.h"

#include <errno.h>

/* A signal handler has interrupted this thread in an errand. */
static void lose(void)
{
    if (!ml_books_are_open() || ml_books_are_lent())
        return;
    struct ml_heap_page *page = ML_LOAD(ml_books->page);
    ML_ADD(page->n_samples, 1);
    ML_ADD(page->n_lost, 1);
}

bool ml_errand_begin(struct ml_errand *out_errand)
{
    if (ml_self.inside) {
        lose();
        return false;
    }
    ml_self.inside = true;
    out_errand->saved_errno = errno;
    if (!ml_self.random)
        ml_self.random = ml_chance_seed(&ml_self);
    out_errand->begin_ns = ml_sys_ns(CLOCK_MONOTONIC);
    out_errand->page = ml_books_page();
    if (out_errand->page) {
        ML_ADD(out_errand->page->n_samples, 1);
        return true;
    }
    errno = out_errand->saved_errno;
    ml_self.inside = false;
    return false;
}

void ml_errand_end(struct ml_errand *errand)
{
    int64_t now_ns = ml_sys_ns(CLOCK_MONOTONIC);
    ml_seldom(errand->page, now_ns);
    ml_cost_spent(errand->page, now_ns - errand->begin_ns);
    errno = errand->saved_errno;
    ml_self.inside = false;
}

void ml_errand_stack(struct ml_errand *errand)
{
    size_t n = ml_heap_walk(errand->pcs, ML_HEAP_DEPTH + ML_ERRAND_OURS), first = 0;
    while (first < n && ml_modules_is_ours(errand->pcs[first]))
        first++;
    errand->first = first;
    errand->n = n - first < ML_HEAP_DEPTH ? n - first : ML_HEAP_DEPTH;
}

uint32_t ml_errand_owner(const struct ml_errand *errand, enum ml_heap_kind kind)
{
    return ml_stacks_find(errand->page, &ml_books->index, kind, errand->pcs + errand->first,
                          errand->n);
}
