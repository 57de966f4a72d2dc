#include "symbols/module_elf.h"

#include "base/memory.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Makes N bytes at START writable, for this process alone if they are mapped privately. */
static bool make_writable(uint8_t *start, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), into = (uintptr_t)start % page;
    return mprotect(start - into, n + into, PROT_READ | PROT_WRITE) == 0;
}

static bool has_compressed(Elf *elf)
{
    GElf_Shdr header;
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
        if (!gelf_getshdr(s, &header))
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        if ((header.sh_flags & SHF_COMPRESSED) || (name && strncmp(name, ".zdebug", 7) == 0))
            return true;
    }
    return false;
}

/* libelf 0.188 changes the section headers of what it uncompresses, in the bytes themselves. */
static bool prepare_headers(struct ml_module_elf *image, Elf *elf, const struct ml_module *module)
{
    GElf_Ehdr header;
    size_t n;
    if (!has_compressed(elf))
        return true;
    if (!gelf_getehdr(elf, &header) || elf_getshdrnum(elf, &n) != 0 ||
        header.e_shoff > module->size ||
        n > (module->size - header.e_shoff) / (header.e_shentsize ? header.e_shentsize : 1))
        return false;
    size_t size = n * header.e_shentsize;
    uint8_t *headers = (uint8_t *)module->bytes + header.e_shoff;
    if (!make_writable(headers, size))
        return false;
    image->headers = headers;
    image->size = size;
    image->saved = ml_alloc(size);
    memcpy(image->saved, headers, size);
    return true;
}

Elf *ml_module_elf_open(struct ml_module_elf *image, const struct ml_module *module)
{
    Elf *elf = elf_memory((char *)module->bytes, module->size);
    if (elf && !prepare_headers(image, elf, module)) {
        elf_end(elf);
        return NULL;
    }
    return elf;
}

void ml_module_elf_close(struct ml_module_elf *image)
{
    if (image->saved)
        memcpy(image->headers, image->saved, image->size);
    free(image->saved);
    *image = (struct ml_module_elf){0};
}
