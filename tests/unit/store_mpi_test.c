/* mpiexec -n N store_mpi_test [FOLDER PROCESSES TICKS]: each rank is a node with a journal; the
 * file that all write together must equal the one that rank 0 writes alone. With arguments it is a
 * measurement: the journals are of that size, FOLDER is kept, times and memory are printed. */
#include "app/run_file.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "h5_compare.h"
#include "store/team_mpi.h"
#include "synthetic.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int rank, size;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "rank %d: %s\n", rank, what);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static char *journal_of(const char *folder, int node)
{
    return ml_format("%s/run.h5.n%d.journal", folder, node);
}

static struct ml_harvest *harvest(const char *folder, int node)
{
    ML_AUTO_FREE char *path = journal_of(folder, node);
    struct ml_harvest *h;
    struct ml_error err = {{0}};
    must(ml_harvest_open(path, &h, NULL, &err) == ML_OK, err.text);
    return h;
}

static void make_journal(const char *folder, int processes, int ticks, bool odd)
{
    ML_AUTO_FREE char *path = journal_of(folder, rank);
    struct synthetic s = {.node = rank,
                          .n_nodes = size,
                          .processes = processes,
                          .ticks = ticks,
                          .lines = odd ? 5000 * rank : 0,
                          .complete = 1,
                          /* Only one rank knows of the wide, non-ASCII text. */
                          .text = odd && rank == 1 ? "gr\xc3\xbc\xc3\x9f dich" : "app"};
    synthetic_write(path, &s);
}

static long anonymous_KiB(void)
{
    ML_AUTO_FILE FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld", &value) == 1)
            break;
    }
    return value;
}

static void write_together(const char *folder, const char *path, bool with_journal)
{
    int64_t start = ml_mono_now().ns;
    struct ml_harvest *h = with_journal ? harvest(folder, rank) : NULL;
    int64_t opened = ml_mono_now().ns;
    long before = anonymous_KiB();
    struct ml_team team;
    struct ml_error err = {{0}};
    ml_team_mpi(MPI_COMM_WORLD, &team);
    must(ml_run_file_write(&team, &h, h != NULL, NULL, 0, path, &err) == ML_OK, err.text);
    int64_t end = ml_mono_now().ns;
    if (getenv("MEMLOG_TEST_FIGURES"))
        printf("rank %d: index %.2f s, write %.2f s, anonymous memory %ld KiB before, %ld after\n",
               rank, (double)(opened - start) * 1e-9, (double)(end - opened) * 1e-9, before,
               anonymous_KiB());
    ml_harvest_close(h);
}

static void write_alone(const char *folder, const char *path, int without)
{
    if (rank != 0)
        return;
    ML_AUTO_FREE struct ml_harvest **h = ml_alloc((size_t)size * sizeof(struct ml_harvest *));
    size_t n = 0;
    for (int node = 0; node < size; node++) {
        if (node != without)
            h[n++] = harvest(folder, node);
    }
    struct ml_team team;
    struct ml_error err = {{0}};
    ml_team_solo(&team);
    must(ml_run_file_write(&team, h, n, NULL, 0, path, &err) == ML_OK, err.text);
    for (size_t i = 0; i < n; i++)
        ml_harvest_close(h[i]);
}

/* WITHOUT: the node whose journal is lost, -1 for none. */
static void compare(const char *folder, int without)
{
    ML_AUTO_FREE char *together = ml_format("%s/together.h5", folder);
    ML_AUTO_FREE char *alone = ml_format("%s/alone.h5", folder);
    write_together(folder, together, rank != without);
    write_alone(folder, alone, without);
    if (rank == 0)
        must(h5_same_tables(together, alone), "the files differ");
    MPI_Barrier(MPI_COMM_WORLD);
}

/* All ranks get rank 0's error and its text, and nobody hangs. */
static void check_error(const char *folder)
{
    struct ml_harvest *h = harvest(folder, rank);
    struct ml_team team;
    struct ml_error err = {{0}};
    ml_team_mpi(MPI_COMM_WORLD, &team);
    must(ml_run_file_write(&team, &h, 1, NULL, 0, "/nowhere/run.h5", &err) == ML_RUN_LOST,
         "written to nowhere");
    must(strstr(err.text, "/nowhere/run.h5.part: create: No such file") != NULL, err.text);
    ml_harvest_close(h);
    h = NULL;
    must(ml_run_file_write(&team, &h, 0, NULL, 0, "/nowhere/run.h5", &err) == ML_RUN_LOST,
         "written from nothing");
    must(strstr(err.text, "no journal") != NULL, err.text);
}

static void test(char *folder)
{
    static const struct {
        int processes, ticks;
    } uneven[] = {{0, 0}, {1, 1}, {4, 25000}};
    make_journal(folder, uneven[rank % 3].processes, uneven[rank % 3].ticks, true);
    MPI_Barrier(MPI_COMM_WORLD);
    compare(folder, -1);
    make_journal(folder, rank + 1, 35000, true);
    MPI_Barrier(MPI_COMM_WORLD);
    if (size > 1)
        compare(folder, 0);
    if (size > 2)
        compare(folder, 1);
    check_error(folder);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        puts("equal");
}

static void measure(const char *folder, int processes, int ticks)
{
    ML_AUTO_FREE char *path = ml_format("%s/run.h5", folder);
    ML_AUTO_FREE char *journal = journal_of(folder, rank);
    struct stat st;
    if (stat(journal, &st) != 0)
        make_journal(folder, processes, ticks, false);
    MPI_Barrier(MPI_COMM_WORLD);
    setenv("MEMLOG_TEST_FIGURES", "1", 1);
    write_together(folder, path, true);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("rank %d: largest resident set %ld KiB\n", rank, used.ru_maxrss);
    if (rank == 0 && stat(path, &st) == 0)
        printf("file: %lld bytes\n", (long long)st.st_size);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc == 4) {
        measure(argv[1], atoi(argv[2]), atoi(argv[3]));
    } else {
        char name[4096] = "";
        char *folder = rank == 0 ? synthetic_folder() : NULL;
        if (folder)
            strncat(name, folder, sizeof name - 1);
        MPI_Bcast(name, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
        test(name);
        if (folder)
            synthetic_remove(folder);
    }
    MPI_Finalize();
    return 0;
}
