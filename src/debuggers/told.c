#include "debuggers/told.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"
#include "symbols/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNAL_FRAME "<signal handler called>"

/* A stack in the making. */
struct making {
    struct ml_stack_frame frames[ML_STACK_DEPTH_MAX];
    char *names[ML_STACK_DEPTH_MAX]; /* those that are ours to free */
    size_t n;
    bool cut;
};

static void add(struct making *m, const struct ml_stack_frame *frame, char *name)
{
    if (m->n == ML_STACK_DEPTH_MAX) {
        m->cut = true;
        free(name);
        return;
    }
    m->names[m->n] = name;
    m->frames[m->n++] = *frame;
}

/* A path, or "[vdso]"; not "[heap]" and the like. */
static bool is_module(const struct ml_map *map)
{
    return map && (map->path[0] == '/' || strcmp(map->path, "[vdso]") == 0);
}

/* Whether a signal handler returns to what lies at PC. Where libc has no symbols lldb has no name
 * for it; gdb knows it by the same bytes. */
static bool is_signal_return(const struct ml_module *module, const struct ml_map *map, uint64_t pc)
{
#ifdef __x86_64__
    /* mov $SYS_rt_sigreturn,%rax; syscall */
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    uint64_t at = pc - map->start + map->offset;
    return at < module->size && module->size - at >= sizeof code &&
           memcmp(module->bytes + at, code, sizeof code) == 0;
#else
    (void)module; /* elsewhere it lies in the vdso, which has symbols */
    (void)map;
    (void)pc;
    return false;
#endif
}

/* A place in the process, and what our own symbols say of it. */
struct place {
    const struct ml_map *map;
    struct ml_module *module;           /* NULL: of no ELF file */
    uint64_t address;                   /* as linked; the process's, where there is no module */
    const struct ml_stack_frame *known; /* [n_known] */
    size_t n_known;
};

static struct place find_place(const struct ml_told_process *p, uint64_t pc, bool is_caller)
{
    struct place place = {.map = ml_maps_find(p->maps, pc), .address = pc};
    if (is_module(place.map))
        place.module = ml_modules_of(p->modules, p->pid, place.map);
    if (place.module && !ml_module_address(place.module, place.map, pc, &place.address))
        place.module = NULL;
    if (place.module)
        place.n_known =
            ml_symbols_at(p->symbols, place.module, place.address, is_caller, &place.known);
    return place;
}

/* Ours are the same whoever tells of the place. The debugger's come in where only it knows a line,
 * or a name. */
static bool prefers_known(const struct place *place, const struct ml_told *told)
{
    const struct ml_stack_frame *known = place->n_known ? &place->known[place->n_known - 1] : NULL;
    return known && *known->function && (known->line > 0 || told->line < 0);
}

static void add_told(struct making *m, const struct place *place, const struct ml_told *t)
{
    char *name = ml_function_name(t->function);
    bool returns_from_signal =
        !*name && place->module && is_signal_return(place->module, place->map, t->pc);
    struct ml_stack_frame frame = {.function = returns_from_signal ? SIGNAL_FRAME : name,
                                   .file = t->line > 0 ? t->file : "",
                                   .line = *t->file ? t->line : -1,
                                   .module = place->module ? place->map->path : "",
                                   .offset_B = -1,
                                   .inlined = t->inlined};
    if (!*frame.function)
        frame.offset_B = (int64_t)place->address;
    add(m, &frame, name);
}

/* N frames at one place, the last one of which is not inlined. Returns whether a signal, not a
 * call, is what comes next. */
static bool add_group(struct making *m, const struct ml_told_process *p, const struct ml_told *told,
                      size_t n, bool is_caller)
{
    struct place place = find_place(p, told->pc, is_caller);
    if (strcmp(told[n - 1].function, SIGNAL_FRAME) != 0 && prefers_known(&place, &told[n - 1])) {
        for (size_t i = 0; i < place.n_known; i++)
            add(m, &place.known[i], NULL);
    } else {
        for (size_t i = 0; i < n; i++)
            add_told(m, &place, &told[i]);
    }
    return m->n && strcmp(m->frames[m->n - 1].function, SIGNAL_FRAME) == 0;
}

void ml_told_read_maps(pid_t pid, struct ml_maps *out_maps)
{
    char path[32];
    struct ml_buffer text = {0};
    ssize_t n;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, ml_buffer_reserve(&text, 65536), 65536)) > 0)
        text.length += (size_t)n;
    ml_maps_parse(text.data ? text.data : "", text.length, out_maps);
    ml_buffer_free(&text);
}

void ml_told_pass(const struct ml_told_process *p, const struct ml_told *told, size_t n,
                  const struct ml_stack_thread *sample, const struct ml_stack_sink *sink)
{
    struct making m;
    struct ml_stack_thread thread = *sample;
    bool is_caller = false;
    m.n = m.cut = 0;
    for (size_t i = 0, group; i < n; i += group) {
        for (group = 1; i + group < n && told[i + group - 1].inlined; group++) {
        }
        is_caller = !add_group(&m, p, &told[i], group, is_caller);
    }
    thread.frames = m.frames;
    thread.n_frames = m.n;
    thread.cut = m.cut;
    sink->thread(sink->context, &thread);
    for (size_t i = 0; i < m.n; i++)
        free(m.names[i]);
}
