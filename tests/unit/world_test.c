#include "elements.h"
#include "world/world.h"

#include "base/memory.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_RANKS = 64, MAX_BLOCKS = 64 };

static char *names[] = {"n1", "n2.cluster", "n3", "n4", "n5"};

static struct ml_world make(int n_hosts, const int *host_of, int n_ranks)
{
    return (struct ml_world){.id = "w",
                             .first_seat = 3,
                             .n_ranks = n_ranks,
                             .host_of = ml_runs_of(host_of, n_ranks),
                             .n_hosts = n_hosts,
                             .host_names = names,
                             .here = n_hosts - 1,
                             .universe_size = -1,
                             .scratch = "/tmp/memlog.x"};
}

static void drop(struct ml_world *w)
{
    ml_runs_free(&w->host_of);
    ml_runs_free(&w->app_of);
}

static void assert_text(struct ml_buffer *b, const char *wanted)
{
    ml_buffer_append(b, "", 1);
    assert_string_equal(b->data, wanted);
    ml_buffer_free(b);
}

static void maps(void **state)
{
    int host_of[] = {0, 0, 1, 2, 1, 2, 2};
    struct ml_world w = make(4, host_of, 7);
    struct ml_buffer nodes = {0}, ranks = {0}, peers = {0}, none = {0};
    (void)state;
    ml_world_node_map(&w, &nodes);
    ml_world_proc_map(&w, &ranks);
    ml_world_local_peers(&w, 2, &peers);
    ml_world_local_peers(&w, 3, &none);
    assert_text(&nodes, "n1,n2.cluster,n3");
    assert_text(&ranks, "0,1;2,4;3,5,6");
    assert_text(&peers, "3,5,6");
    assert_text(&none, "");
    assert_int_equal(ml_world_count_hosts(&w), 3);
    assert_int_equal(ml_world_local_size(&w, 2), 3);
    assert_int_equal(ml_world_local_size(&w, 3), 0);
    assert_int_equal(ml_world_local_rank(&w, 4), 1);
    assert_int_equal(ml_world_local_rank(&w, 6), 2);
    assert_int_equal(ml_world_local_rank(&w, 0), 0);
    drop(&w);
}

/* Of 6400 hosts with ten ranks each: what grew with the square of that. */
static void many_ranks(void **state)
{
    enum { HOSTS = 6400, EACH = 10 };
    static char *names_of_many[HOSTS];
    struct ml_world w = {.n_ranks = HOSTS * EACH, .n_hosts = HOSTS, .host_names = names_of_many};
    struct ml_buffer nodes = {0}, ranks = {0};
    (void)state;
    for (int h = 0; h < HOSTS; h++)
        names_of_many[h] = "n";
    for (int r = 0; r < HOSTS * EACH; r++)
        ml_runs_append(&w.host_of, r / EACH);
    ml_world_node_map(&w, &nodes);
    ml_world_proc_map(&w, &ranks);
    assert_int_equal(nodes.length, 2 * HOSTS - 1);
    assert_memory_equal(ranks.data, "0,1,2,3,4,5,6,7,8,9;10,11", 24);
    ml_buffer_append(&ranks, "", 1);
    assert_string_equal(strrchr(ranks.data, ';'),
                        ";63990,63991,63992,63993,63994,63995,63996,63997,"
                        "63998,63999");
    assert_int_equal(ml_world_count_hosts(&w), HOSTS);
    assert_int_equal(ml_world_local_rank(&w, 63998), 8);
    ml_buffer_free(&nodes);
    ml_buffer_free(&ranks);
    drop(&w);
}

struct block {
    int first, hosts, ranks;
};

static int read_blocks(const char *text, struct block *blocks)
{
    int n = 0, used;
    assert_int_equal(strncmp(text, "(vector", 7), 0);
    text += 7;
    for (struct block *b = blocks; *text == ','; b = &blocks[++n], text += used) {
        used = 0;
        assert_true(n < MAX_BLOCKS);
        assert_int_equal(sscanf(text, ",(%d,%d,%d)%n", &b->first, &b->hosts, &b->ranks, &used), 3);
        assert_true(used > 0 && b->first >= 0 && b->hosts > 0 && b->ranks > 0);
    }
    assert_string_equal(text, ")");
    return n;
}

/* As MPICH reads it: the blocks are repeated until all ranks have a place, but once one of them
 * began at host 0, repetitions begin at the first block that does. */
static void decode(const struct block *blocks, int n, int *host_of, int n_ranks)
{
    bool wraps = false;
    for (int rank = 0; rank < n_ranks;) {
        int i = 0;
        while (wraps && blocks[i].first != 0)
            i++;
        for (; i < n && rank < n_ranks; i++) {
            wraps = wraps || blocks[i].first == 0;
            for (int k = 0; k < blocks[i].hosts * blocks[i].ranks && rank < n_ranks; k++)
                host_of[rank++] = blocks[i].first + k / blocks[i].ranks;
        }
    }
}

/* The number of blocks. */
static int check_mapping(int n_hosts, int *host_of, int n_ranks)
{
    struct ml_world w = make(n_hosts, host_of, n_ranks);
    struct ml_buffer text = {0};
    struct block blocks[MAX_BLOCKS + 1];
    int decoded[MAX_RANKS];
    ml_world_process_mapping(&w, &text);
    ml_buffer_append(&text, "", 1);
    int n = read_blocks(text.data, blocks);
    decode(blocks, n, decoded, n_ranks);
    for (int r = 0; r < n_ranks; r++) {
        if (decoded[r] != host_of[r])
            fail_msg("%s: rank %d of %d is on host %d, not %d", text.data, r, n_ranks, host_of[r],
                     decoded[r]);
    }
    ml_buffer_free(&text);
    drop(&w);
    return n;
}

static void usual_mappings(void **state)
{
    static const struct {
        int n_hosts, n_ranks, host_of[12];
        const char *text;
    } table[] = {
        {1, 0, {0}, "(vector)"},
        {1, 1, {0}, "(vector,(0,1,1))"},
        {1, 4, {0, 0, 0, 0}, "(vector,(0,1,4))"},
        {3, 6, {0, 0, 1, 1, 2, 2}, "(vector,(0,3,2))"},
        {3, 7, {0, 0, 0, 1, 1, 2, 2}, "(vector,(0,1,3),(1,2,2))"},
        {3, 6, {0, 1, 2, 0, 1, 2}, "(vector,(0,3,1))"},
        {3, 7, {0, 1, 2, 0, 1, 2, 0}, "(vector,(0,3,1),(0,3,1),(0,1,1))"},
        {2, 8, {0, 0, 1, 1, 0, 0, 1, 1}, "(vector,(0,2,2))"},
        {3, 3, {2, 1, 0}, "(vector,(2,1,1),(1,1,1),(0,1,1))"},
        {3, 4, {2, 0, 2, 0}, "(vector,(2,1,1),(0,1,1),(2,1,1),(0,1,1))"},
        {4, 8, {1, 1, 3, 3, 0, 2, 0, 0}, "(vector,(1,1,2),(3,1,2),(0,1,1),(2,1,1),(0,1,2))"},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        int host_of[12];
        memcpy(host_of, table[i].host_of, sizeof host_of);
        check_mapping(table[i].n_hosts, host_of, table[i].n_ranks);
        struct ml_world w = make(table[i].n_hosts, host_of, table[i].n_ranks);
        struct ml_buffer text = {0};
        ml_world_process_mapping(&w, &text);
        assert_text(&text, table[i].text);
        drop(&w);
    }
}

/* Every way to place up to 7 ranks on 3 hosts. */
static void all_small_mappings(void **state)
{
    (void)state;
    for (int n_ranks = 1; n_ranks <= 7; n_ranks++) {
        int ways = 1;
        for (int r = 0; r < n_ranks; r++)
            ways *= 3;
        for (int way = 0; way < ways; way++) {
            int host_of[7];
            for (int r = 0, left = way; r < n_ranks; r++, left /= 3)
                host_of[r] = left % 3;
            check_mapping(3, host_of, n_ranks);
        }
    }
}

static void random_mappings(void **state)
{
    (void)state;
    srandom(3);
    for (int i = 0; i < 3000; i++) {
        int host_of[MAX_RANKS], n_ranks = 1 + (int)random() % MAX_RANKS;
        int length = 1 + (int)random() % 6, period = 1 + (int)random() % 8;
        for (int r = 0; r < n_ranks; r++)
            host_of[r] = r < period ? (int)random() % 5 : host_of[r - period];
        if (i % 2) { /* runs */
            for (int r = 0; r < n_ranks; r++)
                host_of[r] = host_of[r / length];
        }
        check_mapping(5, host_of, n_ranks);
    }
}

static void assert_same(const struct ml_world *a, const struct ml_world *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->first_seat, b->first_seat);
    assert_int_equal(a->n_ranks, b->n_ranks);
    assert_int_equal(a->n_hosts, b->n_hosts);
    assert_int_equal(a->here, b->here);
    assert_int_equal(a->universe_size, b->universe_size);
    assert_string_equal(a->scratch, b->scratch);
    for (int r = 0; r < a->n_ranks; r++) {
        assert_int_equal(ml_world_host(a, r), ml_world_host(b, r));
        assert_int_equal(ml_world_app(a, r), ml_world_app(b, r));
    }
    for (int h = 0; h < a->n_hosts; h++)
        assert_string_equal(a->host_names[h], b->host_names[h]);
}

static void round_trip_and_cuts(void **state)
{
    int host_of[] = {0, 0, 1, 2, 1, 2, 2}, app_of[] = {0, 0, 1, 1, 1, 1, 3};
    struct ml_world w = make(3, host_of, 7), back;
    w.app_of = ml_runs_of(app_of, 7);
    struct ml_buffer b = {0};
    (void)state;
    memset(w.id, 'i', sizeof w.id - 1);
    ml_world_pack(&w, &b);
    struct ml_unpacker u = ml_unpack(b.data, b.length);
    assert_true(ml_world_unpack(&u, &back));
    assert_ptr_equal(u.cursor, u.end);
    assert_same(&w, &back);
    ml_world_free(&back);
    ml_world_free(&back);
    for (size_t n = 0; n < b.length; n++) {
        ML_AUTO_FREE char *exact = malloc(n ? n : 1); /* a sanitizer sees reads behind it */
        memcpy(exact, b.data, n);
        u = ml_unpack(exact, n);
        assert_false(ml_world_unpack(&u, &back));
        ml_world_free(&back);
    }
    ml_buffer_free(&b);
    drop(&w);
}

static void hostile_worlds(void **state)
{
    static const int64_t counts[] = {-1, 0, 1000, INT32_MAX, INT64_MAX, INT64_MIN};
    struct ml_world back;
    (void)state;
    for (size_t i = 0; i < N(counts); i++) {
        for (int field = 0; field < 2; field++) {
            struct ml_buffer b = {0};
            ml_pack_text(&b, "id");
            ml_pack_int(&b, 0);
            ml_pack_int(&b, field == 0 ? counts[i] : 1);
            ml_pack_text(&b, "n1");
            ml_pack_int(&b, field == 1 ? counts[i] : 1);
            struct ml_unpacker u = ml_unpack(b.data, b.length);
            assert_false(ml_world_unpack(&u, &back));
            ml_world_free(&back);
            ml_buffer_free(&b);
        }
    }
}

/* Of 2 hosts, on which the ranks are, and which of them it is. */
static bool is_world(int64_t first_host, int64_t second_host, int64_t here)
{
    struct ml_world back;
    struct ml_buffer b = {0};
    ml_pack_text(&b, "id");
    ml_pack_int(&b, 0);
    ml_pack_int(&b, 2);
    ml_pack_text(&b, "n1");
    ml_pack_text(&b, "n2");
    ml_pack_int(&b, 2); /* ranks, in runs of length, host, step */
    ml_pack_int(&b, 2);
    for (int i = 0; i < 2; i++) {
        ml_pack_int(&b, 1);
        ml_pack_int(&b, i == 0 ? first_host : second_host);
        ml_pack_int(&b, 0);
    }
    ml_pack_int(&b, 0); /* commands: one */
    ml_pack_int(&b, 0);
    ml_pack_int(&b, here);
    ml_pack_int(&b, -1);
    ml_pack_text(&b, "/tmp");
    struct ml_unpacker u = ml_unpack(b.data, b.length);
    bool good = ml_world_unpack(&u, &back);
    ml_world_free(&back);
    ml_buffer_free(&b);
    return good;
}

static void hosts_that_are_none(void **state)
{
    (void)state;
    assert_true(is_world(0, 1, 0));
    assert_true(is_world(1, 0, 1));
    assert_false(is_world(-1, 1, 0));
    assert_false(is_world(2, 1, 0));
    assert_false(is_world(0, -1, 0));
    assert_false(is_world(0, 2, 0));
    assert_false(is_world(1LL << 32, 0, 0));
    assert_false(is_world(0, 1, -1));
    assert_false(is_world(0, 1, 2));
}

static void finding_worlds(void **state)
{
    int host_of[] = {0};
    struct ml_world a = make(1, host_of, 1), b = make(1, host_of, 1), *list[] = {&a, &b};
    struct ml_worlds worlds = {list, 2, 2};
    (void)state;
    strcpy(b.id, "w-s1");
    assert_ptr_equal(ml_worlds_find(&worlds, "w"), &a);
    assert_ptr_equal(ml_worlds_find(&worlds, "w-s1"), &b);
    assert_null(ml_worlds_find(&worlds, "w-s"));
    drop(&a);
    drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps),
        cmocka_unit_test(many_ranks),
        cmocka_unit_test(usual_mappings),
        cmocka_unit_test(all_small_mappings),
        cmocka_unit_test(random_mappings),
        cmocka_unit_test(round_trip_and_cuts),
        cmocka_unit_test(hostile_worlds),
        cmocka_unit_test(hosts_that_are_none),
        cmocka_unit_test(finding_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
