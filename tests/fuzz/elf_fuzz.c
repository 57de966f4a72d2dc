/* libFuzzer: the headers and the unwind table of an ELF file. The last 8 bytes are an address
 * too. */
#include "base/elf_image.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t address, entry;
    if (size < sizeof address)
        return 0;
    memcpy(&address, data + size - sizeof address, sizeof address);
    struct ml_elf_image image;
    if (!ml_elf_image_parse(data, size, &image))
        return 0;
    for (size_t i = 0; i < image.n_segments; i++) {
        const struct ml_segment *s = &image.segments[i];
        must(s->size > 0 && s->offset < size && s->size <= size - s->offset);
    }
    const uint8_t *bytes = ml_elf_image_at(&image, address, 8);
    must(!bytes || (bytes >= data && bytes + 8 <= data + size));
    if (ml_elf_image_unwind_entry(&image, image.table_address - address % 65536, &entry)) {
        uint64_t at = entry - image.table_address;
        must(at < image.table_size && image.table_size - at >= 8);
    }
    ml_elf_image_free(&image);
    return 0;
}
