/* libFuzzer: Slurm's node list, and behind a NUL the tasks a node. Hosts are found again, and the
 * slots are those of the tasks or none. */
#include "node/slurm.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ml_nodefile file;
    struct ml_error err;
    const uint8_t *end = memchr(data, 0, size);
    size_t n = end ? (size_t)(end - data) : size;
    char *nodes = strndup((const char *)data, n);
    char *tasks = end ? strndup((const char *)end + 1, size - n - 1) : NULL;
    if (ml_slurm_nodes_parse(nodes, tasks, &file, &err) == ML_OK) {
        int64_t slots = 0;
        for (size_t i = 0; i < file.n_hosts; i++)
            slots += file.slots[i];
        if (!file.n_hosts || slots < 0 || slots > INT32_MAX || (!tasks && slots) ||
            ml_nodefile_find(&file, file.hosts[0]) != 0)
            abort();
        ml_nodefile_free(&file);
    }
    free(nodes);
    free(tasks);
    return 0;
}
