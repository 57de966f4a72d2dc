/* journal_corpus FOLDER: small journals for the fuzzer to start from. */
#include "base/memory.h"
#include "base/own.h"
#include "synthetic.h"

int main(int argc, char **argv)
{
    static const struct synthetic corpus[] = {
        {.node = 0, .n_nodes = 1, .text = ""},
        {.node = 0, .n_nodes = 1, .processes = 1, .ticks = 1, .complete = 1, .text = "a"},
        {.node = 1,
         .n_nodes = 3,
         .processes = 3,
         .ticks = 3,
         .lines = 4,
         .stacks = 9,
         .complete = 1,
         .text = "gr\xc3\xbc\xc3\x9f \r\n \x1b[0m"},
        {.node = 2,
         .n_nodes = 3,
         .processes = 2,
         .ticks = 2,
         .lines = 2,
         .stacks = 40,
         .text = "cut"},
    };
    if (argc != 2)
        return 2;
    for (size_t i = 0; i < sizeof corpus / sizeof *corpus; i++) {
        ML_AUTO_FREE char *path = ml_format("%s/%zu", argv[1], i);
        synthetic_write(path, &corpus[i]);
    }
    return 0;
}
