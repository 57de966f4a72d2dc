/* A probe on a made-up /proc with made-up cgroups, for tests one after the other. */
#ifndef ML_TESTS_PROBE_FIXTURE_H
#define ML_TESTS_PROBE_FIXTURE_H

#include "fake_proc.h"
#include "probe/node.h"
#include "probe/probe.h"
#include "recorder.h"

#define PAGE 4096

/* Of the running test. */
extern struct fake_proc fake;
extern struct recorder *recorder;
extern struct ml_probe *probe;
extern struct ml_node_probe *node_probe;
extern int64_t now_ns; /* moved on by a quarter of a second at each tick */

int set_up(void **state);
int tear_down(void **state);

/* On fake.root, with cgroups in its folder "cgroups", as node 7. */
void open_probe(int64_t pss_period_ns);

void tick(void);

/* A process that started PID clock ticks after boot. */
void set(pid_t pid, pid_t parent, int64_t rss_pages);

/* An environment of HOME and two entries. */
void set_environ(pid_t pid, const char *entry, const char *entry2);

#endif
