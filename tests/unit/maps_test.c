/* /proc/PID/maps, as kernels write it and as nobody does. */
#include "symbols/maps.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct ml_maps maps;

static void parse(const char *text)
{
    ml_maps_parse(text, strlen(text), &maps);
}

static void real_lines(void **context)
{
    (void)context;
    parse(
        "559a3c5d2000-559a3c5d4000 r--p 00000000 fe:01 4711                       /usr/bin/a b\n"
        "559a3c5d4000-559a3c5d9000 r-xp 00002000 fe:01 4711                       /usr/bin/a b\n"
        "559a3dc7a000-559a3dc9b000 rw-p 00000000 00:00 0                          [heap]\n"
        "7f1c2a000000-7f1c2a021000 rw-p 00000000 00:00 0 \n"
        "7f1c2b000000-7f1c2b001000 r-xs 00001000 103:02 18446744073709551615      /a/b (deleted)\n"
        "7ffd0f9f2000-7ffd0fa13000 rw-p 00000000 00:00 0                          [stack]\n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
    assert_int_equal(maps.n, 7);
    assert_int_equal(maps.list[0].start, 0x559a3c5d2000);
    assert_int_equal(maps.list[0].end, 0x559a3c5d4000);
    assert_int_equal(maps.list[0].device, (uint64_t)0xfe << 32 | 1);
    assert_int_equal(maps.list[0].inode, 4711);
    assert_string_equal(maps.list[0].path, "/usr/bin/a b");
    assert_false(maps.list[0].executable);
    assert_true(maps.list[1].executable);
    assert_int_equal(maps.list[1].offset, 0x2000);
    assert_string_equal(maps.list[3].path, "");
    assert_string_equal(maps.list[4].path, "/a/b");
    assert_true(maps.list[4].deleted);
    assert_int_equal(maps.list[4].inode, UINT64_MAX);
    assert_int_equal(maps.list[4].device, (uint64_t)0x103 << 32 | 2);
    assert_string_equal(maps.list[5].path, "[stack]");
    assert_false(maps.list[5].deleted);
    assert_int_equal(maps.list[6].end, 0xffffffffff601000);
}

static void addresses_are_found(void **context)
{
    (void)context;
    parse("1000-2000 r-xp 00000000 00:00 0 /a\n"
          "2000-3000 r-xp 00000000 00:00 0 /b\n"
          "5000-6000 r-xp 00000000 00:00 0 /c\n");
    assert_null(ml_maps_find(&maps, 0));
    assert_null(ml_maps_find(&maps, 0xfff));
    assert_string_equal(ml_maps_find(&maps, 0x1000)->path, "/a");
    assert_string_equal(ml_maps_find(&maps, 0x1fff)->path, "/a");
    assert_string_equal(ml_maps_find(&maps, 0x2000)->path, "/b");
    assert_null(ml_maps_find(&maps, 0x3000));
    assert_null(ml_maps_find(&maps, 0x4fff));
    assert_string_equal(ml_maps_find(&maps, 0x5fff)->path, "/c");
    assert_null(ml_maps_find(&maps, 0x6000));
    assert_null(ml_maps_find(&maps, UINT64_MAX));
    parse("");
    assert_null(ml_maps_find(&maps, 0x1000));
}

static void nonsense_ends_the_list(void **context)
{
    (void)context;
    static const char *const hostile[] = {
        "",
        "\n",
        "nonsense\n",
        "1000-2000\n",
        "1000-2000 r-xp\n",
        "1000-2000 r-xp 0 0:0\n",
        "1000-2000 r-x 0 0:0 0 /short-access\n",
        "1000-2000 r-xpp 0 0:0 0 /long-access\n",
        "2000-1000 r-xp 0 0:0 0 /backwards\n",
        "1000-1000 r-xp 0 0:0 0 /empty\n",
        "1000-2000 r-xp 0 0:0 0 /no-newline",
        "g000-2000 r-xp 0 0:0 0 /no-number\n",
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        parse(hostile[i]);
        assert_int_equal(maps.n, 0);
    }
    parse("1000-2000 r-xp 0 0:0 0 /good\nbad\n3000-4000 r-xp 0 0:0 0 /after\n");
    assert_int_equal(maps.n, 1);
    parse("1000-2000 r-xp 0 0:0 0  (deleted)\n");
    assert_int_equal(maps.n, 1);
    assert_false(maps.list[0].deleted);
    static const char nul[] = "1000-2000 r-xp 0 0:0 0 /a\0b\n3000-4000 r-xp 0 0:0 0 /c\n";
    ml_maps_parse(nul, sizeof nul - 1, &maps);
    assert_int_equal(maps.n, 0);
}

static void our_own(void **context)
{
    (void)context;
    static char text[1 << 20];
    size_t length = 0;
    ssize_t n;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while ((n = read(fd, text + length, sizeof text - length)) > 0)
        length += (size_t)n;
    close(fd);
    ml_maps_parse(text, length, &maps);
    const struct ml_map *map = ml_maps_find(&maps, (uintptr_t)our_own);
    assert_non_null(map);
    assert_true(map->executable);
    assert_non_null(strstr(map->path, "maps_test"));
}

static int clear(void **context)
{
    (void)context;
    ml_maps_free(&maps);
    assert_int_equal(maps.n, 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(real_lines, clear),
        cmocka_unit_test_teardown(addresses_are_found, clear),
        cmocka_unit_test_teardown(nonsense_ends_the_list, clear),
        cmocka_unit_test_teardown(our_own, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
