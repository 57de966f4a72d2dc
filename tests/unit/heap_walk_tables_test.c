/* The walker's reader of unwind tables: whole tables of modules, and damaged ones. */
#include "mpi_hooks/heap/walk_expression.h"
#include "mpi_hooks/heap/walk_modules.h"

#include <gnu/libc-version.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* A copy of a module's tables: relative to themselves, so they can lie anywhere. */
struct copy {
    uint8_t *bytes;
    size_t size_B;
    uintptr_t moved; /* the copy is that far from the module */
    uintptr_t header;
    struct ml_heap_walk_segments segments;
};

static void copy_tables(uintptr_t inside, struct copy *out)
{
    struct ml_heap_walk_module module;
    struct ml_heap_walk_segments segments;
    assert_true(ml_heap_walk_modules_find(inside, &module));
    assert_true(ml_heap_walk_modules_segments(&module, &segments));
    struct ml_heap_walk_bytes end = ml_heap_walk_bytes_at(&segments, module.header);
    assert_false(end.bad);
    for (unsigned i = 0; i < segments.n; i++)
        if (segments.list[i].end == (uintptr_t)end.end) {
            out->size_B = segments.list[i].end - segments.list[i].start;
            out->bytes = malloc(out->size_B);
            memcpy(out->bytes, (const void *)segments.list[i].start, out->size_B);
            out->moved = (uintptr_t)out->bytes - segments.list[i].start;
        }
    out->header = module.header + out->moved;
    out->segments.n = 1;
    out->segments.list[0].start = (uintptr_t)out->bytes;
    out->segments.list[0].end = (uintptr_t)out->bytes + out->size_B;
    out->segments.list[0].readable = true;
}

/* How many functions of the sorted table, and of their first and last instructions, have rules. */
static size_t rules_of(const struct copy *copy, size_t *out_functions)
{
    int32_t row[2];
    uint32_t n;
    size_t n_rules = 0;
    struct ml_heap_walk_entry entry;
    struct ml_heap_walk_rule rule;
    memcpy(&n, (const void *)(copy->header + 8), sizeof n);
    *out_functions = n;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(row, (const void *)(copy->header + 12 + 8 * (uintptr_t)i), sizeof row);
        uintptr_t start = copy->header + (uintptr_t)(intptr_t)row[0];
        assert_true(ml_heap_walk_find_entry(&copy->segments, copy->header, start, &entry));
        assert_int_equal(entry.start, start);
        n_rules += ml_heap_walk_work_out(&entry, start, &rule);
        n_rules += ml_heap_walk_work_out(&entry, entry.end - 1, &rule);
    }
    return n_rules;
}

static void all_functions_of_the_c_library(void **context)
{
    (void)context;
    struct copy copy = {0};
    size_t n_functions;
    copy_tables((uintptr_t)gnu_get_libc_version, &copy);
    size_t n_rules = rules_of(&copy, &n_functions);
    assert_true(n_functions > 2000);
    print_message("%zu of %zu places have rules\n", n_rules, 2 * n_functions);
    assert_true(n_rules >= 2 * n_functions - 10); /* where signals return has another way */
    free(copy.bytes);
}

/* The kernel has told where they are. */
static void headers_of_a_program_without_a_file_header(void **context)
{
    (void)context;
    struct ml_heap_walk_module module;
    struct ml_heap_walk_segments before, after;
    assert_true(ml_heap_walk_modules_find((uintptr_t)copy_tables, &module));
    assert_true(ml_heap_walk_modules_segments(&module, &before));
    uint8_t *start = (uint8_t *)module.start;
    assert_int_equal(mprotect(start, 4096, PROT_READ | PROT_WRITE), 0);
    uint8_t first = *start;
    *start = 0;
    assert_true(ml_heap_walk_modules_segments(&module, &after));
    *start = first;
    assert_int_equal(mprotect(start, 4096, PROT_READ), 0);
    assert_int_equal(after.n, before.n);
    for (unsigned i = 0; i < after.n; i++) {
        assert_int_equal(after.list[i].start, before.list[i].start);
        assert_int_equal(after.list[i].end, before.list[i].end);
    }
}

static uint64_t random_state = 88172645463325252;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Sanitizers and the ends of the copy tell whether anything is read outside of it. */
static void damaged_tables(void **context)
{
    (void)context;
    struct copy copy = {0};
    struct ml_heap_walk_entry entry;
    struct ml_heap_walk_rule rule;
    copy_tables((uintptr_t)_cmocka_run_group_tests, &copy);
    size_t from = copy.header - (uintptr_t)copy.bytes;
    uint8_t *whole = malloc(copy.size_B);
    memcpy(whole, copy.bytes, copy.size_B);
    for (int round = 0; round < 20000; round++) {
        for (uint64_t n = 1 + random_number() % 8; n > 0; n--)
            copy.bytes[from + random_number() % (copy.size_B - from)] = (uint8_t)random_number();
        copy.segments.list[0].end =
            (uintptr_t)copy.bytes + from + random_number() % (copy.size_B - from + 1);
        uintptr_t pc =
            (uintptr_t)_cmocka_run_group_tests + copy.moved + random_number() % 4096 - 2048;
        if (ml_heap_walk_find_entry(&copy.segments, copy.header, pc, &entry))
            ml_heap_walk_work_out(&entry, pc, &rule);
        if (round % 16 == 0)
            memcpy(copy.bytes, whole, copy.size_B);
    }
    free(whole);
    free(copy.bytes);
}

static bool worked_out(const uint8_t *code, size_t size_B, uintptr_t pc,
                       struct ml_heap_walk_value *out)
{
    struct ml_heap_walk_bytes bytes = {.at = code, .end = code + size_B};
    return ml_heap_walk_expression(bytes, pc, NULL, out);
}

/* breg7 +8; breg16 +0; lit15; and; lit11; ge; lit3; shl; plus: a call through .plt pushes one word
 * in its second half. */
static void expression_of_plt(void **context)
{
    (void)context;
    static const uint8_t plt[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    struct ml_heap_walk_value value;
    for (uintptr_t pc = 0x1000; pc < 0x1010; pc++) {
        assert_true(worked_out(plt, sizeof plt, pc, &value));
        assert_int_equal(value.kind, ML_HEAP_WALK_REGISTER);
        assert_int_equal(value.register_number, 7);
        assert_int_equal(value.number, pc % 16 >= 11 ? 16 : 8);
    }
    for (size_t n = 0; n < sizeof plt - 1; n++) /* cut short */
        worked_out(plt, n, 0x1000, &value);
}

static void expressions_that_are_none(void **context)
{
    (void)context;
    static const uint8_t deref_number[] = {0x31, 0x06}, deref_twice[] = {0x77, 8, 0x06, 0x06},
                         nothing[] = {0x22}, unknown[] = {0xff},
                         deep[] = {0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30},
                         loaded[] = {0x76, 0x78, 0x06};
    struct ml_heap_walk_value value;
    assert_false(worked_out(deref_number, sizeof deref_number, 0, &value));
    assert_false(worked_out(deref_twice, sizeof deref_twice, 0, &value));
    assert_false(worked_out(nothing, sizeof nothing, 0, &value));
    assert_false(worked_out(nothing, 0, 0, &value));
    assert_false(worked_out(unknown, sizeof unknown, 0, &value));
    assert_false(worked_out(deep, sizeof deep, 0, &value));
    assert_true(worked_out(loaded, sizeof loaded, 0, &value));
    assert_int_equal(value.kind, ML_HEAP_WALK_WORD);
    assert_int_equal((int64_t)value.number, -8);
}

static void numbers_to_the_end(void **context)
{
    (void)context;
    static const uint8_t leb[] = {0xe5, 0x8e, 0x26, 0x7f, 0x80, 0x7f, 0xff};
    struct ml_heap_walk_bytes bytes = {.at = leb, .end = leb + sizeof leb};
    assert_int_equal(ml_heap_walk_uleb(&bytes), 624485); /* DWARF 4, 7.6 */
    assert_int_equal(ml_heap_walk_sleb(&bytes), -1);
    assert_int_equal(ml_heap_walk_sleb(&bytes), -128);
    assert_false(bytes.bad);
    ml_heap_walk_uleb(&bytes);
    assert_true(bytes.bad);
    assert_int_equal(ml_heap_walk_fixed(&bytes, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_functions_of_the_c_library),
        cmocka_unit_test(headers_of_a_program_without_a_file_header),
        cmocka_unit_test(damaged_tables),
        cmocka_unit_test(expression_of_plt),
        cmocka_unit_test(expressions_that_are_none),
        cmocka_unit_test(numbers_to_the_end),
    };
    ml_heap_walk_modules_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
