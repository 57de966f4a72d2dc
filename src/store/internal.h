/* What the files of src/store share. */
#ifndef ML_STORE_INTERNAL_H
#define ML_STORE_INTERNAL_H

#include "store/h5.h"
#include "store/store.h"

struct ml_store {
    struct ml_team *team;
    struct ml_draft *draft; /* whoever made it closes it */
    hid_t file, transfer, group_creation;
};

#define ML_STORE_TEXT_MAX_B 511

/* Bytes of TEXT that fit into a column, whole UTF-8 characters as far as they are some. */
size_t ml_store_text_length(const char *text);

#endif
