#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "elements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The varint B with others behind it, which may be read at once. */
static void check_among_others(struct ml_buffer *b, int64_t expected)
{
    size_t n = b->length;
    for (int i = 0; i < 8; i++) {
        int64_t value = ~expected;
        ml_buffer_append(b, i % 2 ? "\x00" : "\xff", 1);
        const uint8_t *start = (const uint8_t *)b->data, *cursor = start;
        assert_true(ml_varint_read(&cursor, start + b->length, &value));
        assert_true(value == expected);
        assert_ptr_equal(cursor, start + n);
    }
}

/* Of each number of bits. */
static void any_varints(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        struct ml_buffer b = {0};
        uint64_t any = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
        int64_t value = (int64_t)(any >> i % 64);
        value = random() % 2 ? value : -value;
        ml_varint_append(&b, value);
        check_among_others(&b, value);
        ml_buffer_free(&b);
    }
}

static void varints(void **state)
{
    static const struct {
        int64_t value;
        size_t bytes;
    } table[] = {
        {0, 1},          {-1, 1},         {1, 1},         {63, 1},           {-64, 1},
        {64, 2},         {-65, 2},        {8191, 2},      {8192, 3},         {-8193, 3},
        {INT32_MAX, 5},  {INT32_MIN, 5},  {1LL << 55, 9}, {-(1LL << 55), 8}, {(1LL << 62) - 1, 9},
        {INT64_MAX, 10}, {INT64_MIN, 10},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_buffer b = {0};
        ml_varint_append(&b, table[i].value);
        assert_int_equal(b.length, table[i].bytes);
        const uint8_t *cursor = (const uint8_t *)b.data, *start = cursor;
        int64_t value = 7;
        for (size_t n = 0; n < b.length; n++) {
            assert_false(ml_varint_read(&cursor, start + n, &value));
            assert_ptr_equal(cursor, start);
            assert_int_equal(value, 7);
        }
        assert_true(ml_varint_read(&cursor, start + b.length, &value));
        assert_true(value == table[i].value);
        assert_ptr_equal(cursor, start + b.length);
        check_among_others(&b, value);
        ml_buffer_free(&b);
    }
}

static void endless_varint(void **state)
{
    uint8_t bytes[16];
    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    const uint8_t *cursor = bytes;
    int64_t value = 7;
    assert_false(ml_varint_read(&cursor, bytes + sizeof bytes, &value));
    assert_ptr_equal(cursor, bytes);
    assert_int_equal(value, 7);
}

static char *const words[] = {"first", "", "third word"};

static void pack_all(struct ml_buffer *out)
{
    ml_pack_int(out, -123456789);
    ml_pack_text(out, "");
    ml_pack_text(out, "gr\xc3\xbc\xc3\x9f");
    ml_pack_bytes(out, "a\0b", 3);
    ml_pack_bytes(out, "", 0);
    ml_pack_texts(out, words, N(words));
    ml_pack_texts(out, NULL, 0);
    ml_pack_int(out, INT64_MIN);
}

/* True if all was there and as it was packed. */
static bool unpack_all(struct ml_unpacker *u)
{
    size_t n, n_none, n_words, n_no_words;
    bool same = ml_unpack_int(u) == -123456789;
    same &= strcmp(ml_unpack_text(u), "") == 0;
    same &= strcmp(ml_unpack_text(u), "gr\xc3\xbc\xc3\x9f") == 0;
    const void *bytes = ml_unpack_bytes(u, &n);
    same = same && n == 3 && memcmp(bytes, "a\0b", 3) == 0;
    ml_unpack_bytes(u, &n_none);
    same &= n_none == 0;
    ML_AUTO_FREE char **texts = ml_unpack_texts(u, &n_words);
    same &= n_words == N(words) && texts[n_words] == NULL;
    for (size_t i = 0; same && i < n_words; i++)
        same = strcmp(texts[i], words[i]) == 0;
    ML_AUTO_FREE char **none = ml_unpack_texts(u, &n_no_words);
    same &= n_no_words == 0 && none[0] == NULL;
    same &= ml_unpack_int(u) == INT64_MIN;
    return same && !u->failed;
}

static void round_trip(void **state)
{
    struct ml_buffer b = {0};
    (void)state;
    pack_all(&b);
    ml_buffer_append(&b, "rest", 4);
    struct ml_unpacker u = ml_unpack(b.data, b.length);
    assert_true(unpack_all(&u));
    size_t n;
    assert_memory_equal(ml_unpack_rest(&u, &n), "rest", 4);
    assert_int_equal(n, 4);
    ml_buffer_free(&b);
}

static void cut_at_every_byte(void **state)
{
    struct ml_buffer b = {0};
    (void)state;
    pack_all(&b);
    for (size_t n = 0; n < b.length; n++) {
        ML_AUTO_FREE char *exact = malloc(n ? n : 1); /* a sanitizer sees reads behind it */
        memcpy(exact, b.data, n);
        struct ml_unpacker u = ml_unpack(exact, n);
        assert_false(unpack_all(&u));
        assert_true(u.failed);
        assert_true(u.cursor >= (const uint8_t *)exact && u.cursor <= u.end);
    }
    ml_buffer_free(&b);
}

static void nothing_after_a_failure(void **state)
{
    struct ml_buffer b = {0};
    size_t n = 9;
    (void)state;
    ml_pack_bytes(&b, "not ended", 9);
    ml_pack_int(&b, 5);
    struct ml_unpacker u = ml_unpack(b.data, b.length);
    assert_string_equal(ml_unpack_text(&u), "");
    assert_true(u.failed);
    assert_int_equal(ml_unpack_int(&u), 0);
    assert_string_equal(ml_unpack_text(&u), "");
    ml_unpack_bytes(&u, &n);
    assert_int_equal(n, 0);
    n = 9;
    ml_unpack_rest(&u, &n);
    assert_int_equal(n, 0);
    n = 9;
    ML_AUTO_FREE char **texts = ml_unpack_texts(&u, &n);
    assert_int_equal(n, 0);
    assert_null(texts[0]);
    ml_buffer_free(&b);
}

static void hostile_lengths(void **state)
{
    static const int64_t lengths[] = {-1, 3, 1000, INT32_MAX, INT64_MAX, INT64_MIN};
    (void)state;
    for (size_t i = 0; i < N(lengths); i++) {
        struct ml_buffer b = {0};
        size_t n = 9, n_texts = 9;
        ml_pack_int(&b, lengths[i]);
        ml_buffer_append(&b, "x", 2);
        struct ml_unpacker bytes = ml_unpack(b.data, b.length);
        struct ml_unpacker text = bytes, list = bytes;
        ml_unpack_bytes(&bytes, &n);
        assert_true(bytes.failed);
        assert_int_equal(n, 0);
        assert_string_equal(ml_unpack_text(&text), "");
        assert_true(text.failed);
        ML_AUTO_FREE char **texts = ml_unpack_texts(&list, &n_texts);
        assert_true(list.failed);
        assert_null(texts[0]);
        assert_int_equal(n_texts, 0);
        ml_buffer_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints),
        cmocka_unit_test(any_varints),
        cmocka_unit_test(endless_varint),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(hostile_lengths),
        cmocka_unit_test(nothing_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
