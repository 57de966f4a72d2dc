/* Made-up memory of a process with a Python interpreter. */
#ifndef ML_UNIT_PYTHON_IMAGE_H
#define ML_UNIT_PYTHON_IMAGE_H

#include "python/layout.h"
#include "python/memory.h"

enum { IMAGE_B = 1 << 16 };

/* Where it begins, and what is in it. */
#define IMAGE 0x100000u
#define RUNTIME (IMAGE + 0x0000u)
#define INTERPRETER (IMAGE + 0x3000u)
#define THREAD_STATE(i) (IMAGE + 0x5000u + 0x400u * (i))
#define CODE_TYPE (IMAGE + 0x6000u)
#define CODE(i) (IMAGE + 0x7000u + 0x400u * (i))
#define TEXTS (IMAGE + 0x9000u)
#define C_STACK (IMAGE + 0xb000u)
#define CHUNK (IMAGE + 0xd000u)
#define HEAP (IMAGE + 0xf000u)

struct image {
    struct ml_python_layout layout;
    uint8_t bytes[IMAGE_B];
    size_t n_reads, n_fetched;
};

void image_clear(struct image *image);
void image_put(struct image *image, uint64_t address, const void *bytes, size_t n);
void image_put_word(struct image *image, uint64_t address, uint64_t word);
struct ml_python_memory image_memory(struct image *image);

/* The layout of Python 3.MINOR, 11 to 14; the last two as _Py_DebugOffsets say it. */
void image_open(struct image *image, int minor);

/* A str of N characters of KIND bytes at ADDRESS. */
void image_put_text(struct image *image, uint64_t address, const void *characters, size_t n,
                    unsigned kind, bool ascii);

/* Code object I named NAME of FILE, of 48 instructions, whose lines are as TABLE says. */
void image_put_code(struct image *image, unsigned i, const char *name, const char *file,
                    int32_t first_line, const uint8_t *table, size_t n);

/* Code that stands still in a code object. */
uint64_t image_instruction(const struct image *image, unsigned code, uint64_t offset_B);

struct image_frame {
    uint64_t at, previous;
    unsigned code;
    uint64_t offset_B;
    int owner;
    bool is_entry;
};

void image_put_frame(struct image *image, const struct image_frame *frame);

/* Thread I of number NATIVE, whose innermost frame, or _PyCFrame, is at CURRENT, and whose data
 * stack fills CHUNK up to TOP. */
void image_put_thread(struct image *image, unsigned i, uint64_t native, uint64_t next,
                      uint64_t current, uint64_t top);

/* Two runs of the eval loop: the inner one is in a generator that a function has called, the outer
 * one in a function of a module., on thread 0, number 70. */
void image_put_frames(struct image *image);

/* The start of a _PyRuntime of Python 3.MINOR, 13 or 14. */
size_t image_offsets(int minor, uint64_t *words);

#endif
