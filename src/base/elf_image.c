#include "base/elf_image.h"

#include "base/memory.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* Encodings of numbers in .eh_frame_hdr (DWARF "pointer encodings"). */
enum { SIZE_MASK = 0x0f, UDATA4 = 0x03, UDATA8 = 0x04, SDATA4 = 0x0b, SDATA8 = 0x0c };
enum { TABLE_OF_SDATA4 = 0x3b }; /* relative to the start of .eh_frame_hdr: what all linkers make */

static bool parse_header(const uint8_t *bytes, size_t size, Elf64_Ehdr *out)
{
    if (size < sizeof *out)
        return false;
    memcpy(out, bytes, sizeof *out);
    return memcmp(out->e_ident, ELFMAG, SELFMAG) == 0 && out->e_ident[EI_CLASS] == ELFCLASS64 &&
           out->e_ident[EI_DATA] == ELFDATA2LSB && out->e_phentsize == sizeof(Elf64_Phdr) &&
           out->e_phoff <= size && out->e_phnum <= (size - out->e_phoff) / sizeof(Elf64_Phdr);
}

/* The part of a program header's bytes that the file holds; 0: none. */
static size_t held(const Elf64_Phdr *header, size_t size)
{
    if (header->p_offset >= size || header->p_filesz > UINT64_MAX - header->p_vaddr)
        return 0;
    uint64_t left = size - header->p_offset;
    return header->p_filesz < left ? header->p_filesz : left;
}

bool ml_elf_image_parse(const uint8_t *bytes, size_t size, struct ml_elf_image *out_image)
{
    Elf64_Ehdr header;
    if (!parse_header(bytes, size, &header))
        return false;
    struct ml_elf_image image = {.bytes = bytes, .size = size};
    image.segments = ml_alloc((header.e_phnum + (size_t)1) * sizeof *image.segments);
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr part;
        memcpy(&part, bytes + header.e_phoff + i * sizeof part, sizeof part);
        size_t n = held(&part, size);
        image.has_loader |= part.p_type == PT_INTERP;
        if (!n)
            continue;
        if (part.p_type == PT_LOAD) {
            image.segments[image.n_segments++] =
                (struct ml_segment){part.p_offset, part.p_vaddr, n, (part.p_flags & PF_X) != 0};
        } else if (part.p_type == PT_GNU_EH_FRAME) {
            image.table_offset = part.p_offset;
            image.table_address = part.p_vaddr;
            image.table_size = n;
        } else if (part.p_type == PT_DYNAMIC) {
            image.dynamic_offset = part.p_offset;
            image.dynamic_size = n;
        } else if (part.p_type == PT_INTERP) {
            image.loader_offset = part.p_offset;
            image.loader_size = n;
        }
    }
    *out_image = image;
    return true;
}

const uint8_t *ml_elf_image_at(const struct ml_elf_image *image, uint64_t address, size_t n)
{
    for (size_t i = 0; i < image->n_segments; i++) {
        const struct ml_segment *s = &image->segments[i];
        if (address >= s->address && address - s->address < s->size &&
            n <= s->size - (address - s->address))
            return image->bytes + s->offset + (address - s->address);
    }
    return NULL;
}

/* The bytes of a number of ENCODING; 0: of no fixed size. */
static size_t size_of(uint8_t encoding)
{
    switch (encoding & SIZE_MASK) {
    case UDATA4:
    case SDATA4:
        return 4;
    case 0: /* a pointer */
    case UDATA8:
    case SDATA8:
        return 8;
    default:
        return 0;
    }
}

/* Finds the search table: version, three encodings, the address of .eh_frame, the number of
 * entries, the entries. Returns the number of those that are there. */
static size_t find_entries(const struct ml_elf_image *image, size_t *out_start)
{
    const uint8_t *table = image->bytes + image->table_offset;
    if (image->table_size < 4 || table[0] != 1 || table[3] != TABLE_OF_SDATA4)
        return 0;
    size_t pointer = size_of(table[1]), number = size_of(table[2]);
    size_t start = 4 + pointer + number;
    if (!pointer || !number || start > image->table_size)
        return 0;
    uint64_t n = 0;
    memcpy(&n, table + 4 + pointer, number);
    size_t there = (image->table_size - start) / 8;
    *out_start = start;
    return n < there ? (size_t)n : there;
}

bool ml_elf_image_unwind_entry(const struct ml_elf_image *image, uint64_t address,
                               uint64_t *out_entry)
{
    size_t start = 0, n = find_entries(image, &start), low = 0, high = n;
    int64_t wanted = (int64_t)(address - image->table_address);
    const uint8_t *entries = image->bytes + image->table_offset + start;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int32_t function;
        memcpy(&function, entries + middle * 8, sizeof function);
        if (function <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return false;
    *out_entry = image->table_address + start + (low - 1) * 8;
    return true;
}

void ml_elf_image_free(struct ml_elf_image *image)
{
    free(image->segments);
    *image = (struct ml_elf_image){0};
}
