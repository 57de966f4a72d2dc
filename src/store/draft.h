/* The file under way: in a folder of its own beside FILE, whose name nobody can guess and which
 * nobody else may enter, until it is published as FILE.
 *
 * The folder, .FILE.RUN, is the lock on the record of a run too: of all who would write FILE from
 * that run's journals, its end and any recovery, the one writes that could give it that name. */
#ifndef ML_STORE_DRAFT_H
#define ML_STORE_DRAFT_H

#include "base/error.h"
#include "store/team.h"

#include <stdbool.h>

struct ml_draft;

/* What to do where another process has the folder. */
enum ml_draft_claim {
    ML_DRAFT_ASK,   /* an error, after a second */
    ML_DRAFT_WAIT,  /* after half a minute */
    ML_DRAFT_FORCE, /* as ASK; where it is only in doubt whether the process lives it is removed */
};

/* Collective over TEAM. Makes the folder, and in it an empty file. RUN is the run's id. Of earlier
 * drafts of PATH those are removed whose writers are certainly gone. Errors, every member's:
 * another one has the folder, or the file system refuses. */
enum ml_status ml_draft_open(struct ml_team *team, const char *path, const char *run,
                             enum ml_draft_claim claim, struct ml_draft **out_draft,
                             struct ml_error *err);

/* Where to write: by way of the folder as it was opened, whatever happens to its name. It exists.
 */
const char *ml_draft_file(const struct ml_draft *draft);

/* The PATH of ml_draft_open. */
const char *ml_draft_path(const struct ml_draft *draft);

/* By member 0. Gives the written file the name PATH. If PATH is there by now it is replaced where
 * REPLACE, else left alone, and the file gets a free name beside it: "run-2.h5". */
enum ml_status ml_draft_publish(struct ml_draft *draft, bool replace, struct ml_error *err);

/* Collective. The name that it got; NULL as long as it has none. */
const char *ml_draft_published(struct ml_draft *draft);

/* Collective. Removes the folder, and the file if it was not published. NULL is fine. */
void ml_draft_close(struct ml_draft *draft);

/* PATH is a draft, or the folder of one: the FILE that it was to be, for the caller to free; NULL:
 * it is none. */
char *ml_draft_target(const char *path);

#endif
