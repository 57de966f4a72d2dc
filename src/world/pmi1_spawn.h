/* PMI-1's spawn, as MPICH's client writes it: for each command a block of lines KEY=VALUE between
 * "mcmd=spawn" and "endcmd". Pure.
 *
 *   nprocs=2 execname=./child totspawns=1 spawnssofar=1 arg1=-v argcnt=1 preput_num=1
 *   preput_key_0=PARENT_ROOT_PORT_NAME preput_val_0=tag info_num=1 info_key_0=wdir info_val_0=/tmp
 */
#ifndef ML_WORLD_PMI1_SPAWN_H
#define ML_WORLD_PMI1_SPAWN_H

#include "world/spawn.h"

/* {0} is an empty one. */
struct ml_pmi1_spawn {
    struct ml_buffer lines; /* of the block: key NUL value NUL ... */
    struct ml_buffer apps, put;
    struct ml_buffer codes; /* "0,0,0": an error code for each rank */
    bool wrong;
};

enum ml_pmi1_spawn_state {
    ML_PMI1_SPAWN_PART,  /* further blocks are to come */
    ML_PMI1_SPAWN_WHOLE, /* that was the last */
    ML_PMI1_SPAWN_WRONG, /* it says too little, or is too long */
};

/* A LINE of the block, without its newline. */
void ml_pmi1_spawn_line(struct ml_pmi1_spawn *spawn, const char *line);

/* The block's end. OUT_CALL of the whole points into SPAWN. */
enum ml_pmi1_spawn_state ml_pmi1_spawn_end(struct ml_pmi1_spawn *spawn,
                                           struct ml_spawn_call *out_call);

/* What a client that spawned is told: no error of any rank. */
const char *ml_pmi1_spawn_codes(const struct ml_pmi1_spawn *spawn);

/* Makes it empty again. */
void ml_pmi1_spawn_clear(struct ml_pmi1_spawn *spawn);

#endif
