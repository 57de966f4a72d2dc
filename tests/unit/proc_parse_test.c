#include "elements.h"
#include "probe/proc_parse.h"
#include "record/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TAIL                                                                                       \
    " S 7 1 1 0 -1 4194304 100 0 3 0 20 5 0 0 20 0 4 0 113588 3133440 412 "                        \
    "18446744073709551615 94715244613632 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n"

static void stat_names(void **state)
{
    static const char *const names[] = {
        "cat", "a b",  "a) R 1 2 3", "(",       ")",        "((",
        "))",  "a\nb", "",           "x (y) z", "\xff\xfe", ") S 1 (",
    };
    (void)state;
    for (size_t i = 0; i < N(names); i++) {
        char text[512];
        struct ml_proc_stat stat;
        int n = snprintf(text, sizeof text, "4711 (%s)%s", names[i], TAIL);
        assert_true(ml_proc_parse_stat(text, (size_t)n, &stat));
        assert_string_equal(stat.name, names[i]);
        assert_int_equal(stat.state, 'S');
        assert_int_equal(stat.parent, 7);
        assert_int_equal(stat.minor_faults, 100);
        assert_int_equal(stat.major_faults, 3);
        assert_int_equal(stat.cpu_ticks, 25);
        assert_int_equal(stat.threads, 4);
        assert_int_equal(stat.start_ticks, 113588);
    }
}

static void cpu_of_stat(void **state)
{
    static const struct {
        const char *tail;
        int cpu;
    } cases[] = {
        {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 5 0 0", 5},
        {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 5", 5},
        {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", -1},
        {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 -5", -1},
        {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 99999999999", -1},
        {" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 x", -1},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        char text[512];
        int n = snprintf(text, sizeof text,
                         "4711 (a) b) S 7 1 1 0 -1 4194304 100 0 3 0 20 5 0 0 20 0 4 0 113588%s",
                         cases[i].tail);
        assert_int_equal(ml_proc_parse_cpu(text, (size_t)n), cases[i].cpu);
    }
    assert_int_equal(ml_proc_parse_cpu("", 0), -1);
    assert_int_equal(ml_proc_parse_cpu("1 (a)", 5), -1);
}

static void io(void **state)
{
    static const struct {
        const char *text;
        int64_t read_B, written_B;
    } cases[] = {
        {"rchar: 323934931\nwchar: 323929600\nsyscr: 632687\n", 323934931, 323929600},
        {"wchar: 0\nrchar: 99999999999999999999\n", INT64_MAX, 0},
        {"rchar: -4\nwchar:\n", -1, -1},
        {"srchar: 1\n", -1, -1},
        {"", -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct ml_proc_io out;
        ml_proc_parse_io(cases[i].text, strlen(cases[i].text), &out);
        assert_true(out.read_B == cases[i].read_B && out.written_B == cases[i].written_B);
    }
}

static void stat_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "4711",
        "4711 (",
        "4711 ()",
        "4711 (cat) ",
        "4711 (cat) S",
        "4711 (cat) S 7",
        "4711 (cat) S 7 1 1 0 -1 4194304 100 0 3 0 20 5 0 0 20 0 4 0",
        "4711 (cat) S x 1 1 0 -1 4194304 100 0 3 0 20 5 0 0 20 0 4 0 113588 1 1",
        "4711 )cat( S 7 1 1 0 -1 4194304 100 0 3 0 20 5 0 0 20 0 4 0 113588 1 1",
        "4711 (cat)S 7 1 1 0 -1 4194304 100 0 3 0 20 5 0 0 20 0 4 0 113588 1 1",
    };
    struct ml_proc_stat stat;
    (void)state;
    for (size_t i = 0; i < N(texts); i++) {
        if (ml_proc_parse_stat(texts[i], strlen(texts[i]), &stat))
            fail_msg("case %zu", i);
    }
    char text[512];
    int n = snprintf(text, sizeof text, "4711 (%0300d)%s", 0, TAIL);
    assert_true(ml_proc_parse_stat(text, (size_t)n, &stat));
    assert_int_equal(strlen(stat.name), ML_COMM_SIZE - 1);
}

/* Every prefix of a real text is parsed or refused without reading behind it (run under a
 * sanitizer), and none is taken for the whole. */
static void cut_texts(void **state)
{
    static const char text[] = "1 (cat)" TAIL;
    struct ml_proc_stat stat;
    (void)state;
    for (size_t n = 0; n <= (size_t)(strstr(text, "113588") - text); n++) {
        char *copy = malloc(n ? n : 1);
        memcpy(copy, text, n);
        assert_false(ml_proc_parse_stat(copy, n, &stat));
        free(copy);
    }
}

static void statm(void **state)
{
    struct ml_proc_statm statm;
    (void)state;
    assert_true(ml_proc_parse_statm("765 439 412 5 0 27 0\n", 21, &statm));
    assert_int_equal(statm.size_pages, 765);
    assert_int_equal(statm.resident_pages, 439);
    assert_int_equal(statm.shared_pages, 412);
    assert_true(ml_proc_parse_statm("0 0 0 0 0 0 0\n", 14, &statm));
    assert_false(ml_proc_parse_statm("765 439", 7, &statm));
    assert_false(ml_proc_parse_statm("", 0, &statm));
    assert_false(ml_proc_parse_statm("x 1 2", 5, &statm));
}

static void status(void **state)
{
    static const char text[] =
        "Name:\tVmRSS:\\n\nUmask:\t0022\nTgid:\t10362\nPid:\t10362\nUid:\t1000\t0\t0\t0\nVmPeak:\t    3060 kB\n"
        "VmSize:\t    3060 kB\nVmData:\t  360 kB\nVmStk:\t 132 kB\nVmHWM:\t    1756 kB\nVmRSS:\t    1750 kB\nRssAnon:\t     108 kB\n"
        "RssFile:\t    1648 kB\nRssShmem:\t       1 kB\nVmSwap:\t       2 kB\n";
    struct ml_proc_status s;
    (void)state;
    ml_proc_parse_status(text, sizeof text - 1, &s);
    assert_int_equal(s.tgid, 10362);
    assert_int_equal(s.uid, 1000);
    assert_int_equal(s.vsize_B, 3060 << 10);
    assert_int_equal(s.data_B, 360 << 10);
    assert_int_equal(s.stack_B, 132 << 10);
    assert_int_equal(s.peak_rss_B, 1756 << 10);
    assert_int_equal(s.rss_B, 1750 << 10);
    assert_int_equal(s.anon_B, 108 << 10);
    assert_int_equal(s.file_B, 1648 << 10);
    assert_int_equal(s.shmem_B, 1 << 10);
    assert_int_equal(s.swap_B, 2 << 10);
    static const char zombie[] = "Name:\tcat\nState:\tZ (zombie)\nTgid:\t5\n";
    ml_proc_parse_status(zombie, sizeof zombie - 1, &s);
    assert_int_equal(s.tgid, 5);
    assert_int_equal(s.uid, ML_NOT_MEASURED);
    assert_int_equal(s.rss_B, ML_NOT_MEASURED);
    static const char hostile[] =
        "VmRSS:\nVmHWM: -5 kB\nVmSwap: 99999999999999999999 kB\nVmSize: 7";
    ml_proc_parse_status(hostile, sizeof hostile - 1, &s);
    assert_int_equal(s.rss_B, ML_NOT_MEASURED);
    assert_int_equal(s.peak_rss_B, ML_NOT_MEASURED);
    assert_true(s.swap_B == INT64_MAX);
    assert_int_equal(s.vsize_B, 7);
    ml_proc_parse_status("", 0, &s);
    assert_int_equal(s.tgid, ML_NOT_MEASURED);
}

static void rollup_and_meminfo(void **state)
{
    static const char rollup[] = "562d1c255000-7ffe47588000 ---p 00000000 00:00 0    [rollup]\n"
                                 "Rss:                1688 kB\nPss:                 311 kB\n"
                                 "Pss_Dirty:           112 kB\nShared_Clean:  5 kB\n"
                                 "Private_Clean:        40 kB\nPrivate_Dirty:       116 kB\n"
                                 "Anonymous:           130 kB\nShared_Hugetlb:   2048 kB\n";
    static const char meminfo[] = "MemTotal:       24684084 kB\nMemFree:        24121396 kB\n"
                                  "SwapTotal:             0 kB\n";
    struct ml_proc_meminfo m;
    (void)state;
    struct ml_proc_rollup r;
    ml_proc_parse_rollup(rollup, sizeof rollup - 1, &r);
    assert_int_equal(r.pss_B, 311 << 10);
    assert_int_equal(r.private_B, 156 << 10);
    assert_int_equal(r.anonymous_B, 130 << 10);
    assert_int_equal(r.shared_hugetlb_B, 2048 << 10);
    ml_proc_parse_rollup("Pss_Dirty: 5 kB\nPrivate_Clean: 5 kB\n", 35, &r);
    assert_int_equal(r.pss_B, ML_NOT_MEASURED);
    assert_int_equal(r.private_B, ML_NOT_MEASURED);
    ml_proc_parse_meminfo(meminfo, sizeof meminfo - 1, &m);
    assert_true(m.total_B == 24684084LL << 10);
    assert_int_equal(m.available_B, ML_NOT_MEASURED);
    assert_int_equal(m.swap_total_B, 0);
    assert_int_equal(m.swap_free_B, ML_NOT_MEASURED);
}

static void trouble(void **state)
{
    static const char psi[] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=2781104\n"
                              "full avg10=0.00 avg60=0.00 avg300=0.00 total=408303\n";
    static const char stat[] = "anon 5\ninactive_file 16384\nactive_file 100\nshmem 7\nkernel 9\n"
                               "total_inactive_file 1\n";
    struct ml_proc_memory_stat m;
    (void)state;
    assert_int_equal(ml_proc_parse_stalled_us(psi, sizeof psi - 1), 2781104);
    assert_int_equal(ml_proc_parse_stalled_us("full total=5\n", 13), ML_NOT_MEASURED);
    assert_int_equal(ml_proc_parse_stalled_us("some total=\nsome total=5\n", 25), ML_NOT_MEASURED);
    assert_int_equal(ml_proc_parse_counter("x 1\noom_kill 34\n", 16, "oom_kill "), 34);
    assert_int_equal(ml_proc_parse_counter("oom_kill_disable 1\n", 19, "oom_kill "),
                     ML_NOT_MEASURED);
    ml_proc_parse_memory_stat(stat, sizeof stat - 1, false, &m);
    assert_int_equal(m.file_B, 16484);
    assert_int_equal(m.shmem_B, 7);
    assert_int_equal(m.kernel_B, 9);
    ml_proc_parse_memory_stat(stat, sizeof stat - 1, true, &m);
    assert_int_equal(m.file_B, ML_NOT_MEASURED);
}

static void last_pid(void **state)
{
    pid_t pid = 0;
    (void)state;
    assert_true(ml_proc_parse_last_pid("1.38 0.55 0.20 3/96 10341\n", 26, &pid));
    assert_int_equal(pid, 10341);
    static const char *const refused[] = {"",        "\n",       "5",   " ",
                                          "1 2 x\n", "1 2 -5\n", "1 0", "1 9999999999"};
    for (size_t i = 0; i < N(refused); i++)
        assert_false(ml_proc_parse_last_pid(refused[i], strlen(refused[i]), &pid));
    assert_int_equal(pid, 10341);
}

static void children(void **state)
{
    pid_t pids[3] = {0};
    (void)state;
    assert_int_equal(ml_proc_parse_pids("101 2147483647 ", 15, pids, 3), 2);
    assert_int_equal(pids[0], 101);
    assert_int_equal(pids[1], 2147483647);
    assert_int_equal(ml_proc_parse_pids("1 2 3 4 5 ", 10, pids, 3), 3);
    assert_int_equal(pids[2], 3);
    assert_int_equal(ml_proc_parse_pids("", 0, pids, 3), 0);
    assert_int_equal(ml_proc_parse_pids(" \n", 2, pids, 3), 0);
    assert_int_equal(ml_proc_parse_pids("7 x 8 ", 6, pids, 3), 1);
    assert_int_equal(ml_proc_parse_pids("0 8 ", 4, pids, 3), 0);
    assert_int_equal(ml_proc_parse_pids("-8 ", 3, pids, 3), 0);
    assert_int_equal(ml_proc_parse_pids("9999999999 8 ", 13, pids, 3), 0);
    assert_int_equal(ml_proc_parse_pids("12", 1, pids, 3), 1); /* cut */
}

static void cgroups(void **state)
{
    static const char v1[] = "9:name=systemd:/\n4:memory:/pbs/12.head\n3:cpu,cpuacct:/c\n0::/two\n";
    static const struct {
        const char *text, *controller, *path; /* NULL: refused */
    } cases[] = {
        {v1, "memory", "/pbs/12.head"},
        {v1, "cpuacct", "/c"},
        {v1, "cpu", "/c"},
        {v1, "", "/two"},
        {v1, "cpuset", NULL},
        {"0::/\n", "", "/"},
        {"0::/a:b\n", "", "/a:b"},
        {"0::", "", NULL},
        {"0::relative", "", NULL},
        {"0::/../x\n", "", NULL},
        {"0::/a/..\n", "", NULL},
        {"0::/a..b/..c\n", "", "/a..b/..c"},
        {"4:memory", "memory", NULL},
        {"", "", NULL},
        {":::::", "", NULL},
    };
    char path[32];
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        bool found = ml_proc_parse_cgroup(cases[i].text, strlen(cases[i].text), cases[i].controller,
                                          path, sizeof path);
        if (found != (cases[i].path != NULL) || (found && strcmp(path, cases[i].path) != 0))
            fail_msg("case %zu", i);
    }
    assert_false(
        ml_proc_parse_cgroup("0::/0123456789012345678901234567890123", 38, "", path, sizeof path));
    assert_false(ml_proc_parse_cgroup("0::/a\0b", 7, "", path, sizeof path));
    assert_int_equal(ml_proc_parse_limit("max\n", 4), ML_NOT_MEASURED);
    assert_int_equal(ml_proc_parse_limit("9223372036854771712\n", 20), ML_NOT_MEASURED);
    assert_int_equal(ml_proc_parse_limit("1073741824\n", 11), 1 << 30);
    assert_int_equal(ml_proc_parse_limit("", 0), ML_NOT_MEASURED);
}

static void cpu_lists(void **state)
{
    static const struct {
        const char *text;
        int count;
    } cases[] = {
        {"0-3,8,10-11\n", 7},
        {"0\n", 1},
        {"0-127\n", 128},
        {"", 0},
        {"\n", 0},
        {"3-1", 0},
        {"-1", 0},
        {"0-", 0},
        {"0-99999999999", 0},
        {"x", 0},
        {"0,,1", 1},
        {"0-1,", 2},
        {"1-2-3", 2},
        {"0-5,7 ", 7},
        {"0-1000000000,0-1000000000", 0},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        if (ml_proc_count_cpus(cases[i].text, strlen(cases[i].text)) != cases[i].count)
            fail_msg("'%s'", cases[i].text);
    }
}

static void command_lines_that_attach(void **state)
{
    static const struct {
        const char *text; /* "|" for the NULs */
        bool attaches;
    } table[] = {
        {"srun|memlog-mpi|--attach", true},
        {"mpiexec|-n|2|/b/memlog-mpi.mpich|-q|--attach=x", true},
        {"memlog-mpi|--attach|app", true},
        {"memlog-mpi|--|app", false},
        {"app|--attach|memlog-mpi", false},
        {"vi|memlog-mpi.1", false},
        {"srun|memlog-mpix|--attach", false},
        {"srun|memlog-mpi|--attached", false},
        {"bash|-c|memlog-mpi --attach", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[100];
        size_t n = (size_t)snprintf(text, sizeof text, "%s|", table[i].text);
        for (size_t k = 0; k < n; k++)
            text[k] = text[k] == '|' ? '\0' : text[k];
        if (ml_proc_cmdline_attaches(text, n) != table[i].attaches)
            fail_msg("%s", table[i].text);
    }
}

static void environments(void **state)
{
    static const char env[] = "A=1\0MEMLOG_RUN=12\0OMPI_COMM_WORLD_RANK=5\0PMI_RANK=x\0Z=";
    (void)state;
    assert_true(ml_proc_environ_has(env, sizeof env, "MEMLOG_RUN=12"));
    assert_false(ml_proc_environ_has(env, sizeof env, "MEMLOG_RUN=1"));
    assert_false(ml_proc_environ_has(env, sizeof env, "MEMLOG_RUN=123"));
    assert_false(ml_proc_environ_has(env, sizeof env, "EMLOG_RUN=12"));
    assert_false(ml_proc_environ_has(env, 12, "MEMLOG_RUN=12"));
    static const char jobs[] = "PBS_JOBID=14.server\0SLURM_JOB_ID=77\0XPBS_JOBID=15";
    assert_true(ml_proc_environ_has_id(jobs, sizeof jobs, "PBS_JOBID", "14"));
    assert_true(ml_proc_environ_has_id(jobs, sizeof jobs, "PBS_JOBID", "14.server"));
    assert_true(ml_proc_environ_has_id(jobs, sizeof jobs, "SLURM_JOB_ID", "77"));
    assert_false(ml_proc_environ_has_id(jobs, sizeof jobs, "PBS_JOBID", "1"));
    assert_false(ml_proc_environ_has_id(jobs, sizeof jobs, "PBS_JOBID", "14.serve"));
    assert_false(ml_proc_environ_has_id(jobs, sizeof jobs, "PBS_JOBID", "15"));
    assert_false(ml_proc_environ_has_id(jobs, sizeof jobs, "PBS_JOB", "14"));
    assert_false(ml_proc_environ_has_id(jobs, sizeof jobs, "SLURM_JOB_ID", "7"));
    assert_int_equal(ml_proc_environ_rank(env, sizeof env), 5);
    assert_int_equal(ml_proc_environ_rank("PMI_RANK=3\0PMIX_RANK=4", 22), 4);
    assert_int_equal(ml_proc_environ_rank("PMI_RANK=3", 10), 3);
    assert_int_equal(ml_proc_environ_rank("PMI_RANK=", 9), -1);
    assert_int_equal(ml_proc_environ_rank("PMI_RANK=-3", 11), -1);
    assert_int_equal(ml_proc_environ_rank("PMI_RANK=3x", 11), -1);
    assert_int_equal(ml_proc_environ_rank("PMI_RANK=99999999999", 20), -1);
    assert_int_equal(ml_proc_environ_rank("XPMI_RANK=3", 11), -1);
    assert_int_equal(ml_proc_environ_rank("", 0), -1);
}

static void numa_nodes(void **state)
{
    static const struct {
        const char *text;
        uint64_t nodes;
    } lists[] =
        {
            {"0", 1},
            {"0-1,3\n", 11},
            {"63", UINT64_C(1) << 63},
            {"0-63", UINT64_MAX},
            {"64", 0},
            {"", 0},
            {"2-1", 0},
            {"-1", 0},
            {"1-", 0},
            {"1,", 0},
            {"0-99999999999999999999", 0},
        },
      policies[] = {
          {"559a1c6a4000 bind:0-1 file=/bin/x mapped=2 N0=2\n5600 bind:7\n", 3},
          {"559a1c6a4000 bind=static:1\n", 2},
          {"559a1c6a4000 bind=relative:0 heap", 1},
          {"559a1c6a4000 default file=/bin/bind:1", 0},
          {"559a1c6a4000 interleave:0-1", 0},
          {"559a1c6a4000 prefer:0", 0},
          {"559a1c6a4000 bind", 0},
          {"559a1c6a4000", 0},
          {"", 0},
      };
    static const char status[] = "Mems_allowed:\tff\nMems_allowed_list:\t1,4\nx: 1\n";
    (void)state;
    for (size_t i = 0; i < N(lists); i++)
        assert_true(ml_proc_parse_nodes(lists[i].text, strlen(lists[i].text)) == lists[i].nodes);
    for (size_t i = 0; i < N(policies); i++)
        assert_true(ml_proc_parse_bound(policies[i].text, strlen(policies[i].text)) ==
                    policies[i].nodes);
    assert_int_equal(ml_proc_parse_mems(status, sizeof status - 1), 18);
    assert_int_equal(ml_proc_parse_mems(status, 18), 0);
}

static void numa_meminfo(void **state)
{
    static const char text[] = "Node 1 MemTotal:  100 kB\nNode 1 MemFree:  40 kB\n"
                               "Node 1 Active(file): 3 kB\nNode 1 Inactive(file): 2 kB\n";
    static const char huge[] = "Node 1 MemTotal: 9223372036854775807 kB\n"
                               "Node 1 MemFree: 9223372036854775807 kB\nNode 1 Active(file): 3 kB";
    struct ml_proc_node_meminfo m;
    (void)state;
    ml_proc_parse_node_meminfo(text, sizeof text - 1, 1, &m);
    assert_int_equal(m.total_B, 100 << 10);
    assert_int_equal(m.left_B, 45 << 10);
    ml_proc_parse_node_meminfo(text, sizeof text - 1, 2, &m);
    assert_int_equal(m.left_B, -1);
    ml_proc_parse_node_meminfo(huge, sizeof huge - 1, 1, &m);
    assert_true(m.left_B == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_names),
        cmocka_unit_test(cpu_of_stat),
        cmocka_unit_test(io),
        cmocka_unit_test(stat_refused),
        cmocka_unit_test(cut_texts),
        cmocka_unit_test(statm),
        cmocka_unit_test(status),
        cmocka_unit_test(numa_nodes),
        cmocka_unit_test(numa_meminfo),
        cmocka_unit_test(trouble),
        cmocka_unit_test(rollup_and_meminfo),
        cmocka_unit_test(last_pid),
        cmocka_unit_test(children),
        cmocka_unit_test(cgroups),
        cmocka_unit_test(cpu_lists),
        cmocka_unit_test(command_lines_that_attach),
        cmocka_unit_test(environments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
