#include "base/pack.h"
#include "record/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t integers[] = {0,         1,         -1,        63,        64,
                                   -64,       -65,       INT8_MAX,  INT8_MIN,  INT32_MAX,
                                   INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 40, -(1LL << 40)};
static const char *const texts[] = {"", "a", "with \"quotes\" and \\", "\x01\x7f\xff\xfe",
                                    "gr\xc3\xbc\xc3\x9f"};

#define N(array) (sizeof(array) / sizeof *(array))

/* Puts the I-th of the values above into every column. */
static void fill(const struct ml_table *table, char *row, size_t i)
{
    memset(row, 0, table->row_size);
    for (size_t k = 0; k < table->n_columns; k++) {
        const struct ml_column *c = &table->columns[k];
        int64_t value = integers[(i + k) % N(integers)];
        if (c->kind == ML_TEXT)
            *(const char **)(void *)(row + c->offset) = texts[(i + k) % N(texts)];
        else if (c->kind == ML_REAL)
            memcpy(row + c->offset, &(double){(double)value * 1.1}, sizeof(double));
        else if (c->kind == ML_INT32)
            memcpy(row + c->offset, &(int32_t){(int32_t)value}, sizeof(int32_t));
        else if (c->kind == ML_CODE)
            row[c->offset] = (char)(int8_t)value;
        else
            memcpy(row + c->offset, &value, sizeof value);
    }
}

static void rows_come_back(void **state)
{
    (void)state;
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        char *in = malloc((*t)->row_size), *out = malloc((*t)->row_size);
        for (size_t i = 0; i < 2 * N(integers); i++) {
            struct ml_buffer bytes = {0};
            fill(*t, in, i);
            ml_row_pack(*t, in, &bytes);
            const uint8_t *p = (const uint8_t *)bytes.data, *end = p + bytes.length;
            assert_true(ml_row_unpack(*t, &p, end, out));
            assert_ptr_equal(p, end);
            assert_true(ml_row_equal(*t, in, out, 0));
            ml_buffer_free(&bytes);
        }
        free(in);
        free(out);
    }
}

/* Every shorter run of bytes is refused, whatever lies behind its end. */
static void cut_rows_are_refused(void **state)
{
    (void)state;
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        char *row = malloc((*t)->row_size);
        struct ml_buffer bytes = {0};
        fill(*t, row, 3);
        ml_row_pack(*t, row, &bytes);
        for (size_t n = 0; n < bytes.length; n++) {
            uint8_t *copy = malloc(n + 1); /* exact, for the sanitizer */
            memcpy(copy, bytes.data, n);
            const uint8_t *p = copy;
            assert_false(ml_row_unpack(*t, &p, copy + n, row));
            assert_ptr_equal(p, copy);
            free(copy);
        }
        ml_buffer_free(&bytes);
        free(row);
    }
}

static void hostile_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12}, /* a varint without end */
        {"\x02\x02\x02\x02\x08\x01\x00", 7},                      /* text of a negative length */
        {"\x02\x02\x02\x02\x08\xfe\xff\xff\xff\x0f", 10},         /* text longer than the bytes */
        {"\x02\x02\x02\x02\x08\x06\x61\x62\x63\x64", 10},         /* text without its NUL */
        {"\x02\x02\x02\x02\x08\x06\x61\x00\x63\x00", 10},         /* text with a NUL inside */
        {"\x02\xfe\xff\xff\xff\xff\x01\x02\x02\x02", 10},         /* rank over 32 bits */
    };
    for (size_t i = 0; i < N(cases); i++) {
        const uint8_t *p = (const uint8_t *)cases[i].bytes;
        struct ml_output_row row;
        assert_false(ml_row_unpack(&ml_table_output, &p, p + cases[i].n, &row));
    }
}

static void cleared_rows_are_not_measured(void **state)
{
    (void)state;
    struct ml_node_row row;
    ml_row_clear(&ml_table_nodes, &row);
    assert_int_equal(row.memory_B, ML_NOT_MEASURED);
    assert_int_equal(row.node, ML_NOT_MEASURED);
    assert_true(row.clock_offset_s == ML_NOT_MEASURED);
    assert_string_equal(row.name, "");
}

static void columns_are_well_formed(void **state)
{
    (void)state;
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        for (size_t i = 0; i < (*t)->n_columns; i++) {
            const struct ml_column *c = &(*t)->columns[i];
            assert_true(*c->name && *c->description);
            assert_true(!c->codes || c->kind == ML_CODE);
            for (const struct ml_code *k = c->codes; k && k->meaning; k++)
                assert_null(strchr(k->meaning, ' '));
        }
    }
}

/* docs/format.md has each column of each table. */
static void columns_are_documented(void **state)
{
    (void)state;
    static char doc[1 << 20];
    FILE *f = fopen(MEMLOG_FORMAT_DOC, "r");
    assert_non_null(f);
    doc[fread(doc, 1, sizeof doc - 1, f)] = 0;
    fclose(f);
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        char line[512];
        snprintf(line, sizeof line, "### /%s\n", (*t)->name);
        const char *part = strstr(doc, line);
        if (!part)
            fail_msg("no table /%s in docs/format.md", (*t)->name);
        for (size_t i = 0; i < (*t)->n_columns; i++) {
            const struct ml_column *c = &(*t)->columns[i];
            snprintf(line, sizeof line, "| %s | %s", c->units, c->description);
            const char *row = strstr(part, line);
            snprintf(line, sizeof line, "\n| `%s` |", c->name);
            if (!row || !strstr(part, line))
                fail_msg("%s/%s is not in docs/format.md as in record/tables.h", (*t)->name,
                         c->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(cut_rows_are_refused),
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(cleared_rows_are_not_measured),
        cmocka_unit_test(columns_are_well_formed),
        cmocka_unit_test(columns_are_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
