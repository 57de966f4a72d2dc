/* A sink of the probe that remembers what it was told. */
#ifndef ML_TESTS_RECORDER_H
#define ML_TESTS_RECORDER_H

#include "probe/probe.h"

#define RECORDER_MAX 512

struct recorded_process {
    struct ml_process_row row; /* the last one */
    char name[64];
    int n_started;
    int n_samples;
    int n_ended;
    int64_t end_ns;
    struct ml_sample_row last;
    int64_t largest_rss_B;
};

struct recorder {
    struct recorded_process processes[RECORDER_MAX];
    int n; /* highest number that was seen, plus 1 */
    int64_t tick;
    struct ml_node_sample_row node; /* of the last tick */
};

/* One tick of PROBE at NOW_NS into RECORDER. Ends the program if the probe breaks its rules: a
 * sample or an end before the start or after the end, a row that did not change. */
void recorder_tick(struct recorder *recorder, struct ml_probe *probe, int64_t now_ns);

/* The process that had or has PID, started last; NULL if there is none. */
struct recorded_process *recorder_find(struct recorder *recorder, pid_t pid);

#endif
