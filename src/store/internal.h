/* What the files of src/store share. */
#ifndef ML_STORE_INTERNAL_H
#define ML_STORE_INTERNAL_H

#include "store/h5.h"
#include "store/store.h"

struct ml_store {
    struct ml_team *team;
    char *path, *part;
    hid_t file, transfer, group_creation;
};

#endif
