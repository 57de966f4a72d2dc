/* mpiexec -n N store_mpi_test [FOLDER PROCESSES TICKS STACKS]: each rank is a node with a journal;
 * the file that all write together must equal the one that rank 0 writes alone. With arguments it
 * is a measurement: the journals are of that size, FOLDER is kept, times and memory are printed. */
#include "assemble/run_file.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "h5_compare.h"
#include "store/stacks.h"
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
    must(ml_harvest_open(path, NULL, &h, &err) == ML_OK, err.text);
    return h;
}

static void make_journal(const char *folder, int processes, int ticks, int stacks, bool odd)
{
    ML_AUTO_FREE char *path = journal_of(folder, rank);
    struct synthetic s = {.node = rank,
                          .n_nodes = size,
                          .processes = processes,
                          .ticks = ticks,
                          .lines = odd ? 5000 * rank : 0,
                          .stacks = stacks,
                          .complete = 1,
                          /* Only one rank knows of the wide, non-ASCII text. */
                          .text = odd && rank == 1 ? "gr\xc3\xbc\xc3\x9f dich" : "app"};
    synthetic_write(path, &s);
}

static enum ml_status write_file(struct ml_team *team, struct ml_harvest **harvests, size_t n,
                                 const char *path, struct ml_error *err)
{
    struct ml_draft *draft;
    enum ml_status status = ml_draft_open(team, path, "r", ML_DRAFT_ASK, &draft, err);
    if (status != ML_OK)
        return status;
    status = ml_run_file_write(team, harvests, n, NULL, 0, draft, true, err);
    const char *published = ml_draft_published(draft);
    must((status == ML_OK) == (published && strcmp(published, path) == 0), "the file's name");
    ml_draft_close(draft);
    return status;
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
    must(write_file(&team, &h, h != NULL, path, &err) == ML_OK, err.text);
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
    must(write_file(&team, h, n, path, &err) == ML_OK, err.text);
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

/* The first N ranks share the journals of all nodes among them: whoever has which, and however many
 * they are, the file has the same rows as ALONE. */
static void write_by_some(const char *folder, const char *alone, int n)
{
    ML_AUTO_FREE char *path = ml_format("%s/by-%d.h5", folder, n);
    ML_AUTO_FREE struct ml_harvest **h = ml_alloc((size_t)size * sizeof(struct ml_harvest *));
    MPI_Comm some;
    MPI_Comm_split(MPI_COMM_WORLD, rank < n ? 0 : MPI_UNDEFINED, rank, &some);
    if (some == MPI_COMM_NULL)
        return;
    MPI_Comm_set_errhandler(some, MPI_ERRORS_RETURN);
    size_t n_own = 0;
    for (int node = size * rank / n; node < size * (rank + 1) / n; node++)
        h[n_own++] = harvest(folder, node);
    struct ml_team team;
    struct ml_error err = {{0}};
    ml_team_mpi(some, &team);
    must(write_file(&team, h, n_own, path, &err) == ML_OK, err.text);
    for (size_t i = 0; i < n_own; i++)
        ml_harvest_close(h[i]);
    if (rank == 0)
        must(h5_same_tables(path, alone), "the files of some and of one differ");
    MPI_Comm_free(&some);
}

static char content(int from, int to, size_t i)
{
    return (char)(37 * from + 11 * to + (int)(i % 251));
}

/* Rank i sends rank k (i + 2 * k) * UNIT bytes: more than goes in one round, and to itself none. */
static void check_exchange(size_t unit)
{
    struct ml_team team;
    ml_team_mpi(MPI_COMM_WORLD, &team);
    ML_AUTO_FREE size_t *counts = ml_alloc((size_t)size * sizeof *counts);
    ML_AUTO_FREE size_t *got = ml_alloc((size_t)size * sizeof *got);
    size_t total = 0;
    for (int k = 0; k < size; k++)
        total += counts[k] = k == rank ? 0 : (size_t)(rank + 2 * k) * unit;
    ML_AUTO_FREE char *bytes = ml_alloc(total + 1);
    char *p = bytes;
    for (int k = 0; k < size; k++) {
        for (size_t i = 0; i < counts[k]; i++)
            *p++ = content(rank, k, i);
    }
    ML_AUTO_FREE char *received = team.exchange(&team, bytes, counts, got);
    must(team.agree(&team, ML_OK, NULL) == ML_OK, "exchange");
    p = received;
    for (int k = 0; k < size; k++) {
        must(got[k] == (k == rank ? 0 : (size_t)(k + 2 * rank) * unit), "sizes of the exchange");
        for (size_t i = 0; i < got[k]; i++, p++) {
            if (*p != content(k, rank, i))
                must(false, "bytes of the exchange");
        }
    }
}

/* Stacks of one rank that make no tree are every rank's error. */
static void fetch_nonsense(void *context, size_t i, void *out_row)
{
    (void)context, (void)i;
    *(struct ml_stack_row *)out_row = (struct ml_stack_row){.parent = 7, .frame = 7};
}

static void check_bad_stacks(const char *folder)
{
    ML_AUTO_FREE char *path = ml_format("%s/bad.h5", folder);
    struct ml_team team;
    struct ml_store *store;
    struct ml_error err = {{0}};
    ml_team_mpi(MPI_COMM_WORLD, &team);
    struct ml_draft *draft;
    must(ml_draft_open(&team, path, "r", ML_DRAFT_ASK, &draft, &err) == ML_OK, err.text);
    must(ml_store_create(&team, draft, &store, &err) == ML_OK, err.text);
    struct ml_stack_set set = {.stacks = {.count = rank == size - 1, .fetch = fetch_nonsense}};
    int32_t *rows = NULL;
    must(ml_store_stacks(store, &set, 1, &rows, &err) == ML_RUN_LOST, "nonsense is written");
    must(strstr(err.text, "no place in its tree") != NULL, err.text);
    ml_store_abandon(store);
    ml_draft_close(draft);
}

/* All ranks get rank 0's error and its text, and nobody hangs. */
static void check_error(const char *folder)
{
    struct ml_harvest *h = harvest(folder, rank);
    struct ml_team team;
    struct ml_error err = {{0}};
    ml_team_mpi(MPI_COMM_WORLD, &team);
    must(write_file(&team, &h, 1, "/nowhere/run.h5", &err) == ML_RUN_LOST, "written to nowhere");
    must(strstr(err.text, "/nowhere/run.h5: open its folder: No such file") != NULL, err.text);
    ml_harvest_close(h);
    h = NULL;
    ML_AUTO_FREE char *path = ml_format("%s/nothing.h5", folder);
    must(write_file(&team, &h, 0, path, &err) == ML_RUN_LOST, "written from nothing");
    must(strstr(err.text, "no journal") != NULL, err.text);
}

static void test(char *folder)
{
    static const struct {
        int processes, ticks;
    } uneven[] = {{0, 0}, {1, 1}, {4, 25000}};
    static const int stacks[] = {0, 500, 3000};
    make_journal(folder, uneven[rank % 3].processes, uneven[rank % 3].ticks, stacks[rank % 3],
                 true);
    MPI_Barrier(MPI_COMM_WORLD);
    compare(folder, -1);
    ML_AUTO_FREE char *alone = ml_format("%s/alone.h5", folder);
    for (int n = 1; n < size; n++) {
        write_by_some(folder, alone, n);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    make_journal(folder, rank + 1, 35000, 0, true);
    MPI_Barrier(MPI_COMM_WORLD);
    if (size > 1)
        compare(folder, 0);
    if (size > 2)
        compare(folder, 1);
    check_error(folder);
    check_bad_stacks(folder);
    check_exchange(1);
    check_exchange(3 << 20);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        puts("equal");
}

static void measure(const char *folder, int processes, int ticks, int stacks)
{
    ML_AUTO_FREE char *path = ml_format("%s/run.h5", folder);
    ML_AUTO_FREE char *journal = journal_of(folder, rank);
    struct stat st;
    if (stat(journal, &st) != 0)
        make_journal(folder, processes, ticks, stacks, false);
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
    if (argc == 5) {
        measure(argv[1], atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
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
