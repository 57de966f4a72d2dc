#include "mpi_hooks/heap/walk_expression.h"

enum { RIP = 16, DEEPEST = 8 };

enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08, /* up to const8s, 0x0f: unsigned and signed in turn */
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_SHR = 0x25,
    OP_EQ = 0x29,
    OP_GE = 0x2a,
    OP_GT = 0x2b,
    OP_LE = 0x2c,
    OP_LT = 0x2d,
    OP_NE = 0x2e,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG16 = 0x80,
    OP_NOP = 0x96
};

struct machine {
    struct ml_heap_walk_bytes bytes;
    uintptr_t pc;
    struct ml_heap_walk_value stack[DEEPEST];
    unsigned n;
    bool bad;
};

static void push(struct machine *m, struct ml_heap_walk_value value)
{
    if (m->n == DEEPEST)
        m->bad = true;
    else
        m->stack[m->n++] = value;
}

static void push_number(struct machine *m, uint64_t number)
{
    push(m, (struct ml_heap_walk_value){.kind = ML_HEAP_WALK_NUMBER, .number = number});
}

static struct ml_heap_walk_value pop(struct machine *m)
{
    if (m->n == 0) {
        m->bad = true;
        return (struct ml_heap_walk_value){.kind = ML_HEAP_WALK_NUMBER};
    }
    return m->stack[--m->n];
}

static void push_register(struct machine *m, uint8_t number)
{
    uint64_t offset = (uint64_t)ml_heap_walk_sleb(&m->bytes);
    if (number == RIP)
        push_number(m, m->pc + offset);
    else
        push(m, (struct ml_heap_walk_value){
                    .kind = ML_HEAP_WALK_REGISTER, .register_number = number, .number = offset});
}

static void dereference(struct machine *m)
{
    struct ml_heap_walk_value value = pop(m);
    m->bad |= value.kind != ML_HEAP_WALK_REGISTER;
    value.kind = ML_HEAP_WALK_WORD;
    push(m, value);
}

static void push_constant(struct machine *m, uint8_t op)
{
    size_t size = (size_t)1 << ((op - OP_CONST1U) / 2);
    push_number(m, op % 2 ? (uint64_t)ml_heap_walk_fixed_signed(&m->bytes, size)
                          : ml_heap_walk_fixed(&m->bytes, size));
}

static void add(struct machine *m, struct ml_heap_walk_value a, struct ml_heap_walk_value b)
{
    struct ml_heap_walk_value sum = a.kind == ML_HEAP_WALK_NUMBER ? b : a;
    m->bad |= sum.kind == ML_HEAP_WALK_WORD ||
              (a.kind != ML_HEAP_WALK_NUMBER && b.kind != ML_HEAP_WALK_NUMBER);
    sum.number = a.number + b.number;
    push(m, sum);
}

static uint64_t of_two(struct machine *m, uint8_t op, uint64_t a, uint64_t b)
{
    switch (op) {
    case OP_AND:
        return a & b;
    case OP_MINUS:
        return a - b;
    case OP_OR:
        return a | b;
    case OP_SHL:
        return b < 64 ? a << b : 0;
    case OP_SHR:
        return b < 64 ? a >> b : 0;
    case OP_EQ:
        return a == b;
    case OP_GE:
        return (int64_t)a >= (int64_t)b;
    case OP_GT:
        return (int64_t)a > (int64_t)b;
    case OP_LE:
        return (int64_t)a <= (int64_t)b;
    case OP_LT:
        return (int64_t)a < (int64_t)b;
    case OP_NE:
        return a != b;
    default:
        m->bad = true;
        return 0;
    }
}

static void combine(struct machine *m, uint8_t op)
{
    struct ml_heap_walk_value b = pop(m), a = pop(m);
    if (op == OP_PLUS) {
        add(m, a, b);
        return;
    }
    m->bad |= a.kind != ML_HEAP_WALK_NUMBER || b.kind != ML_HEAP_WALK_NUMBER;
    push_number(m, of_two(m, op, a.number, b.number));
}

static void take_step(struct machine *m, uint8_t op)
{
    if (op >= OP_LIT0 && op <= OP_LIT31)
        push_number(m, op - OP_LIT0);
    else if (op >= OP_BREG0 && op <= OP_BREG16)
        push_register(m, op - OP_BREG0);
    else if (op >= OP_CONST1U && op <= OP_CONST8S)
        push_constant(m, op);
    else if (op == OP_CONSTU)
        push_number(m, ml_heap_walk_uleb(&m->bytes));
    else if (op == OP_CONSTS)
        push_number(m, (uint64_t)ml_heap_walk_sleb(&m->bytes));
    else if (op == OP_ADDR)
        push_number(m, ml_heap_walk_fixed(&m->bytes, 8));
    else if (op == OP_DEREF)
        dereference(m);
    else if (op == OP_PLUS_UCONST)
        add(m, pop(m), (struct ml_heap_walk_value){.number = ml_heap_walk_uleb(&m->bytes)});
    else if (op != OP_NOP)
        combine(m, op);
}

bool ml_heap_walk_expression(struct ml_heap_walk_bytes bytes, uintptr_t pc,
                             const struct ml_heap_walk_value *begin, struct ml_heap_walk_value *out)
{
    struct machine m = {.bytes = bytes, .pc = pc};
    if (begin)
        push(&m, *begin);
    while (m.bytes.at < m.bytes.end && !m.bad && !m.bytes.bad)
        take_step(&m, (uint8_t)ml_heap_walk_fixed(&m.bytes, 1));
    struct ml_heap_walk_value result = pop(&m);
    if (m.bad || m.bytes.bad)
        return false;
    *out = result;
    return true;
}
