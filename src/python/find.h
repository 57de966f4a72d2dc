/* Whether an ELF file holds a Python interpreter. */
#ifndef ML_PYTHON_FIND_H
#define ML_PYTHON_FIND_H

#include "symbols/modules.h"

/* Addresses as linked. */
struct ml_python_marks {
    uint64_t runtime;   /* _PyRuntime */
    uint64_t code_type; /* PyCode_Type */
    uint32_t version;   /* PY_VERSION_HEX; 0: older than 3.11 */
};

/* By the symbols that it exports to its own modules, which strip(1) leaves. False: it has none. */
bool ml_python_find(const struct ml_module *module, struct ml_python_marks *out_marks);

#endif
