/* libFuzzer: node files. What was parsed can be found again, and the slots are the lines. */
#include "node/nodefile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ml_nodefile file;
    struct ml_error err;
    char *text = malloc(size ? size : 1); /* exact, so that the sanitizer sees reads behind it */
    memcpy(text, data, size);
    if (ml_nodefile_parse(text, size, &file, &err) == ML_OK) {
        size_t lines = 0;
        for (size_t i = 0; i < file.n_hosts; i++) {
            lines += (size_t)file.slots[i];
            if (file.slots[i] <= 0 || ml_nodefile_find(&file, file.hosts[i]) != (int)i)
                abort();
        }
        if (file.n_hosts == 0 || lines > size)
            abort();
        ml_nodefile_free(&file);
    } else if (!memchr(err.text, 0, sizeof err.text) || strpbrk(err.text, "\n\r\033")) {
        abort();
    }
    free(text);
    return 0;
}
