#include "report/json_mpi.h"

#include "report/json_values.h"

static json_t *sum_of(const struct ml_mpi_sum *s)
{
    json_t *sum = json_object();
    json_object_set_new(sum, "name", ml_json_text(s->name));
    json_object_set_new(sum, "calls", ml_json_count(s->calls));
    json_object_set_new(sum, "time_s", ml_json_real(s->time_s));
    json_object_set_new(sum, "longest_s", ml_json_real(s->longest_s));
    json_object_set_new(sum, "messages", ml_json_count(s->messages));
    json_object_set_new(sum, "sent_B", ml_json_count(s->sent_B));
    json_object_set_new(sum, "mpi_grown_B", json_integer(s->inside_B));
    return sum;
}

static json_t *functions_of(const struct ml_mpi_sums *sums)
{
    json_t *functions = json_array();
    for (size_t i = 0; i < sums->n_calls; i++)
        json_array_append_new(functions, sum_of(&sums->calls[i]));
    return functions;
}

static json_t *phases_of(const struct ml_mpi_sums *sums)
{
    json_t *phases = json_array();
    for (size_t i = 0; i < sums->n_phases; i++) {
        json_t *phase = sum_of(&sums->phases[i]);
        json_object_set_new(phase, "grown_B", json_integer(sums->phases[i].grown_B));
        json_array_append_new(phases, phase);
    }
    return phases;
}

json_t *ml_json_mpi(const struct ml_mpi_sums *sums)
{
    json_t *mpi = json_object();
    json_object_set_new(mpi, "time_s", ml_json_real(sums->time_s));
    json_object_set_new(mpi, "ranks_ran_s", ml_json_real(sums->rank_s));
    json_object_set_new(mpi, "functions", functions_of(sums));
    json_object_set_new(mpi, "phases", phases_of(sums));
    return mpi;
}
