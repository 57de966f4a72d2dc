/* What other programs say of themselves, and what is made of it. */
#include "doctor/ask.h"
#include "doctor/doctor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void versions(void **state)
{
    static const struct {
        const char *text, *version;
    } table[] = {
        {"mpiexec (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org", "4.1.4"},
        {"mpiexec (Open MPI) 5.0.7\n", "5.0.7"},
        {"HYDRA build details:\n    Version:                                 4.0.2\n", "4.0.2"},
        {"GNU gdb (Debian 13.1-3) 13.1", "13.1"},
        {"5.4\nqt wxt\n", "5.4"},
        {"version 6", ""},
        {"4.1.", "4.1"},
        {"", ""},
        {"none", ""},
    };
    char version[32];
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ml_ask_version(table[i].text, version, sizeof version);
        assert_string_equal(version, table[i].version);
    }
}

static void lines(void **state)
{
    char line[40];
    (void)state;
    assert_true(ml_ask_line("\n \n  one \r\nHDF5: 1.10.8\n", "HDF5: ", line, sizeof line));
    assert_string_equal(line, "HDF5: 1.10.8");
    assert_true(ml_ask_line("\n \n  one\r\ntwo", "", line, sizeof line));
    assert_string_equal(line, "one");
    assert_false(ml_ask_line("one\n", "two", line, sizeof line));
    assert_string_equal(line, "");
    assert_false(ml_ask_line("", "", line, sizeof line));
}

static void answers(void **state)
{
    struct ml_answer a;
    (void)state;
    ml_ask((char *[]){"no-such-program-anywhere", NULL}, &a);
    assert_false(a.started);
    ml_ask((char *[]){"sh", "-c", "echo out; echo err >&2; exit 3", NULL}, &a);
    assert_true(a.started);
    assert_int_equal(a.code, 3);
    assert_string_equal(a.text, "out\nerr\n");
    ml_ask((char *[]){"sh", "-c", "kill -TERM $$", NULL}, &a);
    assert_int_equal(a.code, 128 + SIGTERM);
    ml_ask((char *[]){"sh", "-c", "yes | head -c 1000000", NULL}, &a);
    assert_int_equal(a.code, 0);
    assert_int_equal(strlen(a.text), sizeof a.text - 1);
    ml_ask((char *[]){"cat", NULL}, &a); /* there is nothing to read */
    assert_int_equal(a.code, 0);
}

static void what_can_be_recorded(void **state)
{
    struct ml_findings f = {0};
    struct ml_buffer text = {0};
    (void)state;
    ml_finding_add(&f, ML_FINDING_OK, "gdb", "", "%s", "GNU \xff");
    ml_finding_add(&f, ML_FINDING_NOTE, "lldb", "install it", "not in PATH");
    assert_true(ml_findings_can_record(&f));
    ml_doctor_json(&f, "n1: Linux", &text);
    ml_buffer_append(&text, "", 1);
    assert_non_null(strstr(text.data, "\"found\": \"GNU ?\""));
    assert_non_null(strstr(text.data, "\"remedy\": null"));
    assert_non_null(strstr(text.data, "\"can_record\": true"));
    ml_finding_add(&f, ML_FINDING_MISSING, "recorder", "install it", "not in PATH");
    assert_false(ml_findings_can_record(&f));
    ml_buffer_free(&text);
    ml_findings_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(lines),
        cmocka_unit_test(answers),
        cmocka_unit_test(what_can_be_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
