#include "world/pmi1_wire.h"

#include <string.h>

bool ml_pmi1_parse(char *line, struct ml_pmi1_command *out)
{
    *out = (struct ml_pmi1_command){0};
    char *cursor = line;
    while (out->n_words < ML_PMI1_MAX_WORDS) {
        cursor += strspn(cursor, " \r");
        char *equals = cursor + strcspn(cursor, "= ");
        if (*cursor == 0)
            break;
        if (*equals != '=')
            return false;
        *equals = 0;
        char *value = equals + 1;
        bool to_the_end = strcmp(cursor, "value") == 0;
        char *end = to_the_end ? value + strlen(value) : value + strcspn(value, " ");
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
