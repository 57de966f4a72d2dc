#include "world/pmi1_wire.h"

#include <string.h>

/* A value that may hold blanks is the last one of its line: what is put, and the text of an abort
 * (MPICH since 4.1: "message"; of other clients of PMI-1: "error_msg"). */
static bool reaches_the_end(const char *key)
{
    static const char *const keys[] = {"value", "message", "error_msg"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i]) == 0)
            return true;
    }
    return false;
}

bool ml_pmi1_parse(char *line, struct ml_pmi1_command *out)
{
    *out = (struct ml_pmi1_command){0};
    char *cursor = line;
    bool is_abort = strncmp(line, "cmd=abort", strlen("cmd=abort")) == 0;
    while (out->n_words < ML_PMI1_MAX_WORDS) {
        cursor += strspn(cursor, " \r");
        char *equals = cursor + strcspn(cursor, "= ");
        if (*cursor == 0)
            break;
        if (*equals != '=' && is_abort)
            break;
        if (*equals != '=')
            return false;
        *equals = 0;
        char *value = equals + 1;
        char *end = value + (reaches_the_end(cursor) ? strlen(value) : strcspn(value, " "));
        out->words[out->n_words].key = cursor;
        out->words[out->n_words++].value = value;
        cursor = *end ? end + 1 : end;
        *end = 0;
    }
    out->name = ml_pmi1_word(out, "cmd");
    if (!out->name)
        out->name = ml_pmi1_word(out, "mcmd");
    return out->name != NULL;
}

const char *ml_pmi1_word(const struct ml_pmi1_command *command, const char *key)
{
    for (size_t i = 0; i < command->n_words; i++) {
        if (strcmp(command->words[i].key, key) == 0)
            return command->words[i].value;
    }
    return NULL;
}
