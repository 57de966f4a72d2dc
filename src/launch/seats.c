#include "launch/seats.h"

#include "base/memory.h"
#include "launch/binding.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ml_seat *append(struct ml_seats *seats, int rank, int starter)
{
    seats->list = ml_realloc_array(seats->list, seats->n + 1, sizeof *seats->list);
    struct ml_seat *s = &seats->list[seats->n++];
    *s = (struct ml_seat){
        .rank = rank, .starter = starter, .pmi = -1, .end = {.rank = rank, .abort_code = -1}};
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
    for (size_t i = 0; i < seats->n; i++) {
        if (seats->list[i].rank == rank)
            return &seats->list[i];
    }
    return NULL;
}

bool ml_seats_all_closed(const struct ml_seats *seats)
{
    for (size_t i = 0; i < seats->n; i++) {
        if (!seats->list[i].closed)
            return false;
    }
    return true;
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
    int n = 0;
    for (size_t i = 0; i < seats->n; i++)
        n += !seats->list[i].exited;
    return n;
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
    if (job->cause == ML_CAUSE_US)
        return (struct ml_leave){.code = ml_verdict_exit_code(job)};
    for (size_t i = 0; i < seats->n; i++) {
        const struct ml_seat *s = &seats->list[i];
        if (s->starter != starter)
            continue;
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
    *seats = (struct ml_seats){0};
}
