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

static void parse_numbers(int which, const char *text, size_t n)
{
    struct ml_proc_stat stat;
    struct ml_proc_statm statm;
    struct ml_proc_status status;
    struct ml_proc_meminfo meminfo;
    pid_t pid;
    if (which == 0 && ml_proc_parse_stat(text, n, &stat))
        must(memchr(stat.name, 0, sizeof stat.name) && stat.state > ' ');
    if (which == 1)
        ml_proc_parse_statm(text, n, &statm);
    if (which == 2) {
        ml_proc_parse_status(text, n, &status);
        must(status.rss_B >= -1 && status.tgid >= -1 && status.swap_B >= -1);
    }
    if (which == 3)
        must(ml_proc_parse_pss(text, n) >= -1);
    if (which == 4)
        ml_proc_parse_meminfo(text, n, &meminfo);
    if (which == 5 && ml_proc_parse_last_pid(text, n, &pid))
        must(pid > 0);
}

static void parse_others(int which, const char *text, size_t n)
{
    char path[24];
    if (which == 6 && ml_proc_parse_cgroup(text, n, "memory", path, sizeof path))
        must(*path == '/' && strlen(path) < sizeof path);
    if (which == 7 && ml_proc_parse_cgroup(text, n, "", path, sizeof path))
        must(*path == '/' && !strstr(path, "/../"));
    if (which == 8)
        must(ml_proc_parse_limit(text, n) >= -1);
    if (which == 9)
        must(ml_proc_count_cpus(text, n) >= 0);
    if (which == 10)
        ml_proc_environ_has(text, n, "MEMLOG_RUN=1");
    if (which == 11)
        must(ml_proc_environ_rank(text, n) >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t n = size - 1;
    char *text = malloc(n ? n : 1); /* exact, so that the sanitizer sees reads behind it */
    memcpy(text, data + 1, n);
    parse_numbers(data[0] % 12, text, n);
    parse_others(data[0] % 12, text, n);
    free(text);
    return 0;
}
