#include "launch/seats.h"

#include "base/memory.h"
#include "launch/binding.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void link_to_starter(struct ml_seats *seats, int starter, size_t at)
{
    size_t n = seats->starters.n,
           number = ml_intern_add(&seats->starters, &starter, sizeof starter);
    if (number == n) {
        ML_GROW(seats->started, n, seats->started_capacity);
        seats->started[n] = (struct ml_seats_of){at, at};
        return;
    }
    struct ml_seats_of *of = &seats->started[number];
    seats->list[of->last].next = at;
    of->last = at;
}

static struct ml_seat *append(struct ml_seats *seats, int rank, int starter)
{
    ML_GROW(seats->list, seats->n, seats->capacity);
    struct ml_seat *s = &seats->list[seats->n];
    *s = (struct ml_seat){
        .rank = rank, .starter = starter, .pmi = -1, .end = {.rank = rank, .abort_code = -1}};
    ml_intern_add(&seats->ranks, &rank, sizeof rank);
    link_to_starter(seats, starter, seats->n++);
    return s;
}

void ml_seats_fill(struct ml_seats *seats, const struct ml_plan *plan, const struct ml_place *place)
{
    if (plan->form == ML_FORM_ONCE && place->host == place->root_host)
        append(seats, -1, 0);
    for (int r = 0; r < plan->world.n_ranks; r++) {
        if (ml_world_host(&plan->world, r) == place->host)
            append(seats, r, ml_runs_at(&plan->starter_of, r));
    }
}

enum ml_status ml_seats_bind(struct ml_seats *seats, int bind_to, struct ml_error *err)
{
    char **cpus = ml_alloc((seats->n + 1) * sizeof *cpus);
    enum ml_status status = ml_binding_plan((enum ml_bind_to)bind_to, (int)seats->n, cpus, err);
    for (size_t i = 0; status == ML_OK && i < seats->n; i++)
        seats->list[i].cpus = cpus[i];
    free(cpus);
    return status;
}

struct ml_seat *ml_seats_add(struct ml_seats *seats, const struct ml_host_offer *offer, int starter)
{
    struct ml_seat *s = append(seats, offer->seat, starter);
    s->spawned = true;
    ml_pack_texts(&s->words, offer->words, offer->n_words);
    s->folder = *offer->folder ? ml_strdup(offer->folder) : NULL;
    if (ml_binding_plan(ML_BIND_NONE, 1, &s->cpus, NULL) != ML_OK)
        s->cpus = NULL;
    return s;
}

struct ml_seat *ml_seats_find(const struct ml_seats *seats, int rank)
{
    uint32_t at = ml_intern_find(&seats->ranks, &rank, sizeof rank);
    return at == ML_INTERN_NONE ? NULL : &seats->list[at];
}

struct ml_seat *ml_seats_first(const struct ml_seats *seats, int starter)
{
    uint32_t number = ml_intern_find(&seats->starters, &starter, sizeof starter);
    return number == ML_INTERN_NONE ? NULL : &seats->list[seats->started[number].first];
}

struct ml_seat *ml_seats_next(const struct ml_seats *seats, const struct ml_seat *seat)
{
    return seat->next ? &seats->list[seat->next] : NULL;
}

void ml_seats_offered(struct ml_seats *seats, struct ml_seat *seat)
{
    seats->n_offered += !seat->offered;
    seat->offered = true;
}

void ml_seats_exited(struct ml_seats *seats, struct ml_seat *seat)
{
    seats->n_exited += !seat->exited;
    seat->exited = true;
}

void ml_seats_closed(struct ml_seats *seats, struct ml_seat *seat)
{
    seats->n_closed += !seat->closed;
    seat->closed = true;
}

bool ml_seats_all_offered(const struct ml_seats *seats)
{
    return seats->n_offered == seats->n;
}

bool ml_seats_all_closed(const struct ml_seats *seats)
{
    return seats->n_closed == seats->n;
}

int ml_seats_count_running(const struct ml_seats *seats)
{
    int n = 0;
    for (size_t i = 0; i < seats->n; i++)
        n += seats->list[i].started && !seats->list[i].exited;
    return n;
}

int ml_seats_count_expected(const struct ml_seats *seats)
{
    return (int)(seats->n - seats->n_exited);
}

void ml_seat_pack_start(const struct ml_seat *s, enum ml_strip strip, pid_t tracer,
                        const char *hooks, struct ml_buffer *out)
{
    ml_pack_int(out, s->rank);
    ml_pack_int(out, strip);
    ml_pack_int(out, tracer);
    ml_pack_text(out, s->cpus ? s->cpus : "");
    ml_pack_text(out, s->folder ? s->folder : "");
    ml_pack_int(out, s->here_too);
    ml_pack_text(out, hooks);
    if (s->words.length)
        ml_buffer_append(out, s->words.data, s->words.length);
    else
        ml_pack_texts(out, NULL, 0);
    ml_pack_int(out, s->n_settings);
    ml_buffer_append(out, s->settings.data, s->settings.length);
}

struct ml_leave ml_seats_leave(const struct ml_seats *seats, int starter,
                               const struct ml_verdict *job)
{
    struct ml_leave leave = {0};
    if (job->cause == ML_CAUSE_US || job->refused)
        return (struct ml_leave){.code = ml_verdict_exit_code(job)};
    for (const struct ml_seat *s = ml_seats_first(seats, starter); s; s = ml_seats_next(seats, s)) {
        struct ml_leave failure = ml_verdict_leave(&s->end, job);
        if (!failure.code && !failure.signal)
            continue;
        leave = failure;
        if (job->rank == s->rank)
            break;
    }
    return leave;
}

void ml_seats_free(struct ml_seats *seats)
{
    for (size_t i = 0; i < seats->n; i++) {
        struct ml_seat *s = &seats->list[i];
        ml_buffer_free(&s->settings);
        ml_buffer_free(&s->words);
        free(s->folder);
        free(s->cpus);
        if (s->pmi >= 0)
            close(s->pmi);
    }
    free(seats->list);
    free(seats->started);
    ml_intern_free(&seats->ranks);
    ml_intern_free(&seats->starters);
    *seats = (struct ml_seats){0};
}
