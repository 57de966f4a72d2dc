#include "world/world.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANKS = 1 << 24, MAX_APPS = 1 << 20 };

const struct ml_world *ml_worlds_find(const struct ml_worlds *worlds, const char *id)
{
    for (size_t i = 0; i < worlds->n; i++) {
        if (strcmp(worlds->list[i]->id, id) == 0)
            return worlds->list[i];
    }
    return NULL;
}

int ml_world_host(const struct ml_world *w, int rank)
{
    return ml_runs_at(&w->host_of, rank);
}

int ml_world_local_size(const struct ml_world *w, int host)
{
    return ml_runs_count(&w->host_of, w->n_ranks, host);
}

int *ml_world_local_sizes(const struct ml_world *w)
{
    int *sizes = ml_alloc((size_t)w->n_hosts * sizeof *sizes);
    for (int r = 0; r < w->n_ranks; r++)
        sizes[ml_world_host(w, r)]++;
    return sizes;
}

int ml_world_local_rank(const struct ml_world *w, int rank)
{
    return ml_runs_count(&w->host_of, rank, ml_world_host(w, rank));
}

int ml_world_count_hosts(const struct ml_world *w)
{
    ML_AUTO_FREE int *sizes = ml_world_local_sizes(w);
    int n = 0;
    for (int h = 0; h < w->n_hosts; h++)
        n += sizes[h] > 0;
    return n;
}

int ml_world_app(const struct ml_world *w, int rank)
{
    return w->app_of.n ? ml_runs_at(&w->app_of, rank) : 0;
}

int ml_world_count_apps(const struct ml_world *w)
{
    int last = 0;
    for (int r = 0; r < w->n_ranks; r++)
        last = ml_world_app(w, r) > last ? ml_world_app(w, r) : last;
    return last + 1;
}

void ml_world_node_map(const struct ml_world *w, struct ml_buffer *out)
{
    ML_AUTO_FREE int *sizes = ml_world_local_sizes(w);
    const char *separator = "";
    for (int h = 0; h < w->n_hosts; h++) {
        if (!sizes[h])
            continue;
        ml_buffer_printf(out, "%s%s", separator, w->host_names[h]);
        separator = ",";
    }
}

void ml_world_local_peers(const struct ml_world *w, int host, struct ml_buffer *out)
{
    const char *separator = "";
    for (int r = 0; r < w->n_ranks; r++) {
        if (ml_world_host(w, r) != host)
            continue;
        ml_buffer_printf(out, "%s%d", separator, r);
        separator = ",";
    }
}

/* All ranks, those of each host together, SIZES[h] of them. */
static int *sort_by_host(const struct ml_world *w, const int *sizes)
{
    int *ranks = ml_alloc((size_t)w->n_ranks * sizeof *ranks);
    ML_AUTO_FREE int *at = ml_alloc((size_t)w->n_hosts * sizeof *at);
    for (int h = 1; h < w->n_hosts; h++)
        at[h] = at[h - 1] + sizes[h - 1];
    for (int r = 0; r < w->n_ranks; r++)
        ranks[at[ml_world_host(w, r)]++] = r;
    return ranks;
}

void ml_world_proc_map(const struct ml_world *w, struct ml_buffer *out)
{
    ML_AUTO_FREE int *sizes = ml_world_local_sizes(w);
    ML_AUTO_FREE int *ranks = sort_by_host(w, sizes);
    for (int h = 0, r = 0; h < w->n_hosts; h++) {
        const char *separator = r ? ";" : "";
        for (int i = 0; i < sizes[h]; i++, r++) {
            ml_buffer_printf(out, "%s%d", separator, ranks[r]);
            separator = ",";
        }
    }
}

struct block {
    int first, hosts, ranks;
};

/* Runs of equal hosts, neighbouring runs of one length over consecutive hosts joined. */
static size_t find_blocks(const struct ml_world *w, struct block *blocks)
{
    size_t n = 0;
    for (int r = 0; r < w->n_ranks;) {
        int host = ml_world_host(w, r), length = 0;
        while (r < w->n_ranks && ml_world_host(w, r) == host) {
            length++;
            r++;
        }
        struct block *last = n ? &blocks[n - 1] : NULL;
        if (last && last->ranks == length && last->first + last->hosts == host)
            last->hosts++;
        else
            blocks[n++] = (struct block){host, 1, length};
    }
    return n;
}

/* The shortest prefix whose repetition is the whole: cyclic placements become one block. MPICH
 * (4.0.2) repeats from the first block that begins at host 0: there must be none before it. */
static size_t find_period(const struct block *blocks, size_t n)
{
    if (n == 0 || blocks[0].first != 0)
        return n;
    for (size_t period = 1; period < n; period++) {
        size_t i = period;
        while (i < n && memcmp(&blocks[i], &blocks[i - period], sizeof *blocks) == 0)
            i++;
        if (i == n)
            return period;
    }
    return n;
}

void ml_world_process_mapping(const struct ml_world *w, struct ml_buffer *out)
{
    ML_AUTO_FREE struct block *blocks = ml_realloc_array(NULL, (size_t)w->n_ranks, sizeof *blocks);
    size_t n = find_period(blocks, find_blocks(w, blocks));
    ml_buffer_printf(out, "(vector");
    for (size_t i = 0; i < n; i++)
        ml_buffer_printf(out, ",(%d,%d,%d)", blocks[i].first, blocks[i].hosts, blocks[i].ranks);
    ml_buffer_printf(out, ")");
}

void ml_world_pack(const struct ml_world *w, struct ml_buffer *out)
{
    ml_pack_text(out, w->id);
    ml_pack_int(out, w->first_seat);
    ml_pack_int(out, w->n_hosts);
    for (int h = 0; h < w->n_hosts; h++)
        ml_pack_text(out, w->host_names[h]);
    ml_runs_pack(&w->host_of, out);
    ml_runs_pack(&w->app_of, out);
    ml_pack_int(out, w->here);
    ml_pack_int(out, w->universe_size);
    ml_pack_text(out, w->scratch);
}

bool ml_world_unpack(struct ml_unpacker *u, struct ml_world *out)
{
    *out = (struct ml_world){0};
    snprintf(out->id, sizeof out->id, "%s", ml_unpack_text(u));
    out->first_seat = (int)ml_unpack_int(u);
    int64_t n_hosts = ml_unpack_int(u);
    if (u->failed || n_hosts < 1 || n_hosts > u->end - u->cursor)
        return false;
    out->host_names = ml_alloc((size_t)n_hosts * sizeof *out->host_names);
    for (; out->n_hosts < n_hosts; out->n_hosts++)
        out->host_names[out->n_hosts] = ml_strdup(ml_unpack_text(u));
    bool sane = ml_runs_unpack(u, MAX_RANKS, (int)n_hosts, &out->host_of) &&
                ml_runs_unpack(u, MAX_RANKS, MAX_APPS, &out->app_of) &&
                (out->app_of.n == 0 || out->app_of.n == out->host_of.n);
    out->n_ranks = out->host_of.n;
    out->here = (int)ml_unpack_int(u);
    out->universe_size = (int)ml_unpack_int(u);
    snprintf(out->scratch, sizeof out->scratch, "%s", ml_unpack_text(u));
    return sane && !u->failed && out->here >= 0 && out->here < n_hosts;
}

void ml_world_free(struct ml_world *w)
{
    for (int h = 0; h < w->n_hosts; h++)
        free(w->host_names[h]);
    free(w->host_names);
    ml_runs_free(&w->host_of);
    ml_runs_free(&w->app_of);
    *w = (struct ml_world){0};
}
