/* libFuzzer: what drivers tell of GPUs. The first byte chooses a parser. */
#include "gpu/parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void fdinfo(const char *text, size_t n)
{
    struct ml_gpu_client c;
    if (!ml_gpu_parse_fdinfo(text, n, &c))
        return;
    must(c.id >= 0 && c.device_B >= -1 && c.host_B >= -1 && *c.driver);
    must(memchr(c.driver, 0, sizeof c.driver) && memchr(c.pci, 0, sizeof c.pci));
}

static void kfd(const char *text, size_t n)
{
    char pci[ML_GPU_WORD];
    must(!ml_gpu_parse_kfd_pci(text, n, pci) || strlen(pci) >= 12);
    must(ml_gpu_parse_kfd_bank(text, n) >= -1);
}

static void value(const char *text, size_t n)
{
    char out[24];
    ml_gpu_parse_value(text, n, "DRIVER=", out, sizeof out);
    must(memchr(out, 0, sizeof out) != NULL);
    must(ml_gpu_parse_number(text, n) >= -1);
}

static void choice(const char *text, size_t n)
{
    char out[24];
    must(ml_gpu_parse_nvidia_file(text, n) >= -1 && ml_gpu_parse_render_file(text, n) >= -1);
    if (ml_gpu_parse_variable(text, n, "CUDA_VISIBLE_DEVICES", out, sizeof out))
        must(memchr(out, 0, sizeof out) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(const char *, size_t) = {fdinfo, kfd, value, choice};
    if (!size)
        return 0;
    parsers[*data % 4]((const char *)data + 1, size - 1);
    return 0;
}
