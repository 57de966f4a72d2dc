/* Numbers for things that several members have: each different one gets one number, and one member
 * that tells what it is. No member sees more than its own things and its share of all. */
#ifndef ML_STORE_NUMBERING_H
#define ML_STORE_NUMBERING_H

#include "base/error.h"
#include "store/team.h"

/* A thing, known by a hash of all that it is. */
struct ml_key {
    uint64_t high, low;
    int64_t level; /* >= 0; comes with the thing, so equal hashes have equal levels */
};

struct ml_numbers {
    int32_t *of; /* of each key that this member gave */
    struct ml_told {
        int32_t number;
        size_t key; /* one of those that have this number */
    } * told;       /* what this member is to tell, by number */
    size_t n_told;
    int64_t total; /* different keys of all members */
};

/* Collective over TEAM. Numbers N keys of this member (in any order, repeated or not) and those of
 * the others from 0 on, by level, then by hash: whatever the number of members, and whoever has
 * which. Errors, on every member: more than 2^31 - 1 different ones; MPI's. */
enum ml_status ml_number_keys(struct ml_team *team, const struct ml_key *keys, size_t n,
                              struct ml_numbers *out_numbers, struct ml_error *err);

void ml_numbers_free(struct ml_numbers *numbers);

#endif
