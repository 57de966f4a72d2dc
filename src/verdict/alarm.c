#include "verdict/alarm.h"

#include "base/memory.h"
#include "gather/tree.h"

#include <stdlib.h>

/* A member that was told. */
struct told {
    int member;
    int looks, patience; /* since then; after how many it is passed over */
    bool answered, passed_over;
};

struct ml_alarm {
    struct ml_alarm_events events;
    int size, root, here;
    bool rung;
    struct told *told;
    size_t n_told, capacity;
};

struct ml_alarm *ml_alarm_open(int size, int root, int here, const struct ml_alarm_events *events)
{
    struct ml_alarm *a = ml_alloc(sizeof *a);
    *a = (struct ml_alarm){.events = *events, .size = size, .root = root, .here = here};
    return a;
}

static struct told *find(const struct ml_alarm *a, int member)
{
    for (size_t i = 0; i < a->n_told; i++) {
        if (a->told[i].member == member)
            return &a->told[i];
    }
    return NULL;
}

/* ANSWERED: it knows already, and this is what it waits for. */
static void tell(struct ml_alarm *a, int member, int patience, bool answered)
{
    bool is_too_many = a->n_told >= ML_ALARM_PARTNERS && !answered;
    if (member < 0 || member == a->here || is_too_many || find(a, member))
        return;
    ML_GROW(a->told, a->n_told, a->capacity);
    a->told[a->n_told++] = (struct told){member, 0, patience, answered, false};
    a->events.send(a->events.context, member);
}

static void tell_children(struct ml_alarm *a, const struct ml_tree *of, int patience)
{
    for (int i = 0; i < of->n_children; i++)
        tell(a, of->children[i], patience, false);
}

void ml_alarm_ring(struct ml_alarm *a)
{
    if (a->rung)
        return;
    a->rung = true;
    a->events.heard(a->events.context);
    struct ml_tree mine = ml_tree_of(a->size, a->root, a->here);
    tell(a, mine.parent, ML_ALARM_LOOKS, false);
    tell_children(a, &mine, ML_ALARM_LOOKS);
}

void ml_alarm_received(struct ml_alarm *a, int from)
{
    struct told *told = find(a, from);
    if (told)
        told->answered = true;
    else if (from < a->size)
        tell(a, from, ML_ALARM_LOOKS, true);
    ml_alarm_ring(a);
}

static bool is_above(const struct ml_alarm *a, int member)
{
    int at = a->here;
    while (at >= 0 && at != member)
        at = ml_tree_of(a->size, a->root, at).parent;
    return at == member;
}

/* All up to the root are silent: nobody but those below them can tell the others there. Where it is
 * all members that are, many do so, and are to leave it at that for long. */
static void tell_below_all_above(struct ml_alarm *a, int patience)
{
    for (int at = a->here; at >= 0;) {
        struct ml_tree tree = ml_tree_of(a->size, a->root, at);
        tell_children(a, &tree, patience);
        at = tree.parent;
    }
}

static void pass_over(struct ml_alarm *a, int member, int patience)
{
    struct ml_tree silent = ml_tree_of(a->size, a->root, member);
    if (!is_above(a, member))
        tell_children(a, &silent, patience);
    else if (silent.parent >= 0)
        tell(a, silent.parent, patience, false);
    else
        tell_below_all_above(a, 16 * patience);
}

bool ml_alarm_look(struct ml_alarm *a)
{
    bool more = false;
    for (size_t i = 0; i < a->n_told; i++) {
        struct told *told = &a->told[i];
        if (told->answered || told->passed_over)
            continue;
        told->passed_over = ++told->looks >= told->patience;
        more = true;
        if (told->passed_over) /* which may move the list */
            pass_over(a, told->member, 2 * told->patience);
    }
    return more;
}

bool ml_alarm_is_quiet(const struct ml_alarm *a)
{
    for (size_t i = 0; i < a->n_told; i++) {
        if (!a->told[i].answered)
            return false;
    }
    return true;
}

void ml_alarm_close(struct ml_alarm *a)
{
    if (!a)
        return;
    free(a->told);
    free(a);
}
