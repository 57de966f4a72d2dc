/* A flame graph: stacks merged from the root, each call as wide as what it weighs. Pure. */
#ifndef ML_PLOT_FLAME_H
#define ML_PLOT_FLAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose code a call is. */
enum ml_flame_kind {
    ML_FLAME_OWN,
    ML_FLAME_MPI,   /* MPI's libraries, and those that it moves data with */
    ML_FLAME_LIBC,  /* the C library, the dynamic linker, the kernel's */
    ML_FLAME_OTHER, /* other libraries */
    ML_FLAME_NONE,  /* no call: all together, calls that are not known */
    ML_FLAME_KINDS
};

struct ml_flame_frame {
    size_t end;      /* the frame behind those that it called: i + 1, its end, ... up to this */
    int32_t depth;   /* 0: all together */
    int64_t weight;  /* of it and all that it called: bytes, or samples */
    int64_t error;   /* the weight's standard error; 0: it is exact */
    int64_t most;    /* what the rank has of it that has most */
    int32_t in_rank; /* that rank; -1: none of the ranks has any */
    size_t n_ranks;  /* that have some of it */
    enum ml_flame_kind kind;
    char *name, *place, *module; /* "solve", "solve.c:25", path; "": not known */
};

struct ml_flame {
    struct ml_flame_frame *frames; /* each followed by what it called, the heaviest first */
    size_t n;                      /* 0, or the first is all together */
    bool bytes;                    /* weights are; else samples */
    bool icicle;                   /* from the top down */
};

/* Whose code MODULE is, in a run of PROGRAM: paths. Libraries that lie with the program, and what
 * is written in Python, are its own. */
enum ml_flame_kind ml_flame_kind_of(const char *module, const char *program);

/* "the program", "MPI", ... */
const char *ml_flame_kind_name(enum ml_flame_kind kind);

/* Frees FLAME too; NULL is fine. */
void ml_flame_free(struct ml_flame *flame);

#endif
