/* Python functions in made-up memory: of each version, and of none. */
#include "elements.h"
#include "python/calls.h"
#include "python/lines.h"
#include "python/names.h"
#include "python/text.h"
#include "python/threads.h"
#include "python_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct image image;
static struct ml_python_calls calls;

/* co_linetable of a function that begins at line 1, and what co_lines() says of it. */
static const uint8_t table[] = {
    0x80, 0x00, 0xd8, 0x09, 0x0a, 0xd8, 0x09, 0x0a, 0xf1, 0x03, 0x01, 0x0a, 0x0b, 0x80, 0x41, 0xe5,
    0x0d, 0x12, 0x90, 0x31, 0x89, 0x58, 0x8c, 0x58, 0xf0, 0x00, 0x04, 0x05, 0x11, 0xf0, 0x00, 0x04,
    0x05, 0x11, 0x88, 0x01, 0xf0, 0x02, 0x03, 0x09, 0x11, 0xd8, 0x0c, 0x0d, 0x90, 0x11, 0x89, 0x46,
    0x88, 0x41, 0x88, 0x41, 0xf8, 0xdd, 0x0f, 0x19, 0xf0, 0x00, 0x01, 0x09, 0x11, 0xf0, 0x00, 0x01,
    0x09, 0x11, 0xf0, 0x00, 0x01, 0x09, 0x11, 0xd8, 0x0c, 0x10, 0x88, 0x44, 0xf0, 0x03, 0x01, 0x09,
    0x11, 0xf8, 0xf8, 0xf8, 0xf0, 0x06, 0x00, 0x0c, 0x0d, 0x80, 0x48};

static void lines_of_instructions(void **state)
{
    static const struct {
        unsigned begin, end;
        int32_t line;
    } lines[] = {{0, 2, 1},   {2, 4, 2},    {4, 6, 3},    {6, 12, 2},  {12, 46, 4},
                 {46, 48, 5}, {48, 60, 6},  {60, 62, -1}, {62, 80, 7}, {80, 84, 8},
                 {84, 86, 7}, {86, 92, -1}, {92, 96, 10}, {96, 99, -1}};
    (void)state;
    for (size_t i = 0; i < N(lines); i++) {
        for (unsigned at = lines[i].begin; at < lines[i].end; at++)
            assert_int_equal(ml_python_line(table, sizeof table, 1, at), lines[i].line);
    }
    assert_int_equal(ml_python_line(NULL, 0, 1, 0), -1);
}

/* Steps back, far steps, and tables that end or overflow. */
static void lines_that_are_odd(void **state)
{
    static const uint8_t back[] = {0xe8, 0x09};                          /* no columns, -4 */
    static const uint8_t far[] = {0xe8, 0x40 | 0x3e, 0x40 | 0x3f, 0x3f}; /* +131071 */
    static const uint8_t endless[] = {0xe8, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
                                      0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f};
    (void)state;
    assert_int_equal(ml_python_line(back, sizeof back, 10, 0), 6);
    assert_int_equal(ml_python_line(back, sizeof back, 2, 0), -1);
    assert_int_equal(ml_python_line(far, sizeof far, 10, 0), 131081);
    assert_int_equal(ml_python_line(endless, sizeof endless, 10, 0), -1);
    assert_int_equal(ml_python_line(far, 1, 10, 0), 10);
}

static void layouts(void **state)
{
    static const uint32_t unknown[] = {0, 0x03060000, 0x030a00f0, 0x030d00f0, 0x030f0000};
    struct ml_python_layout l;
    uint64_t words[ML_PYTHON_OFFSETS_B / 8];
    const uint8_t *bytes = (const uint8_t *)words;
    (void)state;
    assert_true(ml_python_layout_known(0x030b02f0, &l));
    assert_true(ml_python_has_entries(&l) && ml_python_has_cframes(&l));
    assert_true(ml_python_layout_known(0x030c01f0, &l));
    assert_true(!ml_python_has_entries(&l) && ml_python_has_cframes(&l));
    for (size_t i = 0; i < N(unknown); i++)
        assert_false(ml_python_layout_known(unknown[i], &l));
    for (int minor = 13; minor <= 14; minor++) {
        size_t n = image_offsets(minor, words);
        assert_true(ml_python_layout_parse(bytes, n, &l));
        assert_int_equal(l.native_thread, 160);
        assert_int_equal(l.text_ascii, 40);
        assert_false(ml_python_has_cframes(&l));
        assert_false(ml_python_layout_parse(bytes, 300, &l));
        words[1] += 0x00020000; /* a version that is not known */
        assert_false(ml_python_layout_parse(bytes, n, &l));
        image_offsets(minor, words);
        words[minor == 13 ? 31 : 34] = 1 << 20; /* no frame is so large */
        assert_false(ml_python_layout_parse(bytes, n, &l));
        image_offsets(minor, words);
        words[0]++;
        assert_false(ml_python_layout_parse(bytes, n, &l));
    }
}

static void assert_text(uint64_t address, size_t most, const char *expected)
{
    struct ml_python_memory memory = image_memory(&image);
    struct ml_buffer text = {0};
    bool there = ml_python_text_read(&image.layout, &memory, address, most, &text);
    assert_int_equal(there, expected != NULL);
    if (there) {
        ml_buffer_append(&text, "", 1);
        assert_string_equal(text.data, expected);
    }
    ml_buffer_free(&text);
}

static void texts(void **state)
{
    static const uint8_t latin[] = {'g', 'r', 0xf6, 0xdf, 'e'};
    static const uint16_t two[] = {0x3b1, '\n', 0xd800, 0x20ac};
    static const uint32_t four[] = {0x1f40d, 0x110000, 'a', 0};
    (void)state;
    for (int minor = 11; minor <= 14; minor++) {
        image_open(&image, minor);
        image_put_text(&image, TEXTS, "solve.<locals>.f", 16, 1, true);
        assert_text(TEXTS, 100, "solve.<locals>.f");
        assert_text(TEXTS, 5, "solve");
        image_put_text(&image, TEXTS, latin, N(latin), 1, false);
        assert_text(TEXTS, 100, "größe");
        image_put_text(&image, TEXTS, two, N(two), 2, false);
        assert_text(TEXTS, 100, "α??€");
        image_put_text(&image, TEXTS, four, N(four), 4, false);
        assert_text(TEXTS, 100, "\U0001F40D?a?");
        image_put_text(&image, TEXTS, four, 1, 3, false);
        assert_text(TEXTS, 100, NULL);
        image_put_word(&image, TEXTS + image.layout.text_state, 0); /* not compact */
        assert_text(TEXTS, 100, NULL);
        image_put_text(&image, TEXTS, "", 0, 1, true);
        image_put_word(&image, TEXTS + image.layout.text_length, IMAGE_B); /* beyond the memory */
        assert_text(TEXTS, IMAGE_B, NULL);
        assert_text(0, 100, NULL);
        assert_text(UINT64_MAX - 3, 100, NULL);
    }
}

static void threads(void **state)
{
    struct ml_python_thread list[8];
    struct ml_python_memory memory = image_memory(&image);
    (void)state;
    for (int minor = 11; minor <= 14; minor++) {
        image_open(&image, minor);
        assert_int_equal(ml_python_threads_read(&image.layout, &memory, RUNTIME, 8, list), 0);
        image_put_thread(&image, 0, 70, THREAD_STATE(1), 0, 0);
        image_put_thread(&image, 1, 71, 0, 0, 0);
        assert_int_equal(ml_python_threads_read(&image.layout, &memory, RUNTIME, 8, list), 2);
        assert_int_equal(list[1].state, THREAD_STATE(1));
        assert_int_equal(list[1].native, 71);
        /* each is the other's next, and the interpreter its own */
        image_put_thread(&image, 1, 71, THREAD_STATE(0), 0, 0);
        image_put_word(&image, INTERPRETER + image.layout.next_interpreter, INTERPRETER);
        assert_int_equal(ml_python_threads_read(&image.layout, &memory, RUNTIME, 8, list), 8);
    }
}

static void read_calls(uint64_t thread)
{
    struct ml_python_memory memory = image_memory(&image);
    ml_python_calls_read(&image.layout, &memory, THREAD_STATE(0), thread, &calls);
}

static void assert_call(size_t i, unsigned code, uint64_t offset_B, uint64_t home)
{
    assert_true(i < calls.n);
    assert_int_equal(calls.list[i].code, CODE(code));
    assert_int_equal(calls.list[i].instruction, image_instruction(&image, code, offset_B));
    assert_int_equal(calls.list[i].home, home);
}

static void calls_of_two_loops(void **state)
{
    (void)state;
    for (int minor = 11; minor <= 14; minor++) {
        image_open(&image, minor);
        image_put_frames(&image);
        read_calls(70);
        assert_int_equal(calls.n, 4);
        assert_call(0, 3, 6, C_STACK + 0x100);
        assert_call(1, 2, 4, C_STACK + 0x100);
        assert_call(2, 1, 2, C_STACK + 0x800);
        assert_call(3, 0, 8, C_STACK + 0x800);
        assert_int_equal(image.n_fetched, 0x300);
        read_calls(71); /* somebody else has that state now */
        assert_int_equal(calls.n, 0);
    }
}

/* 3.14 marks references in the lowest bits of a pointer, and has frames without code among the
 * others, for what calls __init__. */
static void shims_are_no_loops(void **state)
{
    (void)state;
    image_open(&image, 14);
    image_put_frames(&image);
    image_put_word(&image, HEAP + image.layout.code, CODE(3) | 1);
    image_put_frame(&image, &(struct image_frame){CHUNK + 0x200, C_STACK + 0x100, 0, 0, 3, false});
    read_calls(70);
    assert_int_equal(calls.n, 3);
    assert_call(0, 3, 6, C_STACK + 0x100);
    assert_call(1, 1, 2, C_STACK + 0x800);
}

/* An older chunk of the data stack is read in one go, too. */
static void older_chunks(void **state)
{
    uint64_t older = CHUNK + 0x1000;
    (void)state;
    image_open(&image, 13);
    image_put_frames(&image);
    image_put_word(&image, CHUNK, older);
    image_put_word(&image, older + 16, 0x100 / 8);
    image_put_frame(&image, &(struct image_frame){CHUNK + 0x100, older + 0x40, 1, 2, 0, false});
    image_put_frame(&image, &(struct image_frame){older + 0x40, C_STACK + 0x800, 0, 8, 0, false});
    read_calls(70);
    assert_int_equal(calls.n, 4);
    assert_int_equal(image.n_fetched, 0x300 + 24 + 0x100);
}

static void frames_in_a_ring(void **state)
{
    (void)state;
    for (int minor = 11; minor <= 14; minor++) {
        image_open(&image, minor);
        image_put_frames(&image);
        image_put_frame(&image,
                        &(struct image_frame){CHUNK + 0x200, CHUNK + 0x200, 2, 4, 0, false});
        read_calls(70);
        assert_int_equal(calls.n, minor == 11 ? ML_PYTHON_CALLS_MAX : 0);
        image_put_frame(&image,
                        &(struct image_frame){C_STACK + 0x100, C_STACK + 0x100, 0, 0, 3, false});
        read_calls(70);
        assert_true(image.n_reads < 20000);
    }
}

static bool name_of(struct ml_python_names *names, unsigned code, uint64_t offset_B,
                    struct ml_python_name *out)
{
    struct ml_python_memory memory = image_memory(&image);
    return ml_python_names_at(names, &image.layout, &memory, 7, CODE_TYPE, CODE(code),
                              image_instruction(&image, code, offset_B), out);
}

static void names_of_code(void **state)
{
    struct ml_python_name name;
    (void)state;
    for (int minor = 11; minor <= 14; minor++) {
        struct ml_python_names *names = ml_python_names_open();
        image_open(&image, minor);
        image_put_code(&image, 0, "Solver.step", "/a/solve.py", 1, table, sizeof table);
        for (int again = 0; again < 2; again++) {
            assert_true(name_of(names, 0, 46, &name));
            assert_string_equal(name.function, "Solver.step");
            assert_string_equal(name.file, "/a/solve.py");
            assert_int_equal(name.line, 5);
        }
        assert_true(name_of(names, 0, (uint64_t)-2, &name));
        assert_int_equal(name.line, 1);
        assert_true(name_of(names, 0, 4096, &name));
        assert_int_equal(name.line, -1);
        size_t n_reads = image.n_reads;
        assert_true(name_of(names, 0, 48, &name)); /* at one moment it is read once */
        assert_int_equal(image.n_reads, n_reads);
        ml_python_names_begin(names);
        image_put_code(&image, 0, "other", "/a/other.py", 101, table, sizeof table);
        assert_true(name_of(names, 0, 46, &name)); /* it has the place of the first */
        assert_string_equal(name.function, "other");
        assert_int_equal(name.line, 105);
        assert_false(name_of(names, 1, 46, &name));
        ml_python_names_close(names);
    }
}

/* Whatever a process holds, there is an end to it. */
static void damaged_memory(void **state)
{
    struct ml_python_memory memory = image_memory(&image);
    struct ml_python_thread list[64];
    struct ml_python_name name;
    (void)state;
    srand(1);
    for (int round = 0; round < 4000; round++) {
        struct ml_python_names *names = ml_python_names_open();
        image_open(&image, 11 + round % 4);
        image_put_frames(&image);
        for (unsigned i = 0; i < 4; i++)
            image_put_code(&image, i, "f", "f.py", 1, table, sizeof table);
        for (int i = 0; i < 400; i++) {
            uint64_t at = IMAGE + (uint64_t)rand() % (IMAGE_B / 8) * 8;
            image_put_word(&image, at,
                           rand() % 2 ? IMAGE + (uint64_t)rand() % IMAGE_B
                                      : (uint64_t)rand() * (uint64_t)rand());
        }
        ml_python_threads_read(&image.layout, &memory, RUNTIME, N(list), list);
        read_calls(70);
        for (size_t i = 0; i < calls.n; i++)
            ml_python_names_at(names, &image.layout, &memory, 7, CODE_TYPE, calls.list[i].code,
                               calls.list[i].instruction, &name);
        ml_python_names_close(names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_instructions),
        cmocka_unit_test(lines_that_are_odd),
        cmocka_unit_test(layouts),
        cmocka_unit_test(texts),
        cmocka_unit_test(threads),
        cmocka_unit_test(calls_of_two_loops),
        cmocka_unit_test(shims_are_no_loops),
        cmocka_unit_test(older_chunks),
        cmocka_unit_test(frames_in_a_ring),
        cmocka_unit_test(names_of_code),
        cmocka_unit_test(damaged_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
