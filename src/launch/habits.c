#include "launch/habits.h"

#include "base/memory.h"

#include <wordexp.h>

const struct ml_habit ml_habits[ML_HABITS] = {
    {"run", true, NULL},
    {"pbs", false, NULL},    /* the nodes are those of $PBS_NODEFILE, wherever there is one */
    {"stdout", false, NULL}, /* output is recorded unless --no-stdout says otherwise */
    {"read", true, "memlog read %s"},
    {"plot", true, "memlog plot %s"},
};

enum ml_status ml_habit_run(const char *text, char ***out_words, bool *out_shell,
                            struct ml_error *err)
{
    wordexp_t split;
    int code = wordexp(text, &split, WRDE_NOCMD | WRDE_UNDEF);
    *out_shell = code != 0;
    if (code == 0 && split.we_wordc) {
        *out_words = split.we_wordv;
        return ML_OK;
    }
    if (code == WRDE_SYNTAX || code == 0)
        return ml_fail(err, ML_RUN_LOST, "--run '%.200s': %s", text,
                       code ? "a quote or a bracket is open" : "no command");
    char **words = ml_alloc(4 * sizeof *words);
    words[0] = ml_strdup("sh");
    words[1] = ml_strdup("-c");
    words[2] = ml_strdup(text);
    *out_words = words;
    return ML_OK;
}
