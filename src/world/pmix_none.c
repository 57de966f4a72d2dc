/* In place of world/pmix*.c where libpmix is not there. */
#ifndef MEMLOG_WITH_PMIX

#include "world/pmix.h"
#include "world/pmix_client.h"

void ml_pmix_client_leave(void)
{
}

bool ml_pmix_built(void)
{
    return false;
}

enum ml_status ml_pmix_open(const struct ml_pmix_host *host, struct ml_pmix **out_pmix,
                            struct ml_error *err)
{
    (void)host;
    (void)out_pmix;
    return ml_fail(err, ML_RUN_LOST, "built without PMIx; applications of Open MPI cannot start");
}

enum ml_status ml_pmix_add_world(struct ml_pmix *pmix, const struct ml_world *world,
                                 struct ml_error *err)
{
    (void)pmix;
    (void)world;
    (void)err;
    return ML_OK;
}

int ml_pmix_environment(struct ml_pmix *pmix, const struct ml_world *world, int rank,
                        struct ml_buffer *out)
{
    (void)pmix;
    (void)world;
    (void)rank;
    (void)out;
    return 0;
}

void ml_pmix_gathered(struct ml_pmix *pmix, const void *bytes, size_t n)
{
    (void)pmix;
    (void)bytes;
    (void)n;
}

void ml_pmix_receive(struct ml_pmix *pmix, int from, const void *bytes, size_t n)
{
    (void)pmix;
    (void)from;
    (void)bytes;
    (void)n;
}

void ml_pmix_close(struct ml_pmix *pmix)
{
    (void)pmix;
}

#endif
