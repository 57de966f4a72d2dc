#include "report/commands.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdlib.h>
#include <string.h>

static int by_command(const void *a, const void *b)
{
    const struct ml_process_row *const *x = a, *const *y = b;
    int order = strcmp((*x)->command, (*y)->command);
    return order ? order : (*x)->rank < (*y)->rank ? -1 : (*x)->rank > (*y)->rank;
}

static int by_first_rank(const void *a, const void *b)
{
    const struct ml_command_group *x = a, *y = b;
    return x->ranks[0] < y->ranks[0] ? -1 : x->ranks[0] > y->ranks[0];
}

/* Those that have a command, equal ones together; the caller frees. */
static const struct ml_process_row **sort(const struct ml_facts *f, size_t *out_n)
{
    const struct ml_process_row **list = ml_realloc_array(NULL, f->n_processes, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < f->n_processes; i++) {
        const struct ml_process_row *p = &f->processes[i];
        if (p->rank >= 0 && p->command && *p->command)
            list[n++] = p;
    }
    qsort(list, n, sizeof *list, by_command);
    *out_n = n;
    return list;
}

void ml_command_groups_find(const struct ml_facts *facts, struct ml_command_groups *out)
{
    size_t n, capacity = 0;
    ML_AUTO_FREE const struct ml_process_row **list = sort(facts, &n);
    *out = (struct ml_command_groups){.ranks = ml_realloc_array(NULL, n, sizeof(int32_t))};
    for (size_t i = 0; i < n; i++) {
        out->ranks[i] = list[i]->rank;
        if (i == 0 || strcmp(list[i]->command, list[i - 1]->command) != 0) {
            ML_GROW(out->list, out->n, capacity);
            out->list[out->n++] =
                (struct ml_command_group){.command = list[i]->command, .ranks = &out->ranks[i]};
        }
        out->list[out->n - 1].n++;
    }
    if (out->n)
        qsort(out->list, out->n, sizeof *out->list, by_first_rank);
}

void ml_command_groups_free(struct ml_command_groups *groups)
{
    free(groups->list);
    free(groups->ranks);
    *groups = (struct ml_command_groups){0};
}
