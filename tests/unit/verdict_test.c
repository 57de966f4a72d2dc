#include "elements.h"
#include "verdict/verdict.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { CORE = 0x80 };

static void causes(void **state)
{
    static const struct {
        int status;
        enum ml_rank_state told;
        enum ml_cause cause;
        int value;
    } table[] = {
        {W_EXITCODE(0, 0), ML_RANK_STARTED, ML_CAUSE_NONE, 0},
        {W_EXITCODE(0, 0), ML_RANK_FINALIZED, ML_CAUSE_NONE, 0},
        {W_EXITCODE(0, 0), ML_RANK_CONNECTED, ML_CAUSE_NO_FINALIZE, 0},
        {W_EXITCODE(3, 0), ML_RANK_STARTED, ML_CAUSE_EXIT, 3},
        {W_EXITCODE(3, 0), ML_RANK_CONNECTED, ML_CAUSE_EXIT, 3},
        {W_EXITCODE(255, 0), ML_RANK_FINALIZED, ML_CAUSE_EXIT, 255},
        {W_EXITCODE(0, SIGKILL), ML_RANK_STARTED, ML_CAUSE_SIGNAL, SIGKILL},
        {W_EXITCODE(0, SIGSEGV) | CORE, ML_RANK_CONNECTED, ML_CAUSE_SIGNAL, SIGSEGV},
        {W_EXITCODE(0, SIGTERM), ML_RANK_FINALIZED, ML_CAUSE_SIGNAL, SIGTERM},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        int value = -1;
        struct ml_rank_end end = {1, table[i].status, table[i].told, -1, false};
        assert_int_equal(ml_verdict_cause(&end, &value), table[i].cause);
        assert_int_equal(value, table[i].value);
        end.ended_by_us = true;
        assert_int_equal(ml_verdict_cause(&end, &value), ML_CAUSE_NONE);
        end.ended_by_us = false;
        end.abort_code = 7;
        assert_int_equal(ml_verdict_cause(&end, &value), ML_CAUSE_ABORT);
        assert_int_equal(value, 7);
    }
}

static void the_first_failure_counts(void **state)
{
    struct ml_verdict job = {.rank = -1};
    const struct ml_verdict none = {ML_CAUSE_NONE, 0, 0, 50}, late = {ML_CAUSE_EXIT, 1, 3, 200},
                            early = {ML_CAUSE_SIGNAL, 2, 9, 100};
    (void)state;
    ml_verdict_merge(&job, &none);
    assert_int_equal(job.cause, ML_CAUSE_NONE);
    ml_verdict_merge(&job, &late);
    assert_int_equal(job.rank, 1);
    ml_verdict_merge(&job, &none);
    assert_int_equal(job.rank, 1);
    ml_verdict_merge(&job, &early);
    assert_int_equal(job.rank, 2);
    ml_verdict_merge(&job, &late);
    assert_int_equal(job.rank, 2);
    assert_int_equal(job.value, 9);
}

static void leaves_as_its_rank(void **state)
{
    bool openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    const struct {
        struct ml_rank_end end;
        enum ml_cause job; /* of rank 1 */
        int code, signal;
    } table[] = {
        {{1, W_EXITCODE(0, 0), ML_RANK_FINALIZED, -1, false}, ML_CAUSE_NONE, 0, 0},
        {{1, W_EXITCODE(3, 0), ML_RANK_FINALIZED, -1, false}, ML_CAUSE_EXIT, 3, 0},
        {{1, W_EXITCODE(0, SIGSEGV), ML_RANK_CONNECTED, -1, false}, ML_CAUSE_SIGNAL, 0, SIGSEGV},
        {{1, W_EXITCODE(0, SIGTERM), ML_RANK_CONNECTED, 7, false}, ML_CAUSE_ABORT, 7, 0},
        {{2, W_EXITCODE(0, SIGTERM), ML_RANK_CONNECTED, -1, true}, ML_CAUSE_EXIT, 0, 0},
        {{1, W_EXITCODE(0, 0), ML_RANK_CONNECTED, -1, false}, ML_CAUSE_NO_FINALIZE, openmpi, 0},
        {{2, W_EXITCODE(0, 0), ML_RANK_CONNECTED, -1, false}, ML_CAUSE_NO_FINALIZE, 0, 0},
        {{2, W_EXITCODE(0, SIGTERM), ML_RANK_CONNECTED, -1, true},
         ML_CAUSE_NO_FINALIZE,
         0,
         openmpi ? 0 : SIGKILL},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_verdict job = {table[i].job, 1, 0, 0};
        struct ml_leave leave = ml_verdict_leave(&table[i].end, &job);
        assert_int_equal(leave.code, table[i].code);
        assert_int_equal(leave.signal, table[i].signal);
    }
}

static void codes_and_words(void **state)
{
    bool openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    const struct {
        struct ml_verdict verdict;
        int code;
        const char *words;
    } table[] = {
        {{ML_CAUSE_NONE, 0, 0, 0}, 0, "completed"},
        {{ML_CAUSE_EXIT, 3, 5, 0}, 5, "rank 3 exited with code 5"},
        {{ML_CAUSE_EXIT, -1, 127, 0}, 127, "the command exited with code 127"},
        {{ML_CAUSE_SIGNAL, 3, 11, 0}, 139, "rank 3 was ended by signal 11 (Segmentation fault)"},
        {{ML_CAUSE_SIGNAL, -1, 9, 0}, 137, "the command was ended by signal 9 (Killed)"},
        {{ML_CAUSE_ABORT, 12, 77, 0}, 77, "rank 12 called MPI_Abort with code 77"},
        {{ML_CAUSE_ABORT, 0, -1, 0}, 255, "rank 0 called MPI_Abort with code -1"},
        {{ML_CAUSE_NO_FINALIZE, 2, 0, 0}, openmpi, "rank 2 ended without MPI_Finalize"},
        {{ML_CAUSE_US, 0, 0, 0}, 70, "memlog-mpi failed and ended the application"},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        char words[128], few[10];
        ml_verdict_describe(&table[i].verdict, words, sizeof words);
        assert_string_equal(words, table[i].words);
        assert_int_equal(ml_verdict_exit_code(&table[i].verdict), table[i].code);
        ml_verdict_describe(&table[i].verdict, few, sizeof few);
        assert_memory_equal(few, words, sizeof few - 1);
        assert_int_equal(few[sizeof few - 1], 0);
    }
}

static void round_trip(void **state)
{
    const struct ml_verdict v = {ML_CAUSE_SIGNAL, 4711, 11, 123456789012LL};
    struct ml_buffer b = {0};
    (void)state;
    ml_verdict_pack(&v, &b);
    struct ml_unpacker u = ml_unpack(b.data, b.length);
    struct ml_verdict back = ml_verdict_unpack(&u);
    assert_false(u.failed);
    assert_ptr_equal(u.cursor, u.end);
    assert_int_equal(back.cause, v.cause);
    assert_int_equal(back.rank, v.rank);
    assert_int_equal(back.value, v.value);
    assert_true(back.time_ns == v.time_ns);
    for (size_t n = 0; n < b.length; n++) {
        u = ml_unpack(b.data, n);
        ml_verdict_unpack(&u);
        assert_true(u.failed);
    }
    ml_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes),
        cmocka_unit_test(the_first_failure_counts),
        cmocka_unit_test(leaves_as_its_rank),
        cmocka_unit_test(codes_and_words),
        cmocka_unit_test(round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
