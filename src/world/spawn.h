/* MPI_Comm_spawn: a further world while the first one runs. Host 0 names and places it; every host
 * registers it and starts its share; the asking host hears when all are ready. */
#ifndef ML_WORLD_SPAWN_H
#define ML_WORLD_SPAWN_H

#include "world/placing.h"
#include "world/post.h"
#include "world/world.h"

struct ml_spawns;

/* One command of a spawn. */
struct ml_spawn_app {
    int n_ranks;
    char *const *command;  /* NULL-terminated */
    const char *folder;    /* NULL: where the run's command was started */
    bool here_too;         /* a bare name is looked for there too, where PATH does not have it */
    char *const *settings; /* NULL-terminated NAME=value for their environment, or NULL */
    struct ml_placing placing;
};

/* What is asked for. */
struct ml_spawn_call {
    const void *apps; /* of ml_spawn_pack_app */
    size_t n_apps;
    const void *put; /* key NUL value NUL ...: what the new world finds in its key-value space */
    size_t n_put;
};

/* What a host is to do for a new world. Called on every host; when the world is registered and its
 * ranks there run, the host calls ml_spawn_ready. */
struct ml_spawn_events {
    void *context;
    void (*begin)(void *context, const struct ml_world *world, const struct ml_spawn_call *call);
};

/* ERROR: an errno, or 0 and the name of the world, whose ranks all run. */
typedef void ml_spawn_answer(void *context, int error, const char *world_id);

/* FIRST: the world of mpiexec's making, which outlives this. */
struct ml_spawns *ml_spawns_new(const struct ml_post *post, const struct ml_world *first,
                                const struct ml_spawn_events *events);
void ml_spawns_free(struct ml_spawns *s);

/* Puts APP behind those that OUT holds already. */
void ml_spawn_pack_app(struct ml_buffer *out, const struct ml_spawn_app *app);

/* What rank RANK of a spawned world is to run, from its APPS. The arrays are to be freed, their
 * texts point into APPS. */
struct ml_spawn_rank {
    struct ml_placing placing;
    const char *folder; /* "": where the run's command was started */
    bool here_too;
    char **command, **settings;
    size_t n_words, n_settings;
};
bool ml_spawn_find_rank(const void *apps, size_t n, int rank, struct ml_spawn_rank *out);

/* Whether this host, of N_HOSTS, has the commands of APPS. Where the hosts of one are named, it may
 * be for others. Returns 0, or ENOENT or EACCES and OUT_COMMAND, which points into APPS. */
int ml_spawn_look_for(const void *apps, size_t n, int n_hosts, const char **out_command);

void ml_spawn_request(struct ml_spawns *s, const struct ml_spawn_call *call,
                      ml_spawn_answer *answer, void *context);

/* This host has done its part of WORLD_ID; ERROR: an errno, if a rank could not be started. */
void ml_spawn_ready(struct ml_spawns *s, const char *world_id, int error);

/* What another host's spawns posted. */
void ml_spawns_receive(struct ml_spawns *s, int from, const void *bytes, size_t n);

#endif
