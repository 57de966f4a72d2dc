#include "mpi_hooks/heap/walk_code.h"
#include "mpi_hooks/heap/walk_memory.h"

#include <string.h>

enum { PAGE_B = 4096 };

bool ml_heap_walk_is_code(const struct ml_heap_walk_segments *segments, uintptr_t pc)
{
    for (unsigned i = 0; i < segments->n; i++)
        if (segments->list[i].executable && segments->list[i].start <= pc &&
            pc < segments->list[i].end)
            return true;
    return false;
}

/* mov $15, %rax; syscall: rt_sigreturn. Debuggers know it by these bytes, so it stays as it is
 * (glibc, sysdeps/unix/sysv/linux/x86_64/libc_sigaction.c); musl has the same. */
bool ml_heap_walk_is_signal_return(const struct ml_heap_walk_segments *segments, uintptr_t pc)
{
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    struct ml_heap_walk_bytes bytes = ml_heap_walk_bytes_at(segments, pc);
    struct ml_heap_walk_bytes here = ml_heap_walk_take(&bytes, sizeof code);
    return !here.bad && memcmp(here.at, code, sizeof code) == 0;
}

/* E8 and a distance, or FF with 2 in the middle of its second byte and an operand of some length
 * (Intel's manual, volume 2, CALL). */
static bool ends_with_call(const uint8_t bytes[8])
{
    static const int lengths[] = {2, 3, 4, 6, 7};
    if (bytes[3] == 0xe8)
        return true;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const uint8_t *call = bytes + 8 - lengths[i];
        if (call[0] == 0xff && (call[1] & 0x38) == 0x10)
            return true;
    }
    return false;
}

bool ml_heap_walk_follows_call(uintptr_t pc)
{
    uint8_t bytes[8] = {0};
    uintptr_t start = pc - sizeof bytes;
    size_t before = PAGE_B - start % PAGE_B; /* on another page than the rest */
    if (before >= sizeof bytes)
        before = 0;
    if (pc < PAGE_B || !ml_heap_walk_peek(start + before, bytes + before, sizeof bytes - before))
        return false;
    if (before > 0)
        ml_heap_walk_peek(start, bytes, before);
    return ends_with_call(bytes);
}
