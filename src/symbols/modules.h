/* The ELF files that the node's processes run: opened once, and shared by all of them. */
#ifndef ML_SYMBOLS_MODULES_H
#define ML_SYMBOLS_MODULES_H

#include "base/elf_image.h"
#include "symbols/maps.h"

#include <sys/types.h>

struct ml_modules;

/* One ELF file, mapped for reading, privately (MAP_PRIVATE), as long as the modules are open. */
struct ml_module {
    const char *path;     /* as in the maps of the process that was the first to have it */
    const uint8_t *bytes; /* the whole file */
    size_t size;
    const struct ml_segment *segments;
    size_t n_segments;
    struct ml_elf_image image; /* all that, and the unwind table */
    void *user;                /* the names of its functions: symbols/symbols.c hangs them here */
    void (*free_user)(void *user);
};

struct ml_modules *ml_modules_open(void);

/* The module that MAP of process PID maps, known by device, inode and path; NULL where it cannot be
 * read or is no ELF file (tried once, remembered). A file that was deleted or that lies in another
 * mount namespace is reached through /proc/PID/root and /proc/PID/map_files; the vdso is read from
 * the process. Never holds up on what is no regular file. */
struct ml_module *ml_modules_of(struct ml_modules *modules, pid_t pid, const struct ml_map *map);

/* The address, as linked, of what lies at PC in a process that has MAP there. By the segment whose
 * pages contain the map's offset: one library may be split into many mappings (UCX splits libc's
 * text in 8). False if no segment does. */
bool ml_module_address(const struct ml_module *module, const struct ml_map *map, uint64_t pc,
                       uint64_t *out_address);

void ml_modules_close(struct ml_modules *modules); /* NULL is fine */

#endif
