/* The HDF5 file of a run, from journals: at the end of a run and in `memlog recover` alike. */
#ifndef ML_ASSEMBLE_RUN_FILE_H
#define ML_ASSEMBLE_RUN_FILE_H

#include "journal/harvest.h"
#include "store/store.h"

/* Collective over TEAM. Writes DRAFT from all members' HARVESTS: N of this member (0 is fine), by
 * node inside a member and from member to member, no node twice.
 *
 * Root attributes are those of the journal of rank 0's node, or of the first journal where that is
 * missing, then EXTRA, as the member gives it that holds that journal; a later one of a name wins.
 * With REPLACE what has the name of the file by now is replaced. DRAFT stays the caller's.
 *
 * Nodes without a journal stand in /nodes as far as the other journals know them.
 *
 * Errors: no journal at all, and those of the store, on every member. */
enum ml_status ml_run_file_write(struct ml_team *team, struct ml_harvest **harvests, size_t n,
                                 const struct ml_attribute *extra, size_t n_extra,
                                 struct ml_draft *draft, bool replace, struct ml_error *err);

#endif
