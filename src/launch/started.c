#include "launch/started.h"

void ml_started_pack(const struct ml_started *started, struct ml_buffer *out)
{
    ml_pack_int(out, started->number);
    ml_pack_int(out, started->pid);
    ml_pack_int(out, started->error);
    ml_pack_int(out, started->which);
    ml_pack_int(out, started->floor_B);
}

struct ml_started ml_started_unpack(struct ml_unpacker *u)
{
    struct ml_started started = {.number = (int)ml_unpack_int(u)};
    started.pid = (pid_t)ml_unpack_int(u);
    started.error = (int)ml_unpack_int(u);
    started.which = (enum ml_which_mpi)ml_unpack_int(u);
    started.floor_B = ml_unpack_int(u);
    return started;
}
