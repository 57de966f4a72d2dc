#include "verdict/ending.h"

#include "base/memory.h"
#include "gather/tree.h"

#include <stdlib.h>

enum {
    DONE = 1, /* all of the subtree: its verdict, most epochs; to the parent */
    FINISH,   /* the job's verdict, most epochs; to the children */
    REOPEN,   /* a member is not done: DONE is taken back; to the parent */
    REOPENED, /* the answer to that member, down the tree */
};

struct ml_ending {
    struct ml_ending_events events;
    int size, root, here;
    struct ml_tree tree;
    struct ml_verdict verdict; /* of the subtree; at last of the job */
    int64_t epochs;
    bool done;         /* this member */
    uint32_t children; /* those whose subtrees are done, a bit each */
    bool told;         /* the parent has DONE; at the root: all have FINISH */
    int n_asked;       /* REOPENs that went up and have no answer yet */
};

struct ml_ending *ml_ending_open(int size, int root, int here,
                                 const struct ml_ending_events *events)
{
    struct ml_ending *e = ml_alloc(sizeof *e);
    *e = (struct ml_ending){.events = *events,
                            .size = size,
                            .root = root,
                            .here = here,
                            .tree = ml_tree_of(size, root, here)};
    return e;
}

/* MEMBER: whom REOPEN and REOPENED are about. */
static void send(struct ml_ending *e, int to, int what, int member)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, what);
    ml_verdict_pack(&e->verdict, &message);
    ml_pack_int(&message, e->epochs);
    ml_pack_int(&message, member);
    e->events.send(e->events.context, to, &message);
    ml_buffer_free(&message);
}

static void add(struct ml_ending *e, const struct ml_verdict *verdict, int64_t epochs)
{
    ml_verdict_merge(&e->verdict, verdict);
    e->epochs = epochs > e->epochs ? epochs : e->epochs;
}

/* The number of child MEMBER, -1: it is none. */
static int child_of(const struct ml_ending *e, int member)
{
    for (int i = 0; i < e->tree.n_children; i++) {
        if (e->tree.children[i] == member)
            return i;
    }
    return -1;
}

static void check_done(struct ml_ending *e)
{
    uint32_t all = (uint32_t)((UINT64_C(1) << e->tree.n_children) - 1);
    if (!e->done || e->children != all || e->told)
        return;
    e->told = true;
    if (e->tree.parent < 0)
        send(e, e->here, FINISH, e->here);
    else
        send(e, e->tree.parent, DONE, e->here);
}

void ml_ending_done(struct ml_ending *e, const struct ml_verdict *own, int64_t epochs)
{
    e->done = true;
    add(e, own, epochs);
    check_done(e);
}

/* MEMBER, of this subtree, is not done. Whoever has not told its parent that all are can say at
 * once that the job does not finish; but not while it is unknown whether it was too late to take
 * that back. */
static void take_back(struct ml_ending *e, int member)
{
    bool is_root = e->tree.parent < 0;
    bool sure = is_root || (!e->told && e->n_asked == 0);
    if (!is_root)
        e->told = false;
    if (sure) {
        send(e, e->here, REOPENED, member);
        return;
    }
    e->n_asked++;
    send(e, e->tree.parent, REOPEN, member);
}

void ml_ending_reopen(struct ml_ending *e)
{
    e->done = false;
    take_back(e, e->here);
}

/* The next one on the way down to MEMBER; -1: it is not below. */
static int towards(const struct ml_ending *e, int member)
{
    while (member >= 0 && member < e->size && child_of(e, member) < 0)
        member = ml_tree_of(e->size, e->root, member).parent;
    return member < e->size ? member : -1;
}

static void reopened(struct ml_ending *e, int from, int member)
{
    int next = towards(e, member);
    if (from != e->here)
        e->n_asked--;
    if (member == e->here)
        e->events.reopened(e->events.context);
    else if (next >= 0)
        send(e, next, REOPENED, member);
}

static void finish(struct ml_ending *e)
{
    for (int i = 0; i < e->tree.n_children; i++)
        send(e, e->tree.children[i], FINISH, e->here);
    e->events.finish(e->events.context);
}

void ml_ending_received(struct ml_ending *e, int from, struct ml_unpacker *message)
{
    int64_t what = ml_unpack_int(message);
    struct ml_verdict verdict = ml_verdict_unpack(message);
    int64_t epochs = ml_unpack_int(message), member = ml_unpack_int(message);
    int child = child_of(e, from);
    if (message->failed || member < 0 || member >= e->size)
        return;
    if (what == DONE && child >= 0) {
        e->children |= UINT32_C(1) << child;
        add(e, &verdict, epochs);
        check_done(e);
    } else if (what == REOPEN && child >= 0) {
        e->children &= ~(UINT32_C(1) << child);
        take_back(e, (int)member);
    } else if (what == REOPENED) {
        reopened(e, from, (int)member);
    } else if (what == FINISH) {
        add(e, &verdict, epochs);
        finish(e);
    }
}

const struct ml_verdict *ml_ending_verdict(const struct ml_ending *e)
{
    return &e->verdict;
}

int64_t ml_ending_epochs(const struct ml_ending *e)
{
    return e->epochs;
}

void ml_ending_close(struct ml_ending *e)
{
    free(e);
}
