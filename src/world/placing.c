#include "world/placing.h"

#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One of the two may be the first label of the other: "n1" and "n1.cluster". */
static bool same_host(const char *a, const char *b)
{
    size_t n = strcspn(a, "."), m = strcspn(b, ".");
    if (!a[n] || !b[m])
        return n == m && strncmp(a, b, n) == 0;
    return strcmp(a, b) == 0;
}

static int find_host(const char *name, int n_hosts, char *const *host_names, int here)
{
    if (strcmp(name, "localhost") == 0)
        return here;
    for (int h = 0; h < n_hosts; h++) {
        if (same_host(name, host_names[h]))
            return h;
    }
    return -1;
}

/* Marks the hosts of LIST; false: one is none of ours. */
static bool mark_named(const char *list, int n_hosts, char *const *host_names, int here,
                       bool *out_named)
{
    ML_AUTO_FREE char *copy = ml_strdup(list);
    for (char *rest = copy, *name; *list && (name = strsep(&rest, ","));) {
        name[strcspn(name, ":")] = 0;
        int host = find_host(name, n_hosts, host_names, here);
        if (host < 0)
            return false;
        out_named[host] = true;
    }
    return true;
}

struct choice {
    const struct ml_placing *how;
    int n_hosts;
    bool *allowed;
    const int *load;
    int *taken; /* by this spawn */
};

/* -1: none is left. */
static int best_host(const struct choice *c)
{
    int best = -1;
    for (int h = 0; h < c->n_hosts; h++) {
        if (!c->allowed[h] || (c->how->most && c->taken[h] >= c->how->most))
            continue;
        const int *weight = c->how->by_host ? c->taken : c->load;
        if (best < 0 || weight[h] < weight[best])
            best = h;
    }
    return best;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int ml_placing_choose(const struct ml_placing *how, int n_hosts, char *const *host_names, int here,
                      int *load, int n, int *out_host_of)
{
    ML_AUTO_FREE bool *allowed = ml_alloc((size_t)n_hosts * sizeof *allowed);
    ML_AUTO_FREE int *taken = ml_alloc((size_t)n_hosts * sizeof *taken);
    const struct choice choice = {how, n_hosts, allowed, load, taken};
    if (!mark_named(how->added, n_hosts, host_names, here, allowed))
        return EHOSTUNREACH;
    for (int h = 0; h < n_hosts; h++)
        allowed[h] = !*how->hosts;
    if (!mark_named(how->hosts, n_hosts, host_names, here, allowed))
        return EHOSTUNREACH;
    for (int i = 0; i < n; i++) {
        int host = best_host(&choice);
        if (host < 0)
            return ENOSPC;
        taken[host]++;
        load[host]++;
        out_host_of[i] = host;
    }
    if (!how->by_host)
        qsort(out_host_of, (size_t)n, sizeof *out_host_of, by_number);
    return 0;
}
