#include "recorder/source.h"

const struct ml_source *const ml_source_table[] = {
    &ml_source_node, &ml_source_processes, &ml_source_calls,  &ml_source_heap,
    &ml_source_gpu,  &ml_source_stacks,    &ml_source_joined, NULL,
};
