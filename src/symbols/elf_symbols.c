#include "symbols/elf_symbols.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* How many symbols before an address are looked at for the function around it. */
enum { LOOK_BACK = 64 };

static bool is_function(const GElf_Sym *symbol, const char *name)
{
    int type = GELF_ST_TYPE(symbol->st_info);
    if (type == STT_FUNC || type == STT_GNU_IFUNC)
        return true;
    /* assembler labels; "$x" and "$d" mark code and data on ARM */
    return type == STT_NOTYPE && *name != '$' && strncmp(name, ".L", 2) != 0;
}

static uint64_t section_end(Elf *elf, GElf_Word section)
{
    GElf_Shdr header;
    if (!elf || !gelf_getshdr(elf_getscn(elf, section), &header))
        return 0;
    return header.sh_addr + header.sh_size;
}

static const struct ml_segment *segment_of(const struct ml_module *module, uint64_t address)
{
    for (size_t i = 0; i < module->n_segments; i++) {
        const struct ml_segment *s = &module->segments[i];
        if (s->executable && address >= s->address && address - s->address < s->size)
            return s;
    }
    return NULL;
}

static void add(struct ml_elf_symbols *symbols, const struct ml_module *module, Dwfl_Module *file,
                int index)
{
    GElf_Sym symbol;
    GElf_Addr address;
    GElf_Word section;
    Elf *elf;
    Dwarf_Addr bias;
    const char *name =
        dwfl_module_getsym_info(file, index, &symbol, &address, &section, &elf, &bias);
    if (!name || !*name || section == SHN_UNDEF || !is_function(&symbol, name))
        return;
    address = symbol.st_value;
    const struct ml_segment *segment = segment_of(module, address);
    if (!segment)
        return;
    uint64_t limit = segment->address + segment->size;
    uint64_t end = symbol.st_size ? address + symbol.st_size : section_end(elf, section);
    if (end <= address || end > limit)
        end = limit;
    ML_GROW(symbols->list, symbols->n, symbols->capacity);
    symbols->list[symbols->n] = (struct ml_elf_symbol){
        .address = address, .end = end, .name = name, .sized = symbol.st_size != 0};
    symbols->n++;
}

static int compare(const void *left, const void *right)
{
    const struct ml_elf_symbol *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return strcmp(a->name, b->name); /* of one address gdb 13 tells the last name */
}

void ml_elf_symbols_read(struct ml_elf_symbols *symbols, const struct ml_module *module,
                         Dwfl_Module *file)
{
    int n = dwfl_module_getsymtab(file);
    for (int i = 0; i < n; i++)
        add(symbols, module, file, i);
    if (symbols->n)
        qsort(symbols->list, symbols->n, sizeof *symbols->list, compare);
}

const char *ml_elf_symbols_at(const struct ml_elf_symbols *symbols, uint64_t address)
{
    size_t low = 0, high = symbols->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (symbols->list[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const char *label = NULL;
    for (size_t i = low; i > 0 && low - i < LOOK_BACK; i--) {
        const struct ml_elf_symbol *s = &symbols->list[i - 1];
        if (address < s->end && s->sized)
            return s->name;
        if (address < s->end && !label && i == low)
            label = s->name;
    }
    return label;
}

void ml_elf_symbols_free(struct ml_elf_symbols *symbols)
{
    free(symbols->list);
    *symbols = (struct ml_elf_symbols){0};
}
