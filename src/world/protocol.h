/* Messages on the socket between a sampling rank and its world host. Payloads as base/pack.h. */
#ifndef ML_WORLD_PROTOCOL_H
#define ML_WORLD_PROTOCOL_H

enum ml_host_message {
    /* to the world host */
    ML_HOST_SETUP = 1, /* the world (ml_world_pack) */
    ML_HOST_GATHERED,  /* bytes of all hosts, for the eldest ML_HOST_GATHER not yet answered */
    ML_HOST_RECEIVED,  /* int from, rest: what that host posted */
    ML_HOST_STARTED,   /* int seat, int errno (0: it runs) */
    /* from the world host; a seat is a rank's number among all worlds of the run */
    ML_HOST_READY,   /* text: "" or what cannot be hosted and why */
    ML_HOST_RANK,    /* int seat, int rank in its world, int size of the world, int local rank, int
                        local size, text folder, int here_too, words of the command (ml_pack_texts;
                        none: the run's command), int n, n texts NAME=value; with the rank's PMI-1
                        socket */
    ML_HOST_GATHER,  /* bytes for all hosts; answered in order */
    ML_HOST_POST,    /* int to, rest: bytes for that host */
    ML_HOST_STATE,   /* int seat, int enum ml_rank_state */
    ML_HOST_ABORT,   /* int seat, int code, text: a rank called MPI_Abort */
    ML_HOST_REFUSED, /* int seat, int exit code of mpiexec for it, text: why a rank's spawn was */
};

/* What a rank has told its process manager. */
enum ml_rank_state {
    ML_RANK_STARTED = 0,   /* nothing: it may be no MPI program */
    ML_RANK_CONNECTED = 1, /* it is inside MPI */
    ML_RANK_FINALIZED = 2, /* it has left MPI as it should */
};

#endif
