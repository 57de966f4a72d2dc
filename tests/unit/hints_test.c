/* Which hints of MPI-IO a user has set. */
#include "store/hints.h"

#include "base/memory.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void lines(void **state)
{
    (void)state;
    static const char text[] = "# cb_nodes 3\n"
                               "romio_cb_write disable\n"
                               "\n"
                               " \tstriping_unit\t1048576 \n"
                               "cb_buffer_size\n"
                               "cb_config_list a b\n"
                               "romio_ds_write enable";
    assert_true(ml_hints_have(text, "romio_cb_write"));
    assert_true(ml_hints_have(text, "striping_unit"));
    assert_true(ml_hints_have(text, "romio_ds_write"));
    assert_false(ml_hints_have(text, "cb_nodes"));
    assert_false(ml_hints_have(text, "romio_cb"));
    assert_false(ml_hints_have(text, "cb_buffer_size")); /* without a value */
    assert_false(ml_hints_have(text, "cb_config_list")); /* with two */
    assert_false(ml_hints_have("", "cb_nodes"));
    assert_false(ml_hints_have("\n\n#\ncb_nodes", "cb_nodes"));
}

static void file(void **state)
{
    (void)state;
    char folder[] = "/tmp/memlog-hints-XXXXXX";
    assert_non_null(mkdtemp(folder));
    ML_AUTO_FREE char *path = ml_format("%s/hints", folder), *fifo = ml_format("%s/fifo", folder);
    FILE *f = fopen(path, "w");
    fputs("cb_nodes 2\n", f);
    fclose(f);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    setenv("ROMIO_HINTS", path, 1);
    ML_AUTO_FREE char *text = ml_hints_read();
    assert_string_equal(text, "cb_nodes 2\n");
    setenv("ROMIO_HINTS", fifo, 1); /* nobody writes to it */
    ML_AUTO_FREE char *of_fifo = ml_hints_read();
    assert_string_equal(of_fifo, "");
    setenv("ROMIO_HINTS", folder, 1);
    ML_AUTO_FREE char *of_folder = ml_hints_read();
    assert_string_equal(of_folder, "");
    unlink(path);
    unlink(fifo);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
