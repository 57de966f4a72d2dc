/* ramp SECONDS MIB_PER_S ORIGIN [HISTORY]: memory as a function of time. Beside what a rank has
 * anyway, which it says in bytes, rank R has (R + 1) * MIB_PER_S for each second since ORIGIN, a
 * time of the wall clock, or 0: since it began. A rank without a processor is late: HISTORY.R has a
 * line for each step, when it was done and how many bytes there were then. Ranks never wait for one
 * another before the end. */
#include "say.h"
#include <fcntl.h>
#include <mpi.h>
#include <sys/mman.h>
#include <time.h>

#define ROOM_B ((size_t)4 << 30)

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static long anonymous_B(void)
{
    long size, resident, shared;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%ld %ld %ld", &size, &resident, &shared) == 3);
    fclose(f);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

/* Touches what is not yet touched of the first WANTED_B; returns where that ends. */
static char *reach(char *memory, char *touched, double wanted_B)
{
    CHECK(wanted_B < (double)ROOM_B);
    for (; touched < memory + (size_t)wanted_B; touched += 4096)
        *touched = 1;
    return touched;
}

/* Where the steps of a rank are written; -1 without HISTORY. */
static int history_of(const char *path, int rank)
{
    char name[4096];
    if (!path)
        return -1;
    snprintf(name, sizeof name, "%s.%d", path, rank);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    return fd;
}

int main(int argc, char **argv)
{
    int rank;
    CHECK(argc == 4 || argc == 5);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    double rate_B = atof(argv[2]) * (rank + 1) * (1 << 20);
    double origin_s = atof(argv[3]) > 0 ? atof(argv[3]) : wall_s();
    char *memory = mmap(NULL, ROOM_B, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    madvise(memory, ROOM_B, MADV_NOHUGEPAGE);
    long base_B = anonymous_B();
    char *touched = reach(memory, memory, rate_B * (wall_s() - origin_s));
    double end_s = wall_s() + atof(argv[1]);
    int history = history_of(argv[4], rank);

    say(rank, "ramps from %ld", base_B);
    for (double now_s; (now_s = wall_s()) < end_s; usleep(5000)) {
        touched = reach(memory, touched, rate_B * (now_s - origin_s));
        if (history >= 0)
            dprintf(history, "%.6f %td\n", wall_s(), touched - memory);
    }
    say(rank, "ramped");
    MPI_Finalize();
    return 0;
}
