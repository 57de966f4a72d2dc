#include "flavour/elf_needed.h"

#include "base/elf_image.h"

#include <elf.h>
#include <string.h>

/* Names, from the first byte of their table to the end of the segment that holds it. */
struct strings {
    const char *bytes;
    size_t n;
};

/* False past the section's end, and at the entry that ends it. */
static bool read_entry(const struct ml_elf_image *image, size_t i, Elf64_Dyn *out_entry)
{
    if (i >= image->dynamic_size / sizeof *out_entry)
        return false;
    memcpy(out_entry, image->bytes + image->dynamic_offset + i * sizeof *out_entry,
           sizeof *out_entry);
    return out_entry->d_tag != DT_NULL;
}

static struct strings strings_at(const struct ml_elf_image *image, uint64_t address)
{
    for (size_t i = 0; i < image->n_segments; i++) {
        const struct ml_segment *s = &image->segments[i];
        uint64_t inside = address - s->address;
        if (address >= s->address && inside < s->size)
            return (struct strings){(const char *)image->bytes + s->offset + inside,
                                    s->size - inside};
    }
    return (struct strings){NULL, 0};
}

static struct strings find_strings(const struct ml_elf_image *image)
{
    Elf64_Dyn entry;
    for (size_t i = 0; read_entry(image, i, &entry); i++)
        if (entry.d_tag == DT_STRTAB)
            return strings_at(image, entry.d_un.d_ptr);
    return (struct strings){NULL, 0};
}

static const char *string_at(const struct strings *strings, uint64_t offset)
{
    if (offset >= strings->n || !memchr(strings->bytes + offset, '\0', strings->n - offset))
        return NULL;
    return strings->bytes + offset;
}

static void read_dynamic(const struct ml_elf_image *image, const char *names[ML_ELF_MAX_NEEDED],
                         struct ml_elf *elf)
{
    Elf64_Dyn entry;
    struct strings strings = find_strings(image);
    for (size_t i = 0; read_entry(image, i, &entry); i++) {
        const char *text = string_at(&strings, entry.d_un.d_val);
        if (!text)
            continue;
        if (entry.d_tag == DT_NEEDED && elf->n_needed < ML_ELF_MAX_NEEDED)
            names[elf->n_needed++] = text;
        else if (entry.d_tag == DT_RPATH)
            elf->rpath = text;
        else if (entry.d_tag == DT_RUNPATH)
            elf->runpath = text;
    }
}

void ml_elf_parse(const void *bytes, size_t n, const char *names[ML_ELF_MAX_NEEDED],
                  struct ml_elf *out_elf)
{
    struct ml_elf_image image;
    *out_elf = (struct ml_elf){.needed = names};
    if (!ml_elf_image_parse(bytes, n, &image))
        return;
    out_elf->is_elf = true;
    out_elf->is_dynamic = image.has_loader;
    struct strings loader = {(const char *)bytes + image.loader_offset, image.loader_size};
    out_elf->loader = string_at(&loader, 0);
    read_dynamic(&image, names, out_elf);
    ml_elf_image_free(&image);
}
