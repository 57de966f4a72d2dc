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
    const struct ml_verdict none = {.cause = ML_CAUSE_NONE, .rank = 0, .value = 0, .time_ns = 50},
                            late = {.cause = ML_CAUSE_EXIT, .rank = 1, .value = 3, .time_ns = 200},
                            early = {
                                .cause = ML_CAUSE_SIGNAL, .rank = 2, .value = 9, .time_ns = 100};
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

/* Whoever fails, before or after, on which node. */
static void a_refused_spawn_stays(void **state)
{
    const struct ml_verdict refused = {.cause = ML_CAUSE_NONE, .refused = 66},
                            later = {.cause = ML_CAUSE_NONE, .refused = 213},
                            failed = {
                                .cause = ML_CAUSE_EXIT, .rank = 2, .value = 9, .time_ns = 100};
    struct ml_verdict job = failed, other = refused;
    (void)state;
    ml_verdict_merge(&job, &refused);
    ml_verdict_merge(&job, &later);
    ml_verdict_merge(&other, &failed);
    assert_int_equal(job.refused, 66);
    assert_int_equal(other.refused, 66);
    assert_int_equal(job.value, 9);
    assert_int_equal(other.value, 9);
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
        struct ml_verdict job = {.cause = table[i].job, .rank = 1};
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
        {{.cause = ML_CAUSE_NONE, .rank = 0, .value = 0}, 0, "completed"},
        {{.cause = ML_CAUSE_EXIT, .rank = 3, .value = 5}, 5, "rank 3 exited with code 5"},
        {{.cause = ML_CAUSE_EXIT, .rank = -1, .value = 127},
         127,
         "the command exited with code 127"},
        {{.cause = ML_CAUSE_SIGNAL, .rank = 3, .value = 11},
         139,
         "rank 3 was ended by signal 11 (Segmentation fault)"},
        {{.cause = ML_CAUSE_SIGNAL, .rank = -1, .value = 9},
         137,
         "the command was ended by signal 9 (Killed)"},
        {{.cause = ML_CAUSE_ABORT, .rank = 12, .value = 77},
         77,
         "rank 12 called MPI_Abort with code 77"},
        {{.cause = ML_CAUSE_ABORT, .rank = 0, .value = -1},
         255,
         "rank 0 called MPI_Abort with code -1"},
        {{.cause = ML_CAUSE_NO_FINALIZE, .rank = 2, .value = 0},
         openmpi,
         "rank 2 ended without MPI_Finalize"},
        {{.cause = ML_CAUSE_US, .rank = 0, .value = 0},
         70,
         "memlog-mpi failed and ended the application"},
        {{.cause = ML_CAUSE_LEFT, .rank = -1, .value = SIGINT}, 0, "left at ^C, while it ran"},
        {{.cause = ML_CAUSE_LEFT, .rank = -1, .value = SIGTERM},
         0,
         "left at signal 15 (Terminated), while it ran"},
        {{.cause = ML_CAUSE_NONE, .refused = 66}, 66, "completed, but a spawn was refused"},
        {{.cause = ML_CAUSE_EXIT, .rank = 3, .value = 5, .refused = 183},
         183,
         "rank 3 exited with code 5"},
        {{.cause = ML_CAUSE_US, .refused = 66}, 70, "memlog-mpi failed and ended the application"},
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

#define MIB (1LL << 20)
#define KILLED SIGKILL
#define EXITED(code) ((code) << 8)

static const struct ml_death_facts quiet = {.rank = 1,
                                            .node = "n03",
                                            .oom = {.limit_B = -1},
                                            .room = {5000 * MIB, 9000 * MIB, ML_LIMIT_NODE},
                                            .node_B = 9000 * MIB};

static struct ml_judgement judge(int status, struct ml_oom oom, struct ml_room room, int asked)
{
    struct ml_death_facts facts = quiet;
    facts.status = status;
    facts.oom = oom;
    facts.room = room;
    facts.asked = asked;
    return ml_death_judge(&facts);
}

static void why_a_rank_died(void **state)
{
    const struct ml_oom none = {.limit_B = -1}, full = {true, true, true, 200 * MIB},
                        above = {true, false, true, -1}, somebody = {false, false, true, -1};
    const struct ml_room much = quiet.room, cgroup = {0, 200 * MIB, ML_LIMIT_CGROUP},
                         low = {MIB, 9000 * MIB, ML_LIMIT_NODE},
                         ulimit = {3 * MIB, 600 * MIB, ML_LIMIT_ADDRESS_SPACE},
                         wide = {300 * MIB, 600 * MIB, ML_LIMIT_ADDRESS_SPACE};
    const struct {
        struct ml_judgement is;
        enum ml_death death;
        bool sure;
        const char *part;
    } cases[] = {
        {judge(KILLED, full, cgroup, 0), ML_DEATH_OOM_CGROUP, true,
         "rank 1 on n03 was ended by the kernel: out of memory; the job's cgroup (200 MiB) was full"},
        {judge(KILLED, full, much, SIGTERM), ML_DEATH_OOM_CGROUP, true, "cgroup"},
        {judge(KILLED, above, cgroup, 0), ML_DEATH_OOM_ABOVE, false, "above"},
        {judge(KILLED, above, low, 0), ML_DEATH_OOM_NODE, true, "the node (8.79 GiB) was full"},
        {judge(KILLED, somebody, low, 0), ML_DEATH_OOM_NODE, true, "the node"},
        {judge(KILLED, somebody, much, 0), ML_DEATH_KILLED, false, "or by the kernel"},
        {judge(KILLED, somebody, ulimit, 0), ML_DEATH_KILLED, false, "or by the kernel"},
        {judge(KILLED, none, much, 0), ML_DEATH_KILLED, true, "by somebody"},
        {judge(KILLED, none, much, SIGKILL), ML_DEATH_ASKED, true, "from outside"},
        {judge(SIGTERM, none, much, SIGTERM), ML_DEATH_ASKED, true, "(Terminated)"},
        {judge(SIGTERM, none, much, 0), ML_DEATH_PLAIN, true, ""},
        {judge(SIGABRT, none, ulimit, 0), ML_DEATH_NO_MEMORY, false,
         "3.00 MiB were left of the 600 MiB that ulimit -v allows"},
        {judge(EXITED(1), none, ulimit, 0), ML_DEATH_NO_MEMORY, false, "exited with code 1"},
        {judge(EXITED(0), none, ulimit, 0), ML_DEATH_PLAIN, true, ""},
        {judge(SIGABRT, none, wide, 0), ML_DEATH_PLAIN, true, ""},
        {judge(SIGABRT, none, low, 0), ML_DEATH_PLAIN, true, ""},
        {judge(SIGSEGV, full, cgroup, 0), ML_DEATH_PLAIN, true, ""},
        {judge(SIGBUS, none, much, 0), ML_DEATH_BUS, false, "could not be had"},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        const struct ml_judgement *j = &cases[i].is;
        if (j->death != cases[i].death || j->sure != cases[i].sure ||
            !strstr(j->words, cases[i].part) || !*j->words != !*cases[i].part)
            fail_msg("case %zu: %s, %d: %s", i, ml_death_name(j->death), j->sure, j->words);
    }
    /* 40 MiB are left, and 30 went in the tick before */
    struct ml_death_facts fast = quiet;
    fast.status = SIGSEGV;
    fast.room = (struct ml_room){40 * MIB, 600 * MIB, ML_LIMIT_ADDRESS_SPACE};
    assert_int_equal(ml_death_judge(&fast).death, ML_DEATH_PLAIN);
    fast.fall_B = 30 * MIB;
    assert_int_equal(ml_death_judge(&fast).death, ML_DEATH_NO_MEMORY);
    struct ml_death_facts bus = quiet;
    bus.status = SIGBUS;
    bus.hugetlb_empty = true;
    assert_int_equal(ml_death_judge(&bus).death, ML_DEATH_HUGETLB);
    bus.tmpfs_full = true;
    assert_int_equal(ml_death_judge(&bus).death, ML_DEATH_TMPFS_FULL);
    for (enum ml_death death = ML_DEATH_PLAIN; death <= ML_DEATH_GPU; death++)
        assert_non_null(ml_death_name(death));
}

/* cudaErrorMemoryAllocation and the like: the program ends by itself. */
static void a_full_gpu(void **state)
{
    const struct {
        int status;
        struct ml_death_gpu gpu;
        bool told;
    } cases[] = {
        {EXITED(1), {2, 40 * MIB, 1000 * MIB, 0}, true},
        {SIGABRT, {2, 0, 1000 * MIB, 0}, true},
        {SIGABRT | CORE, {2, 40 * MIB, 1000 * MIB, 0}, true},
        {EXITED(0), {2, 0, 1000 * MIB, 0}, false},
        {SIGSEGV, {2, 0, 1000 * MIB, 0}, false},
        {SIGTERM, {2, 0, 1000 * MIB, 0}, false},
        {EXITED(1), {2, 60 * MIB, 1000 * MIB, 0}, false},
        {EXITED(1), {2, 60 * MIB, 1000 * MIB, 100 * MIB}, true},
        {EXITED(1), {2, 500 * MIB, 1000 * MIB, 600 * MIB}, false}, /* half full */
        {EXITED(1), {-1, 0, 0, 0}, false},
        {EXITED(1), {2, 0, -1, 0}, false},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct ml_death_facts facts = quiet;
        facts.status = cases[i].status;
        facts.gpu = cases[i].gpu;
        struct ml_judgement j = ml_death_judge(&facts);
        bool told = strstr(j.words, "likely for want of GPU memory") != NULL;
        if (j.death != (cases[i].told ? ML_DEATH_GPU : ML_DEATH_PLAIN) || j.sure == cases[i].told ||
            told != cases[i].told)
            fail_msg("case %zu: %s, %d: %s", i, ml_death_name(j.death), j.sure, j.words);
    }
    struct ml_judgement j = ml_death_abort(4, "n03", 77, "");
    ml_death_blame_gpu(&j, &cases[6].gpu);
    assert_int_equal(j.death, ML_DEATH_ABORT);
    ml_death_blame_gpu(&j, &cases[0].gpu);
    assert_string_equal(j.words,
                        "rank 4 on n03 called MPI_Abort with code 77, likely for want of GPU "
                        "memory: 40.0 MiB were left of the 0.98 GiB of GPU 2");
    assert_false(j.sure);
    /* what ulimit has refused is nearer */
    struct ml_death_facts both = quiet;
    both.status = SIGABRT;
    both.gpu = cases[0].gpu;
    both.room = (struct ml_room){3 * MIB, 600 * MIB, ML_LIMIT_ADDRESS_SPACE};
    assert_int_equal(ml_death_judge(&both).death, ML_DEATH_NO_MEMORY);
}

static void limits_beside_the_node(void **state)
{
    const struct ml_oom none = {.limit_B = -1}, above = {true, false, true, -1},
                        somebody = {false, false, true, -1};
    const struct ml_room numa = {2 * MIB, 4000 * MIB, ML_LIMIT_NUMA},
                         half = {2000 * MIB, 4000 * MIB, ML_LIMIT_NUMA},
                         data = {3 * MIB, 600 * MIB, ML_LIMIT_DATA},
                         over = {0, 100 * MIB, ML_LIMIT_SCHEDULER},
                         under = {50 * MIB, 100 * MIB, ML_LIMIT_SCHEDULER};
    const struct {
        struct ml_judgement is;
        enum ml_death death;
        bool sure;
        const char *part;
    } cases[] = {
        {judge(KILLED, somebody, numa, 0), ML_DEATH_OOM_NUMA, true,
         "out of memory; the NUMA nodes that ranks are bound to (3.91 GiB) were full"},
        {judge(KILLED, above, numa, 0), ML_DEATH_OOM_NUMA, true, "NUMA"},
        {judge(KILLED, somebody, half, 0), ML_DEATH_KILLED, false, "by somebody"},
        {judge(KILLED, none, numa, 0), ML_DEATH_KILLED, true, "by somebody"},
        {judge(SIGABRT, none, data, 0), ML_DEATH_NO_MEMORY, false, "that ulimit -d allows"},
        {judge(KILLED, none, over, 0), ML_DEATH_SCHEDULER, false,
         "most likely by the batch system: 0 B were left of the 100 MiB that it was asked for"},
        {judge(SIGTERM, none, over, SIGTERM), ML_DEATH_SCHEDULER, false,
         "(Terminated), most likely"},
        {judge(SIGTERM, none, over, 0), ML_DEATH_PLAIN, true, ""},
        {judge(KILLED, none, under, 0), ML_DEATH_KILLED, true, "by somebody"},
        {judge(SIGTERM, none, under, SIGTERM), ML_DEATH_ASKED, true, "from outside"},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        const struct ml_judgement *j = &cases[i].is;
        if (j->death != cases[i].death || j->sure != cases[i].sure ||
            !strstr(j->words, cases[i].part) || !*j->words != !*cases[i].part)
            fail_msg("case %zu: %s, %d: %s", i, ml_death_name(j->death), j->sure, j->words);
    }
}

static void full_stacks(void **state)
{
    static const struct {
        int number;
        struct ml_death_stack stack;
        const char *part; /* "": it was not full */
    } cases[] = {
        {SIGSEGV,
         {7600 << 10, 8 * MIB, -1},
         "it had 7.42 MiB of the 8.00 MiB that ulimit -s allows"},
        {SIGSEGV, {132 << 10, 8 * MIB, 8 * MIB}, "it took 8.00 MiB after it was last looked at"},
        {SIGSEGV, {132 << 10, 8 * MIB, 100 * MIB}, ""},
        {SIGSEGV, {132 << 10, 8 * MIB, 0}, ""},
        {SIGSEGV, {132 << 10, 8 * MIB, -1}, ""},
        {SIGSEGV, {-1, 8 * MIB, 8 * MIB}, ""},
        {SIGSEGV, {132 << 10, -1, 8 * MIB}, ""},
        {SIGABRT, {7600 << 10, 8 * MIB, -1}, ""},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct ml_death_facts facts = quiet;
        facts.status = cases[i].number;
        facts.stack = cases[i].stack;
        struct ml_judgement j = ml_death_judge(&facts);
        bool full = *cases[i].part;
        if (j.death != (full ? ML_DEATH_STACK : ML_DEATH_PLAIN) || j.sure == full ||
            !strstr(j.words, cases[i].part))
            fail_msg("case %zu: %s, %d: %s", i, ml_death_name(j.death), j.sure, j.words);
    }
}

static void aborts(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "rank 4 on n03 called MPI_Abort with code 77"},
        {"N/A", "rank 4 on n03 called MPI_Abort with code 77"},
        {"application called MPI_Abort(MPI_COMM_WORLD, 77) - process 4",
         "rank 4 on n03 called MPI_Abort with code 77"},
        {"Fatal error in internal_Send: Invalid rank, error stack:\ninternal_Send(1): x",
         "rank 4 on n03 called MPI_Abort with code 77: Fatal error in internal_Send: Invalid rank, "
         "error stack:"},
    };
    char words[512];
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct ml_judgement j = ml_death_abort(4, "n03", 77, cases[i].text);
        assert_int_equal(j.death, ML_DEATH_ABORT);
        assert_true(j.sure);
        assert_string_equal(j.words, cases[i].words);
    }
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = 0;
    struct ml_judgement j = ml_death_abort(-1, "n03", 1, words);
    assert_memory_equal(j.words, "the command on n03 called MPI_Abort with code 1: xxx", 50);
    assert_int_equal(strlen(j.words), sizeof j.words - 1);
}

static void round_trip(void **state)
{
    const struct ml_verdict v = {.cause = ML_CAUSE_SIGNAL,
                                 .rank = 4711,
                                 .value = 11,
                                 .time_ns = 123456789012LL,
                                 .why = {ML_DEATH_OOM_NODE, true, "words"},
                                 .refused = 66};
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
    assert_int_equal(back.why.death, v.why.death);
    assert_true(back.why.sure);
    assert_string_equal(back.why.words, v.why.words);
    assert_int_equal(back.refused, v.refused);
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
        cmocka_unit_test(a_refused_spawn_stays),
        cmocka_unit_test(leaves_as_its_rank),
        cmocka_unit_test(codes_and_words),
        cmocka_unit_test(why_a_rank_died),
        cmocka_unit_test(a_full_gpu),
        cmocka_unit_test(limits_beside_the_node),
        cmocka_unit_test(full_stacks),
        cmocka_unit_test(aborts),
        cmocka_unit_test(round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
