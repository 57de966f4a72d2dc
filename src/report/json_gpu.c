#include "report/json_gpu.h"

#include "report/json_values.h"

static json_t *ranks_of(const struct ml_gpu_facts *g, size_t gpu)
{
    json_t *ranks = json_array();
    for (size_t i = 0; i < g->n_uses; i++) {
        const struct ml_gpu_rank_use *use = &g->uses[i];
        if (use->gpu != gpu)
            continue;
        json_t *json = json_object();
        json_object_set_new(json, "rank", ml_json_count(use->rank));
        json_object_set_new(json, "peak_B", ml_json_count(use->peak_B));
        json_object_set_new(json, "peak_s", ml_json_seconds(use->peak_ns));
        json_object_set_new(json, "peak_host_B", ml_json_count(use->peak_host_B));
        json_array_append_new(ranks, json);
    }
    return ranks;
}

json_t *ml_json_gpus(const struct ml_gpu_facts *g)
{
    json_t *gpus = json_array();
    for (size_t i = 0; i < g->n_gpus; i++) {
        json_t *json = json_object();
        json_object_set_new(json, "node", ml_json_count(g->gpus[i].node));
        json_object_set_new(json, "gpu", ml_json_count(g->gpus[i].gpu));
        json_object_set_new(json, "name", ml_json_text(g->gpus[i].name));
        json_object_set_new(json, "driver", ml_json_text(g->gpus[i].driver));
        json_object_set_new(json, "pci", ml_json_text(g->gpus[i].pci));
        json_object_set_new(json, "memory_B", ml_json_count(g->gpus[i].memory_B));
        json_object_set_new(json, "peak_used_B", ml_json_count(g->peaks_B[i]));
        json_object_set_new(json, "ranks", ranks_of(g, i));
        json_array_append_new(gpus, json);
    }
    return gpus;
}

json_t *ml_json_fullest_gpu(const struct ml_facts *f)
{
    const struct ml_gpu_fullest *full = &f->gpus.fullest;
    if (!f->gpus.n_gpus || full->gpu < 0)
        return json_null();
    const struct ml_gpu_row *gpu = &f->gpus.gpus[full->gpu];
    const struct ml_node_row *node = ml_facts_node(f, gpu->node);
    json_t *json = json_object();
    json_object_set_new(json, "node", ml_json_text(node ? node->name : NULL));
    json_object_set_new(json, "gpu", ml_json_count(gpu->gpu));
    json_object_set_new(json, "used_B", ml_json_count(full->used_B));
    json_object_set_new(json, "memory_B", ml_json_count(gpu->memory_B));
    json_object_set_new(json, "time_s", ml_json_seconds(full->time_ns));
    json_object_set_new(json, "rank", ml_json_count(full->rank));
    json_object_set_new(json, "rank_B", ml_json_count(full->rank < 0 ? -1 : full->rank_B));
    return json;
}
