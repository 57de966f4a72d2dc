#include "elements.h"
#include "world/spawn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Which command of a spawn is missing, before anything is started. */
static void looked_for(void **state)
{
    static const struct {
        const char *command, *folder, *hosts;
        bool here_too;
        int n_hosts, error;
    } table[] = {
        {"sh", NULL, "", true, 1, 0},
        {"/bin/sh", NULL, "", true, 1, 0},
        {"./sh", "/bin", "", true, 1, 0},
        {"./sh", "/", "", true, 1, ENOENT},
        {"group", "/etc", "", true, 1, ENOENT}, /* a file, but no program */
        {"./group", "/etc", "", true, 1, EACCES},
        {"no-such-command", NULL, "", true, 1, ENOENT},
        {"no-such-command", NULL, "", true, 2, ENOENT},
        {"no-such-command", NULL, "n2", true, 1, ENOENT},
        {"no-such-command", NULL, "n2", true, 2, 0}, /* n2 may have it */
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_buffer apps = {0};
        const char *missing = NULL;
        char *const first[] = {"sh", NULL}, *const second[] = {(char *)table[i].command, NULL};
        const struct ml_placing anywhere = {.hosts = "", .added = ""},
                                there = {.hosts = table[i].hosts, .added = ""};
        ml_spawn_pack_app(
            &apps, &(struct ml_spawn_app){.n_ranks = 1, .command = first, .placing = anywhere});
        ml_spawn_pack_app(&apps, &(struct ml_spawn_app){.n_ranks = 2,
                                                        .command = second,
                                                        .folder = table[i].folder,
                                                        .here_too = table[i].here_too,
                                                        .placing = there});
        assert_int_equal(ml_spawn_look_for(apps.data, apps.length, table[i].n_hosts, &missing),
                         table[i].error);
        if (table[i].error)
            assert_string_equal(missing, table[i].command);
        ml_buffer_free(&apps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(looked_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
