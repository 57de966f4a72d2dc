#include "flavour/program.h"

#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, EACCES or ENOENT for one candidate. */
static int try_program(const char *path)
{
    struct stat s;
    if (stat(path, &s))
        return errno == EACCES ? EACCES : ENOENT;
    return S_ISREG(s.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

/* PATH, if relative as seen from FOLDER. Takes PATH over. */
static char *from(const char *folder, char *path)
{
    if (!folder || *path == '/')
        return path;
    char *joined = ml_format("%s/%s", folder, path);
    free(path);
    return joined;
}

/* Takes CANDIDATE over. */
static int take(char *candidate, char **out_path)
{
    int error = try_program(candidate);
    if (error == 0)
        *out_path = candidate;
    else
        free(candidate);
    return error;
}

int ml_program_find(const char *command, const char *folder, char **out_path)
{
    if (strchr(command, '/'))
        return take(from(folder, ml_strdup(command)), out_path);
    const char *path = getenv("PATH");
    ML_AUTO_FREE char *copy = ml_strdup(path ? path : "/bin:/usr/bin");
    int worst = ENOENT;
    for (char *rest = copy, *place; (place = strsep(&rest, ":"));) {
        int error = take(from(folder, ml_format("%s/%s", *place ? place : ".", command)), out_path);
        if (error == 0)
            return 0;
        if (error == EACCES)
            worst = EACCES;
    }
    return worst;
}

char *ml_program_name(const char *command, const char *folder, bool here_too)
{
    ML_AUTO_FREE char *path = NULL, *beside = NULL;
    ML_AUTO_FREE char *here = ml_format("./%s", command);
    bool found = !here_too || strchr(command, '/') || ml_program_find(command, folder, &path) == 0;
    return ml_strdup(!found && ml_program_find(here, folder, &beside) == 0 ? here : command);
}
