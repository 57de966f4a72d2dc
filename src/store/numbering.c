#include "store/numbering.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdlib.h>
#include <string.h>

/* A key in a sorted list, and where it stood before. */
struct placed {
    struct ml_key key;
    size_t at;
};

static bool same(const struct ml_key *a, const struct ml_key *b)
{
    return a->level == b->level && a->high == b->high && a->low == b->low;
}

static int by_level_and_hash(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->key.level != y->key.level)
        return x->key.level < y->key.level ? -1 : 1;
    if (x->key.high != y->key.high)
        return x->key.high < y->key.high ? -1 : 1;
    if (x->key.low != y->key.low)
        return x->key.low < y->key.low ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static struct placed *sort(const struct ml_key *keys, size_t n)
{
    struct placed *sorted = ml_realloc_array(NULL, n + 1, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct placed){keys[i], i};
    qsort(sorted, n, sizeof *sorted, by_level_and_hash);
    return sorted;
}

/* End of the run of equal keys that begins at I. */
static size_t run_end(const struct placed *sorted, size_t n, size_t i)
{
    size_t end = i + 1;
    while (end < n && same(&sorted[end].key, &sorted[i].key))
        end++;
    return end;
}

/* The owners have equal ranges of hashes, in their order: so the order of all keys of a level is
 * that of the owners, and inside of them that of the hashes. */
static int owner_of(const struct ml_team *team, const struct ml_key *key)
{
    return (int)((unsigned __int128)key->high * (unsigned)team->size >> 64);
}

/* The questions of a member: its different keys, by owner. */
struct asked {
    struct ml_key *keys;
    size_t n;
    size_t *counts; /* bytes, by owner */
    size_t *at;     /* of each different key, as sorted, its place in `keys` */
};

static struct asked ask(const struct ml_team *team, const struct placed *sorted, size_t n)
{
    struct asked a = {.keys = ml_realloc_array(NULL, n + 1, sizeof *a.keys),
                      .counts = ml_alloc((size_t)team->size * sizeof *a.counts),
                      .at = ml_realloc_array(NULL, n + 1, sizeof *a.at)};
    ML_AUTO_FREE size_t *next = ml_alloc(((size_t)team->size + 1) * sizeof *next);
    for (size_t i = 0; i < n; i = run_end(sorted, n, i))
        next[owner_of(team, &sorted[i].key) + 1]++;
    for (int i = 0; i < team->size; i++) {
        a.counts[i] = next[i + 1] * sizeof *a.keys;
        next[i + 1] += next[i];
    }
    for (size_t i = 0; i < n; i = run_end(sorted, n, i)) {
        size_t at = next[owner_of(team, &sorted[i].key)]++;
        a.keys[at] = sorted[i].key;
        a.at[a.n++] = at;
    }
    return a;
}

static void free_asked(struct asked *a)
{
    free(a->keys);
    free(a->counts);
    free(a->at);
}

/* The first number of this owner's keys on each of N levels. OUT_TOTAL: keys of all. */
static int64_t *first_numbers(struct ml_team *team, const struct placed *sorted, size_t n,
                              size_t n_levels, int64_t *out_total)
{
    ML_AUTO_FREE int64_t *own = ml_alloc(n_levels * sizeof *own);
    ML_AUTO_FREE int64_t *of_all = ml_alloc(n_levels * sizeof *of_all);
    int64_t *first = ml_alloc(n_levels * sizeof *first);
    for (size_t i = 0; i < n; i = run_end(sorted, n, i))
        own[sorted[i].key.level]++;
    team->offsets(team, own, n_levels, first, of_all);
    *out_total = 0;
    for (size_t level = 0; level < n_levels; level++) {
        first[level] += *out_total;
        *out_total += of_all[level];
    }
    return first;
}

/* The owner's part. The answer to each of N KEYS, in their order: number << 1 | 1 for the one
 * member that is to tell what it is. These take turns, or the lowest member would tell nearly all.
 * NULL: there are too many. */
static uint32_t *answer(struct ml_team *team, const struct ml_key *keys, size_t n, size_t n_levels,
                        int64_t *out_total)
{
    ML_AUTO_FREE struct placed *sorted = sort(keys, n);
    ML_AUTO_FREE int64_t *next = first_numbers(team, sorted, n, n_levels, out_total);
    if (*out_total > INT32_MAX)
        return NULL;
    uint32_t *answers = ml_realloc_array(NULL, n + 1, sizeof *answers);
    for (size_t i = 0, end; i < n; i = end) {
        end = run_end(sorted, n, i);
        int64_t number = next[sorted[i].key.level]++;
        size_t teller = i + (size_t)number % (end - i);
        for (size_t k = i; k < end; k++)
            answers[sorted[k].at] = (uint32_t)number << 1 | (k == teller);
    }
    return answers;
}

/* Sends ASKED to the owners and brings their answers back, in the same order. */
static enum ml_status ask_owners(struct ml_team *team, const struct asked *asked, size_t n_levels,
                                 uint32_t **out_answers, int64_t *out_total, struct ml_error *err)
{
    size_t size = (size_t)team->size, n = 0, n_back = 0;
    ML_AUTO_FREE size_t *counts = ml_alloc(size * sizeof *counts);
    ML_AUTO_FREE size_t *back = ml_alloc(size * sizeof *back);
    ML_AUTO_FREE struct ml_key *keys = team->exchange(team, asked->keys, asked->counts, counts);
    enum ml_status status = team->agree(team, ML_OK, err);
    if (status != ML_OK)
        return status;
    for (size_t i = 0; i < size; i++) {
        n += counts[i] / sizeof *keys;
        counts[i] = counts[i] / sizeof *keys * sizeof(uint32_t);
    }
    ML_AUTO_FREE uint32_t *answers = answer(team, keys, n, n_levels, out_total);
    if (!answers)
        status = ml_fail(err, ML_RUN_LOST, "%lld different stacks are more than a file can number",
                         (long long)*out_total);
    status = team->agree(team, status, err);
    if (status != ML_OK)
        return status;
    ML_AUTO_FREE uint32_t *own = team->exchange(team, answers, counts, back);
    for (size_t i = 0; i < size; i++)
        n_back += back[i] / sizeof *own;
    if (n_back != asked->n)
        status = ml_fail(err, ML_RUN_LOST, "stacks were lost between the nodes");
    status = team->agree(team, status, err);
    if (status == ML_OK)
        *out_answers = ML_TAKE_POINTER(own);
    return status;
}

static void note_answers(const struct placed *sorted, size_t n, const struct asked *asked,
                         const uint32_t *answers, struct ml_numbers *numbers)
{
    size_t different = 0;
    for (size_t i = 0, end; i < n; i = end) {
        end = run_end(sorted, n, i);
        uint32_t answer = answers[asked->at[different++]];
        int32_t number = (int32_t)(answer >> 1);
        for (size_t k = i; k < end; k++)
            numbers->of[sorted[k].at] = number;
        if (answer & 1)
            numbers->told[numbers->n_told++] = (struct ml_told){number, sorted[i].at};
    }
}

enum ml_status ml_number_keys(struct ml_team *team, const struct ml_key *keys, size_t n,
                              struct ml_numbers *out_numbers, struct ml_error *err)
{
    *out_numbers = (struct ml_numbers){0};
    int64_t deepest = -1;
    for (size_t i = 0; i < n; i++)
        deepest = keys[i].level > deepest ? keys[i].level : deepest;
    size_t n_levels = (size_t)(team->largest(team, deepest) + 1);
    if (!n_levels)
        return team->agree(team, ML_OK, err);
    struct ml_numbers numbers = {.of = ml_realloc_array(NULL, n + 1, sizeof *numbers.of),
                                 .told = ml_realloc_array(NULL, n + 1, sizeof *numbers.told)};
    ML_AUTO_FREE struct placed *sorted = sort(keys, n);
    struct asked asked = ask(team, sorted, n);
    ML_AUTO_FREE uint32_t *answers = NULL;
    enum ml_status status = ask_owners(team, &asked, n_levels, &answers, &numbers.total, err);
    if (status == ML_OK) {
        note_answers(sorted, n, &asked, answers, &numbers);
        *out_numbers = numbers;
    } else {
        ml_numbers_free(&numbers);
    }
    free_asked(&asked);
    return status;
}

void ml_numbers_free(struct ml_numbers *numbers)
{
    free(numbers->of);
    free(numbers->told);
    *numbers = (struct ml_numbers){0};
}
