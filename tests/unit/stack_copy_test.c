/* Copies of memory that is there in part. */
#include "elements.h"
#include "unwind/stack_copy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { AREA_B = 1 << 20 };

static uint8_t *area;

/* The first THERE bytes of the area are there, each page with its number. */
static void make_area(size_t there)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    area = mmap(NULL, AREA_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(area != MAP_FAILED);
    for (size_t at = 0; at < AREA_B; at += page)
        memset(area + at, (int)(at / page), page);
    munmap(area + there, AREA_B - there);
}

static void drop_area(size_t there)
{
    munmap(area, there);
}

static void up_to_what_is_missing(void **state)
{
    static const size_t there[] = {4096, 61440, 65536, 69632, 262144, 270336};
    static const size_t from[] = {0, 8, 4095, 4096 - 128};
    (void)state;
    for (size_t i = 0; i < N(there) * N(from); i++) {
        size_t end = there[i / N(from)], start = from[i % N(from)];
        struct ml_stack_copy copy = {.n = 0};
        make_area(end);
        if (i % 2)
            ml_stack_copy_reserve(&copy, 512 << 10);
        assert_int_equal(
            ml_stack_copy_add(&copy, getpid(), (uintptr_t)area + start, (512 << 10) - 4096), 0);
        assert_int_equal(copy.n, 1);
        assert_int_equal(copy.parts[0].size, end - start);
        assert_memory_equal(copy.parts[0].bytes, area + start, end - start);
        assert_true(copy.parts[0].in_room == (i % 2));
        ml_stack_copy_clear(&copy);
        drop_area(end);
    }
}

static void nothing_there(void **state)
{
    struct ml_stack_copy copy = {.n = 0};
    (void)state;
    make_area(4096);
    assert_int_equal(ml_stack_copy_add(&copy, getpid(), (uintptr_t)area + 4096, 1 << 18), EFAULT);
    assert_int_equal(ml_stack_copy_add(&copy, getpid(), UINT64_MAX - 8, 64), EFAULT);
    assert_int_equal(ml_stack_copy_add(&copy, getpid(), (uintptr_t)area, 0), EFAULT);
    assert_int_equal(copy.n, 0);
    drop_area(4096);
}

/* What does not fit into the room has memory of its own. */
static void beyond_the_room(void **state)
{
    struct ml_stack_copy copy = {.n = 0};
    uint64_t word;
    (void)state;
    make_area(AREA_B / 2);
    ml_stack_copy_reserve(&copy, 10000);
    uint64_t at = (uintptr_t)area;
    for (int i = 0; i < ML_STACK_PARTS_MAX; i++)
        assert_int_equal(ml_stack_copy_add(&copy, getpid(), at + (uint64_t)i * 8192, 4096), 0);
    assert_int_equal(ml_stack_copy_add(&copy, getpid(), at, 4096), ENOSPC);
    assert_true(copy.parts[1].in_room && !copy.parts[2].in_room);
    for (int i = 0; i < ML_STACK_PARTS_MAX; i++) {
        assert_true(ml_stack_copy_read(&copy, at + (uint64_t)i * 8192 + 4088, &word));
        assert_int_equal(word & 0xff, 2 * i); /* pages of 4 KiB */
        assert_false(ml_stack_copy_read(&copy, at + (uint64_t)i * 8192 + 4089, &word));
    }
    ml_stack_copy_clear(&copy);
    assert_int_equal(copy.n, 0);
    drop_area(AREA_B / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_what_is_missing),
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(beyond_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
