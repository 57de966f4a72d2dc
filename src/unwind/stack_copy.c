#include "unwind/stack_copy.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* What is below some mapping's end but beyond its start need not be there: with one piece a page
 * (of the smallest kind) the kernel reads up to the first that is missing. */
enum { PIECE_B = 4096, N_PIECES = 257, COPY_MAX_B = (N_PIECES - 1) * PIECE_B };

static size_t cut_up(uint64_t from, size_t size, struct iovec *pieces)
{
    size_t n = 0;
    while (size) {
        size_t piece = PIECE_B - from % PIECE_B;
        piece = piece < size ? piece : size;
        pieces[n++] = (struct iovec){(void *)from, piece}; // NOLINT(performance-no-int-to-ptr)
        from += piece;
        size -= piece;
    }
    return n;
}

int ml_stack_copy_add(struct ml_stack_copy *copy, pid_t pid, uint64_t from, size_t size)
{
    struct iovec pieces[N_PIECES];
    if (copy->n == ML_STACK_PARTS_MAX)
        return ENOSPC;
    size = size < COPY_MAX_B ? size : COPY_MAX_B;
    if (!size || size > UINT64_MAX - from)
        return EFAULT;
    size_t n = cut_up(from, size, pieces);
    struct iovec local = {ml_realloc_array(NULL, size, 1), size};
    ssize_t got = process_vm_readv(pid, &local, 1, pieces, n, 0);
    if (got <= 0) {
        int error = got < 0 ? errno : EFAULT;
        free(local.iov_base);
        return error;
    }
    copy->parts[copy->n++] = (struct ml_stack_part){from, (size_t)got, local.iov_base};
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
    for (size_t i = 0; i < copy->n; i++)
        free(copy->parts[i].bytes);
    copy->n = 0;
}
