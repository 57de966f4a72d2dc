/* The program headers of an ELF file: where its bytes are linked to lie, its table of unwind
 * information, its dynamic section. Pure. */
#ifndef ML_BASE_ELF_IMAGE_H
#define ML_BASE_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A loadable segment (PT_LOAD): bytes [offset, offset + size) of the file are linked to lie at
 * [address, address + size). */
struct ml_segment {
    uint64_t offset, address, size;
    bool executable;
};

struct ml_elf_image {
    const uint8_t *bytes; /* the whole file */
    size_t size;
    struct ml_segment *segments;
    size_t n_segments;
    uint64_t table_offset, table_address; /* .eh_frame_hdr (PT_GNU_EH_FRAME), as linked */
    size_t table_size;                    /* 0: it has none */
    uint64_t dynamic_offset;              /* dynamic section (PT_DYNAMIC) in the file */
    size_t dynamic_size;                  /* 0: it has none */
    uint64_t loader_offset;               /* the dynamic loader's name (PT_INTERP) */
    size_t loader_size;
    bool has_loader;
};

/* Reads the headers of the SIZE bytes of an ELF file, which stay the caller's and must live as long
 * as OUT_IMAGE. Only 64-bit little-endian files are images; segments are cut to what the file
 * holds. */
bool ml_elf_image_parse(const uint8_t *bytes, size_t size, struct ml_elf_image *out_image);

/* N bytes of the file that are linked to lie at ADDRESS; NULL if not all of them are there. */
const uint8_t *ml_elf_image_at(const struct ml_elf_image *image, uint64_t address, size_t n);

/* The entry of .eh_frame_hdr's search table that stands for the function around ADDRESS (as
 * linked): OUT_ENTRY is where the entry is linked to lie. False if there is none. Two signed
 * 32-bit numbers, relative to the table's start: the function's address, its FDE's. */
bool ml_elf_image_unwind_entry(const struct ml_elf_image *image, uint64_t address,
                               uint64_t *out_entry);

void ml_elf_image_free(struct ml_elf_image *image);

#endif
