/* A number for each of many members that goes on in runs: the node of each rank is the same for
 * those that are together, or one more than that of the rank before. What is kept are the runs. */
#ifndef ML_BASE_RUNS_H
#define ML_BASE_RUNS_H

#include "base/pack.h"

#include <stdbool.h>
#include <stddef.h>

struct ml_run {
    int first;       /* member */
    int value, step; /* that of member FIRST + i is VALUE + i STEP */
};

struct ml_runs {
    int n; /* members */
    struct ml_run *list;
    size_t n_list, capacity;
};

void ml_runs_append(struct ml_runs *runs, int value);
struct ml_runs ml_runs_of(const int *values, int n);

int ml_runs_at(const struct ml_runs *runs, int member);

/* How many of the first END members have VALUE. */
int ml_runs_count(const struct ml_runs *runs, int end, int value);

void ml_runs_pack(const struct ml_runs *runs, struct ml_buffer *out);

/* False if the bytes are none, of at most MOST members with numbers from 0 to below LIMIT; OUT is
 * empty then. */
bool ml_runs_unpack(struct ml_unpacker *u, int most, int limit, struct ml_runs *out);

void ml_runs_free(struct ml_runs *runs);

#endif
