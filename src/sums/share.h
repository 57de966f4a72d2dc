/* The memory of one process: its private pages, its share of those that it has in common with
 * others, and its huge pages. Of the share the kernel tells at a price (smaps_rollup, see
 * docs/format.md), so it is read now and then; between two readings the memory is known within a
 * bound. Pure. */
#ifndef ML_SUMS_SHARE_H
#define ML_SUMS_SHARE_H

#include "record/tables.h"

/* What a reading of /proc/PID/smaps_rollup said of the process, and its other numbers then. */
struct ml_share {
    int64_t pss_B;            /* private pages, and of each shared page its part; -1: never read */
    int64_t private_B;        /* of these: pages that it alone has */
    int64_t shared_anon_B;    /* anonymous pages that it has in common with others (fork) */
    int64_t shared_hugetlb_B; /* huge pages that others may have too */
    int64_t anon_B, mapped_B; /* resident then: anonymous; of files and shared memory */
    int64_t faults_B;         /* memory that all its page faults had filled, at most, until the
                                 first of the node's processes was read */
    int64_t late_B; /* pages of files and shared memory that it took after the first of the node's
                       processes was read: who was read before may have been alone with them */
};

/* A process as it is now. */
struct ml_share_now {
    const struct ml_sample_row *row; /* of it, its resident sets */
    int64_t faults_B;                /* as in struct ml_share */
    int processes;                   /* of the run on this node */
    int hugetlb_sharers;             /* those of them with shared huge pages */
    bool forked; /* it may still have all its anonymous pages in common with its parent */
};

struct ml_share_memory {
    int64_t memory_B; /* -1: not measured */
    int64_t error_B;  /* so much more it may be */
};

/* The memory by what SHARE said and what has changed since:
 *
 *   anonymous pages that came    are its own;
 *   pages of files and shared    may be there already, as another process's: they count when all
 *   memory that came             are read again, or at once where there is no other;
 *   pages that went              were its own;
 *   anonymous pages in common    become its own when it writes to them, which is a page fault.
 *
 * So the sum over a node is never more than there is, also where processes are read one after the
 * other while they take pages; but for huge pages: those that it shares, it is taken to share with
 * all who have such. */
struct ml_share_memory ml_share_memory(const struct ml_share *share,
                                       const struct ml_share_now *now);

#endif
