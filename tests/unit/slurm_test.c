/* Slurm's lists of nodes and of tasks. */
#include "elements.h"
#include "node/slurm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "n1:2 n2:2" of a list; "" if it is none. */
static void describe(const char *nodes, const char *tasks, char *out, size_t size)
{
    struct ml_nodefile file;
    struct ml_error err;
    size_t n = 0;
    *out = 0;
    if (ml_slurm_nodes_parse(nodes, tasks, &file, &err) != ML_OK) {
        assert_non_null(strstr(err.text, "hosts"));
        return;
    }
    for (size_t i = 0; i < file.n_hosts; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s:%d", i ? " " : "", file.hosts[i],
                              file.slots[i]);
    ml_nodefile_free(&file);
}

static void lists(void **state)
{
    static const struct {
        const char *nodes, *tasks, *text;
    } table[] = {
        /* as slurmctld 22.05 writes them */
        {"n1", "2", "n1:2"},
        {"n[1-3]", "2(x3)", "n1:2 n2:2 n3:2"},
        {"n[1-3]", "2(x2),1", "n1:2 n2:2 n3:1"},
        {"n[1,3]", "1,4", "n1:1 n3:4"},
        {"login,n[1-2,10]", "1,2(x2),3", "login:1 n1:2 n2:2 n10:3"},
        {"n[001-003]", "1(x3)", "n001:1 n002:1 n003:1"},
        {"n[8-11]", "1(x4)", "n8:1 n9:1 n10:1 n11:1"},
        {"n[08-11]", "1(x4)", "n08:1 n09:1 n10:1 n11:1"},
        {"n[1-2]-ib,x", "1(x3)", "n1-ib:1 n2-ib:1 x:1"},
        {"r[0-1]n[1-2]", "1(x4)", "r0n1:1 r0n2:1 r1n1:1 r1n2:1"},
        {"n1.cluster,n2.cluster", "3,4", "n1.cluster:3 n2.cluster:4"},
        /* a task list that does not fit says nothing */
        {"n[1-3]", NULL, "n1:0 n2:0 n3:0"},
        {"n[1-3]", "2(x2)", "n1:0 n2:0 n3:0"},
        {"n[1-3]", "2(x4)", "n1:0 n2:0 n3:0"},
        {"n[1-2]", "2(x2),1", "n1:0 n2:0"},
        {"n1", "", "n1:0"},
        {"n1", "x", "n1:0"},
        {"n1", "2(x", "n1:0"},
        {"n1", "2(x0)", "n1:0"},
        {"n1", "2(x1", "n1:0"},
        {"n1", "99999999999", "n1:0"},
        {"n1", "20000", "n1:0"},
        /* no lists */
        {"", "1", ""},
        {",", "1", ""},
        {"n1,", "1", ""},
        {",n1", "1", ""},
        {"n[", "1", ""},
        {"n[]", "1", ""},
        {"n[1", "1", ""},
        {"n[1-]", "1", ""},
        {"n[3-1]", "1", ""},
        {"n[1,]", "1", ""},
        {"n[,1]", "1", ""},
        {"n[a-b]", "1", ""},
        {"n[1-2-3]", "1", ""},
        {"n[1]]", "1", ""},
        {"n[[1]]", "1", ""},
        {"n[0000000001]", "1", ""},
        {"n 1", "1", ""},
        {"[0-1][0-1][0-1][0-1][0-1][0-1][0-1][0-1][0-1]", "1", ""},
        {"n[0-999999999]", "1", ""},
        {"n[0-9999][0-9999]", "1", ""},
    };
    char text[400];
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        describe(table[i].nodes, table[i].tasks, text, sizeof text);
        if (strcmp(text, table[i].text) != 0)
            fail_msg("%s with %s: %s, not %s", table[i].nodes, table[i].tasks, text, table[i].text);
    }
}

static void many_hosts(void **state)
{
    struct ml_nodefile file;
    (void)state;
    assert_int_equal(ml_slurm_nodes_parse("n[00001-65536]", "128(x65536)", &file, NULL), ML_OK);
    assert_int_equal(file.n_hosts, 65536);
    assert_string_equal(file.hosts[65535], "n65536");
    assert_int_equal(file.slots[65535], 128);
    assert_int_equal(ml_nodefile_find(&file, "n00007.cluster"), 6);
    ml_nodefile_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(many_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
