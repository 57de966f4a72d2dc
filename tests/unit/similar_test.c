#include "base/similar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_is_meant(void **state)
{
    static const char *const known[] = {"repeat-rate", "pstack", "outfile", "plot", "read"};
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"repeatrate", "repeat-rate"}, /* a letter less */
        {"repeat-ratte", "repeat-rate"},
        {"psatck", "pstack"}, /* two exchanged */
        {"pstcak", "pstack"},
        {"out-file", "outfile"},
        {"plto", "plot"},
        {"raed", "read"},
        {"pstack", NULL}, /* is one */
        {"no-such-thing", NULL},
        {"x", NULL},
        {"", NULL},
        {"a-word-that-is-longer-than-any-that-is-compared-here", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *meant = ml_similar(cases[i].word, known, sizeof known / sizeof *known);
        if (!cases[i].meant)
            assert_null(meant);
        else
            assert_string_equal(meant, cases[i].meant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_meant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
