/* What the process manager told the library: universe size, application number, names. */
#include "say.h"
#include <mpi.h>
#include <string.h>

static void say_attribute(int rank, const char *name, int key)
{
    int *value, found;
    MPI_Comm_get_attr(MPI_COMM_WORLD, key, &value, &found);
    if (found)
        say(rank, "%s %d", name, *value);
    else
        say(rank, "%s is not set", name);
}

int main(int argc, char **argv)
{
    int rank, size, length, initialized;
    int *tag;
    char name[MPI_MAX_PROCESSOR_NAME] = "", first[MPI_MAX_PROCESSOR_NAME];
    MPI_Comm node;

    MPI_Init(&argc, &argv);
    MPI_Initialized(&initialized);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    say(rank, "initialized %d, world of %d", initialized, size);
    say_attribute(rank, "universe size", MPI_UNIVERSE_SIZE);
    say_attribute(rank, "application number", MPI_APPNUM);
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &tag, &length);
    say(rank, "upper bound of tags is %s", length && *tag >= 32767 ? "good" : "missing");

    MPI_Get_processor_name(name, &length);
    memcpy(first, name, sizeof first);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Bcast(first, sizeof first, MPI_CHAR, 0, node);
    say(rank, "processor '%s', %s as on all its node", name, strcmp(first, name) ? "not" : "same");
    MPI_Comm_free(&node);
    MPI_Finalize();
    return 0;
}
