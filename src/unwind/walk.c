#include "unwind/walk.h"

#include "base/memory.h"
#include "trace/backend.h"
#include "unwind/cfi.h"

#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

/* A part of the stack that is copied as it turns out to be needed. */
enum { LIVE_PART_B = 256 << 10, LIVE_PARTS_MAX = 6 };

/* The frames of code without unwind tables are not larger than that. */
enum { GUESSED_FRAME_MAX_B = 1 << 20 };

/* libunwind exports it for perf (1.1 and later), in no header. */
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_unwind_table(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *info,
                               unw_proc_info_t *out, int need_unwind_info, void *context);

/* Of a module without a search table; kept, since it takes its time. */
struct known_cfi {
    const struct ml_module *module;
    struct ml_cfi *cfi;
};

struct ml_walker {
    struct known_cfi *cfis;
    size_t n_cfis, cfi_capacity;
    unw_addr_space_t unwind;
    uint64_t generation; /* of the space whose unwind rules libunwind has in its cache */
};

/* What libunwind's callbacks get. */
struct view {
    struct ml_space *space;
    struct ml_registers registers;
    struct ml_stack_copy *copy;
    struct ml_walk *walk;
    bool live;
    bool no_table;                /* the code last asked for has no unwind information */
    bool starved;                 /* a read of the stack failed */
    const struct ml_module *near; /* where its unwind information lies, and */
    uint64_t bias;                /* what to add to its addresses as linked */
};

static bool read_module(struct view *v, uint64_t address, unw_word_t *out)
{
    const uint8_t *bytes = NULL;
    if (v->near)
        bytes = ml_elf_image_at(&v->near->image, address - v->bias, sizeof *out);
    struct ml_place place;
    if (!bytes && ml_space_find(v->space, address, &place) && place.module)
        bytes = ml_elf_image_at(&place.module->image, place.address, sizeof *out);
    if (bytes)
        memcpy(out, bytes, sizeof *out);
    return bytes;
}

/* The last bytes of an ELF file's segment may be fewer than libunwind asks for. */
static bool read_module_end(const struct view *v, uint64_t address, unw_word_t *out)
{
    if (!v->near)
        return false;
    for (size_t n = sizeof *out - 1; n > 0; n--) {
        const uint8_t *bytes = ml_elf_image_at(&v->near->image, address - v->bias, n);
        if (bytes) {
            *out = 0;
            memcpy(out, bytes, n);
            return true;
        }
    }
    return false;
}

static int access_memory(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write,
                         void *context)
{
    (void)as;
    struct view *v = context;
    if (write)
        return -UNW_EINVAL;
    uint64_t word;
    bool there = ml_stack_copy_read(v->copy, address, &word);
    if (!there && (read_module(v, address, value) || read_module_end(v, address, value)))
        return 0;
    if (!there && v->live && v->copy->n < LIVE_PARTS_MAX &&
        ml_stack_copy_add(v->copy, v->space->pid, address, LIVE_PART_B) == 0)
        there = ml_stack_copy_read(v->copy, address, &word);
    if (!there) {
        v->starved = true;
        v->walk->missing = address;
        return -UNW_EINVAL;
    }
    *value = word;
    return 0;
}

static int access_register(unw_addr_space_t as, unw_regnum_t number, unw_word_t *value, int write,
                           void *context)
{
    (void)as;
    const struct view *v = context;
    if (write || number < 0 || number >= ML_REGISTERS_MAX || !(v->registers.known >> number & 1))
        return -UNW_EBADREG;
    *value = v->registers.value[number];
    return 0;
}

/* The table is searched here, over the file's bytes; libunwind then "searches" the one entry. Where
 * there is none it must not go on by its own guesses (ENOINFO), which take what looks like a frame
 * pointer for one. */
static int find_unwind_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *out,
                            int need_unwind_info, void *context)
{
    struct view *v = context;
    struct ml_place code;
    uint64_t entry;
    v->no_table = true;
    if (!ml_space_code(v->space, ip, &code) || !code.module ||
        !ml_elf_image_unwind_entry(&code.module->image, code.address, &entry))
        return -UNW_EBADFRAME;
    v->near = code.module;
    v->bias = ip - code.address;
    unw_dyn_info_t info = {.start_ip = code.map->start,
                           .end_ip = code.map->end,
                           .format = UNW_INFO_FORMAT_REMOTE_TABLE};
    info.u.rti.segbase = code.module->image.table_address + v->bias;
    info.u.rti.table_data = entry + v->bias;
    info.u.rti.table_len = 1;
    int status = search_unwind_table(as, ip, &info, out, need_unwind_info, context);
    v->no_table = status == -UNW_ENOINFO;
    return status == -UNW_ENOINFO ? -UNW_EBADFRAME : status;
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *context)
{
    (void)as;
    (void)info;
    (void)context;
}

static int no_dynamic_info(unw_addr_space_t as, unw_word_t *list, void *context)
{
    (void)as;
    (void)list;
    (void)context;
    return -UNW_ENOINFO;
}

static int no_float(unw_addr_space_t as, unw_regnum_t number, unw_fpreg_t *value, int write,
                    void *context)
{
    (void)as;
    (void)number;
    (void)value;
    (void)write;
    (void)context;
    return -UNW_EINVAL;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *context)
{
    (void)as;
    (void)cursor;
    (void)context;
    return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t as, unw_word_t address, char *name, size_t size,
                   unw_word_t *offset, void *context)
{
    (void)as;
    (void)address;
    (void)name;
    (void)size;
    (void)offset;
    (void)context;
    return -UNW_EINVAL;
}

static unw_accessors_t accessors = {.find_proc_info = find_unwind_info,
                                    .put_unwind_info = put_unwind_info,
                                    .get_dyn_info_list_addr = no_dynamic_info,
                                    .access_mem = access_memory,
                                    .access_reg = access_register,
                                    .access_fpreg = no_float,
                                    .resume = no_resume,
                                    .get_proc_name = no_name};

struct ml_walker *ml_walker_open(void)
{
    struct ml_walker *walker = ml_alloc(sizeof *walker);
    walker->unwind = unw_create_addr_space(&accessors, 0);
    if (walker->unwind)
        unw_set_caching_policy(walker->unwind, UNW_CACHE_GLOBAL);
    return walker;
}

static bool is_trampoline(struct view *v, uint64_t pc)
{
    struct ml_place code;
    if (!ml_space_code(v->space, pc, &code) || !code.module)
        return false;
    const uint8_t *bytes = ml_elf_image_at(&code.module->image, code.address, 16);
    return bytes && ml_registers_is_trampoline(bytes);
}

/* Notes the frame at PC; false: it is none. */
static bool add_frame(struct view *v, uint64_t pc)
{
    struct ml_walk *w = v->walk;
    struct ml_place code;
    if (!ml_space_code(v->space, pc, &code)) {
        w->unknown_code = true;
        if (w->n) /* but the innermost frame stays: the program may have jumped to nowhere */
            return false;
    }
    struct ml_frame frame = {.pc = pc, .trampoline = is_trampoline(v, pc)};
    frame.caller = w->n && !frame.trampoline && !w->frames[w->n - 1].trampoline;
    ML_GROW(w->frames, w->n, w->capacity);
    w->frames[w->n++] = frame;
    return w->n < ML_STACK_DEPTH_MAX;
}

/* Steps out of code without unwind tables: [fp] holds the caller's fp, [fp + 8] the return address.
 * The registers of the view become the caller's. Returns 0 at the end of the chain, -1 where there
 * is none. */
static int step_by_frame_pointer(struct view *v, unw_cursor_t *cursor)
{
    unw_word_t fp, sp, outer, pc;
    if (unw_get_reg(cursor, ML_REGISTER_FP, &fp) < 0 || unw_get_reg(cursor, UNW_REG_SP, &sp) < 0)
        return -1;
    if (fp == 0)
        return 0;
    struct ml_place code;
    if (fp % 8 || fp < sp || fp - sp > GUESSED_FRAME_MAX_B ||
        access_memory(NULL, fp, &outer, 0, v) < 0 || access_memory(NULL, fp + 8, &pc, 0, v) < 0 ||
        !ml_space_code(v->space, pc, &code))
        return -1;
    ml_registers_set(&v->registers, fp + 16, pc, &outer);
    return 1;
}

static struct ml_cfi *cfi_of(struct ml_walker *walker, const struct ml_module *module)
{
    for (size_t i = 0; i < walker->n_cfis; i++) {
        if (walker->cfis[i].module == module)
            return walker->cfis[i].cfi;
    }
    ML_GROW(walker->cfis, walker->n_cfis, walker->cfi_capacity);
    walker->cfis[walker->n_cfis] = (struct known_cfi){module, ml_cfi_open(module)};
    return walker->cfis[walker->n_cfis++].cfi;
}

static bool read_word(void *context, uint64_t address, uint64_t *out_word)
{
    unw_word_t word;
    if (access_memory(NULL, address, &word, 0, context) < 0)
        return false;
    *out_word = word;
    return true;
}

/* Steps out of code at PC that no table tells of, by the frame information of its module. The
 * registers of the view become the caller's. Returns 0 where nobody called it, -1 where nothing is
 * known. */
static int step_by_cfi(struct ml_walker *walker, struct view *v, unw_cursor_t *cursor, uint64_t pc)
{
    struct ml_registers registers = {.known = 0};
    struct ml_place code;
    bool caller = v->walk->frames[v->walk->n - 1].caller;
    if (!ml_space_code(v->space, caller ? pc - 1 : pc, &code) || !code.module)
        return -1;
    for (int i = 0; i < ML_REGISTERS_MAX; i++) {
        unw_word_t value;
        if (unw_get_reg(cursor, i, &value) < 0)
            continue;
        registers.value[i] = value;
        registers.known |= UINT64_C(1) << i;
    }
    int step = ml_cfi_step(cfi_of(walker, code.module), code.address, &registers, read_word, v);
    if (step > 0)
        v->registers = registers;
    return step;
}

/* Stacks grow downwards; only a signal handler may have another stack than what it interrupts. */
static bool is_outward(const struct ml_walk *w, uint64_t inner_sp, uint64_t sp)
{
    return sp >= inner_sp || (w->n > 1 && w->frames[w->n - 2].trampoline);
}

static enum ml_walk_end walk_on(struct ml_walker *walker, struct view *v)
{
    unw_cursor_t cursor;
    unw_word_t pc, sp = 0, inner_sp = 0;
    enum ml_walk_end end = ML_WALK_WHOLE;
    if (unw_init_remote(&cursor, walker->unwind, v) < 0)
        return ML_WALK_CUT;
    while (unw_get_reg(&cursor, UNW_REG_IP, &pc) == 0 && (pc || !v->walk->n)) {
        if (!add_frame(v, pc) || unw_get_reg(&cursor, UNW_REG_SP, &sp) < 0 ||
            !is_outward(v->walk, inner_sp, sp))
            return ML_WALK_CUT;
        inner_sp = v->walk->outer_sp = v->walk->frames[v->walk->n - 1].sp = sp;
        v->no_table = v->starved = false;
        int step = unw_step(&cursor);
        if (step > 0)
            continue;
        if (step == 0)
            return end;
        if (v->starved)
            return ML_WALK_STARVED;
        if (!v->no_table)
            return ML_WALK_CUT;
        step = step_by_cfi(walker, v, &cursor, pc);
        if (step < 0 && !v->starved) {
            end = ML_WALK_GUESSED;
            step = step_by_frame_pointer(v, &cursor);
        }
        if (step < 0 || v->starved)
            return v->starved ? ML_WALK_STARVED : ML_WALK_CUT;
        if (step == 0 || unw_init_remote(&cursor, walker->unwind, v) < 0)
            return end;
    }
    return end;
}

void ml_walk(struct ml_walker *walker, struct ml_space *space, const struct ml_registers *registers,
             struct ml_stack_copy *copy, bool live, struct ml_walk *walk)
{
    struct view view = {
        .space = space, .registers = *registers, .copy = copy, .walk = walk, .live = live};
    if (walker->generation != space->generation)
        unw_flush_cache(walker->unwind, 0, 0);
    walker->generation = space->generation;
    walk->n = 0;
    walk->unknown_code = false;
    walk->missing = 0;
    walk->end = walker->unwind ? walk_on(walker, &view) : ML_WALK_CUT;
}

void ml_walk_free(struct ml_walk *walk)
{
    free(walk->frames);
    *walk = (struct ml_walk){0};
}

void ml_walker_close(struct ml_walker *walker)
{
    if (!walker)
        return;
    if (walker->unwind)
        unw_destroy_addr_space(walker->unwind);
    for (size_t i = 0; i < walker->n_cfis; i++)
        ml_cfi_close(walker->cfis[i].cfi);
    free(walker->cfis);
    free(walker);
}
