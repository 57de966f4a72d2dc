#include "probe_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_NS (250 * ML_NS_PER_MS)

struct fake_proc fake;
struct recorder *recorder;
struct ml_probe *probe;
struct ml_node_probe *node_probe;
int64_t now_ns;

void open_probe(int64_t pss_period_ns)
{
    char cgroups[96], numa[96], cpus[96];
    struct ml_error err;
    snprintf(cgroups, sizeof cgroups, "%s/cgroups", fake.root);
    snprintf(numa, sizeof numa, "%s/numa", fake.root);
    snprintf(cpus, sizeof cpus, "%s/cpus", fake.root);
    const struct ml_probe_options options = {fake.root, 7, pss_period_ns, numa, cpus};
    if (ml_probe_open(&options, &probe, &err) != ML_OK ||
        ml_node_probe_open(fake.root, cgroups, &node_probe, &err) != ML_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

int set_up(void **state)
{
    (void)state;
    fake_proc_open(&fake);
    recorder = calloc(1, sizeof *recorder);
    now_ns = ml_mono_now().ns;
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    ml_probe_close(probe);
    ml_node_probe_close(node_probe);
    probe = NULL;
    node_probe = NULL;
    fake_proc_close(&fake);
    free(recorder);
    return 0;
}

void tick(void)
{
    now_ns += QUARTER_NS;
    recorder_tick(recorder, probe, now_ns);
    ml_node_probe_tick(node_probe, &recorder->node);
}

void set(pid_t pid, pid_t parent, int64_t rss_pages)
{
    fake_proc_set(&fake,
                  &(struct fake_process){
                      .pid = pid, .parent = parent, .start_ticks = pid, .rss_pages = rss_pages});
}

void set_environ(pid_t pid, const char *entry, const char *entry2)
{
    char path[40], text[200];
    snprintf(path, sizeof path, "%d/environ", pid);
    int n = snprintf(text, sizeof text, "HOME=/%c%s%c%s%c", 0, entry, 0, entry2, 0);
    fake_proc_write_bytes(&fake, path, text, (size_t)n);
}
