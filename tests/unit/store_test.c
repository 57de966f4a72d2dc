#include "assemble/recover.h"
#include "assemble/run_file.h"
#include "base/memory.h"
#include "base/own.h"
#include "h5_compare.h"
#include "synthetic.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NODES 3

static char *folder, *file, *journals[NODES];

static int make_folder(void **state)
{
    (void)state;
    folder = synthetic_folder();
    file = ml_format("%s/run.h5", folder);
    for (int node = 0; node < NODES; node++) {
        ML_AUTO_FREE char *name = ml_format("n%d", node);
        journals[node] = ml_journal_name(NULL, file, name, -1);
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (int node = 0; node < NODES; node++)
        free(journals[node]);
    free(file);
    synthetic_remove(folder);
    return 0;
}

static void write_journal(int node, int processes, int ticks, const char *text)
{
    struct synthetic s = {.node = node,
                          .n_nodes = NODES,
                          .processes = processes,
                          .ticks = ticks,
                          .lines = 100,
                          .complete = 1,
                          .text = text};
    synthetic_write(journals[node], &s);
}

static void recover(char **from, size_t n, struct ml_recover_report *report)
{
    struct ml_error err = {{0}};
    if (ml_recover(from, n, file, ML_RECOVER_SAFE, report, &err) != ML_OK)
        fail_msg("%s", err.text);
}

/* Nothing is left of the file under way. */
static void check_no_draft(void)
{
    DIR *d = opendir(folder);
    for (const struct dirent *e; (e = readdir(d));)
        assert_int_not_equal(strncmp(e->d_name, ".run.h5", 7), 0);
    closedir(d);
}

static void check_text(hid_t loc, const char *name, const char *expected)
{
    char text[256];
    h5_text(loc, name, text, sizeof text);
    assert_string_equal(text, expected);
}

static void root_attributes(void **state)
{
    (void)state;
    for (int node = 0; node < NODES; node++)
        write_journal(node, 2, 10, "app");
    recover(journals, NODES, NULL);
    hid_t f = h5_open(file);
    assert_true(f >= 0);
    check_text(f, "format", "memlog");
    check_text(f, "format_version", ML_FORMAT_VERSION);
    check_text(f, "command", "./app --flag");
    check_text(f, "title", "memory of: ./app --flag");
    check_text(f, "time_origin_iso", "2023-11-14T22:13:20.000Z");
    assert_int_equal(h5_number(f, "complete"), 1);
    assert_int_equal(h5_number(f, "recovered"), 1);
    assert_int_equal(h5_number(f, "exit_code"), 3);
    hid_t column = H5Dopen2(f, "samples/state", H5P_DEFAULT);
    check_text(column, "units", "1");
    check_text(column, "flag_meanings",
               "running sleeping disk_sleep zombie stopped traced dead idle parked not_measured");
    H5Dclose(column);
    H5Fclose(f);
    check_no_draft();
}

static void rows_over_all_nodes(void **state)
{
    (void)state;
    for (int node = 0; node < NODES; node++)
        write_journal(node, 2, 10, "app");
    recover(journals, NODES, NULL);
    hid_t f = h5_open(file);
    size_t n, width;
    ML_AUTO_FREE int64_t *rss_B = h5_column(f, "samples", "rss_B", &n, &width);
    ML_AUTO_FREE double *time_s = h5_column(f, "samples", "time_s", &n, &width);
    ML_AUTO_FREE int32_t *process = h5_column(f, "samples", "process", &n, &width);
    assert_int_equal(n, 60);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(process[i], i / 10);
        assert_int_equal(rss_B[i], synthetic_rss_B(i / 20, i / 10 % 2, i % 10));
        assert_true(time_s[i] == i % 10 * 0.25);
    }
    ML_AUTO_FREE int64_t *first = h5_column(f, "processes", "first_row", &n, &width);
    assert_int_equal(n, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(first[i], 10 * i);
    ML_AUTO_FREE int32_t *node = h5_column(f, "nodes", "node", &n, &width);
    assert_int_equal(n, NODES);
    assert_int_equal(node[2], 2);
    ML_AUTO_FREE double *pss_s = h5_column(f, "processes", "end_s", &n, &width);
    assert_true(pss_s[5] == 2.5);
    H5Fclose(f);
}

static H5D_layout_t layout_of(hid_t f, const char *name, int *out_filters)
{
    hid_t dataset = H5Dopen2(f, name, H5P_DEFAULT), list = H5Dget_create_plist(dataset);
    H5D_layout_t layout = H5Pget_layout(list);
    *out_filters = H5Pget_nfilters(list);
    H5Pclose(list);
    H5Dclose(dataset);
    return layout;
}

static void large_columns_are_compressed(void **state)
{
    (void)state;
    write_journal(0, 4, 50000, "app");
    write_journal(1, 1, 1, "app");
    recover(journals, 2, NULL);
    hid_t f = h5_open(file);
    int filters;
    assert_int_equal(layout_of(f, "samples/rss_B", &filters), H5D_CHUNKED);
    assert_int_equal(filters, 2);
    assert_int_equal(layout_of(f, "samples/state", &filters), H5D_CONTIGUOUS);
    assert_int_equal(layout_of(f, "nodes/name", &filters), H5D_CONTIGUOUS);
    size_t n, width;
    ML_AUTO_FREE int64_t *rss_B = h5_column(f, "samples", "rss_B", &n, &width);
    assert_int_equal(n, 200001);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(rss_B[i], synthetic_rss_B(0, i / 50000, i % 50000));
    assert_int_equal(rss_B[200000], synthetic_rss_B(1, 0, 0));
    H5Fclose(f);
}

static H5T_cset_t text_tag(hid_t f, const char *name)
{
    hid_t dataset = H5Dopen2(f, name, H5P_DEFAULT), type = H5Dget_type(dataset);
    H5T_cset_t tag = H5Tget_cset(type);
    H5Tclose(type);
    H5Dclose(dataset);
    return tag;
}

static void texts(void **state)
{
    (void)state;
    char longest[2001] = "";
    for (int i = 0; i < 1000; i++)
        strcat(longest, "\xc3\xa9");
    write_journal(0, 1, 1, longest);
    recover(journals, 1, NULL);
    hid_t f = h5_open(file);
    assert_int_equal(text_tag(f, "processes/name"), H5T_CSET_UTF8);
    size_t n, width;
    ML_AUTO_FREE char *name = h5_column(f, "processes", "name", &n, &width);
    assert_int_equal(width, 511); /* 255 whole characters and the NUL */
    assert_int_equal(strlen(name), 510);
    H5Fclose(f);
    unlink(file);
    write_journal(0, 1, 1, "plain");
    recover(journals, 1, NULL);
    f = h5_open(file);
    assert_int_equal(text_tag(f, "processes/name"), H5T_CSET_ASCII);
    free(h5_column(f, "processes", "name", &n, &width));
    assert_int_equal(width, 6);
    H5Fclose(f);
}

static void an_empty_run(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    assert_int_equal(ml_journal_create(journals[0], &header, 0, &j, NULL), ML_OK);
    ml_journal_close(j);
    recover(journals, 1, NULL);
    hid_t f = h5_open(file);
    size_t n, width;
    free(h5_column(f, "samples", "rss_B", &n, &width));
    assert_int_equal(n, 0);
    free(h5_column(f, "nodes", "name", &n, &width));
    assert_int_equal(n, 1);
    H5Fclose(f);
}

static void recovery_says_what_is_missing(void **state)
{
    (void)state;
    write_journal(0, 2, 10, "app");
    write_journal(2, 2, 10, "app");
    int fd = open(journals[2], O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "torn", 4), 4);
    close(fd);
    char *garbage = ml_format("%s/run.h5.bad.journal", folder);
    fclose(fopen(garbage, "w"));
    char *from[] = {garbage, journals[2], journals[0]};
    struct ml_recover_report report;
    recover(from, 3, &report);
    assert_int_equal(report.n_journals, 2);
    assert_int_equal(report.journals[0].node, 0);
    assert_int_equal(report.journals[1].torn_B, 4);
    assert_int_equal(report.journals[1].complete, 1);
    assert_int_equal(report.n_missing, 1);
    assert_string_equal(report.missing[0], "n1app");
    assert_int_equal(report.n_unreadable, 1);
    ml_recover_report_free(&report);
    hid_t f = h5_open(file);
    size_t n, width;
    ML_AUTO_FREE int8_t *ended = h5_column(f, "nodes", "ended", &n, &width);
    assert_int_equal(n, 3);
    assert_int_equal(ended[0], ML_NODE_END_COMPLETE);
    assert_int_equal(ended[1], ML_NODE_END_NO_RECORD);
    H5Fclose(f);
    free(garbage);
}

static void check_refused(char **from, size_t n, const char *why)
{
    struct ml_error err = {{0}};
    assert_int_equal(ml_recover(from, n, file, ML_RECOVER_SAFE, NULL, &err), ML_RUN_LOST);
    assert_non_null(strstr(err.text, why));
}

static void recovery_refuses(void **state)
{
    (void)state;
    write_journal(0, 1, 1, "app");
    char *twice[] = {journals[0], journals[0]};
    check_refused(twice, 2, "both of node 0");
    struct ml_journal_header header = synthetic_header(1, 2);
    strcpy(header.run, "other");
    struct ml_journal *j;
    assert_int_equal(ml_journal_create(journals[1], &header, 0, &j, NULL), ML_OK);
    ml_journal_close(j);
    check_refused(journals, 2, "different runs");
    check_refused(journals, 0, "no journal");
    check_refused(&folder, 1, "not a regular file");
    fclose(fopen(file, "w"));
    check_refused(journals, 1, "exists already");
    assert_int_equal(ml_recover(journals, 1, file, ML_RECOVER_FORCE, NULL, NULL), ML_OK);
}

static void journals_are_found(void **state)
{
    (void)state;
    write_journal(1, 1, 1, "app");
    write_journal(0, 1, 1, "app");
    static const char *const others[] = {"run.h5", "run.h5.journal", "run.h50.n1.journal",
                                         "run.h5.n1.journal.bak"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ML_AUTO_FREE char *path = ml_format("%s/%s", folder, others[i]);
        fclose(fopen(path, "w"));
    }
    char **paths;
    size_t n;
    ml_recover_find(file, NULL, &paths, &n);
    assert_int_equal(n, 2);
    assert_string_equal(paths[0], journals[0]);
    assert_string_equal(paths[1], journals[1]);
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    ml_recover_find("elsewhere.h5", folder, &paths, &n);
    assert_int_equal(n, 0);
}

/* Without room there is neither a file nor a part of one, and the text says why. */
static void full_disk(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    write_journal(0, 4, 5000, "app");
    for (rlim_t limit_B = 100; limit_B < 1600000; limit_B = limit_B * 3 / 2) {
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = limit_B;
        setrlimit(RLIMIT_FSIZE, &limit);
        struct ml_error err = {{0}};
        assert_int_equal(ml_recover(journals, 1, file, ML_RECOVER_SAFE, NULL, &err), ML_RUN_LOST);
        limit.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        assert_non_null(strstr(err.text, file));
        struct stat st;
        check_no_draft();
        assert_int_not_equal(stat(file, &st), 0);
    }
    recover(journals, 1, NULL);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    write_journal(0, 1, 1, "app");
    ML_AUTO_FREE char *victim = ml_format("%s/victim", folder);
    fclose(fopen(victim, "w"));
    assert_int_equal(symlink(victim, file), 0);
    check_refused(journals, 1, "exists already");
    assert_int_equal(ml_recover(journals, 1, file, ML_RECOVER_FORCE, NULL, NULL), ML_OK);
    struct stat st;
    stat(victim, &st);
    assert_int_equal(st.st_size, 0);
    lstat(file, &st);
    assert_true(S_ISREG(st.st_mode));
}

static void no_such_folder(void **state)
{
    (void)state;
    write_journal(0, 1, 1, "app");
    struct ml_error err = {{0}};
    assert_int_equal(ml_recover(journals, 1, "/nowhere/run.h5", ML_RECOVER_SAFE, NULL, &err),
                     ML_RUN_LOST);
    assert_string_equal(err.text, "/nowhere/run.h5: open its folder: No such file or directory");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(root_attributes),
        TEST(rows_over_all_nodes),
        TEST(large_columns_are_compressed),
        TEST(texts),
        TEST(an_empty_run),
        TEST(recovery_says_what_is_missing),
        TEST(recovery_refuses),
        TEST(journals_are_found),
        TEST(full_disk),
        TEST(links_are_not_followed),
        TEST(no_such_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
