/* The starter: a process that is forked before MPI_Init and so has what mpiexec gave us: its
 * environment, binding, limits, signals and descriptors. It starts the application's ranks and our
 * helper processes from there, as children of the rank process itself. */
#ifndef ML_LAUNCH_STARTER_H
#define ML_LAUNCH_STARTER_H

#include "base/error.h"
#include "base/loop.h"
#include "launch/environment.h"
#include "launch/started.h"

#include <sys/types.h>

struct ml_starter;

struct ml_starter_events {
    void *context;
    void (*started)(void *context, const struct ml_started *started); /* of ml_starter_start */
    void (*helper_started)(void *context, int helper, pid_t pid);     /* -1: it cannot be */
    void (*lost)(void *context);                                      /* the starter is gone */
};

/* What to start. Descriptors are duplicated; -1 stands for "as it is" (0 to 2) or none (pmi). */
struct ml_start {
    int number; /* the caller's, for the answer */
    enum ml_strip strip;
    char *const *command;  /* NULL-terminated; NULL: as given to ml_starter_fork */
    const char *folder;    /* to start in; NULL: ours */
    bool here_too;         /* look for a bare name there too, as ml_program_name */
    char *const *settings; /* NAME=value, put into the environment */
    size_t n_settings;
    const char *cpus;       /* "0-3,8": bind to these; NULL: as mpiexec bound us */
    bool own_group;         /* leads a session or process group, if the rank process leads one */
    pid_t tracer;           /* may trace it, and so may its descendants; 0: nobody more */
    const char *hooks;      /* folder of the libraries to preload; NULL: none */
    int output, error, pmi; /* PMI_FD is set to the last one's number */
};

/* A process of ours that is no rank: it has nothing of mpiexec's in its environment, all signals
 * blocked, stdin and stdout at /dev/null, and nothing open but its socket, over which it serves. */
struct ml_starter_helper {
    const char *name;        /* as ps shows it, up to 15 bytes */
    void (*run)(int socket); /* does not return */
};

/* Forks. To be called first of all in main, before anything changes what is inherited. HELPERS are
 * those that may be asked for, by their place in the array. Returns the socket to the starter, to
 * be given to ml_starter_open, and OUT_PID, its own; -1 and errno on failure. */
int ml_starter_fork(char **command, const struct ml_starter_helper *helpers, pid_t *out_pid);

struct ml_starter *ml_starter_open(struct ml_loop *loop, int fd,
                                   const struct ml_starter_events *events);
void ml_starter_start(struct ml_starter *starter, const struct ml_start *what);

/* Starts a helper, which serves over SOCKET (duplicated). */
void ml_starter_start_helper(struct ml_starter *starter, int helper, int socket);

/* The starter ends; what it started lives on. NULL is fine. */
void ml_starter_close(struct ml_starter *starter);

#endif
