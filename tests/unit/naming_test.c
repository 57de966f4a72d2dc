#include "base/pack.h"
#include "record/tables.h"
#include "stack/naming.h"
#include "stack/unnamed.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* One place in MODULE, and one in code of no file. */
static void add(struct ml_naming *naming, struct ml_module *module, uint64_t address, int thread)
{
    struct ml_code_place places[2] = {{.module = module, .address = address},
                                      {.address = address, .trampoline = true}};
    struct ml_stack_thread t = {
        .process = 7, .thread = thread, .places = places, .n_places = 2, .took_ns = 3};
    ml_naming_add(naming, &t, thread + 1);
}

static const struct ml_named *next(struct ml_naming *naming)
{
    const struct ml_named *named;
    struct pollfd polled = {.fd = ml_naming_fd(naming), .events = POLLIN};
    while (!(named = ml_naming_next(naming)))
        assert_int_equal(poll(&polled, 1, 60000), 1);
    return named;
}

static void all_come_in_order(void **state)
{
    enum { N = 2000 };
    struct ml_naming *naming = ml_naming_open();
    (void)state;
    assert_null(ml_naming_next(naming));
    assert_int_equal(ml_naming_waiting(naming), 0);
    assert_int_equal(ml_naming_spent_ns(naming), 0);
    for (int i = 0; i < N; i++)
        add(naming, NULL, (uint64_t)i, i);
    for (int i = 0; i < N; i++) {
        const struct ml_named *named = next(naming);
        assert_int_equal(named->thread.thread, i);
        assert_int_equal(named->thread.process, 7);
        assert_int_equal(named->trigger, i + 1);
        assert_int_equal(named->thread.n_frames, 2);
        assert_int_equal(named->thread.frames[0].offset_B, i);
        assert_string_equal(named->thread.frames[1].function, "<signal handler called>");
    }
    assert_null(ml_naming_next(naming));
    assert_int_equal(ml_naming_waiting(naming), 0);
    ml_naming_close(naming);
}

static struct ml_module *own_module(struct ml_modules *modules, uint64_t *out_address)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char text[65536];
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;
    struct ml_maps maps = {0};
    if (file)
        fclose(file);
    ml_maps_parse(text, n, &maps);
    const struct ml_map *map = ml_maps_find(&maps, (uint64_t)(uintptr_t)all_come_in_order);
    assert_non_null(map);
    struct ml_module *module = ml_modules_of(modules, getpid(), map);
    assert_non_null(module);
    assert_true(
        ml_module_address(module, map, (uint64_t)(uintptr_t)all_come_in_order, out_address));
    ml_maps_free(&maps);
    return module;
}

static void names_are_read(void **state)
{
    struct ml_naming *naming = ml_naming_open();
    uint64_t address;
    struct ml_modules *modules = ml_modules_open();
    struct ml_module *module = own_module(modules, &address);
    (void)state;
    add(naming, module, address, 1);
    assert_string_equal(next(naming)->thread.frames[0].function, "all_come_in_order");
    ml_naming_close(naming);
    ml_modules_close(modules);
}

static void pack_slow(void *context, const struct ml_stack_thread *thread, int trigger)
{
    assert_int_equal(thread->n_places, 2);
    assert_int_equal(thread->n_frames, 0);
    ml_unnamed_pack(thread, trigger, context);
}

static int64_t count_rows(const struct ml_buffer *packed, int64_t *out_n_frames)
{
    struct ml_stack_tree *tree = ml_stack_tree_new(10, 20, 1000000);
    struct ml_stack_answers answers = {0};
    ml_unnamed_answer(packed, tree, &answers);
    *out_n_frames = ml_stack_tree_news(tree)->n_frames;
    ml_stack_tree_free(tree);
    ml_stack_answers_free(&answers);
    return answers.n_samples;
}

/* Those that are passed on without their names are the oldest, and come with them later. */
static void slow_ones(void **state)
{
    enum { N = 20000 };
    struct ml_naming *naming = ml_naming_open();
    struct ml_buffer packed = {0};
    int64_t n_frames;
    int n_slow = 0;
    (void)state;
    for (int i = 0; i < N; i++)
        add(naming, NULL, (uint64_t)i, i);
    ml_naming_each_slow(naming, 0, pack_slow, &packed);
    assert_int_equal(packed.length, 0); /* none is so old */
    ml_naming_each_slow(naming, 1, pack_slow, &packed);
    int64_t n = count_rows(&packed, &n_frames);
    assert_int_equal(n_frames, n ? n + 1 : 0); /* of each its own, and the signal handler */
    ml_naming_each_slow(naming, 1, pack_slow, &packed);
    assert_int_equal(count_rows(&packed, &n_frames), n); /* once */
    for (int i = 0; i < N; i++)
        n_slow += next(naming)->was_slow;
    assert_int_equal(n_slow, n);
    ml_unnamed_drop(&packed, n / 2);
    assert_int_equal(count_rows(&packed, &n_frames), n - n / 2);
    ml_unnamed_drop(&packed, N);
    assert_int_equal(packed.length, 0);
    ml_buffer_free(&packed);
    ml_naming_close(naming);
}

/* One stack, there and back. */
static void without_names(void **state)
{
    struct ml_module module = {.path = "/bin/app"};
    struct ml_code_place places[3] = {
        {.module = &module, .address = 0x10},
        {.module = &module, .address = 0x20, .is_caller = true, .trampoline = true},
        {.address = 0x30, .is_caller = true}};
    struct ml_stack_thread t = {
        .process = 7, .thread = 8, .places = places, .n_places = 3, .cut = true, .time_ns = 9};
    struct ml_stack_tree *tree = ml_stack_tree_new(0, 0, 100);
    struct ml_buffer packed = {0};
    struct ml_stack_answers answers = {0};
    (void)state;
    ml_unnamed_pack(&t, 2, &packed);
    t.thread = 44;
    ml_unnamed_pack(&t, ML_TRIGGER_SITE, &packed);
    ml_unnamed_answer(&packed, tree, &answers);
    assert_int_equal(answers.n_samples, 1);
    assert_int_equal(answers.n_sites, 1);
    const struct ml_stack_news *news = ml_stack_tree_news(tree);
    assert_int_equal(news->n_stacks, 4);
    const uint8_t *p = (const uint8_t *)news->frames.data, *end = p + news->frames.length;
    static const struct ml_frame_row expected[] = {
        {.function = "[outer calls not seen]", .module = "", .offset_B = -1},
        {.function = "", .module = "", .offset_B = 0x30},
        {.function = "<signal handler called>", .module = "/bin/app", .offset_B = -1},
        {.function = "", .module = "/bin/app", .offset_B = 0x10},
    };
    for (size_t i = 0; i < 4; i++) {
        struct ml_frame_row row;
        assert_true(ml_row_unpack(&ml_table_frames, &p, end, &row));
        assert_string_equal(row.function, expected[i].function);
        assert_string_equal(row.module, expected[i].module);
        assert_int_equal(row.offset_B, expected[i].offset_B);
    }
    struct ml_stack_sample_row row;
    p = (const uint8_t *)answers.samples.data;
    assert_true(ml_row_unpack(&ml_table_stack_samples, &p, p + answers.samples.length, &row));
    assert_int_equal(row.process, 7);
    assert_int_equal(row.thread, 8);
    assert_int_equal(row.trigger, 2);
    assert_int_equal(row.stack, 3);
    assert_int_equal(row.time_ns, 9);
    int64_t site = 0, stack = 0;
    p = (const uint8_t *)answers.sites.data;
    end = p + answers.sites.length;
    assert_true(ml_varint_read(&p, end, &site) && ml_varint_read(&p, end, &stack));
    assert_int_equal(site, 44);
    assert_int_equal(stack, 3);
    ml_unnamed_answer_one(&t, ML_TRIGGER_SITE, tree, &answers); /* the same, without a detour */
    assert_int_equal(answers.n_sites, 2);
    assert_int_equal(ml_stack_tree_news(tree)->n_stacks, 4);
    ml_stack_tree_free(tree);
    ml_buffer_free(&packed);
    ml_stack_answers_free(&answers);
}

/* Whatever is left to be named. */
static void closed_at_once(void **state)
{
    struct ml_naming *naming = ml_naming_open();
    (void)state;
    for (int i = 0; i < 2000; i++)
        add(naming, NULL, (uint64_t)i, i);
    assert_in_range(ml_naming_waiting(naming), 0, 4000);
    ml_naming_close(naming);
    ml_naming_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_in_order), cmocka_unit_test(names_are_read),
        cmocka_unit_test(slow_ones),         cmocka_unit_test(without_names),
        cmocka_unit_test(closed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
