#include "report/json_stacks.h"

#include "base/memory.h"
#include "base/own.h"
#include "report/json_values.h"

static json_t *call_of(const struct ml_frame_row *frame)
{
    struct ml_buffer name = {0};
    ml_stacks_name(frame, &name);
    json_t *call = json_object();
    json_object_set_new(call, "function", ml_json_text(name.data));
    json_object_set_new(call, "file", ml_json_text(*frame->file ? frame->file : NULL));
    json_object_set_new(call, "line", ml_json_count(frame->line));
    json_object_set_new(call, "module", ml_json_text(frame->module));
    json_object_set_new(call, "inlined", json_boolean(frame->inlined == 1));
    ml_buffer_free(&name);
    return call;
}

static json_t *sample_of(const struct ml_stacks *s, const struct ml_stacks_sample *sample,
                         int32_t *frames)
{
    json_t *json = json_object(), *calls = json_array();
    size_t n = ml_stacks_frames(s, sample->stack, frames);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(calls, json_integer(frames[i]));
    json_object_set_new(json, "time_s", ml_json_seconds(sample->time_ns));
    json_object_set_new(json, "process", ml_json_count(sample->process));
    json_object_set_new(json, "rank", ml_json_count(sample->rank));
    json_object_set_new(json, "thread", ml_json_count(sample->thread));
    json_object_set_new(json, "first_thread", json_boolean(sample->first));
    json_object_set_new(json, "trigger",
                        ml_json_text(ml_code_meaning(ml_trigger_codes, sample->trigger)));
    json_object_set_new(json, "rss_B", ml_json_count(sample->rss_B));
    json_object_set_new(json, "calls", calls);
    return json;
}

json_t *ml_json_calls(const struct ml_stacks *stacks)
{
    json_t *calls = json_array();
    for (size_t i = 0; i < stacks->n_frames; i++)
        json_array_append_new(calls, call_of(&stacks->frames[i]));
    return calls;
}

json_t *ml_json_stacks(const struct ml_stacks *stacks)
{
    json_t *json = json_object(), *samples = json_array();
    ML_AUTO_FREE int32_t *frames = ml_realloc_array(NULL, ML_STACKS_DEPTH_MAX, sizeof *frames);
    for (size_t i = 0; i < stacks->n_samples; i++)
        json_array_append_new(samples, sample_of(stacks, &stacks->samples[i], frames));
    json_object_set_new(json, "calls", ml_json_calls(stacks));
    json_object_set_new(json, "samples", samples);
    return json;
}
