#include "symbols/symbols.h"

#include "base/memory.h"
#include "base/own.h"

#include "module_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* ELF files that are damaged in many places: whatever is answered, there is an answer. */

enum { N_ADDRESSES = 40, SECONDS = 20 };

static const char *const programs[] = {"dwarf5",     "dwarf4", "compressed", "compressed_old",
                                       "no_aranges", "shapes", "solver"};
static const size_t n_programs = sizeof programs / sizeof *programs;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Addresses all over the segments that the file had before. */
static void look_up(const struct ml_module *whole, struct ml_module *module)
{
    struct ml_symbols *symbols = ml_symbols_open_in("/nowhere");
    for (size_t i = 0; i < whole->n_segments; i++) {
        const struct ml_segment *s = &whole->segments[i];
        for (uint64_t k = 0; s->executable && k < N_ADDRESSES; k++) {
            const struct ml_stack_frame *frames;
            uint64_t address = s->address + s->size * k / N_ADDRESSES;
            size_t n = ml_symbols_at(symbols, module, address, k % 2, &frames);
            assert_true(n > 0);
            for (size_t f = 0; f < n; f++)
                assert_true(strlen(frames[f].function) + strlen(frames[f].file) < 1 << 20);
        }
    }
    ml_symbols_close(symbols);
}

/* Looks up in what is left of WHOLE in BYTES, at an allocation of that very size; keeps the
 * segments if KEEP: whoever mapped it knew them. */
static void try_bytes(const struct ml_module *whole, const uint8_t *bytes, size_t n, bool keep)
{
    ML_AUTO_FREE uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    struct ml_module *module = module_of("/nowhere/program", copy, n);
    if (keep) {
        free((void *)module->segments);
        struct ml_segment *segments = ml_realloc_array(NULL, whole->n_segments, sizeof *segments);
        memcpy(segments, whole->segments, whole->n_segments * sizeof *segments);
        module->segments = segments;
        module->n_segments = whole->n_segments;
    }
    look_up(whole, module);
    module_free(module);
}

/* Damage number SEED: the end is cut off, or some bytes are others. */
static void damage(const struct ml_module *whole, uint64_t seed)
{
    uint64_t state = seed;
    next_random(&state);
    ML_AUTO_FREE uint8_t *bytes = malloc(whole->size);
    assert_non_null(bytes);
    memcpy(bytes, whole->bytes, whole->size);
    size_t n = whole->size, places = next_random(&state) % 32;
    if (seed % 4 == 0)
        n = next_random(&state) % n;
    /* half of them towards the end: there are DWARF, symbols and section headers */
    size_t from = seed % 2 ? n / 2 : 0;
    for (size_t i = 0; i < places && n; i++)
        bytes[from + next_random(&state) % (n - from)] = (uint8_t)next_random(&state);
    try_bytes(whole, bytes, n, seed % 3 != 0);
}

/* In a process of its own, so that the number of the damage that is deadly can be told. */
static int run_apart(const struct ml_module *whole, uint64_t seed)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        damage(whole, seed);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_damaged(void **state)
{
    (void)state;
    const char *wanted = getenv("DAMAGES"); /* more of them, by hand */
    uint64_t n_damages = wanted ? strtoull(wanted, NULL, 10) : 60;
    size_t tried = 0, failed = 0;
    for (size_t i = 0; i < n_programs; i++) {
        ML_AUTO_FREE char *path = ml_format("%s/%s/program", SYMBOLS_PROGRAMS, programs[i]);
        if (access(path, R_OK) != 0)
            continue; /* its compiler is not here */
        struct ml_module *whole = module_map(path);
        for (uint64_t seed = 0; seed < n_damages; seed++, tried++) {
            int status = run_apart(whole, seed);
            if (status) {
                failed++;
                print_error("%s, damage %llu: status %#x\n", path, (unsigned long long)seed,
                            (unsigned)status);
            }
        }
        module_free(whole);
    }
    assert_true(tried > 0);
    assert_int_equal(failed, 0);
}

static void test_nothing(void **state)
{
    (void)state;
    ML_AUTO_FREE char *path = ml_format("%s/dwarf5/program", SYMBOLS_PROGRAMS);
    struct ml_module *whole = module_map(path);
    try_bytes(whole, whole->bytes, 0, false);
    try_bytes(whole, whole->bytes, 0, true);
    try_bytes(whole, whole->bytes, 4, true);
    try_bytes(whole, whole->bytes, 64, true);
    try_bytes(whole, (const uint8_t *)"no ELF file at all, but text", 28, true);
    module_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
