#include "sums/room.h"

#include <stdbool.h>

void ml_room_offer(struct ml_node_sample_row *row, enum ml_limit limit, int64_t left_B,
                   int64_t limit_B)
{
    if (left_B < 0 || limit_B <= 0 || (row->left_B >= 0 && row->left_B <= left_B))
        return;
    row->left_B = left_B;
    row->limit_B = limit_B;
    row->limit = (int8_t)limit;
}

struct ml_room ml_room_of(const struct ml_node_row *node, const struct ml_node_sample_row *row)
{
    struct ml_node_sample_row r = *row;
    if (r.left_B < 0) {
        ml_room_offer(&r, ML_LIMIT_NODE, r.available_B, node->memory_B);
        bool known = r.cgroup_B >= 0 && r.cgroup_B <= INT64_MAX / 2 && node->cgroup_limit_B > 0;
        int64_t left_B = known ? node->cgroup_limit_B - r.cgroup_B : ML_NOT_MEASURED;
        ml_room_offer(&r, ML_LIMIT_CGROUP, known && left_B < 0 ? 0 : left_B, node->cgroup_limit_B);
    }
    return (struct ml_room){r.left_B, r.limit_B, (enum ml_limit)r.limit};
}
