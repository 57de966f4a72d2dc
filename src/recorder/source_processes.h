/* The run's processes at each tick. */
#ifndef ML_RECORDER_SOURCE_PROCESSES_H
#define ML_RECORDER_SOURCE_PROCESSES_H

#include "probe/probe.h"
#include "recorder/source.h"

struct ml_process_source;

/* RANK is to run COMMAND. */
void ml_process_source_expect(struct ml_process_source *s, int rank, const char *command);

/* Watches PID, rank RANK of the application, from the next tick on. */
void ml_process_source_add(struct ml_process_source *s, int rank, pid_t pid);

/* To ask for processes. */
struct ml_probe *ml_process_source_probe(struct ml_process_source *s);

/* The number of RANK's process; -1: none, as for rank -1. */
int ml_process_source_of_rank(const struct ml_process_source *s, int rank);

#endif
