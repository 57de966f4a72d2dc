#include "base/memory.h"
#include "store/h5.h"
#include "store/team.h"

#include <string.h>

static int64_t solo_offset(struct ml_team *team, int64_t value, int64_t *out_total)
{
    (void)team;
    *out_total = value;
    return 0;
}

static void solo_offsets(struct ml_team *team, const int64_t *values, size_t n, int64_t *out_before,
                         int64_t *out_totals)
{
    for (size_t i = 0; i < n; i++)
        out_before[i] = team->offset(team, values[i], &out_totals[i]);
}

static int64_t solo_largest(struct ml_team *team, int64_t value)
{
    (void)team;
    return value;
}

static void solo_share(struct ml_team *team, int64_t value, int64_t *out_values)
{
    (void)team;
    out_values[0] = value;
}

static void solo_broadcast(struct ml_team *team, int member, void *bytes, size_t n)
{
    (void)team, (void)member, (void)bytes, (void)n;
}

static void *solo_exchange(struct ml_team *team, const void *bytes, const size_t *counts,
                           size_t *out_counts)
{
    (void)team;
    out_counts[0] = counts[0];
    void *copy = ml_realloc_array(NULL, counts[0] + 1, 1);
    if (counts[0])
        memcpy(copy, bytes, counts[0]);
    return copy;
}

static enum ml_status solo_agree(struct ml_team *team, enum ml_status status, struct ml_error *err)
{
    (void)team, (void)err;
    return status;
}

static hid_t solo_file_access(struct ml_team *team)
{
    (void)team;
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list >= 0 && (ml_h5_set_versions(list) < 0 || ml_h5_set_no_locking(list) < 0)) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

static hid_t solo_transfer(struct ml_team *team)
{
    (void)team;
    return H5Pcreate(H5P_DATASET_XFER);
}

void ml_team_solo(struct ml_team *out_team)
{
    *out_team = (struct ml_team){.member = 0,
                                 .size = 1,
                                 .writes_chunks = true,
                                 .offset = solo_offset,
                                 .offsets = solo_offsets,
                                 .largest = solo_largest,
                                 .share = solo_share,
                                 .broadcast = solo_broadcast,
                                 .exchange = solo_exchange,
                                 .agree = solo_agree,
                                 .file_access = solo_file_access,
                                 .transfer = solo_transfer};
}
