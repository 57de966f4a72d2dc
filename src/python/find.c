#include "python/find.h"

#include <gelf.h>
#include <string.h>

static void note(struct ml_python_marks *marks, const struct ml_module *module, const char *name,
                 uint64_t address)
{
    if (strcmp(name, "_PyRuntime") == 0)
        marks->runtime = address;
    else if (strcmp(name, "PyCode_Type") == 0)
        marks->code_type = address;
    else if (strcmp(name, "Py_Version") == 0) {
        const uint8_t *bytes = ml_elf_image_at(&module->image, address, sizeof marks->version);
        if (bytes)
            memcpy(&marks->version, bytes, sizeof marks->version);
    }
}

static void read_symbols(struct ml_python_marks *marks, const struct ml_module *module, Elf *elf,
                         Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t n = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
    for (size_t i = 0; i < n; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol))
            return;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name && symbol.st_shndx != SHN_UNDEF)
            note(marks, module, name, symbol.st_value);
    }
}

bool ml_python_find(const struct ml_module *module, struct ml_python_marks *out_marks)
{
    struct ml_python_marks marks = {0};
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)module->bytes, module->size);
    for (Elf_Scn *s = NULL; elf && (s = elf_nextscn(elf, s));) {
        GElf_Shdr header;
        if (gelf_getshdr(s, &header) && header.sh_type == SHT_DYNSYM)
            read_symbols(&marks, module, elf, s, &header);
    }
    if (elf)
        elf_end(elf);
    if (!marks.runtime || !marks.code_type)
        return false;
    *out_marks = marks;
    return true;
}
