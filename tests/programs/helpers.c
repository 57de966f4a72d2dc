/* helpers MIB HOLD_S: rank 0 starts three helpers: one that holds memory, one that execs sleep,
 * and a daemon (own session, no parent) that holds memory too; it ends when all three have. */
#include "say.h"
#include <fcntl.h>
#include <mpi.h>
#include <string.h>
#include <sys/wait.h>

static size_t bytes;
static double hold_s;

static void hold_memory(void)
{
    char *memory = malloc(bytes);
    CHECK(memory);
    memset(memory, 1, bytes);
    usleep(hold_s * 1e6);
    _exit(memory[bytes / 2] - 1);
}

static pid_t start_holder(void)
{
    pid_t pid = fork();
    if (pid == 0)
        hold_memory();
    return pid;
}

static pid_t start_sleep(const char *seconds)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("sleep", "sleep", seconds, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* Returns a descriptor that reads end of file when the daemon has gone. */
static int start_daemon(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        close(ends[0]);
        hold_memory();
    }
    close(ends[1]);
    waitpid(pid, NULL, 0);
    return ends[0];
}

int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 16) << 20;
    const char *seconds = argc > 2 ? argv[2] : "1";
    hold_s = atof(seconds);

    if (rank == 0) {
        int status, daemon_gone = start_daemon();
        pid_t holder = start_holder(), sleeper = start_sleep(seconds);
        char byte;
        CHECK(waitpid(holder, &status, 0) == holder);
        say(rank, "holder ended with %d", WEXITSTATUS(status));
        CHECK(waitpid(sleeper, &status, 0) == sleeper);
        say(rank, "sleep ended with %d", WEXITSTATUS(status));
        CHECK(read(daemon_gone, &byte, 1) == 0);
        say(rank, "daemon ended");
    }
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
