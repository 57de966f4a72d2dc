/* spawn_info COMMAND [KEY=VALUE]...: rank 0 alone spawns two ranks of COMMAND with these infos.
 * spawn_info --multiple COMMAND...: one rank of the first, two of the second and so on, together.
 * Parents say whether it went, children where they are and who. */
#include "say.h"
#include <mpi.h>
#include <string.h>
#include <unistd.h>

enum { MAX = 8 };

static int be_child(int rank, MPI_Comm parents)
{
    int size, *app, given, length;
    char folder[4096], host[MPI_MAX_PROCESSOR_NAME];
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_APPNUM, &app, &given);
    MPI_Get_processor_name(host, &length);
    say(1000 + rank, "child of %d, application %d, on %s, in %s", size, given ? *app : -1, host,
        getcwd(folder, sizeof folder));
    MPI_Comm_disconnect(&parents);
    MPI_Finalize();
    return 0;
}

static int spawn_one(char **argv, MPI_Comm *children)
{
    MPI_Info info;
    MPI_Info_create(&info);
    for (char **word = argv + 2; *word; word++) {
        char *equals = strchr(*word, '=');
        *equals = 0;
        MPI_Info_set(info, *word, equals + 1);
    }
    int error = MPI_Comm_spawn(argv[1], MPI_ARGV_NULL, 2, info, 0, MPI_COMM_SELF, children,
                               MPI_ERRCODES_IGNORE);
    MPI_Info_free(&info);
    return error;
}

static int spawn_several(char **commands, MPI_Comm *children)
{
    int n = 0, counts[MAX];
    MPI_Info infos[MAX];
    for (; commands[n] && n < MAX; n++) {
        counts[n] = n + 1;
        infos[n] = MPI_INFO_NULL;
    }
    return MPI_Comm_spawn_multiple(n, commands, MPI_ARGVS_NULL, counts, infos, 0, MPI_COMM_SELF,
                                   children, MPI_ERRCODES_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, error = 0, class = 0;
    MPI_Comm parents, children;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_get_parent(&parents);
    if (parents != MPI_COMM_NULL)
        return be_child(rank, parents);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    if (rank == 0) {
        error = strcmp(argv[1], "--multiple") == 0 ? spawn_several(argv + 2, &children)
                                                   : spawn_one(argv, &children);
        MPI_Error_class(error, &class);
        if (error)
            say(rank, "refused with %s",
                class == MPI_ERR_SPAWN ? "MPI_ERR_SPAWN" : "another error");
        else
            MPI_Comm_disconnect(&children);
    }
    MPI_Finalize();
    return error ? 3 : 0;
}
