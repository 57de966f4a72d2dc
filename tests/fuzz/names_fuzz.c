/* libFuzzer: names of functions, of ELF files and debuggers. */
#include "symbols/names.h"

#include "base/own.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Whether GCC's demangler is spared: a few dozen substitutions ("S_") that each name the one before
 * twice make a text that no memory holds. */
static bool explodes(const char *text)
{
    size_t n = 0;
    for (; (text = strpbrk(text, "ST")); text++)
        n++;
    return n > 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ML_AUTO_FREE char *text = malloc(size + 1); /* exact, so that the sanitizer sees reads behind */
    memcpy(text, data, size);
    text[size] = 0;
    bool mangled = strncmp(text, "_Z", 2) == 0;
    if (mangled && explodes(text))
        return 0;
    ML_AUTO_FREE char *name = ml_function_name(text);
    must(mangled || strlen(name) <= 2 * strlen(text) + 32);
    for (const char *p = name; *p; p++)
        must(!iscntrl((unsigned char)*p));
    return 0;
}
