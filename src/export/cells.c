#include "export/cells.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

void ml_cell_integer(struct ml_buffer *out, int64_t value)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--p = '-';
    ml_buffer_append(out, p, (size_t)(digits + sizeof digits - p));
}

void ml_cell_seconds(struct ml_buffer *out, int64_t ns)
{
    char fraction[] = ".000000000";
    int64_t rest = ns % ML_NS_PER_S;
    if (ns < 0)
        ml_buffer_append(out, "-", 1);
    ml_cell_integer(out, ns < 0 ? -(ns / ML_NS_PER_S) : ns / ML_NS_PER_S);
    rest = rest < 0 ? -rest : rest;
    for (int i = 9; i > 0; i--, rest /= 10)
        fraction[i] = (char)('0' + rest % 10);
    size_t n = strlen(fraction);
    while (n > 2 && fraction[n - 1] == '0')
        n--;
    ml_buffer_append(out, fraction, n);
}

/* Columns in which -1 says something. */
static bool is_id(const struct ml_column *c)
{
    static const char *const ids[] = {"process", "rank",  "node", "parent",
                                      "of_rank", "frame", "stack"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (strcmp(c->name, ids[i]) == 0)
            return true;
    }
    return false;
}

static int64_t integer_of(const struct ml_column *c, const void *row)
{
    const char *field = (const char *)row + c->offset;
    if (c->kind == ML_CODE)
        return *(const int8_t *)field;
    return c->kind == ML_INT32 ? *(const int32_t *)(const void *)field
                               : *(const int64_t *)(const void *)field;
}

static bool put_real(double value, struct ml_buffer *out)
{
    if (!isfinite(value) || value == ML_NOT_MEASURED)
        return false;
    ml_buffer_printf(out, "%.9g", value);
    return true;
}

bool ml_cell_number(const struct ml_column *c, const void *row, struct ml_buffer *out)
{
    if (c->kind == ML_REAL)
        return put_real(*(const double *)(const void *)((const char *)row + c->offset), out);
    int64_t value = integer_of(c, row);
    if (value == ML_NOT_MEASURED && !is_id(c))
        return false;
    if (c->kind == ML_INSTANT || c->kind == ML_SPAN)
        ml_cell_seconds(out, value);
    else
        ml_cell_integer(out, value);
    return true;
}

const char *ml_cell_code(const struct ml_column *c, const void *row)
{
    int64_t value = integer_of(c, row);
    for (const struct ml_code *code = c->codes; code && code->meaning; code++) {
        if (code->value == value)
            return value == ML_NOT_MEASURED ? NULL : code->meaning;
    }
    return NULL;
}

static const struct ml_column *find(const struct ml_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

bool ml_cell_row_is_chosen(const struct ml_export_run *e, const struct ml_table *table,
                           const int32_t *ranks, const void *row)
{
    const struct ml_stacks_choice *choice = e->choice;
    const struct ml_column *time = find(table, "time_s");
    const struct ml_column *process = find(table, "process"), *rank = find(table, "rank");
    if (!time)
        return true;
    int64_t time_ns = integer_of(time, row);
    if (time_ns < choice->since_ns || time_ns > choice->until_ns)
        return false;
    if (!choice->ranks || (!process && !rank))
        return true;
    int64_t number = process ? integer_of(process, row) : -1;
    if (process)
        number = number >= 0 && (size_t)number < e->n_processes ? ranks[number] : -1;
    else
        number = integer_of(rank, row);
    return number >= 0 && ml_ranges_contains(choice->ranks, (int32_t)number);
}
