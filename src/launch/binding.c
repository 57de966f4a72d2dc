#include "launch/binding.h"

#include "base/memory.h"

#include <hwloc.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* The machine as the cgroup's cpuset lets us use it: hwloc leaves out what is not allowed. */
static enum ml_status load(hwloc_topology_t *out_topology, struct ml_error *err)
{
    if (hwloc_topology_init(out_topology))
        return ml_fail(err, ML_RUN_LOST, "hwloc: out of memory");
    if (hwloc_topology_load(*out_topology)) {
        hwloc_topology_destroy(*out_topology);
        return ml_fail_errno(err, ML_RUN_LOST, "hwloc: read the machine's topology");
    }
    return ML_OK;
}

static char *list_of(hwloc_const_cpuset_t set)
{
    char *text = NULL;
    int n = hwloc_bitmap_list_snprintf(NULL, 0, set);
    text = ml_alloc((size_t)n + 1);
    hwloc_bitmap_list_snprintf(text, (size_t)n + 1, set);
    return text;
}

enum ml_status ml_binding_plan(enum ml_bind_to bind_to, int n_ranks, char **out_cpus,
                               struct ml_error *err)
{
    hwloc_topology_t topology;
    enum ml_status status = load(&topology, err);
    if (status != ML_OK)
        return status;
    hwloc_obj_type_t type = bind_to == ML_BIND_SOCKET ? HWLOC_OBJ_PACKAGE : HWLOC_OBJ_CORE;
    int places = hwloc_get_nbobjs_by_type(topology, type);
    bool bound = bind_to != ML_BIND_NONE && places > 0;
    if (type == HWLOC_OBJ_CORE && n_ranks > places)
        bound = false;
    for (int i = 0; i < n_ranks; i++) {
        hwloc_const_cpuset_t set = hwloc_topology_get_allowed_cpuset(topology);
        if (bound) {
            /* Sockets are shared in blocks, as mpiexec maps by slot. */
            int place = type == HWLOC_OBJ_CORE ? i : (int)((int64_t)i * places / n_ranks);
            set = hwloc_get_obj_by_type(topology, type, (unsigned)place)->cpuset;
        }
        out_cpus[i] = list_of(set);
    }
    hwloc_topology_destroy(topology);
    return ML_OK;
}

int ml_binding_allowed_cpus(void)
{
    hwloc_topology_t topology;
    if (load(&topology, NULL) != ML_OK)
        return 1;
    int n = hwloc_bitmap_weight(hwloc_topology_get_allowed_cpuset(topology));
    hwloc_topology_destroy(topology);
    return n > 0 ? n : 1;
}

void ml_binding_apply(const char *cpus)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    if (set && hwloc_bitmap_list_sscanf(set, cpus) == 0 && !hwloc_bitmap_iszero(set)) {
        int n = hwloc_bitmap_last(set) + 1;
        cpu_set_t *mask = CPU_ALLOC(n);
        size_t size = CPU_ALLOC_SIZE(n);
        CPU_ZERO_S(size, mask);
        for (int cpu = hwloc_bitmap_first(set); cpu >= 0; cpu = hwloc_bitmap_next(set, cpu))
            CPU_SET_S((size_t)cpu, size, mask);
        sched_setaffinity(0, size, mask);
        CPU_FREE(mask);
    }
    hwloc_bitmap_free(set);
}
