/* journal_maker FILE NODES PROCESSES TICKS STACKS: journals of a made-up run, FILE.nI.journal, for
 * tests that are no C programs. */
#include "base/memory.h"
#include "base/own.h"
#include "synthetic.h"

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("journal_maker FILE NODES PROCESSES TICKS STACKS\n", stderr);
        return 2;
    }
    int nodes = atoi(argv[2]);
    for (int node = 0; node < nodes; node++) {
        ML_AUTO_FREE char *name = ml_format("n%d", node);
        ML_AUTO_FREE char *path = ml_journal_name(NULL, argv[1], name, -1);
        struct synthetic s = {.node = node,
                              .n_nodes = nodes,
                              .processes = atoi(argv[3]),
                              .ticks = atoi(argv[4]),
                              .lines = 3,
                              .stacks = atoi(argv[5]),
                              .complete = 1,
                              .text = "app"};
        synthetic_write(path, &s);
    }
    return 0;
}
