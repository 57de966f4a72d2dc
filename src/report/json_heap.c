#include "report/json_heap.h"

#include "base/memory.h"
#include "base/own.h"
#include "report/json_stacks.h"
#include "report/json_values.h"

static void set_owner(json_t *json, const struct ml_heap_owner *owner)
{
    json_object_set_new(json, "live_B", ml_json_count(owner->live.bytes));
    json_object_set_new(json, "live_error_B", ml_json_count(ml_heap_sum_error(&owner->live)));
    json_object_set_new(json, "live_blocks", ml_json_count(owner->live.blocks));
    json_object_set_new(json, "allocated_B", ml_json_count(owner->allocated.bytes));
    json_object_set_new(json, "allocated_error_B",
                        ml_json_count(ml_heap_sum_error(&owner->allocated)));
    json_object_set_new(json, "allocated_blocks", ml_json_count(owner->allocated.blocks));
}

static json_t *site_of(const struct ml_heap_profile *p, size_t i, int32_t *frames)
{
    const struct ml_stacks_sample *sample = &p->stacks.samples[i];
    json_t *json = json_object(), *calls = json_array();
    size_t n = ml_stacks_frames(&p->stacks, sample->stack, frames);
    for (size_t k = 0; k < n; k++)
        json_array_append_new(calls, json_integer(frames[k]));
    json_object_set_new(json, "process", ml_json_count(sample->process));
    json_object_set_new(json, "rank", ml_json_count(sample->rank));
    json_object_set_new(json, "kind",
                        ml_json_text(ml_code_meaning(ml_site_kind_codes, p->owners[i].kind)));
    set_owner(json, &p->owners[i]);
    json_object_set_new(json, "calls", calls);
    return json;
}

/* null where nobody has told of itself. */
static json_t *json_budget(const struct ml_heap_budget *budget)
{
    if (!budget->told)
        return json_null();
    json_t *json = json_object();
    json_object_set_new(json, "memory_B", ml_json_count(budget->memory_B));
    json_object_set_new(json, "used_B", ml_json_count(budget->used_B));
    json_object_set_new(json, "held_B", ml_json_count(budget->held_B));
    json_object_set_new(json, "silent", ml_json_count((int64_t)budget->silent));
    return json;
}

json_t *ml_json_heap(const struct ml_heap_profile *p, const struct ml_heap_choice *choice,
                     const struct ml_heap_budget *budget)
{
    json_t *json = json_object(), *sites = json_array(), *total = json_object(),
           *unknown = json_object();
    ML_AUTO_FREE int32_t *frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *frames);
    for (size_t i = 0; i < p->stacks.n_samples; i++)
        json_array_append_new(sites, site_of(p, i, frames));
    set_owner(total, &p->total);
    set_owner(unknown, &p->unknown);
    bool moment = choice->at_ns != ML_HEAP_AT_END && !choice->leaks;
    json_object_set_new(json, "at_s", moment ? ml_json_seconds(choice->at_ns) : json_null());
    json_object_set_new(json, "phase", ml_json_text(choice->phase));
    json_object_set_new(json, "leaks", json_boolean(choice->leaks));
    json_object_set_new(json, "budget", json_budget(budget));
    json_object_set_new(json, "total", total);
    json_object_set_new(json, "unknown", unknown);
    json_object_set_new(json, "calls", ml_json_calls(&p->stacks));
    json_object_set_new(json, "sites", sites);
    return json;
}
