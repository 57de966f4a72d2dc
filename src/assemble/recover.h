/* The HDF5 file of a run that did not come to write it: from the journals that are there. */
#ifndef ML_ASSEMBLE_RECOVER_H
#define ML_ASSEMBLE_RECOVER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_recover_journal {
    char *path;
    char *node_name;
    int node;
    bool complete;   /* the application had ended and all is recorded */
    int64_t torn_B;  /* at its end, dropped */
    int64_t last_ns; /* of the last record, since the run's start */
};

/* What a person should know of a recovery. */
struct ml_recover_report {
    struct ml_recover_journal *journals; /* those that were used, by node */
    size_t n_journals;
    char **unreadable; /* a line for each that was not: path and why */
    size_t n_unreadable;
    char *file;     /* what was made: OUTFILE, or a name beside it that was free */
    char **missing; /* names of the nodes that have no journal */
    size_t n_missing;
};

enum ml_recover_mode {
    ML_RECOVER_SAFE,  /* not while the run may go on, and never over a file */
    ML_RECOVER_FORCE, /* whatever may go on; OUTFILE is replaced */
    ML_RECOVER_LOOK,  /* OUTFILE is the caller's own, for a look at what there is by now */
};

/* Writes OUTFILE from N journals, with recovered=1. OUT_REPORT (may be NULL) is the caller's to
 * free. A journal that cannot be read is passed over. Errors (ML_RUN_LOST): OUTFILE exists; the run
 * goes on, or may; another process makes OUTFILE of it; a journal went away meanwhile; journals of
 * different runs; two of one node; none that can be read; not written. */
enum ml_status ml_recover(char *const *journals, size_t n, const char *outfile,
                          enum ml_recover_mode mode, struct ml_recover_report *out_report,
                          struct ml_error *err);

void ml_recover_report_free(struct ml_recover_report *report);

/* The journals of OUTFILE in JOURNAL_DIR (NULL: beside it), by name. The caller frees each and the
 * array; without any *OUT_N is 0. */
void ml_recover_find(const char *outfile, const char *journal_dir, char ***out_paths,
                     size_t *out_n);

#endif
