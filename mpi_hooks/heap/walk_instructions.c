#include "mpi_hooks/heap/walk_expression.h"
#include "mpi_hooks/heap/walk_tables.h"

/* DW_CFA_..., DWARF 4, 7.23; those of GNU, LSB 5.0 core, 10.5.1. */
enum {
    ADVANCE = 0x40, /* these three with an operand in their lower bits */
    OFFSET = 0x80,
    RESTORE = 0xc0,
    NOP = 0x00,
    SET_LOC = 0x01,
    ADVANCE1 = 0x02,
    ADVANCE2 = 0x03,
    ADVANCE4 = 0x04,
    OFFSET_EXTENDED = 0x05,
    RESTORE_EXTENDED = 0x06,
    UNDEFINED = 0x07,
    SAME_VALUE = 0x08,
    REGISTER = 0x09,
    REMEMBER = 0x0a,
    RECALL = 0x0b,
    DEF_CFA = 0x0c,
    DEF_CFA_REGISTER = 0x0d,
    DEF_CFA_OFFSET = 0x0e,
    DEF_CFA_EXPRESSION = 0x0f,
    EXPRESSION = 0x10,
    OFFSET_EXTENDED_SF = 0x11,
    DEF_CFA_SF = 0x12,
    DEF_CFA_OFFSET_SF = 0x13,
    VAL_OFFSET = 0x14,
    VAL_OFFSET_SF = 0x15,
    VAL_EXPRESSION = 0x16,
    GNU_ARGS_SIZE = 0x2e,
    GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f
};

/* What is said of a register of the caller. */
enum how { UNCHANGED, AT_CFA, AT_RBP, LOST, NOWHERE };

struct column {
    int32_t offset_B;
    enum how how : 8;
};

enum { STACK_POINTER = ML_HEAP_WALK_SAVED, RETURN_ADDRESS, COLUMNS, KEPT = 4 };

struct row {
    int64_t cfa_offset_B;
    uint8_t cfa_register; /* DWARF's */
    bool cfa_is_loaded;
    struct column columns[COLUMNS];
};

struct machine {
    const struct ml_heap_walk_entry *entry;
    struct ml_heap_walk_bytes bytes;
    uintptr_t pc, at;
    struct row row, first, kept[KEPT];
    unsigned n_kept;
    bool bad;
};

/* By DWARF's numbers of x86_64 (its ABI, figure 3.36); those that nobody needs have no column. */
static int column_of(uint64_t register_number)
{
    static const int8_t columns[] = {-1,
                                     -1,
                                     -1,
                                     ML_HEAP_WALK_RBX,
                                     -1,
                                     -1,
                                     ML_HEAP_WALK_RBP,
                                     STACK_POINTER,
                                     -1,
                                     -1,
                                     -1,
                                     -1,
                                     ML_HEAP_WALK_R12,
                                     ML_HEAP_WALK_R13,
                                     ML_HEAP_WALK_R14,
                                     ML_HEAP_WALK_R15,
                                     RETURN_ADDRESS};
    return register_number < sizeof columns ? columns[register_number] : -1;
}

static void set(struct machine *m, uint64_t register_number, enum how how, int64_t offset_B)
{
    int column = column_of(register_number);
    if (column < 0)
        return;
    if (offset_B != (int32_t)offset_B)
        how = LOST;
    m->row.columns[column] = (struct column){.how = how, .offset_B = (int32_t)offset_B};
}

static int64_t factored(const struct machine *m, uint64_t n)
{
    return (int64_t)(n * (uint64_t)m->entry->data_align);
}

static void advance(struct machine *m, uint64_t delta)
{
    m->at += delta * m->entry->code_align;
}

static void restore(struct machine *m, uint64_t register_number)
{
    int column = column_of(register_number);
    if (column >= 0)
        m->row.columns[column] = m->first.columns[column];
}

static void set_cfa(struct machine *m, uint64_t register_number, int64_t offset_B)
{
    m->bad |= register_number > UINT8_MAX;
    m->row.cfa_register = (uint8_t)register_number;
    m->row.cfa_offset_B = offset_B;
    m->row.cfa_is_loaded = false;
}

static struct ml_heap_walk_bytes take_block(struct machine *m)
{
    return ml_heap_walk_take(&m->bytes, ml_heap_walk_uleb(&m->bytes));
}

static void set_cfa_expression(struct machine *m)
{
    struct ml_heap_walk_value value;
    if (!ml_heap_walk_expression(take_block(m), m->pc, NULL, &value) ||
        value.kind == ML_HEAP_WALK_NUMBER) {
        m->row.cfa_register = UINT8_MAX; /* bad if it stays so up to PC */
        return;
    }
    set_cfa(m, value.register_number, (int64_t)value.number);
    m->row.cfa_is_loaded = value.kind == ML_HEAP_WALK_WORD;
}

/* Functions that align their stack save registers relative to rbp. */
static void set_expression(struct machine *m, uint64_t register_number)
{
    const struct ml_heap_walk_value cfa = {.kind = ML_HEAP_WALK_REGISTER,
                                           .register_number = ML_HEAP_WALK_CFA};
    struct ml_heap_walk_value value;
    bool is_known = ml_heap_walk_expression(take_block(m), m->pc, &cfa, &value) &&
                    value.kind == ML_HEAP_WALK_REGISTER;
    if (is_known && value.register_number == ML_HEAP_WALK_CFA)
        set(m, register_number, AT_CFA, (int64_t)value.number);
    else if (is_known && column_of(value.register_number) == ML_HEAP_WALK_RBP)
        set(m, register_number, AT_RBP, (int64_t)value.number);
    else
        set(m, register_number, LOST, 0);
}

/* The caller's value is the CFA plus an offset: as it always is for the stack pointer. */
static void set_value(struct machine *m, uint64_t register_number, int64_t offset_B)
{
    bool is_usual = column_of(register_number) == STACK_POINTER && offset_B == 0;
    set(m, register_number, is_usual ? UNCHANGED : LOST, 0);
}

static void keep(struct machine *m)
{
    m->bad |= m->n_kept == KEPT;
    if (!m->bad)
        m->kept[m->n_kept++] = m->row;
}

static void recall(struct machine *m)
{
    m->bad |= m->n_kept == 0;
    if (!m->bad)
        m->row = m->kept[--m->n_kept];
}

static void follow_place(struct machine *m, uint8_t op)
{
    struct ml_heap_walk_bytes *b = &m->bytes;
    if (op == SET_LOC)
        m->at = ml_heap_walk_pointer(b, m->entry->encoding, 0);
    else
        advance(m, ml_heap_walk_fixed(b, (size_t)1 << (op - ADVANCE1)));
}

static void follow_cfa(struct machine *m, uint8_t op)
{
    struct ml_heap_walk_bytes *b = &m->bytes;
    uint64_t number = m->row.cfa_register;
    if (op == DEF_CFA_EXPRESSION) {
        set_cfa_expression(m);
        return;
    }
    if (op == DEF_CFA || op == DEF_CFA_SF || op == DEF_CFA_REGISTER)
        number = ml_heap_walk_uleb(b);
    if (op == DEF_CFA_REGISTER)
        set_cfa(m, number, m->row.cfa_offset_B);
    else if (op == DEF_CFA_SF || op == DEF_CFA_OFFSET_SF)
        set_cfa(m, number, factored(m, (uint64_t)ml_heap_walk_sleb(b)));
    else
        set_cfa(m, number, (int64_t)ml_heap_walk_uleb(b));
}

static void follow_register(struct machine *m, uint8_t op)
{
    struct ml_heap_walk_bytes *b = &m->bytes;
    uint64_t number = ml_heap_walk_uleb(b);
    if (op == OFFSET_EXTENDED)
        set(m, number, AT_CFA, factored(m, ml_heap_walk_uleb(b)));
    else if (op == OFFSET_EXTENDED_SF)
        set(m, number, AT_CFA, factored(m, (uint64_t)ml_heap_walk_sleb(b)));
    else if (op == GNU_NEGATIVE_OFFSET_EXTENDED)
        set(m, number, AT_CFA, factored(m, -ml_heap_walk_uleb(b)));
    else if (op == RESTORE_EXTENDED)
        restore(m, number);
    else if (op == UNDEFINED)
        set(m, number, NOWHERE, 0);
    else if (op == SAME_VALUE)
        set(m, number, UNCHANGED, 0);
    else { /* in another register */
        ml_heap_walk_uleb(b);
        set(m, number, LOST, 0);
    }
}

static void follow_value(struct machine *m, uint8_t op)
{
    struct ml_heap_walk_bytes *b = &m->bytes;
    uint64_t number = ml_heap_walk_uleb(b);
    if (op == EXPRESSION)
        set_expression(m, number);
    else if (op == VAL_OFFSET)
        set_value(m, number, factored(m, ml_heap_walk_uleb(b)));
    else if (op == VAL_OFFSET_SF)
        set_value(m, number, factored(m, (uint64_t)ml_heap_walk_sleb(b)));
    else {
        take_block(m);
        set(m, number, LOST, 0);
    }
}

static void follow_extended(struct machine *m, uint8_t op)
{
    switch (op) {
    case NOP:
        break;
    case SET_LOC ... ADVANCE4:
        follow_place(m, op);
        break;
    case OFFSET_EXTENDED ... REGISTER:
    case OFFSET_EXTENDED_SF:
    case GNU_NEGATIVE_OFFSET_EXTENDED:
        follow_register(m, op);
        break;
    case REMEMBER:
        keep(m);
        break;
    case RECALL:
        recall(m);
        break;
    case DEF_CFA ... DEF_CFA_EXPRESSION:
    case DEF_CFA_SF:
    case DEF_CFA_OFFSET_SF:
        follow_cfa(m, op);
        break;
    case EXPRESSION:
    case VAL_OFFSET ... VAL_EXPRESSION:
        follow_value(m, op);
        break;
    case GNU_ARGS_SIZE:
        ml_heap_walk_uleb(&m->bytes);
        break;
    default:
        m->bad = true;
    }
}

static void follow(struct machine *m)
{
    uint8_t op = (uint8_t)ml_heap_walk_fixed(&m->bytes, 1);
    uint8_t operand = op & 0x3f;
    switch (op & 0xc0) {
    case ADVANCE:
        advance(m, operand);
        break;
    case OFFSET:
        set(m, operand, AT_CFA, factored(m, ml_heap_walk_uleb(&m->bytes)));
        break;
    case RESTORE:
        restore(m, operand);
        break;
    default:
        follow_extended(m, op);
    }
}

/* Up to what holds at PC. */
static bool run(struct machine *m, struct ml_heap_walk_bytes bytes)
{
    m->bytes = bytes;
    while (m->bytes.at < m->bytes.end && !m->bad && m->at <= m->pc)
        follow(m);
    return !m->bad && !m->bytes.bad;
}

static bool to_words(int32_t offset_B, int16_t *out)
{
    *out = (int16_t)(offset_B / 8);
    return offset_B % 8 == 0 && offset_B / 8 == *out;
}

static void write_saved(const struct row *row, int i, struct ml_heap_walk_rule *out)
{
    const struct column *column = &row->columns[i];
    uint8_t bit = (uint8_t)(1 << i);
    if (column->how == AT_RBP)
        out->from_rbp |= bit;
    if (column->how >= LOST || !to_words(column->offset_B, &out->saved[i]) ||
        (column->how == AT_CFA && out->saved[i] == 0))
        out->lost |= bit;
}

static bool write_cfa(const struct row *row, struct ml_heap_walk_rule *out)
{
    static const uint8_t r10 = 10;
    int column = column_of(row->cfa_register);
    if (row->cfa_register == r10)
        out->cfa_register = ML_HEAP_WALK_R10;
    else if (column == STACK_POINTER)
        out->cfa_register = ML_HEAP_WALK_RSP;
    else if (column >= 0 && column < ML_HEAP_WALK_SAVED)
        out->cfa_register = (uint8_t)column;
    else
        return false;
    out->cfa_offset_B = (int32_t)row->cfa_offset_B;
    out->flags |= row->cfa_is_loaded ? ML_HEAP_WALK_LOADED_CFA : 0;
    return row->cfa_offset_B == out->cfa_offset_B;
}

static void mark_plain(struct ml_heap_walk_rule *rule)
{
    const unsigned rbp = 1U << ML_HEAP_WALK_RBP;
    bool by_usual =
        rule->cfa_register == ML_HEAP_WALK_RSP || rule->cfa_register == ML_HEAP_WALK_RBP;
    rule->saved_rbp = rule->saved[ML_HEAP_WALK_RBP];
    if (by_usual && rule->flags == 0 && rule->return_address == -1 &&
        ((rule->from_rbp | rule->lost) & rbp) == 0)
        rule->flags = ML_HEAP_WALK_PLAIN;
}

static bool write_rule(const struct row *row, struct ml_heap_walk_rule *out)
{
    const struct column *caller = &row->columns[RETURN_ADDRESS];
    *out = (struct ml_heap_walk_rule){0};
    if (caller->how == NOWHERE) {
        out->flags = ML_HEAP_WALK_OUTERMOST;
        return true;
    }
    for (int i = 0; i < ML_HEAP_WALK_SAVED; i++)
        write_saved(row, i, out);
    return row->columns[STACK_POINTER].how == UNCHANGED && caller->how == AT_CFA &&
           to_words(caller->offset_B, &out->return_address) && write_cfa(row, out);
}

bool ml_heap_walk_work_out(const struct ml_heap_walk_entry *entry, uintptr_t pc,
                           struct ml_heap_walk_rule *out)
{
    struct machine m = {.entry = entry, .pc = pc, .at = entry->start};
    m.row.cfa_register = UINT8_MAX;
    if (!run(&m, entry->first))
        return false;
    m.first = m.row;
    if (!run(&m, entry->then) || !write_rule(&m.row, out))
        return false;
    mark_plain(out);
    return true;
}
