/* The name of the result: what was asked for, else the batch job's, and a number in it where that
 * name is taken and nobody is there to be asked. */
#ifndef ML_RECORDER_OUTFILE_H
#define ML_RECORDER_OUTFILE_H

#include "launch/options.h"

#include <mpi.h>

/* Plain data: rank 0's goes to the other nodes as it is. */
struct ml_outfile {
    char path[4096];     /* absolute */
    char journals[4096]; /* the folder of the journals */
    bool force;
    bool ours;     /* nobody has asked for this name */
    bool may_move; /* takes the next free name where its own is taken: it is ours, or this is a
                    * batch job: one that is run again, or an element of an array, finds what
                    * another one has left, waited for its turn, and is to run */
};

/* Finds the name, and whether its folder and the journals' are there and writable. */
enum ml_status ml_outfile_find(const struct ml_options *options, struct ml_outfile *out_file,
                               struct ml_error *err);

/* Whether FILE, or a journal of it, is in the way: without --force any, with it that of a run that
 * goes on. Not an error where it may move. */
enum ml_status ml_outfile_check(const struct ml_outfile *file, struct ml_error *err);

/* The NUMBER-th name: "run.h5", "run.1.h5", "run.2.h5". */
void ml_outfile_name(const struct ml_outfile *file, int number, char *out, size_t size);

/* The least number from NUMBER on whose name is free, as seen from this node. */
int ml_outfile_free_number(const struct ml_outfile *file, int number);

/* Collective over COMM: the least that is free for all of its members, since each sees the journals
 * that an earlier run has left on its own node. */
int ml_outfile_agree(const struct ml_outfile *file, int number, MPI_Comm comm);

/* "memlog-14.server.h5" for JOB, in characters that mean nothing to a shell ("14[3].server" of an
 * array is "14-3.server"); NULL: by date and time. */
void ml_outfile_default(const char *job, char *out, size_t size);

#endif
