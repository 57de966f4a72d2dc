#include "launch/speaker.h"

#include "launch/tasks.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Whether the first of the N VARIABLES that is there is 0; also where none is. */
static bool is_first(const char *const *variables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *rank = getenv(variables[i]);
        if (rank)
            return strcmp(rank, "0") == 0;
    }
    return ml_task_ours().number == 0;
}

bool ml_speaker_is_us(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    return is_first(variables, sizeof variables / sizeof *variables);
}

bool ml_speaker_of_node_is_us(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"};
    return is_first(variables, sizeof variables / sizeof *variables);
}
