#include "unwind/stack_copy.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* What is below some mapping's end but beyond its start need not be there. The kernel reads up to
 * the first piece that is missing: of a page (of the smallest kind) each, or, faster, of many. */
enum { PAGE_B = 4096, LARGE_B = 1 << 16, N_PIECES = 257, COPY_MAX_B = (N_PIECES - 1) * PAGE_B };

static size_t cut_up(uint64_t from, size_t size, size_t piece_B, struct iovec *pieces)
{
    size_t n = 0;
    while (size) {
        size_t piece = piece_B - from % piece_B;
        piece = piece < size ? piece : size;
        pieces[n++] = (struct iovec){(void *)from, piece}; // NOLINT(performance-no-int-to-ptr)
        from += piece;
        size -= piece;
    }
    return n;
}

void ml_stack_copy_reserve(struct ml_stack_copy *copy, size_t size)
{
    copy->room = ml_realloc_array(NULL, size, 1);
    memset(copy->room, 0, size);
    copy->room_B = size;
}

static ssize_t read_pieces(pid_t pid, uint64_t from, size_t size, size_t piece_B, uint8_t *out)
{
    struct iovec pieces[N_PIECES], local = {out, size};
    return process_vm_readv(pid, &local, 1, pieces, cut_up(from, size, piece_B, pieces), 0);
}

/* As much as is there; or -1, with errno. */
static ssize_t read_process(pid_t pid, uint64_t from, size_t size, uint8_t *out)
{
    ssize_t large = size > LARGE_B ? read_pieces(pid, from, size, LARGE_B, out) : 0;
    size_t done = large > 0 ? (size_t)large : 0;
    if (done == size)
        return large;
    ssize_t rest = read_pieces(pid, from + done, size - done, PAGE_B, out + done);
    return rest < 0 && done ? large : rest + (ssize_t)done;
}

int ml_stack_copy_add(struct ml_stack_copy *copy, pid_t pid, uint64_t from, size_t size)
{
    if (copy->n == ML_STACK_PARTS_MAX)
        return ENOSPC;
    size = size < COPY_MAX_B ? size : COPY_MAX_B;
    if (!size || size > UINT64_MAX - from)
        return EFAULT;
    bool fits = size <= copy->room_B - copy->used_B;
    uint8_t *bytes = fits ? copy->room + copy->used_B : ml_realloc_array(NULL, size, 1);
    ssize_t got = read_process(pid, from, size, bytes);
    if (got <= 0) {
        int error = got < 0 ? errno : EFAULT;
        if (!fits)
            free(bytes);
        return error;
    }
    copy->used_B += fits ? (size_t)got : 0;
    copy->parts[copy->n++] = (struct ml_stack_part){from, (size_t)got, bytes, fits};
    return 0;
}

const uint8_t *ml_stack_copy_at(const struct ml_stack_copy *copy, uint64_t address, size_t n)
{
    for (size_t i = 0; i < copy->n; i++) {
        const struct ml_stack_part *part = &copy->parts[i];
        if (address >= part->start && address - part->start < part->size &&
            part->size - (address - part->start) >= n)
            return part->bytes + (address - part->start);
    }
    return NULL;
}

bool ml_stack_copy_read(const struct ml_stack_copy *copy, uint64_t address, uint64_t *out_value)
{
    const uint8_t *bytes = ml_stack_copy_at(copy, address, sizeof *out_value);
    if (bytes)
        memcpy(out_value, bytes, sizeof *out_value);
    return bytes;
}

void ml_stack_copy_clear(struct ml_stack_copy *copy)
{
    for (size_t i = 0; i < copy->n; i++) {
        if (!copy->parts[i].in_room)
            free(copy->parts[i].bytes);
    }
    free(copy->room);
    *copy = (struct ml_stack_copy){.n = 0};
}
