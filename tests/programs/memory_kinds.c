/* memory_kinds MODE MiB FILE: memory that is easily counted wrongly. Each mode takes MiB in its
 * way, holds it until FILE is there, and ends. */
#include "say.h"

#include <fcntl.h>
#include <mpi.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1L << 20)
#define PAGE 4096

static int rank, n_ranks;
static volatile long sink;

static void hold(const char *file)
{
    const struct timespec moment = {0, 20000000};
    for (int i = 0; i < 60 * 50 && access(file, F_OK) < 0; i++)
        nanosleep(&moment, NULL);
}

static char *touch(char *p, long n)
{
    for (long i = 0; i < n; i += PAGE)
        p[i] = 1;
    return p;
}

static void look(const char *p, long n)
{
    for (long i = 0; i < n; i += PAGE)
        sink += p[i];
}

static char *map(long n, int flags)
{
    char *p =
        mmap(NULL, (size_t)n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return p;
}

static void fill(int fd, long n)
{
    char *block = touch(malloc(MIB), MIB);
    for (long i = 0; i < n; i += MIB)
        CHECK(write(fd, block, MIB) == MIB);
    free(block);
}

/* One window that all ranks of the node look at. */
static void window(long n, const char *file)
{
    char *p;
    MPI_Win win;
    MPI_Aint size;
    int unit;
    MPI_Win_allocate_shared(rank ? 0 : n, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &p, &win);
    MPI_Win_shared_query(win, 0, &size, &unit, &p);
    if (rank == 0)
        touch(p, n);
    MPI_Barrier(MPI_COMM_WORLD);
    look(p, n);
    hold(file);
    MPI_Win_free(&win);
}

static void sysv(long n, const char *file)
{
    int id = rank ? 0 : shmget(IPC_PRIVATE, (size_t)n, IPC_CREAT | 0600);
    MPI_Bcast(&id, 1, MPI_INT, 0, MPI_COMM_WORLD);
    char *p = shmat(id, NULL, 0);
    CHECK(p != (char *)-1);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        shmctl(id, IPC_RMID, NULL);
        touch(p, n);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    look(p, n);
    hold(file);
}

/* Page cache that all map. */
static void filemap(long n, const char *file)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.data", file);
    if (rank == 0) {
        int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
        fill(fd, n);
        close(fd);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    int fd = open(name, O_RDONLY);
    look(mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, fd, 0), n);
    hold(file);
}

/* A child that has all pages of its parent in common with it; with WRITES, it then makes them its
 * own, and its resident set stays what it was. */
static void fork_child(long n, const char *file, int writes)
{
    char *p = touch(map(n, 0), n);
    pid_t child = fork();
    if (child == 0) {
        look(p, n);
        if (writes)
            touch(p, n);
        hold(file);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* The last rank takes it a moment before it ends. */
static void last_moment(long n, const char *file)
{
    hold(file);
    if (rank == n_ranks - 1)
        touch(map(n, 0), n);
    MPI_Finalize();
    exit(0);
}

/* The last rank takes more and more, until somebody ends it. */
static void eat(const char *file)
{
    const struct timespec bite = {0, 20000000};
    while (rank == n_ranks - 1) {
        touch(map(4 * MIB, 0), 4 * MIB);
        nanosleep(&bite, NULL);
    }
    hold(file);
}

/* Ranks end one after the other, and nothing grows. */
static void leave(long n, const char *file)
{
    touch(map(n, 0), n);
    MPI_Barrier(MPI_COMM_WORLD);
    hold(file);
    const struct timespec turn = {0, rank * 100000000L};
    nanosleep(&turn, NULL);
}

/* The rank in the middle takes n a second, until it is alone; when FILE is there, the others go on
 * to their end one after the other. */
static void leak(long n, const char *file)
{
    const int parts = 10, leaves_in = rank == n_ranks / 2 ? n_ranks + 10 : rank;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int left = -1; left != 0; left -= left > 0) {
        if (rank == n_ranks / 2)
            touch(map(n / parts, 0), n / parts);
        next.tv_nsec += 1000000000 / parts;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        if (left < 0 && access(file, F_OK) == 0)
            left = leaves_in + 1;
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 3 ? argv[1] : "";
    long n = argc > 3 ? atol(argv[2]) * MIB : 0;
    const char *file = argc > 3 ? argv[3] : "";
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
    if (strcmp(mode, "window") == 0) {
        window(n, file);
    } else if (strcmp(mode, "sysv") == 0) {
        sysv(n, file);
    } else if (strcmp(mode, "filemap") == 0) {
        filemap(n, file);
    } else if (strcmp(mode, "fork") == 0) {
        fork_child(n, file, 0);
    } else if (strcmp(mode, "fork_write") == 0) {
        fork_child(n, file, 1);
    } else if (strcmp(mode, "last") == 0) {
        last_moment(n, file);
    } else if (strcmp(mode, "eat") == 0) {
        eat(file);
    } else if (strcmp(mode, "leave") == 0) {
        leave(n, file);
    } else if (strcmp(mode, "leak") == 0) {
        leak(n, file);
    } else if (strcmp(mode, "hugetlb") == 0) {
        touch(map(n, MAP_HUGETLB), n);
        hold(file);
    } else {
        fprintf(stderr, "memory_kinds: no mode \"%s\"\n", mode);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    MPI_Finalize();
    return 0;
}
