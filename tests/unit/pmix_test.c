/* What the PMIx server keeps of a job of many ranks. */
#include "base/memory.h"
#include "base/own.h"
#include "world/pmix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { HOSTS = 1000, RANKS_A_HOST = 64, MIB = 1 << 20 };

static long resident_B(void)
{
    long pages = 0;
    ML_AUTO_FILE FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    return pages * sysconf(_SC_PAGESIZE);
}

static struct ml_world large_world(char *scratch)
{
    struct ml_world w = {.id = "w", .n_hosts = HOSTS, .universe_size = -1};
    assert_non_null(mkdtemp(scratch));
    snprintf(w.scratch, sizeof w.scratch, "%s", scratch);
    w.host_names = ml_alloc(HOSTS * sizeof *w.host_names);
    for (int h = 0; h < HOSTS; h++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", h);
        w.host_names[h] = ml_strdup(name);
    }
    for (int r = 0; r < HOSTS * RANKS_A_HOST; r++)
        ml_runs_append(&w.host_of, r / RANKS_A_HOST);
    w.n_ranks = HOSTS * RANKS_A_HOST;
    return w;
}

/* The list of all facts, 4.8 kB a rank, is given back to the kernel when libpmix has stored them.
 */
static void facts_are_kept_once(void **state)
{
    char scratch[] = "/tmp/memlog-pmix-XXXXXX";
    struct ml_error err;
    struct ml_world world = large_world(scratch), *list[] = {&world};
    struct ml_worlds worlds = {.list = list, .n = 1, .capacity = 1};
    struct ml_pmix_host host = {.loop = ml_loop_new(), .worlds = &worlds};
    struct ml_pmix *pmix;
    (void)state;
    if (!ml_pmix_built())
        skip();
    long before_B = resident_B();
    assert_int_equal(ml_pmix_open(&host, &pmix, &err), ML_OK);
    long kept_B = resident_B() - before_B;
    printf("%d ranks: %.2f kB a rank\n", world.n_ranks, (double)kept_B / 1e3 / world.n_ranks);
#ifndef __SANITIZE_ADDRESS__ /* its allocator gives nothing back at once */
    assert_true(kept_B < 250L * MIB);
#endif
    ml_pmix_close(pmix);
    ml_loop_free(host.loop);
    ml_world_free(&world);
    rmdir(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts_are_kept_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
