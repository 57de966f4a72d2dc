#include "mpi_hooks/heap/walk_cache.h"
#include "mpi_hooks/heap/walk_code.h"
#include "mpi_hooks/heap/walk_frames.h"
#include "mpi_hooks/heap/walk_stack.h"

#include <string.h>
#include <ucontext.h>

enum { JUMPS = 16, ALL_KNOWN = (1 << ML_HEAP_WALK_REGISTERS) - 1 };

enum verdict { GOES_ON, ENDS, NEEDS_ALL };

/* One walk. Most rules need rsp and rbp only, so the other registers are not followed at first;
 * where one is needed the walk begins anew with ALL. */
struct walk {
    struct ml_heap_walk_stack stack;
    struct ml_heap_walk_module module; /* of the last frame */
    uintptr_t pc, sp, registers[ML_HEAP_WALK_REGISTERS];
    unsigned known; /* bits by register */
    unsigned jumps_left;
    bool all;
    bool is_interrupted; /* pc is the next instruction, not where a call returns to */
};

static uint64_t key_of(uintptr_t pc, bool is_interrupted)
{
    return pc << 1 | is_interrupted;
}

static bool is_in_module(struct walk *w)
{
    return (w->pc >= w->module.start && w->pc < w->module.end) ||
           ml_heap_walk_modules_find(w->pc, &w->module);
}

/* Reads the tables. False where PC is not code. */
static bool work_out(const struct walk *w, struct ml_heap_walk_rule *out, uintptr_t *out_entry)
{
    struct ml_heap_walk_segments segments;
    struct ml_heap_walk_entry entry;
    uintptr_t place = w->pc - !w->is_interrupted;
    *out_entry = 0;
    *out = (struct ml_heap_walk_rule){.flags = ML_HEAP_WALK_NO_TABLE};
    if (!ml_heap_walk_modules_segments(&w->module, &segments) ||
        !ml_heap_walk_is_code(&segments, place))
        return false;
    if (ml_heap_walk_is_signal_return(&segments, w->pc)) {
        out->flags = ML_HEAP_WALK_SIGNAL;
        return true;
    }
    if (!w->module.header || !ml_heap_walk_find_entry(&segments, w->module.header, place, &entry))
        return true;
    *out_entry = entry.address;
    if (!ml_heap_walk_work_out(&entry, place, out))
        *out = (struct ml_heap_walk_rule){.flags = ML_HEAP_WALK_NO_TABLE};
    return true;
}

/* False where PC is no place that code is at: what lies outside of all modules, such as what a
 * just-in-time compiler made, must follow a call. */
static bool find_rule(struct walk *w, struct ml_heap_walk_rule *out)
{
    uint64_t key = key_of(w->pc, w->is_interrupted);
    uintptr_t entry;
    if (!is_in_module(w)) {
        w->module = (struct ml_heap_walk_module){0};
        *out = (struct ml_heap_walk_rule){.flags = ML_HEAP_WALK_NO_TABLE};
        return w->is_interrupted || ml_heap_walk_follows_call(w->pc);
    }
    if (ml_heap_walk_cache_get(key, &w->module, out))
        return true;
    if (!work_out(w, out, &entry))
        return false;
    ml_heap_walk_cache_put(key, &w->module, entry, out);
    return true;
}

/* To another stack, or elsewhere on this one: by a signal's frame, or a function that changes the
 * stack. Each walk may do so some times only, so it ends. */
static bool jump(struct walk *w, uintptr_t sp)
{
    if (w->jumps_left == 0)
        return false;
    w->jumps_left--;
    return ml_heap_walk_stack_enter(&w->stack, sp);
}

static bool read_word(struct walk *w, uintptr_t address, uintptr_t *out)
{
    return ml_heap_walk_stack_read(&w->stack, address, out);
}

/* The handler has returned to what stands here, so the stack pointer is at the ucontext
 * (arch/x86/kernel/signal_64.c, struct rt_sigframe). */
static enum verdict leave_signal(struct walk *w)
{
    static const uint8_t order[ML_HEAP_WALK_REGISTERS] = {REG_RBP, REG_RBX, REG_R12, REG_R13,
                                                          REG_R14, REG_R15, REG_R10};
    uintptr_t general = w->sp + offsetof(ucontext_t, uc_mcontext.gregs);
    uintptr_t sp;
    for (int i = 0; i < ML_HEAP_WALK_REGISTERS; i++)
        if (!read_word(w, general + 8 * (uintptr_t)order[i], &w->registers[i]))
            return ENDS;
    if (!read_word(w, general + 8 * (uintptr_t)REG_RSP, &sp) ||
        !read_word(w, general + 8 * (uintptr_t)REG_RIP, &w->pc) || !jump(w, sp))
        return ENDS;
    w->sp = sp;
    w->known = ALL_KNOWN;
    w->is_interrupted = true;
    return GOES_ON;
}

static enum verdict find_cfa(struct walk *w, const struct ml_heap_walk_rule *rule, uintptr_t *out)
{
    uintptr_t cfa = w->sp;
    if (rule->cfa_register != ML_HEAP_WALK_RSP) {
        if (!(w->known >> rule->cfa_register & 1))
            return w->all ? ENDS : NEEDS_ALL;
        cfa = w->registers[rule->cfa_register];
    }
    cfa += (uintptr_t)(intptr_t)rule->cfa_offset_B;
    if ((rule->flags & ML_HEAP_WALK_LOADED_CFA) && !read_word(w, cfa, &cfa))
        return ENDS;
    *out = cfa;
    return GOES_ON;
}

static void restore(struct walk *w, const struct ml_heap_walk_rule *rule, unsigned i, uintptr_t cfa,
                    uintptr_t rbp)
{
    unsigned bit = 1U << i;
    bool from_rbp = rule->from_rbp & bit;
    if (rule->saved[i] || from_rbp) {
        uintptr_t from = from_rbp ? rbp : cfa;
        uintptr_t at = from + 8 * (uintptr_t)(intptr_t)rule->saved[i];
        w->known |= bit;
        if (!read_word(w, at, &w->registers[i]))
            w->known &= ~bit;
    }
    if (rule->lost & bit)
        w->known &= ~bit;
}

static enum verdict leave_by_table(struct walk *w, const struct ml_heap_walk_rule *rule)
{
    uintptr_t cfa, rbp = w->registers[ML_HEAP_WALK_RBP];
    enum verdict verdict = find_cfa(w, rule, &cfa);
    if (verdict != GOES_ON)
        return verdict;
    if (cfa <= w->sp && !jump(w, cfa + 8 * (uintptr_t)(intptr_t)rule->return_address))
        return ENDS;
    if (!read_word(w, cfa + 8 * (uintptr_t)(intptr_t)rule->return_address, &w->pc))
        return ENDS;
    restore(w, rule, ML_HEAP_WALK_RBP, cfa, rbp);
    for (unsigned i = ML_HEAP_WALK_RBX; w->all && i < ML_HEAP_WALK_SAVED; i++)
        restore(w, rule, i, cfa, rbp);
    w->sp = cfa;
    w->known &= w->all ? ~(1U << ML_HEAP_WALK_R10) : 1U << ML_HEAP_WALK_RBP;
    w->is_interrupted = false;
    return GOES_ON;
}

/* Only where it looks right: the frame pointer is above the stack pointer, and what stands there
 * follows a call. */
static enum verdict leave_by_pointer(struct walk *w)
{
    uintptr_t frame = w->registers[ML_HEAP_WALK_RBP];
    if (!(w->known >> ML_HEAP_WALK_RBP & 1) || frame < w->sp ||
        !read_word(w, frame, &w->registers[ML_HEAP_WALK_RBP]) || !read_word(w, frame + 8, &w->pc) ||
        !ml_heap_walk_follows_call(w->pc))
        return ENDS;
    w->sp = frame + 16;
    w->known = 1U << ML_HEAP_WALK_RBP;
    w->is_interrupted = false;
    return GOES_ON;
}

static enum verdict leave(struct walk *w, const struct ml_heap_walk_rule *rule)
{
    if (rule->flags & ML_HEAP_WALK_OUTERMOST)
        return ENDS;
    if (rule->flags & ML_HEAP_WALK_SIGNAL)
        return leave_signal(w);
    if (rule->flags & ML_HEAP_WALK_NO_TABLE)
        return leave_by_pointer(w);
    return leave_by_table(w, rule);
}

/* A return address's rule, if it is plain: its first 8 bytes. */
static bool find_plain(uintptr_t pc, const struct ml_heap_walk_module *module, uint64_t *out)
{
    uint64_t key = key_of(pc, false);
    return (ml_heap_walk_place_read(ml_heap_walk_place_of(key, 0), key, module->tag, 1, out) ||
            ml_heap_walk_place_read(ml_heap_walk_place_of(key, 1), key, module->tag, 1, out)) &&
           (*out >> 56 & ML_HEAP_WALK_PLAIN);
}

/* Frames that are known and plain, as nearly all are. Stops before another. */
static size_t follow_plain(struct walk *w, uintptr_t *out_pcs, size_t max)
{
    const uintptr_t low = w->stack.low, high = w->stack.high;
    uintptr_t pc = w->pc, sp = w->sp, rbp = w->registers[ML_HEAP_WALK_RBP];
    uint64_t rule;
    size_t n = 0;
    while (n < max) {
        if ((pc - w->module.start >= w->module.end - w->module.start &&
             !ml_heap_walk_modules_find(pc, &w->module)) ||
            !find_plain(pc, &w->module, &rule))
            break;
        bool by_rsp = (rule >> 48 & 0xff) == ML_HEAP_WALK_RSP;
        uintptr_t cfa = (by_rsp ? sp : rbp) + (uintptr_t)(intptr_t)(int32_t)rule;
        uintptr_t saved_at = cfa + 8 * (uintptr_t)(intptr_t)(int16_t)(rule >> 32);
        if (cfa <= sp || cfa > high || cfa % 8 || saved_at < low || saved_at > high - 8)
            break;
        out_pcs[n++] = pc;
        pc = ml_heap_walk_word(cfa - 8);
        rbp = saved_at == cfa ? rbp : ml_heap_walk_word(saved_at);
        sp = cfa;
    }
    w->pc = pc;
    w->sp = sp;
    w->registers[ML_HEAP_WALK_RBP] = rbp;
    return n;
}

static bool may_be_plain(const struct walk *w)
{
    return !w->all && !w->is_interrupted && (w->known >> ML_HEAP_WALK_RBP & 1);
}

static size_t follow(struct walk *w, uintptr_t *out_pcs, size_t max, enum verdict *out_verdict)
{
    struct ml_heap_walk_rule rule;
    size_t n = 0;
    *out_verdict = GOES_ON;
    while (*out_verdict == GOES_ON) {
        if (may_be_plain(w))
            n += follow_plain(w, out_pcs + n, max - n);
        if (n == max || !w->pc || !find_rule(w, &rule))
            break;
        out_pcs[n++] = w->pc;
        *out_verdict = leave(w, &rule);
    }
    return n;
}

static void begin(struct walk *w, uintptr_t sp)
{
    memset(w, 0, sizeof *w);
    w->sp = sp;
    w->jumps_left = JUMPS;
    ml_heap_walk_stack_begin(&w->stack);
    ml_heap_walk_stack_enter(&w->stack, sp);
}

/* From inside of ml_heap_walk, whose own table says where it saved its caller's registers. */
static bool begin_with_all(struct walk *w, const struct ml_heap_walk_start *start)
{
    struct ml_heap_walk_rule rule;
    begin(w, start->inside[1]);
    memcpy(w->registers, start->inside + 2, ML_HEAP_WALK_SAVED * sizeof *w->registers);
    w->pc = start->inside[0];
    w->known = (1U << ML_HEAP_WALK_SAVED) - 1;
    w->all = true;
    w->is_interrupted = true;
    return find_rule(w, &rule) && leave(w, &rule) == GOES_ON && w->pc == start->pc;
}

void ml_heap_walk_frames_open(void)
{
    ml_heap_walk_modules_open();
}

void ml_heap_walk_frames_refresh(void)
{
    ml_heap_walk_modules_refresh();
}

size_t ml_heap_walk_frames(const struct ml_heap_walk_start *start, uintptr_t *out_pcs, size_t max)
{
    struct walk w;
    enum verdict verdict;
    begin(&w, start->sp);
    w.pc = start->pc;
    w.registers[ML_HEAP_WALK_RBP] = start->fp;
    w.known = 1U << ML_HEAP_WALK_RBP;
    size_t n = follow(&w, out_pcs, max, &verdict);
    if (verdict == NEEDS_ALL && begin_with_all(&w, start))
        n = follow(&w, out_pcs, max, &verdict);
    return n;
}
