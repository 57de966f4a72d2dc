#include "report/diff_json.h"

#include "base/own.h"
#include "report/json_values.h"

static json_t *side_of(const struct ml_diff_side *side)
{
    json_t *json = json_object();
    json_object_set_new(json, "runs", json_integer((json_int_t)side->n));
    json_object_set_new(json, "median", ml_json_real(side->median));
    json_object_set_new(json, "low", ml_json_real(side->low));
    json_object_set_new(json, "high", ml_json_real(side->high));
    return json;
}

static json_t *change_of(const struct ml_diff_change *c)
{
    json_t *json = json_object();
    json_object_set_new(json, "old", side_of(&c->old));
    json_object_set_new(json, "new", side_of(&c->new));
    json_object_set_new(json, "change", ml_json_real(c->change));
    json_object_set_new(json, "share", ml_json_real(c->share));
    json_object_set_new(json, "within_noise", json_boolean(c->noise));
    return json;
}

static json_t *runs_of(const struct ml_diff_run *runs, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *run = json_object();
        json_object_set_new(run, "file", ml_json_text(runs[i].name));
        json_object_set_new(run, "nodes", json_integer((json_int_t)runs[i].n_nodes));
        json_object_set_new(run, "ranks", json_integer(runs[i].ranks));
        json_object_set_new(run, "duration_s", ml_json_seconds(runs[i].length_ns));
        json_object_set_new(run, "ended", ml_json_text(runs[i].ended));
        json_array_append_new(list, run);
    }
    return list;
}

static json_t *job_of(const struct ml_diff *d)
{
    static const char *const keys[ML_DIFF_QUANTITIES] = {
        [ML_DIFF_PEAK] = "peak_B",        [ML_DIFF_RANK] = "largest_rank_B",
        [ML_DIFF_MEAN] = "mean_rank_B",   [ML_DIFF_GROWTH] = "growth_B_per_s",
        [ML_DIFF_LIMIT] = "least_left_B", [ML_DIFF_TIME] = "duration_s",
        [ML_DIFF_GPU] = "gpu_peak_B",
    };
    json_t *job = json_object();
    for (size_t q = 0; q < ML_DIFF_QUANTITIES; q++)
        json_object_set_new(job, keys[q], change_of(&d->job[q]));
    return job;
}

/* Null where a side has nothing of it. KEYS: of the measures; NULL: it has no more. */
static json_t *table_of(const struct ml_diff_table *t, const char *const *keys)
{
    json_t *rows = json_array(), *table = json_object();
    if (!t->comparable) {
        json_decref(rows);
        json_decref(table);
        return json_null();
    }
    for (size_t i = 0; i < t->n_rows; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "name", ml_json_text(t->rows[i].name));
        json_object_set_new(row, "small", json_boolean(t->rows[i].small));
        for (size_t m = 0; m < ML_DIFF_MEASURES && keys[m]; m++)
            json_object_set_new(row, keys[m], change_of(&t->rows[i].by[m]));
        json_array_append_new(rows, row);
    }
    json_object_set_new(table, "rows", rows);
    json_object_set_new(table, "old_only", json_integer((json_int_t)t->n_old_only));
    json_object_set_new(table, "new_only", json_integer((json_int_t)t->n_new_only));
    return table;
}

static json_t *limits_of(const struct ml_diff *d, const struct ml_diff_limit *limits, size_t n)
{
    static const char *const outcomes[] = {
        [ML_DIFF_KEPT] = "kept",
        [ML_DIFF_EXCEEDED] = "exceeded",
        [ML_DIFF_IN_NOISE] = "within_noise",
        [ML_DIFF_UNTOLD] = "unknown",
    };
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct ml_diff_change *change = &d->job[limits[i].quantity];
        struct ml_diff_verdict v = ml_diff_limit_judge(&limits[i], change);
        ML_AUTO_FREE char *words = ml_diff_limit_words(&limits[i], change);
        json_t *limit = json_object();
        json_object_set_new(limit, "limit", ml_json_text(limits[i].text));
        json_object_set_new(limit, "outcome", ml_json_text(outcomes[v.outcome]));
        json_object_set_new(limit, "worse_by", ml_json_real(v.worse));
        json_object_set_new(limit, "over_by", ml_json_real(v.over));
        json_object_set_new(limit, "text", ml_json_text(words));
        json_array_append_new(list, limit);
    }
    return list;
}

static int append(const char *text, size_t n, void *context)
{
    ml_buffer_append(context, text, n);
    return 0;
}

enum ml_status ml_diff_json(const struct ml_diff *diff, const struct ml_diff_limit *limits,
                            size_t n_limits, struct ml_buffer *out, struct ml_error *err)
{
    static const char *const peaks[ML_DIFF_MEASURES] = {"peak_B"};
    static const char *const owners[ML_DIFF_MEASURES] = {"live_B"};
    static const char *const mpi[ML_DIFF_MEASURES] = {"grown_B", "time_s", "calls"};
    json_t *root = json_object();
    json_object_set_new(root, "format", json_string("memlog-diff"));
    json_object_set_new(root, "version", json_integer(1));
    json_object_set_new(root, "old", runs_of(diff->runs, diff->n_old));
    json_object_set_new(root, "new", runs_of(diff->runs + diff->n_old, diff->n_new));
    json_object_set_new(root, "job", job_of(diff));
    json_object_set_new(root, "nodes", table_of(ml_diff_nodes(diff), peaks));
    json_object_set_new(root, "ranks", table_of(&diff->ranks, peaks));
    json_object_set_new(root, "phases", table_of(&diff->phases, mpi));
    json_object_set_new(root, "mpi_calls", table_of(&diff->calls, mpi));
    json_object_set_new(root, "owners", table_of(&diff->owners, owners));
    json_object_set_new(root, "limits", limits_of(diff, limits, n_limits));
    bool ok =
        root && json_dump_callback(root, append, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) == 0;
    json_decref(root);
    ml_buffer_append(out, "\n", 1);
    return ok ? ML_OK : ml_fail(err, ML_RUN_LOST, "no memory for the comparison");
}
