/* Journals of a made-up run, for the tests of what reads and stores them. */
#ifndef ML_TESTS_SYNTHETIC_H
#define ML_TESTS_SYNTHETIC_H

#include "journal/journal.h"

#define SYNTHETIC_ORIGIN_NS 5000000000LL
#define SYNTHETIC_PERIOD_NS 250000000LL

/* Clock of NODE less rank 0's. */
#define SYNTHETIC_SKEW_NS(node) ((node)*1000000000000LL)

struct synthetic {
    int node, n_nodes;
    int processes, ticks;
    int lines;        /* of output */
    int stacks;       /* of the node's tree; the first half is the same on each node */
    int complete;     /* with ends and ML_FRAME_END */
    const char *text; /* of names, events and output */
};

/* A temporary folder; the caller removes it with synthetic_remove and frees it. */
char *synthetic_folder(void);
void synthetic_remove(char *folder);

/* The folder of a test, and the path of the journal in it, between its set-up and its tear-down. */
extern char *journal_folder, *journal_path;
int make_journal_folder(void **state);
int remove_journal_folder(void **state);

struct ml_journal_header synthetic_header(int node, int n_nodes);

/* Writes a whole journal to PATH. */
void synthetic_write(const char *path, const struct synthetic *s);

/* Number in the journal of the stack that process P of NODE was in at TICK, with N stacks. */
int synthetic_stack(int node, int process, int tick, int n);

/* The resident set of process P of NODE at TICK. */
int64_t synthetic_rss_B(int node, int process, int tick);

#endif
