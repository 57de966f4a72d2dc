/* What the files of the PMIx server share. */
#ifndef ML_WORLD_PMIX_INTERNAL_H
#define ML_WORLD_PMIX_INTERNAL_H

#include "world/pmix.h"

#include <pmix.h>
#include <pmix_server.h>
#include <pthread.h>

/* An upcall on its way from libpmix's thread to the loop. */
struct ml_upcall {
    struct ml_upcall *next;
    struct ml_pmix *pmix;
    void (*run)(struct ml_upcall *call); /* on the loop; frees the call when it is answered */

    pmix_proc_t proc; /* who asks, or who is asked for */
    pmix_proc_t *procs;
    size_t n_procs;
    char *data;
    size_t n_data;
    int code;
    int host;         /* that asked, in a direct modex */
    bool of_prrte;    /* a spawn of Open MPI 5 */
    double timeout_s; /* as ml_names_lookup */

    pmix_modex_cbfunc_t modex_done;
    pmix_op_cbfunc_t op_done;
    pmix_lookup_cbfunc_t lookup_done;
    pmix_spawn_cbfunc_t spawn_done;
    void *cbdata;

    pmix_pdata_t *items; /* published or looked up */
    size_t n_items, n_open, n_found;
    pmix_status_t status;
};

struct ml_pmix {
    struct ml_pmix_host host;
    pthread_mutex_t lock;
    struct ml_upcall *first, **last; /* of those not run yet; under the lock */
    int wake;                        /* eventfd */
    struct ml_watch *watch;
    struct ml_upcall *fences;  /* full fences that wait for ml_pmix_gathered, eldest first */
    struct ml_upcall *modexes; /* direct modexes that wait for the other host */
    int64_t last_modex;
    bool up;
};

struct ml_upcall *ml_upcall_new(void (*run)(struct ml_upcall *call));
void ml_upcall_hand_over(struct ml_upcall *call);
void ml_upcall_free(struct ml_upcall *call);
void ml_upcall_copy_procs(struct ml_upcall *call, const pmix_proc_t *procs, size_t n);

/* The hosts of PROCS, ascending, into OUT_HOSTS (world->n_hosts long); their number. */
size_t ml_pmix_hosts_of(const struct ml_pmix *pmix, const pmix_proc_t *procs, size_t n,
                        int *out_hosts);

/* pmix_fence.c, pmix_modex.c, pmix_names.c, pmix_spawn.c: the upcalls, in libpmix's types. */
pmix_status_t ml_pmix_on_fence(const pmix_proc_t procs[], size_t n_procs, const pmix_info_t info[],
                               size_t n_info, char *data, size_t n_data, pmix_modex_cbfunc_t done,
                               void *cbdata);
pmix_status_t ml_pmix_on_connect(const pmix_proc_t procs[], size_t n_procs,
                                 const pmix_info_t info[], size_t n_info, pmix_op_cbfunc_t done,
                                 void *cbdata);
pmix_status_t ml_pmix_on_disconnect(const pmix_proc_t procs[], size_t n_procs,
                                    const pmix_info_t info[], size_t n_info, pmix_op_cbfunc_t done,
                                    void *cbdata);
pmix_status_t ml_pmix_on_modex(const pmix_proc_t *proc, const pmix_info_t info[], size_t n_info,
                               pmix_modex_cbfunc_t done, void *cbdata);
pmix_status_t ml_pmix_on_publish(const pmix_proc_t *proc, const pmix_info_t info[], size_t n_info,
                                 pmix_op_cbfunc_t done, void *cbdata);
pmix_status_t ml_pmix_on_lookup(const pmix_proc_t *proc, char **keys, const pmix_info_t info[],
                                size_t n_info, pmix_lookup_cbfunc_t done, void *cbdata);
pmix_status_t ml_pmix_on_unpublish(const pmix_proc_t *proc, char **keys, const pmix_info_t info[],
                                   size_t n_info, pmix_op_cbfunc_t done, void *cbdata);

pmix_status_t ml_pmix_on_spawn(const pmix_proc_t *proc, const pmix_info_t job_info[], size_t n_info,
                               const pmix_app_t apps[], size_t n_apps, pmix_spawn_cbfunc_t done,
                               void *cbdata);

/* Registers the world's namespace and its local ranks with libpmix (pmix_register.c). */
enum ml_status ml_pmix_register(const struct ml_world *world, struct ml_error *err);

#endif
