#include "elements.h"
#include "world/placing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_HOSTS = 3, MAX_RANKS = 8 };

static char *hosts[N_HOSTS] = {"n1", "n2.cluster", "n3"};

static void places(void **state)
{
    static const struct {
        struct ml_placing how;
        int load[N_HOSTS], n, error;
        const char *wanted;
    } table[] = {
        {{"", "", 0, false}, {0, 0, 0}, 3, 0, "0 1 2"},
        {{"", "", 0, false}, {2, 1, 0}, 3, 0, "1 2 2"},
        {{"", "", 0, true}, {2, 1, 0}, 4, 0, "0 1 2 0"},
        {{"n2", "", 0, false}, {0, 9, 0}, 2, 0, "1 1"},
        {{"n3,n1:4", "", 0, false}, {0, 0, 0}, 3, 0, "0 0 2"},
        {{"n2.cluster", "", 0, false}, {0, 0, 0}, 1, 0, "1"},
        {{"n1.cluster", "", 0, false}, {0, 0, 0}, 1, 0, "0"},
        {{"localhost", "", 0, false}, {0, 0, 0}, 2, 0, "2 2"},
        {{"", "n2", 0, false}, {5, 5, 0}, 2, 0, "2 2"},
        {{"", "", 1, false}, {0, 0, 7}, 3, 0, "0 1 2"},
        {{"n1,n3", "", 2, true}, {0, 0, 0}, 4, 0, "0 2 0 2"},
        {{"n2.other", "", 0, false}, {0, 0, 0}, 1, EHOSTUNREACH, ""},
        {{"n", "", 0, false}, {0, 0, 0}, 1, EHOSTUNREACH, ""},
        {{"n1,nowhere", "", 0, false}, {0, 0, 0}, 1, EHOSTUNREACH, ""},
        {{"n1", "nowhere", 0, false}, {0, 0, 0}, 1, EHOSTUNREACH, ""},
        {{"", "", 1, false}, {0, 0, 0}, 4, ENOSPC, ""},
        {{"n1", "", 2, false}, {0, 0, 0}, 3, ENOSPC, ""},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        int load[N_HOSTS], host_of[MAX_RANKS];
        char text[64] = "", *end = text;
        memcpy(load, table[i].load, sizeof load);
        int error = ml_placing_choose(&table[i].how, N_HOSTS, hosts, 2, load, table[i].n, host_of);
        assert_int_equal(error, table[i].error);
        for (int r = 0; !error && r < table[i].n; r++)
            end += sprintf(end, "%s%d", r ? " " : "", host_of[r]);
        assert_string_equal(text, table[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
