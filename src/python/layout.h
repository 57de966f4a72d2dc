/* Where the structures of CPython keep what is needed to see which functions run: 3.11 to 3.14,
 * 64-bit. From 3.13 on the interpreter says it itself (_Py_DebugOffsets). Pure. */
#ifndef ML_PYTHON_LAYOUT_H
#define ML_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is read of a thread's state, a frame, a code object lies in as many bytes. */
enum { ML_PYTHON_PART_MAX_B = 1024 };

/* The longest _Py_DebugOffsets that is looked at. */
enum { ML_PYTHON_OFFSETS_B = 1024 };

/* Offsets in bytes from the start of each structure. */
struct ml_python_layout {
    uint32_t version;                      /* PY_VERSION_HEX */
    uint32_t interpreters;                 /* _PyRuntimeState: interpreters.head */
    uint32_t next_interpreter, threads;    /* PyInterpreterState: next, threads.head */
    uint32_t next_thread, native_thread;   /* PyThreadState: next, native_thread_id */
    uint32_t chunk;                        /* its datastack_chunk; datastack_top is the next word */
    uint32_t current;                      /* its current_frame, 3.13 on; cframe before */
    uint32_t cframe_current, cframe_outer; /* _PyCFrame, up to 3.12: current_frame, previous */
    uint32_t code, previous, instruction, owner;          /* _PyInterpreterFrame */
    uint32_t is_entry;                                    /* its is_entry, 3.11 alone */
    uint32_t file, name, lines, first_line, instructions; /* PyCodeObject */
    uint32_t type, count;                                 /* ob_type, ob_size */
    uint32_t bytes;                                       /* PyBytesObject: ob_sval */
    uint32_t text_length, text_state, text_ascii; /* PyASCIIObject: length, state, its size */
    uint32_t text_other;                          /* size of PyCompactUnicodeObject */
    uint32_t kind_shift;                          /* of the bits of state.kind */
};

/* Whether threads lead to their frames over a _PyCFrame on the C stack; else directly. */
static inline bool ml_python_has_cframes(const struct ml_python_layout *l)
{
    return l->version < 0x030d0000;
}

/* Whether a frame says itself that the eval loop was entered with it; else a frame without code,
 * which lies on the C stack, stands between. */
static inline bool ml_python_has_entries(const struct ml_python_layout *l)
{
    return l->version < 0x030c0000;
}

/* Whether the layout of VERSION (PY_VERSION_HEX) is known without asking the interpreter. */
bool ml_python_layout_known(uint32_t version, struct ml_python_layout *out_layout);

/* What the N bytes at the start of _PyRuntime say. False: they are no _Py_DebugOffsets, of a
 * version that is not known, or not sane. */
bool ml_python_layout_parse(const uint8_t *bytes, size_t n, struct ml_python_layout *out_layout);

#endif
