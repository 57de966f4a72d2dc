#include "base/pack.h"
#include "elements.h"
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
        bool good;
    } cases[] = {
        {"\x02\x02\x02\x02\x06\x61\x62\x63\x00", 9,
         true}, /* what the others are but for one thing */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, false}, /* a varint without end */
        {"\x02\x02\x02\x02\x01\x00", 6, false},             /* text of a negative length */
        {"\x02\x02\x02\x02\xfe\xff\xff\xff\x0f", 9, false}, /* text longer than the bytes */
        {"\x02\x02\x02\x02\x06\x61\x62\x63\x64", 9, false}, /* text without its NUL */
        {"\x02\x02\x02\x02\x06\x61\x62\x63", 8, false},     /* the bytes end where it should be */
        {"\x02\x02\x02\x02\x06\x61\x00\x63\x00", 9, false}, /* text with a NUL inside */
    };
    for (size_t i = 0; i < N(cases); i++) {
        const uint8_t *p = (const uint8_t *)cases[i].bytes;
        struct ml_output_row row;
        if (ml_row_unpack(&ml_table_output, &p, p + cases[i].n, &row) != cases[i].good)
            fail_msg("case %zu", i);
    }
}

/* A row of 1 and "", but for VALUE in column K. */
static void pack_with(const struct ml_table *table, size_t k, int64_t value, struct ml_buffer *out)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].kind == ML_REAL)
            ml_buffer_append(out, &(double){1}, sizeof(double));
        else if (table->columns[i].kind == ML_TEXT)
            ml_buffer_append(out, "\0", 2);
        else
            ml_varint_append(out, i == k ? value : 1);
    }
}

static bool fits(const struct ml_table *table, size_t k, int64_t value)
{
    char *row = malloc(table->row_size);
    struct ml_buffer bytes = {0};
    pack_with(table, k, value, &bytes);
    const uint8_t *p = (const uint8_t *)bytes.data;
    bool good = ml_row_unpack(table, &p, p + bytes.length, row);
    ml_buffer_free(&bytes);
    free(row);
    return good;
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        for (size_t k = 0; k < (*t)->n_columns; k++) {
            enum ml_kind kind = (*t)->columns[k].kind;
            if (kind == ML_REAL || kind == ML_TEXT)
                continue;
            int64_t most = kind == ML_INT32 ? INT32_MAX : kind == ML_CODE ? INT8_MAX : INT64_MAX;
            assert_true(fits(*t, k, most) && fits(*t, k, -most - 1));
            assert_true(most == INT64_MAX || (!fits(*t, k, most + 1) && !fits(*t, k, -most - 2)));
        }
    }
}

/* Rows are equal if all columns from one on are. */
static void one_column_makes_rows_differ(void **state)
{
    (void)state;
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        char *a = calloc(1, (*t)->row_size), *b = calloc(1, (*t)->row_size);
        ml_row_clear(*t, a);
        for (size_t k = 0; k < (*t)->n_columns; k++) {
            const struct ml_column *c = &(*t)->columns[k];
            memcpy(b, a, (*t)->row_size);
            assert_true(ml_row_equal(*t, a, b, 0));
            if (c->kind == ML_TEXT)
                *(const char **)(void *)(b + c->offset) = "x";
            else
                b[c->offset] ^= 1;
            assert_false(ml_row_equal(*t, a, b, 0));
            assert_false(ml_row_equal(*t, a, b, k));
            assert_true(ml_row_equal(*t, a, b, k + 1));
        }
        free(a);
        free(b);
    }
}

static double value_of(const struct ml_column *c, const char *row)
{
    const void *at = row + c->offset;
    if (c->kind == ML_REAL)
        return *(const double *)at;
    if (c->kind == ML_INT32)
        return *(const int32_t *)at;
    if (c->kind == ML_CODE)
        return *(const int8_t *)at;
    return (double)*(const int64_t *)at;
}

static void cleared_rows_are_not_measured(void **state)
{
    (void)state;
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        char *row = malloc((*t)->row_size);
        memset(row, 0x55, (*t)->row_size);
        ml_row_clear(*t, row);
        for (size_t k = 0; k < (*t)->n_columns; k++) {
            const struct ml_column *c = &(*t)->columns[k];
            if (c->kind == ML_TEXT)
                assert_string_equal(*(const char **)(void *)(row + c->offset), "");
            else if (value_of(c, row) != ML_NOT_MEASURED)
                fail_msg("%s/%s", (*t)->name, c->name);
        }
        free(row);
    }
}

static void codes_have_meanings(void **state)
{
    (void)state;
    assert_string_equal(ml_code_meaning(ml_event_codes, ML_EVENT_EXIT), "exit");
    assert_string_equal(ml_code_meaning(ml_event_codes, ML_EVENT_MARK), "mark");
    assert_string_equal(ml_code_meaning(ml_event_codes, 0), "unknown");
    assert_string_equal(ml_code_meaning(NULL, 1), "unknown");
    assert_string_equal(ml_code_meaning(ml_state_codes, -1), "not_measured");
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

/* What the file has for it. */
static const char *type_of(const struct ml_column *c)
{
    static const char *const types[] = {
        [ML_INSTANT] = "float64", [ML_SPAN] = "float64", [ML_REAL] = "float64",
        [ML_INT64] = "int64",     [ML_INT32] = "int32",  [ML_CODE] = "int8",
        [ML_TEXT] = "text",
    };
    return types[c->kind];
}

static void describe(const struct ml_column *c, char *line, size_t size)
{
    int n = snprintf(line, size, "\n| `%s` | %s | %s | %s", c->name, type_of(c), c->units,
                     c->description);
    for (const struct ml_code *k = c->codes; k && k->meaning; k++)
        n += snprintf(line + n, size - (size_t)n, "%s %d %s", k == c->codes ? ":" : ",", k->value,
                      k->meaning);
    snprintf(line + n, size - (size_t)n, " |\n");
}

static char *read_doc(void)
{
    static char doc[1 << 20];
    FILE *f = fopen(MEMLOG_FORMAT_DOC, "r");
    assert_non_null(f);
    doc[fread(doc, 1, sizeof doc - 1, f)] = 0;
    fclose(f);
    return doc;
}

static void version_is_documented(void **state)
{
    (void)state;
    assert_non_null(strstr(read_doc(), "## The HDF5 file, format " ML_FORMAT_VERSION "\n"));
    assert_non_null(strstr(read_doc(), "| `format_version` | text | `" ML_FORMAT_VERSION "`"));
    assert_int_equal(atoi(ML_FORMAT_VERSION), ML_FORMAT_MAJOR);
}

/* docs/format.md has each column of each table: its name, type, units, description and codes, and
 * no column beside them. */
static void columns_are_documented(void **state)
{
    (void)state;
    char *doc = read_doc();
    for (const struct ml_table *const *t = ml_tables; *t; t++) {
        char line[512];
        snprintf(line, sizeof line, "\n### /%s\n\n%s.\n", (*t)->name, (*t)->description);
        char *part = strstr(doc, line);
        if (!part)
            fail_msg("no table /%s in docs/format.md as in record/tables.c", (*t)->name);
        char *next = strstr(part + 1, "\n##");
        size_t n_lines = 0;
        *next = 0;
        for (const char *p = part; (p = strstr(p, "\n| `")); p++)
            n_lines++;
        assert_int_equal(n_lines, (*t)->n_columns);
        for (size_t i = 0; i < (*t)->n_columns; i++) {
            describe(&(*t)->columns[i], line, sizeof line);
            if (!strstr(part, line))
                fail_msg("docs/format.md does not have of /%s: %s", (*t)->name, line);
        }
        *next = '\n';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(cut_rows_are_refused),
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(one_column_makes_rows_differ),
        cmocka_unit_test(codes_have_meanings),
        cmocka_unit_test(cleared_rows_are_not_measured),
        cmocka_unit_test(columns_are_well_formed),
        cmocka_unit_test(version_is_documented),
        cmocka_unit_test(columns_are_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
