/* libFuzzer: the parsers of /proc and cgroups. The first byte chooses one. */
#include "probe/proc_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void stat(const char *text, size_t n)
{
    struct ml_proc_stat stat;
    if (ml_proc_parse_stat(text, n, &stat))
        must(memchr(stat.name, 0, sizeof stat.name) && stat.state > ' ');
}

static void statm(const char *text, size_t n)
{
    struct ml_proc_statm statm;
    ml_proc_parse_statm(text, n, &statm);
}

static void status(const char *text, size_t n)
{
    struct ml_proc_status status;
    ml_proc_parse_status(text, n, &status);
    must(status.rss_B >= -1 && status.tgid >= -1 && status.swap_B >= -1);
}

static void io(const char *text, size_t n)
{
    struct ml_proc_io io;
    ml_proc_parse_io(text, n, &io);
    must(io.read_B >= -1 && io.written_B >= -1 && ml_proc_parse_cpu(text, n) >= -1);
}

static void rollup(const char *text, size_t n)
{
    struct ml_proc_rollup rollup;
    ml_proc_parse_rollup(text, n, &rollup);
    must(rollup.pss_B >= -1 && rollup.private_B >= -1 && rollup.shared_hugetlb_B >= -1);
}

static void meminfo(const char *text, size_t n)
{
    struct ml_proc_meminfo meminfo;
    ml_proc_parse_meminfo(text, n, &meminfo);
}

static void last_pid(const char *text, size_t n)
{
    pid_t pid;
    if (ml_proc_parse_last_pid(text, n, &pid))
        must(pid > 0);
}

static void cgroup_v1(const char *text, size_t n)
{
    char path[24];
    if (ml_proc_parse_cgroup(text, n, "memory", path, sizeof path))
        must(*path == '/' && strlen(path) < sizeof path);
}

static void cgroup_v2(const char *text, size_t n)
{
    char path[24];
    if (ml_proc_parse_cgroup(text, n, "", path, sizeof path))
        must(*path == '/' && !strstr(path, "/../"));
}

static void limit(const char *text, size_t n)
{
    must(ml_proc_parse_limit(text, n) >= -1);
}

static void cpus(const char *text, size_t n)
{
    must(ml_proc_count_cpus(text, n) >= 0);
}

static void numa(const char *text, size_t n)
{
    struct ml_proc_node_meminfo meminfo;
    ml_proc_parse_nodes(text, n);
    ml_proc_parse_mems(text, n);
    ml_proc_parse_bound(text, n);
    ml_proc_parse_node_meminfo(text, n, 0, &meminfo);
    must(meminfo.left_B >= -1 && meminfo.total_B >= -1);
}

static void mark(const char *text, size_t n)
{
    ml_proc_environ_has(text, n, "MEMLOG_RUN=1");
    ml_proc_cmdline_attaches(text, n);
    ml_proc_environ_has_id(text, n, "PBS_JOBID", "1");
}

static void rank(const char *text, size_t n)
{
    must(ml_proc_environ_rank(text, n) >= -1);
}

static void (*const parsers[])(const char *text, size_t n) = {
    stat,      statm, status, rollup, meminfo, last_pid, cgroup_v1,
    cgroup_v2, limit, cpus,   mark,   rank,    numa,     io,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t n = size - 1;
    char *text = malloc(n ? n : 1); /* exact, so that the sanitizer sees reads behind it */
    memcpy(text, data + 1, n);
    parsers[data[0] % (sizeof parsers / sizeof *parsers)](text, n);
    free(text);
    return 0;
}
