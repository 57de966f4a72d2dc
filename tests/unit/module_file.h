/* A module of a test's own: a file, or bytes in memory. */
#ifndef ML_TEST_MODULE_FILE_H
#define ML_TEST_MODULE_FILE_H

#include "symbols/modules.h"

/* Maps the file at PATH. Fails the test if that cannot be. */
struct ml_module *module_map(const char *path);

/* SIZE bytes of an ELF file at BYTES, which stay the caller's; its segments are as the program
 * headers say, as far as they can be read. */
struct ml_module *module_of(const char *path, const uint8_t *bytes, size_t size);

/* As ml_modules_close does it, also to what module_map mapped. */
void module_free(struct ml_module *module);

#endif
