#include "unwind/cfi.h"

#include "base/memory.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 16 /* values on the stack of an expression */

struct ml_cfi {
    Elf *elf;
    Dwarf *dwarf;
    Dwarf_CFI *of_frames[2]; /* .eh_frame, owned; .debug_frame, of the Dwarf; NULL: there is none */
};

struct ml_cfi *ml_cfi_open(const struct ml_module *module)
{
    struct ml_cfi *cfi = ml_alloc(sizeof *cfi);
    elf_version(EV_CURRENT);
    cfi->elf = elf_memory((char *)module->bytes, module->size);
    if (!cfi->elf)
        return cfi;
    cfi->of_frames[0] = dwarf_getcfi_elf(cfi->elf);
    cfi->dwarf = dwarf_begin_elf(cfi->elf, DWARF_C_READ, NULL);
    if (cfi->dwarf)
        cfi->of_frames[1] = dwarf_getcfi(cfi->dwarf);
    return cfi;
}

/* What an expression is evaluated with. */
struct machine {
    const struct ml_registers *registers;
    const uint64_t *cfa; /* NULL: not known yet */
    ml_cfi_read *read;
    void *context;
    uint64_t stack[DEEPEST];
    size_t depth;
};

static bool push(struct machine *m, uint64_t value)
{
    if (m->depth == DEEPEST)
        return false;
    m->stack[m->depth++] = value;
    return true;
}

static bool get_register(const struct machine *m, uint64_t number, uint64_t *out)
{
    if (number >= ML_REGISTERS_MAX || !(m->registers->known >> number & 1))
        return false;
    *out = m->registers->value[number];
    return true;
}

static bool push_register(struct machine *m, uint64_t number, uint64_t offset)
{
    uint64_t value;
    return get_register(m, number, &value) && push(m, value + offset);
}

/* The two on top become one. */
static bool combine(struct machine *m, int atom)
{
    if (m->depth < 2)
        return false;
    uint64_t b = m->stack[--m->depth], *a = &m->stack[m->depth - 1];
    switch (atom) {
    case DW_OP_plus:
        *a += b;
        return true;
    case DW_OP_minus:
        *a -= b;
        return true;
    case DW_OP_and:
        *a &= b;
        return true;
    case DW_OP_shl:
        *a = b < 64 ? *a << b : 0;
        return true;
    case DW_OP_ge:
        *a = (int64_t)*a >= (int64_t)b;
        return true;
    default:
        return false;
    }
}

static bool apply(struct machine *m, const Dwarf_Op *op)
{
    if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
        return push_register(m, op->atom - DW_OP_breg0, op->number);
    if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
        return push(m, op->atom - DW_OP_lit0);
    switch (op->atom) {
    case DW_OP_bregx:
        return push_register(m, op->number, op->number2);
    case DW_OP_call_frame_cfa:
        return m->cfa && push(m, *m->cfa);
    case DW_OP_plus_uconst:
        if (m->depth)
            m->stack[m->depth - 1] += op->number;
        return m->depth;
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
        return push(m, op->number);
    case DW_OP_deref:
        return m->depth && m->read(m->context, m->stack[m->depth - 1], &m->stack[m->depth - 1]);
    default:
        return combine(m, op->atom);
    }
}

static bool evaluate(struct machine *m, const Dwarf_Op *ops, size_t n, uint64_t *out)
{
    m->depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (!apply(m, &ops[i]))
            return false;
    }
    if (m->depth)
        *out = m->stack[m->depth - 1];
    return m->depth;
}

/* The caller's value of a register, by what dwarf_frame_register says of it. */
static bool find_register(struct machine *m, Dwarf_Frame *frame, int number, uint64_t *out)
{
    Dwarf_Op room[3], *ops;
    size_t n;
    if (dwarf_frame_register(frame, number, room, &ops, &n) != 0)
        return false;
    if (n == 0 && ops)
        return false; /* it is lost */
    if (n == 0)
        return get_register(m, (uint64_t)number, out); /* it is the same */
    if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
        return get_register(m, ops[0].atom - DW_OP_reg0, out);
    bool is_value = ops[n - 1].atom == DW_OP_stack_value;
    return evaluate(m, ops, is_value ? n - 1 : n, out) &&
           (is_value || m->read(m->context, *out, out));
}

static int step(Dwarf_Frame *frame, struct ml_registers *registers, ml_cfi_read *read,
                void *context)
{
    struct machine m = {.registers = registers, .read = read, .context = context};
    struct ml_registers caller = {.known = 0};
    Dwarf_Op *ops;
    size_t n;
    uint64_t cfa, pc;
    int return_address = dwarf_frame_info(frame, NULL, NULL, NULL);
    if (return_address < 0 || return_address >= ML_REGISTERS_MAX ||
        dwarf_frame_cfa(frame, &ops, &n) != 0 || !evaluate(&m, ops, n, &cfa))
        return -1;
    m.cfa = &cfa;
    if (!find_register(&m, frame, return_address, &pc) || !pc)
        return 0;
    for (int i = 0; i < ML_REGISTERS_MAX; i++) {
        if (find_register(&m, frame, i, &caller.value[i]))
            caller.known |= UINT64_C(1) << i;
    }
    ml_registers_return(&caller, cfa, pc);
    *registers = caller;
    return 1;
}

int ml_cfi_step(struct ml_cfi *cfi, uint64_t address, struct ml_registers *registers,
                ml_cfi_read *read, void *context)
{
    for (size_t i = 0; i < 2; i++) {
        Dwarf_Frame *frame = NULL;
        if (!cfi->of_frames[i] || dwarf_cfi_addrframe(cfi->of_frames[i], address, &frame) != 0)
            continue;
        int stepped = step(frame, registers, read, context);
        free(frame);
        return stepped;
    }
    return -1;
}

void ml_cfi_close(struct ml_cfi *cfi)
{
    if (cfi->of_frames[0])
        dwarf_cfi_end(cfi->of_frames[0]);
    if (cfi->dwarf)
        dwarf_end(cfi->dwarf);
    if (cfi->elf)
        elf_end(cfi->elf);
    free(cfi);
}
