#include "made_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/memlog-made-up-XXXXXX";
static char path[sizeof folder + 16];

const char *made_up_run(const char *options)
{
    char command[1024];
    if (!path[0]) {
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/run.h5", folder);
    }
    snprintf(command, sizeof command, "%s %s/make_run.py %s %s", MEMLOG_TEST_PYTHON,
             MEMLOG_TEST_DATA, path, options);
    assert_int_equal(system(command), 0);
    return path;
}

void made_up_remove(void)
{
    if (path[0]) {
        unlink(path);
        rmdir(folder);
    }
}
