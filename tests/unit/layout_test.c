#include "node/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_RANKS 8

struct layout_case {
    const char *file; /* NULL: none */
    int n_ranks;
    const char *hosts[MAX_RANKS];
    int leader[MAX_RANKS];
    const char *nodes;   /* "name sampler ranks slots" of each, with commas */
    const char *node_of; /* digits */
    const char *warning; /* part of it; "": none at all */
};

static const struct layout_case cases[] = {
    {NULL, 1, {"n1"}, {0}, "n1 0 1 0", "0", ""},
    {NULL, 4, {"b", "a", "b", "a"}, {0, 1, 0, 1}, "b 0 2 0,a 1 2 0", "0101", ""},
    /* the file's order counts, in block, cyclic and reverse order of the ranks */
    {"n1\nn1\nn2\nn2\n",
     4,
     {"n1", "n1", "n2", "n2"},
     {0, 0, 2, 2},
     "n1 0 2 2,n2 2 2 2",
     "0011",
     ""},
    {"n1\nn2\nn1\nn2\n",
     4,
     {"n1", "n2", "n1", "n2"},
     {0, 1, 0, 1},
     "n1 0 2 2,n2 1 2 2",
     "0101",
     ""},
    {"n1\nn2\n", 3, {"n2", "n2", "n1"}, {0, 0, 2}, "n1 2 1 1,n2 0 2 1", "110", ""},
    /* short here, full there */
    {"n1.cluster\nn2\n", 2, {"n1", "n2.cluster"}, {0, 1}, "n1 0 1 1,n2.cluster 1 1 1", "01", ""},
    {"n1\nn2\nn3\n", 2, {"n3", "n1"}, {0, 1}, "n1 1 1 1,n2 -1 0 1,n3 0 1 1", "20", "1 of 3 hosts"},
    {"n1\n", 3, {"x", "n1", "y"}, {0, 1, 2}, "n1 1 1 1,x 0 1 0,y 2 1 0", "102", "not the job's"},
    /* two containers on one host share no memory: two nodes */
    {"n1\n", 4, {"n1", "n1", "n1", "n1"}, {0, 0, 2, 2}, "n1 0 2 1,n1 2 2 0", "0011", ""},
    {NULL, 2, {"n1", "n1"}, {0, 1}, "n1 0 1 0,n1 1 1 0", "01", ""},
    /* a leader that cannot be one leads nobody */
    {NULL, 2, {"n1", "n2"}, {7, -3}, "n1 0 1 0,n2 1 1 0", "01", ""},
};

static void check(const struct layout_case *c, const struct ml_layout *layout,
                  const struct ml_error *warning)
{
    char nodes[300] = "", node_of[MAX_RANKS + 1] = "";
    size_t n = 0;
    for (int i = 0; i < layout->n_nodes; i++) {
        const struct ml_layout_node *node = &layout->nodes[i];
        n += (size_t)snprintf(nodes + n, sizeof nodes - n, "%s%s %d %d %d", i ? "," : "",
                              node->name, node->sampler, node->ranks, node->slots);
    }
    for (int r = 0; r < layout->n_ranks; r++)
        node_of[r] = (char)('0' + ml_runs_at(&layout->node_of, r));
    assert_string_equal(nodes, c->nodes);
    assert_string_equal(node_of, c->node_of);
    if (*c->warning)
        assert_non_null(strstr(warning->text, c->warning));
    else
        assert_string_equal(warning->text, "");
}

static void layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct layout_case *c = &cases[i];
        struct ml_nodefile file = {0};
        struct ml_layout layout;
        struct ml_error warning;
        if (c->file)
            assert_int_equal(ml_nodefile_parse(c->file, strlen(c->file), &file, NULL), ML_OK);
        ml_layout_make(c->file ? &file : NULL, c->n_ranks, c->hosts, c->leader, ML_LAYOUT_OURS,
                       &layout, &warning);
        check(c, &layout, &warning);
        ml_layout_free(&layout);
        ml_nodefile_free(&file);
    }
}

/* Thousands of hosts, all of them silent, and as many strange ones: quick, and one bounded line. */
static void many(void **state)
{
    enum { HOSTS = 5000 };
    char *text = malloc(HOSTS * 16), *names = malloc(HOSTS * 16);
    const char **hosts = calloc(HOSTS, sizeof *hosts);
    int *leader = calloc(HOSTS, sizeof *leader);
    size_t n = 0;
    (void)state;
    for (int i = 0; i < HOSTS; i++) {
        n += (size_t)sprintf(text + n, "n%d\n", i);
        sprintf(names + (size_t)i * 16, "x%d", i);
        hosts[i] = names + (size_t)i * 16;
        leader[i] = i;
    }
    struct ml_nodefile file;
    struct ml_layout layout;
    struct ml_error warning;
    assert_int_equal(ml_nodefile_parse(text, n, &file, NULL), ML_OK);
    ml_layout_make(&file, HOSTS, hosts, leader, ML_LAYOUT_OTHERS, &layout, &warning);
    assert_int_equal(layout.n_nodes, 2 * HOSTS);
    assert_non_null(strstr(warning.text, "5000 of 5000 hosts"));
    assert_non_null(strstr(warning.text, "have no process of ours"));
    assert_non_null(strstr(warning.text, "x0, x1, x2, x3, x4, x5 and 4994 more"));
    ml_layout_free(&layout);
    ml_layout_free(&layout);
    ml_nodefile_free(&file);
    free(text);
    free(names);
    free(hosts);
    free(leader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layouts), cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
