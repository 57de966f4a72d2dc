/* Copies of parts of a thread's stack, made in one go and read afterwards. */
#ifndef ML_UNWIND_STACK_COPY_H
#define ML_UNWIND_STACK_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ML_STACK_PARTS_MAX = 12 };

struct ml_stack_part {
    uint64_t start;
    size_t size;
    uint8_t *bytes;
    bool in_room; /* else its bytes are its own */
};

struct ml_stack_copy {
    struct ml_stack_part parts[ML_STACK_PARTS_MAX];
    size_t n;
    uint8_t *room; /* [room_B] for parts, the first used_B of them taken */
    size_t room_B, used_B;
};

/* Makes room for SIZE bytes, once, in memory that is there: parts that fit are copied without a
 * page fault of ours. */
void ml_stack_copy_reserve(struct ml_stack_copy *copy, size_t size);

/* Copies up to SIZE bytes from FROM upward, as far as memory is there. Returns 0, or the errno of
 * why nothing was copied; ENOSPC where there are enough parts. */
int ml_stack_copy_add(struct ml_stack_copy *copy, pid_t pid, uint64_t from, size_t size);

/* The N bytes at ADDRESS; NULL: they were not copied, or not in one go. */
const uint8_t *ml_stack_copy_at(const struct ml_stack_copy *copy, uint64_t address, size_t n);

/* The 8 bytes at ADDRESS; false: they were not copied. */
bool ml_stack_copy_read(const struct ml_stack_copy *copy, uint64_t address, uint64_t *out_value);

void ml_stack_copy_clear(struct ml_stack_copy *copy);

#endif
