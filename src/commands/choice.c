#include "commands/choice.h"

#include "commands/time.h"
#include "read/heap.h"

#include <string.h>

static enum ml_status find_trigger(const char *name, int *out, struct ml_error *err)
{
    *out = 0;
    if (!name)
        return ML_OK;
    for (const struct ml_code *c = ml_trigger_codes; c->meaning; c++) {
        if (strcmp(c->meaning, name) == 0)
            *out = c->value;
    }
    return *out ? ML_OK
                : ml_fail(err, ML_RUN_LOST,
                          "'%.80s' is no trigger; write interval, growth, signal or low_memory",
                          name);
}

enum ml_status ml_command_choose(const struct ml_command_choice *given, int64_t origin_wall_ns,
                                 struct ml_ranges *out_ranks, struct ml_stacks_choice *out_choice,
                                 struct ml_error *err)
{
    struct ml_stacks_choice choice = {.since_ns = INT64_MIN, .until_ns = INT64_MAX};
    struct ml_ranges ranks = {0};
    enum ml_status status = ml_command_time(given->since, origin_wall_ns, &choice.since_ns, err);
    if (!status)
        status = ml_command_time(given->until, origin_wall_ns, &choice.until_ns, err);
    if (!status && choice.since_ns > choice.until_ns)
        status = ml_fail(err, ML_RUN_LOST, "--since %.80s is after --until %.80s", given->since,
                         given->until);
    if (!status)
        status = find_trigger(given->trigger, &choice.trigger, err);
    if (!status && given->rank)
        status = ml_ranges_parse(given->rank, &ranks, err);
    if (status)
        return status;
    *out_ranks = ranks;
    choice.ranks = given->rank ? out_ranks : NULL;
    *out_choice = choice;
    return ML_OK;
}

enum ml_status ml_command_moment(const char *text, int64_t origin_wall_ns, int64_t peak_ns,
                                 int64_t *out_ns, struct ml_error *err)
{
    struct ml_error why;
    if (!text || strcmp(text, "peak") == 0)
        *out_ns = peak_ns;
    else if (strcmp(text, "end") == 0)
        *out_ns = ML_HEAP_AT_END;
    else if (ml_command_time(text, origin_wall_ns, out_ns, &why))
        return ml_fail(err, ML_RUN_LOST, "--at '%.80s': write peak, end, or a time: 90s, 1:30",
                       text);
    return ML_OK;
}

/* --since and --until are checked apart: a date and a time since the start can be compared only
 * when the start is known. */
enum ml_status ml_command_check_choice(const struct ml_command_choice *given, struct ml_error *err)
{
    const struct ml_command_choice parts[] = {
        {.rank = given->rank, .since = given->since},
        {.trigger = given->trigger, .until = given->until},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct ml_ranges ranks;
        struct ml_stacks_choice choice;
        enum ml_status status = ml_command_choose(&parts[i], 0, &ranks, &choice, err);
        if (status)
            return status;
        ml_ranges_free(&ranks);
    }
    return ML_OK;
}
