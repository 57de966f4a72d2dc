#include "stack/naming.h"

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
    struct ml_code_place places[2] = {{module, address, false, false},
                                      {NULL, address, false, true}};
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
        cmocka_unit_test(all_come_in_order),
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(closed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
