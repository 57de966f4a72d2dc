#include "gather/tree.h"

/* Counted from the root, the parent of a number is that without its lowest bit. */
struct ml_tree ml_tree_of(int size, int root, int member)
{
    struct ml_tree tree = {.parent = -1};
    unsigned all = (unsigned)size, number = (unsigned)(member - root + size) % all, bit = 1;
    while (bit < all && !(number & bit))
        bit <<= 1;
    if (number)
        tree.parent = (int)((number - bit + (unsigned)root) % all);
    while (bit >>= 1) {
        if (number + bit < all)
            tree.children[tree.n_children++] = (int)((number + bit + (unsigned)root) % all);
    }
    return tree;
}
