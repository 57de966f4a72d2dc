#include "node/names.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct ml_name *ml_names_find(const struct ml_names *names, const char *text)
{
    uint32_t number = names ? ml_intern_find(&names->texts, text, strlen(text)) : ML_INTERN_NONE;
    return number == ML_INTERN_NONE ? NULL : &names->list[number];
}

struct ml_name *ml_names_add(struct ml_names *names, const char *text, int host)
{
    size_t number = ml_intern_add(&names->texts, text, strlen(text));
    ML_GROW(names->list, number, names->capacity);
    names->list[number] = (struct ml_name){.host = host};
    return &names->list[number];
}

void ml_names_close(struct ml_names *names)
{
    if (!names)
        return;
    ml_intern_free(&names->texts);
    free(names->list);
    free(names);
}
