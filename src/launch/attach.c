#include "launch/attach.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool ml_attach_take_pid(const char **rest, pid_t *out_pid)
{
    char *end;
    if (**rest < '0' || **rest > '9')
        return false;
    long long pid = strtoll(*rest, &end, 10);
    if (pid <= 0 || pid > INT32_MAX || (*end && *end != ','))
        return false;
    *out_pid = (pid_t)pid;
    *rest = *end ? end + 1 : end;
    return true;
}

static bool is_list_of_pids(const char *text)
{
    pid_t pid;
    bool any = false;
    while (ml_attach_take_pid(&text, &pid))
        any = true;
    return any && !*text;
}

static const char *behind(const char *what, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(what, prefix, n) == 0 ? what + n : NULL;
}

enum ml_status ml_attach_parse(const char *what, struct ml_attach *out, struct ml_error *err)
{
    static const struct {
        const char *prefix;
        enum ml_attach_to to;
    } forms[] = {
        {"job:", ML_ATTACH_TO_JOB}, {"name:", ML_ATTACH_TO_NAME}, {"pid:", ML_ATTACH_TO_PIDS}};
    struct ml_attach attach = {ML_ATTACH_TO_NAME, what};
    if (strcmp(what, ML_ATTACH_OWN_JOB) == 0)
        attach.to = ML_ATTACH_TO_OWN_JOB;
    else if (what[strspn(what, "0123456789,")] == '\0')
        attach.to = ML_ATTACH_TO_PIDS;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *text = behind(what, forms[i].prefix);
        if (text)
            attach = (struct ml_attach){forms[i].to, text};
    }
    if (!*attach.text)
        return ml_fail(err, ML_RUN_LOST, "name what is to be joined: PIDs, a name, or job:ID");
    if (attach.to == ML_ATTACH_TO_PIDS && !is_list_of_pids(attach.text))
        return ml_fail(err, ML_RUN_LOST, "'%.80s' is no list of PIDs: 4711,4712", attach.text);
    *out = attach;
    return ML_OK;
}
