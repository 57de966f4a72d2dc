#include "plot/heap_changes.h"

#include "base/memory.h"

#include <stdlib.h>

struct ml_heap_site {
    uint32_t owner;
    int32_t process;
    double live_B, variance;
};

size_t ml_heap_cell_of(const struct ml_heap_changes *h, int64_t time_ns)
{
    int64_t since_ns = time_ns - h->source->begin_ns;
    size_t cell = since_ns > 0 ? (size_t)((since_ns + h->cell_ns - 1) / h->cell_ns) : 0;
    return cell < ML_HEAP_CELLS ? cell : ML_HEAP_CELLS - 1;
}

int64_t ml_heap_cell_time(const struct ml_heap_changes *h, size_t cell)
{
    int64_t time_ns = h->source->begin_ns + (int64_t)cell * h->cell_ns;
    return time_ns < h->source->lives.end_ns ? time_ns : h->source->lives.end_ns;
}

static uint32_t add_owner(struct ml_heap_changes *h, uint32_t number, int32_t frame)
{
    if (number == h->n_owners) {
        ML_GROW(h->frame_of, h->n_owners, h->frames_capacity);
        h->frame_of[h->n_owners++] = frame;
    }
    return number;
}

static void find_owners(struct ml_heap_changes *h)
{
    struct ml_intern functions = {0};
    const struct ml_stacks *s = &h->stacks;
    h->owner_of = ml_realloc_array(NULL, s->n_stacks + 1, sizeof *h->owner_of);
    for (size_t i = 0; i < s->n_stacks; i++) {
        int32_t frame = ml_heap_owner_frame(s, (int32_t)i);
        uint32_t number = ml_heap_owner_number(&functions, &s->frames[frame], false);
        h->owner_of[i] = add_owner(h, number, frame);
    }
    h->owner_of[s->n_stacks] = add_owner(h, (uint32_t)h->n_owners, -1);
    ml_intern_free(&functions);
}

static struct ml_heap_site *site_of(struct ml_heap_changes *h, const struct ml_heap_sample_row *r)
{
    int32_t key[2] = {r->process, r->site};
    uint32_t number = ml_intern_add(&h->keys, key, sizeof key);
    if (number >= h->n_sites) {
        size_t stack = r->stack < 0 ? h->stacks.n_stacks : (size_t)r->stack;
        ML_GROW(h->sites, h->n_sites, h->capacity);
        h->sites[h->n_sites++] =
            (struct ml_heap_site){.owner = h->owner_of[stack], .process = r->process};
    }
    return &h->sites[number];
}

static void change(struct ml_heap_changes *h, struct ml_heap_site *site, int64_t time_ns,
                   double live_B, double variance)
{
    struct ml_heap_change told = {time_ns, (size_t)site->process, site->owner,
                                  live_B - site->live_B, variance - site->variance};
    h->see(h->context, &told);
    site->live_B = live_B;
    site->variance = variance;
}

static void visit(void *context, const void *row)
{
    struct ml_heap_changes *h = context;
    const struct ml_heap_sample_row *r = row;
    const struct ml_plot_source *s = h->source;
    if (r->process < 0 || (size_t)r->process >= s->n_processes || r->stack < -1 ||
        r->stack >= (int32_t)h->stacks.n_stacks) {
        h->bad = true;
        return;
    }
    if (!s->drawn[r->process] || r->time_ns > s->until_ns ||
        r->time_ns > s->lives.gone_ns[r->process])
        return;
    double error_B = r->live_error_B > 0 ? (double)r->live_error_B : 0;
    change(h, site_of(h, r), r->time_ns, r->live_B > 0 ? (double)r->live_B : 0, error_B * error_B);
}

enum ml_status ml_heap_changes_walk(struct ml_heap_changes *h, ml_heap_see *see, void *context,
                                    struct ml_error *err)
{
    static const char *const names[] = {"time_s", "process",      "site", "stack",
                                        "live_B", "live_error_B", NULL};
    struct ml_column columns[sizeof names / sizeof *names];
    struct ml_table table;
    ml_slice_pick(&ml_table_heap_samples, names, columns, &table);
    h->see = see;
    h->context = context;
    h->n_sites = 0;
    ml_intern_free(&h->keys);
    enum ml_status status = ml_slice_each(h->source->run, &table, visit, h, err);
    if (!status && h->bad)
        status =
            ml_fail(err, ML_RUN_LOST,
                    "%.300s: the heap profile refers to processes or stacks that are not there",
                    h->source->path);
    for (size_t i = 0; !status && i < h->n_sites; i++) {
        int64_t gone_ns = h->source->lives.gone_ns[h->sites[i].process];
        if (gone_ns <= h->source->lives.end_ns)
            change(h, &h->sites[i], gone_ns, 0, 0);
    }
    return status;
}

struct sum {
    const struct ml_heap_changes *heap;
    struct ml_heap_peak *peak;
};

static void see_total(void *context, const struct ml_heap_change *c)
{
    struct sum *s = context;
    s->peak->cells[ml_heap_cell_of(s->heap, c->time_ns)] += c->bytes;
}

static void see_peak(void *context, const struct ml_heap_change *c)
{
    struct sum *s = context;
    if (ml_heap_cell_of(s->heap, c->time_ns) > s->peak->cell)
        return;
    s->peak->of[c->owner] += c->bytes;
    s->peak->variance += c->variance;
}

enum ml_status ml_heap_find_peak(struct ml_heap_changes *h, struct ml_heap_peak *out_peak,
                                 struct ml_error *err)
{
    struct sum sum = {h, out_peak};
    double bytes = 0;
    *out_peak = (struct ml_heap_peak){.of = ml_alloc((h->n_owners + 1) * sizeof *out_peak->of),
                                      .cells = ml_alloc(ML_HEAP_CELLS * sizeof *out_peak->cells)};
    enum ml_status status = ml_heap_changes_walk(h, see_total, &sum, err);
    for (size_t i = 0; i < ML_HEAP_CELLS; i++) {
        bytes += out_peak->cells[i];
        out_peak->cells[i] = bytes;
        if (bytes > out_peak->bytes) {
            out_peak->cell = i;
            out_peak->bytes = bytes;
        }
    }
    return status ? status : ml_heap_changes_walk(h, see_peak, &sum, err);
}

void ml_heap_peak_free(struct ml_heap_peak *peak)
{
    free(peak->of);
    free(peak->cells);
    *peak = (struct ml_heap_peak){0};
}

char *ml_heap_owner_name(const struct ml_heap_changes *h, uint32_t owner)
{
    struct ml_buffer name = {0};
    if (h->frame_of[owner] < 0)
        return ml_strdup("calls not known");
    ml_stacks_name(&h->stacks.frames[h->frame_of[owner]], &name);
    char *text = ml_strdup(name.data);
    ml_buffer_free(&name);
    return text;
}

static enum ml_status check_recorded(const struct ml_plot_source *source, struct ml_error *err)
{
    size_t n = 0;
    enum ml_status status = ML_OK;
    if (ml_heap_has_tables(source->run))
        status = ml_run_count(source->run, &ml_table_heap_samples, &n, err);
    if (!status && n == 0)
        status =
            ml_fail(err, ML_RUN_LOST, "%.300s: %s", source->path, ml_heap_why_none(source->run));
    return status;
}

enum ml_status ml_heap_changes_open(const struct ml_plot_source *source,
                                    struct ml_heap_changes *out_changes, struct ml_error *err)
{
    struct ml_heap_changes h = {.source = source};
    h.cell_ns = (source->lives.end_ns - source->begin_ns) / ((int64_t)ML_HEAP_CELLS - 2) + 1;
    enum ml_status status = check_recorded(source, err);
    if (!status)
        status = ml_stacks_load_tree(source->run, &h.stacks, err);
    if (!status)
        find_owners(&h);
    *out_changes = h;
    return status;
}

void ml_heap_changes_close(struct ml_heap_changes *h)
{
    ml_stacks_free(&h->stacks);
    free(h->owner_of);
    free(h->frame_of);
    free(h->sites);
    ml_intern_free(&h->keys);
    *h = (struct ml_heap_changes){0};
}
