#include "base/clock.h"
#include "elements.h"
#include "node/nodefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct good {
    const char *text;
    const char *hosts; /* "name slots" of each, with commas */
};

static const struct good good[] = {
    {"n1\n", "n1 1"},
    {"n1", "n1 1"},
    {"n1\nn1\nn2\nn2\n", "n1 2,n2 2"},
    {"n2\nn1\nn2\nn1\nn2\n", "n2 3,n1 2"},
    {"\n\n  n1  \r\n\t\r\n# comment\nn2 # two\n#n3\n\n", "n1 1,n2 1"},
    {"n1\r\nn2\r\n", "n1 1,n2 1"},
    {"\xef\xbb\xbfn1\n", "n1 1"},
    {"n1\nn1.cluster\nN1\n", "n1 3"},
    {"n1.cluster\nn1\nn2\n", "n1.cluster 2,n2 1"},
    {"n1.a\nn1.b\n", "n1.a 1,n1.b 1"},
    {"n1.a\nn1.b\nn1\n", "n1.a 2,n1.b 1"},
    {"n1\nn1.a\nn1.b\nn1\n", "n1 3,n1.b 1"},
    {"n1.a.b\nn1.a\n", "n1.a.b 1,n1.a 1"},
    {"n1.a.\nn1.a\n", "n1.a. 2"},
    {"10.0.0.1\n10.0.0.2\n10.0.0.1\n", "10.0.0.1 2,10.0.0.2 1"},
    {"10\n10.0.0.1\n", "10 1,10.0.0.1 1"},
    {"fe80::1\nFE80::1\n::1\n", "fe80::1 2,::1 1"},
    {"node_1\nnode-1\n", "node_1 1,node-1 1"},
};

static void describe(const struct ml_nodefile *file, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < file->n_hosts && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s %d", i ? "," : "", file->hosts[i],
                              file->slots[i]);
}

static void good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(good); i++) {
        struct ml_nodefile file;
        struct ml_error err = {""};
        char seen[200] = "";
        if (ml_nodefile_parse(good[i].text, strlen(good[i].text), &file, &err) != ML_OK)
            fail_msg("%s: %s", good[i].text, err.text);
        describe(&file, seen, sizeof seen);
        assert_string_equal(seen, good[i].hosts);
        ml_nodefile_free(&file);
    }
}

static void bad_files(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *message;
    } bad[] = {
        {"", 0, "no host"},
        {"\n\n# only\n", 9, "no host"},
        {"n1\nn1 slots=4\n", 14, "line 2"},
        {"n1\nn\0002\n", 7, "line 2"},
        {"n1\n\n../etc\n", 11, "line 3"},
        {"-n1\n", 4, "line 1"},
        {"n1;rm\n", 6, "line 1"},
        {"n\xc3\xbc\n", 4, "line 1"},
        {"\x1b[31mred\n", 9, "line 1 is no host name: '?[31mred'"},
    };
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        struct ml_nodefile file = {0};
        struct ml_error err = {""};
        assert_int_not_equal(ml_nodefile_parse(bad[i].text, bad[i].n, &file, &err), ML_OK);
        if (!strstr(err.text, bad[i].message))
            fail_msg("case %zu: %s", i, err.text);
        assert_null(file.hosts);
    }
}

static void long_names(void **state)
{
    char text[400];
    struct ml_nodefile file;
    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(ml_nodefile_parse(text, 255, &file, NULL), ML_OK);
    ml_nodefile_free(&file);
    assert_int_not_equal(ml_nodefile_parse(text, 256, &file, NULL), ML_OK);
}

static void finding(void **state)
{
    static const char text[] = "n1.a\nn1.b\nn2\nn3\nn3.c\n10.0.0.7\n";
    static const struct {
        const char *name;
        int host;
    } cases[] = {
        {"n1.a", 0},  {"n1.b", 1},   {"n1", 0},       {"N1.B", 1},    {"n1.c", -1},
        {"n2", 2},    {"n2.any", 2}, {"n2.", 2},      {"n3", 3},      {"n3.c", 3},
        {"n3.d", -1}, {"n4", -1},    {"10.0.0.7", 4}, {"10.0.0", -1}, {"10", -1},
        {"", -1},     {".", -1},     {"n1 ", -1},     {"n", -1},      {"../n1", -1},
    };
    struct ml_nodefile file;
    (void)state;
    assert_int_equal(ml_nodefile_parse(text, sizeof text - 1, &file, NULL), ML_OK);
    for (size_t i = 0; i < N(cases); i++) {
        if (ml_nodefile_find(&file, cases[i].name) != cases[i].host)
            fail_msg("%s: %d", cases[i].name, ml_nodefile_find(&file, cases[i].name));
    }
    ml_nodefile_free(&file);
}

/* A quadratic way would take minutes. */
static void many_hosts(void **state)
{
    enum { HOSTS = 20000, SLOTS = 8 };
    char *text = malloc(HOSTS * SLOTS * 32);
    size_t n = 0;
    (void)state;
    for (int s = 0; s < SLOTS; s++) {
        for (int h = 0; h < HOSTS; h++)
            n += (size_t)sprintf(text + n, s % 2 ? "same.c%d.cluster\n" : "node%d.cluster\n", h);
    }
    struct ml_nodefile file;
    int64_t begin_ns = ml_clock_read(CLOCK_PROCESS_CPUTIME_ID);
    assert_int_equal(ml_nodefile_parse(text, n, &file, NULL), ML_OK);
    assert_int_equal(file.n_hosts, 2 * HOSTS);
    assert_int_equal(ml_nodefile_find(&file, "same.c19999.cluster"), 2 * HOSTS - 1);
    assert_true(ml_clock_read(CLOCK_PROCESS_CPUTIME_ID) - begin_ns < 5 * ML_NS_PER_S);
    ml_nodefile_free(&file);
    free(text);
}

static void reading(void **state)
{
    char path[] = "/tmp/memlog-nodefile-XXXXXX";
    int fd = mkstemp(path);
    struct ml_nodefile file;
    struct ml_error err;
    (void)state;
    assert_int_equal(write(fd, "n1\nn2\nn1\n", 9), 9);
    assert_int_equal(ml_nodefile_read(path, &file, &err), ML_OK);
    assert_int_equal(file.n_hosts, 2);
    ml_nodefile_free(&file);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_not_equal(ml_nodefile_read(path, &file, &err), ML_OK);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "no host"));
    assert_int_equal(ftruncate(fd, 65LL << 20), 0);
    assert_int_not_equal(ml_nodefile_read(path, &file, &err), ML_OK);
    assert_non_null(strstr(err.text, "64 MiB"));
    close(fd);
    unlink(path);
    assert_int_not_equal(ml_nodefile_read(path, &file, &err), ML_OK);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_not_equal(ml_nodefile_read("/tmp", &file, &err), ML_OK);
    assert_non_null(strstr(err.text, "directory"));
}

static void freeing_nothing(void **state)
{
    struct ml_nodefile none = {0};
    (void)state;
    ml_nodefile_free(NULL);
    ml_nodefile_free(&none);
    assert_int_equal(ml_nodefile_find(&none, "n1"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),      cmocka_unit_test(bad_files),
        cmocka_unit_test(long_names),      cmocka_unit_test(finding),
        cmocka_unit_test(many_hosts),      cmocka_unit_test(reading),
        cmocka_unit_test(freeing_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
