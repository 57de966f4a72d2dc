/* Writes the HDF5 file of a run (docs/format.md): all members of a team together, each its own
 * rows.
 *
 * The team is either the sampling ranks over MPI (store/team_mpi.c, parallel HDF5) or one process
 * alone (store/team_solo.c, any HDF5); everything else is the same code. */
#ifndef ML_STORE_STORE_H
#define ML_STORE_STORE_H

#include "base/error.h"
#include "record/tables.h"
#include "store/draft.h"
#include "store/team.h"

struct ml_store;

/* The version of the HDF5 library, "1.10.8", into OUT. */
void ml_store_library(char *out, size_t size);

/* Collective over TEAM. Creates the file in DRAFT, with complete=0 and without any table. DRAFT
 * stays the caller's, and outlives the store. Errors on any member are every member's error. */
enum ml_status ml_store_create(struct ml_team *team, struct ml_draft *draft,
                               struct ml_store **out_store, struct ml_error *err);

/* Collective. Attributes of the root group: those that MEMBER gives. A later one of a name wins;
 * texts over 32 KiB are cut. */
enum ml_status ml_store_attributes(struct ml_store *store, int member,
                                   const struct ml_attribute *attributes, size_t n,
                                   struct ml_error *err);

/* Collective. Writes TABLE: the members' rows one after the other in the order of the team;
 * N_SETS sets of rows of this member, one after the other. Texts over 511 bytes are cut. */
enum ml_status ml_store_table(struct ml_store *store, const struct ml_table *table,
                              const struct ml_rows *sets, size_t n_sets, struct ml_error *err);

/* Collective. Flushes, closes, syncs, sets complete=1, publishes the draft, with REPLACE in place
 * of what is there, syncs the directory. Only when it returns ML_OK on every member may the
 * journals go. STORE is gone whatever the outcome. */
enum ml_status ml_store_finish(struct ml_store *store, bool replace, struct ml_error *err);

/* Collective. Gives up: closes the file. NULL is fine. */
void ml_store_abandon(struct ml_store *store);

#endif
