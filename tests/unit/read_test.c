#include "base/memory.h"
#include "base/own.h"
#include "made_up.h"
#include "read/lives.h"
#include "read/slice.h"
#include "read/total.h"

#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1 << 20)

/* HDF5 1.10.8 loses memory of its own when it finds a file damaged. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static int clean_up(void **state)
{
    (void)state;
    made_up_remove();
    return 0;
}

static struct ml_run *open_run(const char *options)
{
    struct ml_error err = {{0}};
    struct ml_run *run;
    if (ml_run_open(made_up_run(options), &run, &err))
        fail_msg("%s", err.text);
    return run;
}

static void test_attributes(void **state)
{
    (void)state;
    struct ml_run *run = open_run("--set exit_code=3");
    const struct ml_attribute *a;
    size_t n = ml_run_attributes(run, &a), seen = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(a[i].name, "exit_code") == 0) {
            seen++;
            assert_int_equal(a[i].kind, ML_INT64);
            assert_string_equal(a[i].text, "3");
        }
        if (strcmp(a[i].name, "command") == 0) {
            seen++;
            assert_int_equal(a[i].kind, ML_TEXT);
            assert_string_equal(a[i].text, "./solver -i core.i");
        }
    }
    assert_int_equal(seen, 2);
    ml_run_close(run);
}

static void test_rows(void **state)
{
    (void)state;
    struct ml_run *run = open_run("--nodes 2 --ranks-per-node 2 --helpers");
    struct ml_slice s;
    assert_int_equal(ml_slice_read_all(run, &ml_table_processes, &s, NULL), ML_OK);
    const struct ml_process_row *p = s.rows;
    assert_int_equal(s.count, 5);
    assert_int_equal(p[3].rank, 3);
    assert_int_equal(p[3].node, 1);
    assert_int_equal(p[4].rank, -1);
    assert_int_equal(p[4].parent, 1);
    assert_string_equal(p[4].name, "partmesh");
    assert_true(p[3].end_ns == 60 * 1000000000LL);
    ml_slice_free(&s);
    ml_run_close(run);
}

static void test_slice_of_column(void **state)
{
    (void)state;
    struct ml_run *run = open_run("");
    double time_s[2];
    int64_t whole[2];
    assert_int_equal(ml_run_column_real(run, "node_samples", "time_s", 1, 2, time_s, NULL), ML_OK);
    assert_true(time_s[0] == 0.375 && time_s[1] == 0.625);
    assert_int_equal(ml_run_column_int64(run, "node_samples", "time_s", 5, 2, whole, NULL), ML_OK);
    assert_int_equal(whole[0], 1); /* 1.375: converted as C does */
    assert_int_equal(
        ml_run_column_int64(run, "node_samples", "tick", SIZE_MAX, SIZE_MAX, whole, NULL),
        ML_RUN_LOST);
    ml_run_close(run);
}

static void test_missing_optional_is_not_measured(void **state)
{
    (void)state;
    struct ml_run *run = open_run("--drop nodes/memory_B --drop nodes/ended");
    struct ml_slice s;
    assert_int_equal(ml_slice_read_all(run, &ml_table_nodes, &s, NULL), ML_OK);
    const struct ml_node_row *node = s.rows;
    assert_int_equal(node[0].memory_B, ML_NOT_MEASURED);
    assert_int_equal(node[0].ended, ML_NOT_MEASURED);
    assert_int_equal(node[1].missed, 1);
    ml_slice_free(&s);
    ml_run_close(run);
}

struct peak {
    int64_t bytes, time_ns, last_ns;
    size_t n;
};

static void note(void *context, int64_t time_ns, int64_t rss_B)
{
    struct peak *p = context;
    assert_true(time_ns > p->last_ns);
    p->last_ns = time_ns;
    p->n++;
    if (rss_B > p->bytes) {
        p->bytes = rss_B;
        p->time_ns = time_ns;
    }
}

static enum ml_status each_total(struct ml_run *run, const struct ml_slice *processes,
                                 const struct ml_slice *nodes, struct peak *peak,
                                 struct ml_error *err)
{
    const struct ml_total_visitor visitor = {.total = note, .context = peak};
    struct ml_lives lives;
    enum ml_status status = ml_run_lives(run, processes->rows, processes->count, nodes->rows,
                                         nodes->count, &lives, err);
    if (status)
        return status;
    status = ml_total_each(run, &lives, &visitor, err);
    ml_lives_free(&lives);
    return status;
}

static struct peak peak_of(struct ml_run *run)
{
    struct peak peak = {.bytes = -1, .last_ns = -1};
    struct ml_slice processes, nodes;
    assert_int_equal(ml_slice_read_all(run, &ml_table_processes, &processes, NULL), ML_OK);
    assert_int_equal(ml_slice_read_all(run, &ml_table_nodes, &nodes, NULL), ML_OK);
    assert_int_equal(each_total(run, &processes, &nodes, &peak, NULL), ML_OK);
    ml_slice_free(&processes);
    ml_slice_free(&nodes);
    return peak;
}

/* Two ticks out of 3600, between two of rank 0's gatherings. */
static void test_total_keeps_spike(void **state)
{
    (void)state;
    struct ml_run *run = open_run("--shape spike --ranks-per-node 1 --seconds 900");
    struct peak peak = peak_of(run);
    assert_int_equal(peak.bytes, (int64_t)(300 * MIB + 315 * MIB));
    assert_true(peak.time_ns == 359875000000LL);
    ml_run_close(run);
}

static void test_total_without_job_samples(void **state)
{
    (void)state;
    struct ml_run *run = open_run("--no-job-samples --shape leak --seconds 5");
    struct peak peak = peak_of(run);
    assert_int_equal(peak.n, 20);
    assert_true(peak.time_ns == 4875000000LL);
    ml_run_close(run);
}

static void test_last(void **state)
{
    (void)state;
    struct ml_run *run = open_run("--shape spike --ranks-per-node 1 --nodes 3");
    int64_t last_B[3];
    struct ml_slice s;
    assert_int_equal(ml_slice_read_all(run, &ml_table_processes, &s, NULL), ML_OK);
    assert_int_equal(ml_total_last(run, s.rows, s.count, last_B, NULL), ML_OK);
    assert_int_equal(last_B[0], 50 * MIB);
    assert_int_equal(last_B[2], 55 * MIB);
    ml_slice_free(&s);
    ml_run_close(run);
}

struct moments {
    int64_t time_ns[1000], bytes[1000];
    size_t n;
};

static void keep(void *context, int64_t time_ns, int64_t rss_B)
{
    struct moments *m = context;
    assert_true(m->n < 1000);
    m->time_ns[m->n] = time_ns;
    m->bytes[m->n++] = rss_B;
}

/* At each moment what the processes had that were there adds up to the total of then. */
static void adds_up(struct ml_run *run, const struct ml_slice *processes,
                    const struct ml_lives *lives)
{
    struct moments m = {.n = 0};
    const struct ml_total_visitor visitor = {.total = keep, .context = &m};
    ML_AUTO_FREE int64_t *then_B = ml_alloc(processes->count * sizeof *then_B);
    assert_int_equal(ml_total_each(run, lives, &visitor, NULL), ML_OK);
    for (size_t i = 0; i < m.n; i++) {
        int64_t between_ns = i + 1 < m.n ? (m.time_ns[i] + m.time_ns[i + 1]) / 2 : m.time_ns[i];
        int64_t times_ns[] = {m.time_ns[i], between_ns};
        for (size_t t = 0; t < 2; t++) {
            int64_t sum_B = 0;
            assert_int_equal(ml_total_at(run, ml_total_column(run), processes->rows,
                                         processes->count, times_ns[t], then_B, NULL),
                             ML_OK);
            for (size_t k = 0; k < processes->count; k++)
                sum_B += then_B[k] >= 0 && lives->gone_ns[k] > times_ns[t] ? then_B[k] : 0;
            assert_int_equal(sum_B, m.bytes[i]);
        }
    }
    assert_true(m.n > 2);
}

static void test_at_a_moment(void **state)
{
    static const char *const runs[] = {
        "--no-job-samples --shape leak --seconds 5",
        "--no-job-samples --shape spike --seconds 9 --nodes 3",
        "--no-job-samples --nodes 2 --ranks-per-node 2 --helpers --seconds 6",
    };
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct ml_run *run = open_run(runs[i]);
        struct ml_slice processes, nodes;
        struct ml_lives lives;
        assert_int_equal(ml_slice_read_all(run, &ml_table_processes, &processes, NULL), ML_OK);
        assert_int_equal(ml_slice_read_all(run, &ml_table_nodes, &nodes, NULL), ML_OK);
        assert_int_equal(ml_run_lives(run, processes.rows, processes.count, nodes.rows, nodes.count,
                                      &lives, NULL),
                         ML_OK);
        adds_up(run, &processes, &lives);
        ml_lives_free(&lives);
        ml_slice_free(&processes);
        ml_slice_free(&nodes);
        ml_run_close(run);
    }
}

/* Everything that "memlog read" reads; the first error in ERR. */
static enum ml_status read_everything(const char *path, struct ml_error *err)
{
    struct ml_run *run = NULL;
    struct peak peak = {.bytes = -1, .last_ns = INT64_MIN};
    struct ml_slice nodes = {0}, processes = {0};
    ML_AUTO_FREE int64_t *last_B = NULL;
    enum ml_status status = ml_run_open(path, &run, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_nodes, &nodes, err);
    if (!status)
        status = ml_slice_read_all(run, &ml_table_processes, &processes, err);
    if (!status) {
        last_B = ml_alloc(processes.count * sizeof *last_B);
        status = ml_total_last(run, processes.rows, processes.count, last_B, err);
    }
    if (!status)
        status = each_total(run, &processes, &nodes, &peak, err);
    ml_slice_free(&nodes);
    ml_slice_free(&processes);
    ml_run_close(run);
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    return status;
}

static void test_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *options, *message;
    } cases[] = {
        {"--set format=", "attribute format is missing"},
        {"--set format=other", "attribute format is another"},
        {"--set format_version=", "attribute format_version is missing or no number"},
        {"--set format_version=2.0", "format 2 is newer than this memlog, which reads format 1"},
        {"--set complete=0", "not complete"},
        {"--drop samples", "table samples is missing"},
        {"--drop nodes", "table nodes is missing"},
        {"--drop samples/rss_B", "column samples/rss_B is missing"},
        {"--drop processes/rank", "column processes/rank is missing"},
        {"--shorten samples/rss_B", "table samples has columns of unequal length: "},
        {"--shorten processes/pid", "table processes has columns of unequal length: "},
        {"--retype samples/rss_B", "column samples/rss_B does not hold numbers"},
        {"--break name-is-number", "column nodes/name does not hold text of fixed width"},
        {"--break variable-text", "column nodes/name does not hold text of fixed width"},
        {"--break two-dimensions", "column samples/rss_B is not a list"},
        {"--break huge", "column samples/rss_B has more rows than the file holds data"},
        {"--break huge-chunk", "does not keep its data in this file"},
        {"--break external", "does not keep its data in this file"},
        {"--break external-link", "column samples/rss_B is missing"},
        {"--break stray-process", "is of process 99, of 8 processes"},
        {"--break stray-rows", "process 1 has rows "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_error err = {{0}};
        const char *path = made_up_run(cases[i].options);
        assert_int_equal(read_everything(path, &err), ML_RUN_LOST);
        if (!strstr(err.text, cases[i].message) || !strstr(err.text, path) ||
            strchr(err.text, '\n'))
            fail_msg("%s: %s", cases[i].options, err.text);
    }
}

static void test_not_hdf5(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"/nonexistent/run.h5", "/nonexistent/run.h5: No such file or directory"},
        {"/proc", "/proc: a directory, not a file"},
        {"/proc/self/status", "/proc/self/status: not an HDF5 file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_error err = {{0}};
        assert_int_equal(read_everything(cases[i].path, &err), ML_RUN_LOST);
        assert_string_equal(err.text, cases[i].message);
    }
}

/* Cut off anywhere, and with bytes turned over: an error or not, but nothing worse. */
static void test_damaged(void **state)
{
    (void)state;
    struct ml_error err;
    struct stat st;
    const char *path = made_up_run("--seconds 2");
    assert_int_equal(stat(path, &st), 0);
    ML_AUTO_FREE char *bytes = ml_alloc((size_t)st.st_size);
    ML_AUTO_FILE FILE *file = fopen(path, "r+b");
    assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);
    for (off_t at = 1; at < st.st_size; at += 211) {
        bytes[at] ^= 0x55;
        rewind(file);
        fwrite(bytes, 1, (size_t)st.st_size, file);
        fflush(file);
        read_everything(path, &err);
        bytes[at] ^= 0x55;
    }
    rewind(file);
    fwrite(bytes, 1, (size_t)st.st_size, file);
    fflush(file);
    for (off_t size = st.st_size - 1; size > 0; size -= st.st_size / 97) {
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(read_everything(path, &err), ML_RUN_LOST);
        if (!strstr(err.text, path) || (size > 100 && !strstr(err.text, "truncated")))
            fail_msg("%lld bytes: %s", (long long)size, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_slice_of_column),
        cmocka_unit_test(test_missing_optional_is_not_measured),
        cmocka_unit_test(test_total_keeps_spike),
        cmocka_unit_test(test_total_without_job_samples),
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_at_a_moment),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_not_hdf5),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
