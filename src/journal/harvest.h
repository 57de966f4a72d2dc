/* A journal read back: its records as the rows of the file's tables. */
#ifndef ML_JOURNAL_HARVEST_H
#define ML_JOURNAL_HARVEST_H

#include "base/error.h"
#include "base/spill.h"
#include "journal/journal.h"
#include "record/tables.h"

#include <stdbool.h>

/* What one node's journal holds. A window of it is in memory, and 8 bytes a row of its tables but
 * for samples, which wait in the spill, sorted. */
struct ml_harvest;

/* Reads PATH, a torn tail (bad length, checksum or row) left out. SPILL, which journals that are
 * read together share, outlives the harvest; NULL: samples stay in memory. Errors (ML_NODE_LOST):
 * not a journal, of another version. */
enum ml_status ml_harvest_open(const char *path, struct ml_spill *spill,
                               struct ml_harvest **out_harvest, struct ml_error *err);

/* Its header alone: what is behind that is not looked at. Errors: those of ml_harvest_open. */
enum ml_status ml_harvest_look(const char *path, struct ml_journal_header *out_header,
                               struct ml_error *err);

/* Rows may be void, and what was made of them: somebody has cut the journal since it was read, or
 * the spill cannot be read. */
bool ml_harvest_is_cut(const struct ml_harvest *h);

/* Reads what is left of it, past a spill that fails: rows that were fetched before are void. */
void ml_harvest_read_again(struct ml_harvest *h);

int64_t ml_harvest_read_B(const struct ml_harvest *h); /* bytes of it that are rows */

/* Bytes at its end that are no rows: torn, or cut off since it was opened. */
int64_t ml_harvest_torn_B(const struct ml_harvest *h);

const struct ml_journal_header *ml_harvest_header(const struct ml_harvest *h);
int ml_harvest_complete(const struct ml_harvest *h); /* has ML_FRAME_END */

size_t ml_harvest_n_attributes(const struct ml_harvest *h);
const struct ml_attribute *ml_harvest_attribute(const struct ml_harvest *h, size_t i);

/* Rows of ml_table_nodes: row i is node i; a node that the journal does not tell about has no
 * name. Only this node's row has ticks, missed, cpu_ns, clock and figures of the stacks; `ended` of
 * this node is COMPLETE or CUT, of others NO_RECORD. Texts are valid until the harvest is closed.
 */
size_t ml_harvest_n_nodes(const struct ml_harvest *h);
void ml_harvest_node(const struct ml_harvest *h, size_t i, struct ml_node_row *out_row);

/* Rows of TABLE that this journal contributes (every table but nodes and mpi_calls), in the file's
 * order, times on rank 0's clock since the run's start (the store rounds them to 2^-20 s), process
 * numbers counted on from PROCESS_BASE, first_row from SAMPLE_BASE. Both are what other journals
 * before it contribute; counts do not depend on them. The rows are valid until the harvest is
 * closed. A process without an end has -1 in end, exit code and signal.
 *
 * Rows of /frames and /stacks are this journal's, and counted in it: parents lie before their
 * children, each frame and parent is one of them, the depths are right. */
struct ml_rows ml_harvest_rows(struct ml_harvest *h, const struct ml_table *table);
void ml_harvest_set_bases(struct ml_harvest *h, int32_t process_base, int64_t sample_base);

/* ROWS[i] is the row in the file of this journal's stack i, which stack samples refer to from now
 * on; NULL, as at first: they refer to the journal's stacks. ROWS stays the caller's. */
void ml_harvest_set_stacks(struct ml_harvest *h, const int32_t *rows);

/* Time of the last record, ns since the run's start, on rank 0's clock. */
int64_t ml_harvest_last_ns(const struct ml_harvest *h);

void ml_harvest_close(struct ml_harvest *h);

#endif
