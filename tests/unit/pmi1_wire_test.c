#include "elements.h"
#include "world/pmi1_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As MPICH 4.0.2 writes them, with what is to be read out of them. */
static const struct {
    const char *line, *name;
    const char *words[5][2];
} good[] = {
    {"cmd=init pmi_version=1 pmi_subversion=1", "init", {{"pmi_version", "1"}}},
    {"cmd=get_maxes", "get_maxes", {{"kvsname", NULL}}},
    {"cmd=get_my_kvsname ", "get_my_kvsname", {{NULL}}},
    {"cmd=get kvsname=w key=PMI_process_mapping",
     "get",
     {{"kvsname", "w"}, {"key", "PMI_process_mapping"}}},
    {"cmd=put kvsname=w key=-bcast-1-0 value=mpi#0100AB$port#5$",
     "put",
     {{"key", "-bcast-1-0"}, {"value", "mpi#0100AB$port#5$"}}},
    {"cmd=put kvsname=w key=k value=two words = three",
     "put",
     {{"value", "two words = three"}, {"kvsname", "w"}}},
    {"cmd=put kvsname=w key=k value=", "put", {{"value", ""}}},
    {"cmd=barrier_in", "barrier_in", {{NULL}}},
    {"cmd=abort exitcode=7", "abort", {{"exitcode", "7"}, {"message", NULL}}},
    {"cmd=abort exitcode=7 message=application called MPI_Abort(MPI_COMM_WORLD, 7) - process 0",
     "abort",
     {{"exitcode", "7"},
      {"message", "application called MPI_Abort(MPI_COMM_WORLD, 7) - process 0"}}},
    {"cmd=abort exitcode=1 error_msg=a = b", "abort", {{"error_msg", "a = b"}}},
    {"cmd=abort exitcode=3 by rank 2", "abort", {{"exitcode", "3"}, {"message", NULL}}},
    {"cmd=abort for good", "abort", {{"exitcode", NULL}}},
    {"cmd=publish_name service=ocean port=tag#0$description#n1$port#5$ifname#10.0.0.1$",
     "publish_name",
     {{"service", "ocean"}, {"port", "tag#0$description#n1$port#5$ifname#10.0.0.1$"}}},
    {"mcmd=spawn", "spawn", {{NULL}}},
    {"cmd=finalize\r", "finalize\r", {{NULL}}},
    {"  cmd=get   key=a  ", "get", {{"key", "a"}}},
    {"cmd=get key=", "get", {{"key", ""}}},
    {"cmd=get key= value=x", "get", {{"key", ""}, {"value", "x"}}},
    {"cmd=get key=a key=b", "get", {{"key", "a"}}},
    {"key=a cmd=get", "get", {{"key", "a"}}},
    {"cmd=", "", {{NULL}}},
    {"cmd=get =x", "get", {{"", "x"}}},
    {"mcmd=spawn cmd=put", "put", {{"mcmd", "spawn"}}},
    {"value=cmd=put", NULL, {{NULL}}},
    {"cmd", NULL, {{NULL}}},
    {"", NULL, {{NULL}}},
    {"   ", NULL, {{NULL}}},
    {"nprocs=2", NULL, {{NULL}}},
    {"cmd=get key", NULL, {{NULL}}},
    {"cmd=put key=a b value=c", NULL, {{NULL}}},
    {"GET / HTTP/1.1", NULL, {{NULL}}},
    {"\xff\xfe\x01=\x02", NULL, {{NULL}}},
};

static void lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(good); i++) {
        size_t n = strlen(good[i].line) + 1;
        char *line = malloc(n); /* exact: a sanitizer sees what goes beyond */
        memcpy(line, good[i].line, n);
        struct ml_pmi1_command command;
        bool is_command = ml_pmi1_parse(line, &command);
        if (is_command != (good[i].name != NULL))
            fail_msg("'%s' is %s command", good[i].line, is_command ? "a" : "no");
        if (is_command)
            assert_string_equal(command.name, good[i].name);
        for (size_t k = 0; is_command && k < N(good[i].words) && good[i].words[k][0]; k++) {
            const char *value = ml_pmi1_word(&command, good[i].words[k][0]);
            if (!good[i].words[k][1])
                assert_null(value);
            else
                assert_string_equal(value, good[i].words[k][1]);
        }
        free(line);
    }
}

static void too_many_words(void **state)
{
    char line[2000] = "cmd=put";
    (void)state;
    for (int i = 0; i < 100; i++)
        sprintf(line + strlen(line), " k%d=%d", i, i);
    struct ml_pmi1_command command;
    assert_true(ml_pmi1_parse(line, &command));
    assert_int_equal(command.n_words, ML_PMI1_MAX_WORDS);
    assert_string_equal(ml_pmi1_word(&command, "k5"), "5");
    assert_null(ml_pmi1_word(&command, "k99"));
}

static void long_line(void **state)
{
    enum { LONG = 100000 };
    char *line = malloc(LONG + 20);
    (void)state;
    int n = sprintf(line, "cmd=put key=");
    memset(line + n, 'x', LONG);
    strcpy(line + n + LONG, "");
    struct ml_pmi1_command command;
    assert_true(ml_pmi1_parse(line, &command));
    assert_int_equal(strlen(ml_pmi1_word(&command, "key")), LONG);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(too_many_words),
        cmocka_unit_test(long_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
