/* Who speaks with whom where something goes from all to one: a binomial tree. Nobody has more than
 * log2 of SIZE partners, and no way is longer. Pure. */
#ifndef ML_GATHER_TREE_H
#define ML_GATHER_TREE_H

#define ML_TREE_CHILDREN 31

struct ml_tree {
    int parent;                     /* -1: this is the root */
    int children[ML_TREE_CHILDREN]; /* those that have most below them first */
    int n_children;
};

/* The place of MEMBER among SIZE members, of which ROOT is the root. */
struct ml_tree ml_tree_of(int size, int root, int member);

#endif
