#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 262144

void assert_golden(const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", MEMLOG_TEST_DATA, name);
    if (getenv("MEMLOG_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
        return;
    }
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *expected = calloc(1, MOST);
    assert_non_null(expected);
    assert_true(fread(expected, 1, MOST - 1, file) < MOST - 1);
    fclose(file);
    if (strcmp(text, expected) != 0)
        fail_msg("not what %s says:\n%s", name, text);
    free(expected);
}
