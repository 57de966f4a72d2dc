/* python_corpus FOLDER: the memory of interpreters for the fuzzer to start from. */
#include "base/memory.h"
#include "base/own.h"
#include "python_image.h"

#include <stdio.h>

static void write_image(const char *path, int minor)
{
    static struct image image;
    static const uint8_t table[] = {0x80, 0x00, 0xd8, 0x09, 0x0a};
    uint64_t words[ML_PYTHON_OFFSETS_B / 8];
    int version = minor < 13 ? minor - 11 : 2;
    image_open(&image, minor);
    if (minor >= 13)
        image_put(&image, RUNTIME, words, image_offsets(minor, words) - 24);
    image_put_frames(&image);
    for (unsigned i = 0; i < 4; i++)
        image_put_code(&image, i, "solve", "/a/solve.py", 1, table, sizeof table);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fputc(version, file);
    fwrite(image.bytes, 1, sizeof image.bytes, file);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (int minor = 11; minor <= 14; minor++) {
        ML_AUTO_FREE char *path = ml_format("%s/%d", argv[1], minor);
        write_image(path, minor);
    }
    return 0;
}
