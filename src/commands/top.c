/* memlog top: a run that goes on, on the whole screen or as lines. */
#include "commands/top.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "commands/command.h"
#include "commands/read.h"
#include "commands/source.h"
#include "report/text.h"
#include "top/look.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LEAST_NS (100 * ML_NS_PER_MS)

enum { PLAIN, EVERY, NO_COLOR };

static const struct ml_command_option options[] = {
    [PLAIN] = {"plain", 0, NULL, "lines in place of the screen"},
    [EVERY] = {"every", 0, "TIME", "how often to look, 2s, 1min, ...  [2s]"},
    [NO_COLOR] = {"no-color", 0, NULL, "no colours (as does NO_COLOR)"},
    {0},
};

/* "run.h5" of "run.h5.n1.journal"; NULL: no such name. A host's name may have dots:
 * the file ends with .h5, or else one part before. */
static char *file_of(const char *journal)
{
    const char *end = strstr(journal, ".h5.");
    size_t n = strlen(journal), m = strlen(".journal");
    if (n <= m || strcmp(journal + n - m, ".journal") != 0)
        return NULL;
    char *name = ml_strdup(journal);
    name[end ? (size_t)(end - journal) + 3 : n - m] = 0;
    char *dot = end ? NULL : strrchr(name, '.');
    if (dot)
        *dot = 0;
    return name;
}

/* The run of this folder whose journals were written last; NULL: there are none. */
static char *find_running(void)
{
    struct timespec newest = {0};
    char *found = NULL;
    DIR *folder = opendir(".");
    for (struct dirent *e; folder && (e = readdir(folder));) {
        struct stat st;
        ML_AUTO_FREE char *name = file_of(e->d_name);
        if (!name || stat(e->d_name, &st) || st.st_mtim.tv_sec < newest.tv_sec ||
            (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec < newest.tv_nsec))
            continue;
        newest = st.st_mtim;
        free(found);
        found = ML_TAKE_POINTER(name);
    }
    if (folder)
        closedir(folder);
    return found;
}

static enum ml_status say_end(const char *path, struct ml_error *err)
{
    struct ml_run *run;
    struct ml_top_look look;
    char elapsed[24], peak[24];
    enum ml_status status = ml_command_open_run(path, &run, err);
    if (!status)
        status = ml_top_look(run, path, &look, err);
    if (status)
        return status;
    struct ml_buffer state = {0};
    ml_text_append(&state, look.model.state, 200, true);
    printf("%s  ended: %.*s (peak %s)\n",
           ml_elapsed_format(elapsed, sizeof elapsed, look.model.length_ns), (int)state.length,
           state.data, ml_size_format(peak, sizeof peak, look.model.peak_B));
    ml_buffer_free(&state);
    ml_top_look_free(&look);
    return ML_OK;
}

static enum ml_status show_lines(const char *path, int64_t every_ns, struct ml_error *err)
{
    enum ml_status status = ml_read_follow(path, every_ns, err);
    return status ? status : say_end(path, err);
}

static int show(const char *path, int64_t every_ns, bool plain, bool no_color)
{
    struct ml_error err;
    enum ml_status status =
        plain ? show_lines(path, every_ns, &err) : ml_top_show(path, every_ns, no_color, &err);
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    return status ? ML_EXIT_FAILURE : ML_EXIT_OK;
}

static int run_top(const struct ml_command *command, int argc, char **argv)
{
    bool wanted[] = {[PLAIN] = false, [EVERY] = false, [NO_COLOR] = false};
    int64_t every_ns = ML_FOLLOW_NS;
    const char *value;
    struct ml_error why;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        wanted[option] = true;
        if (option == EVERY && (ml_duration_parse(value, &every_ns, &why) || every_ns < LEAST_NS))
            return ml_command_misuse(
                command, "--every '%.80s': write a time from 100ms on, as 2s, 1min", value);
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (argc - optind > 1)
        return ml_command_misuse(command, "one file at a time");
    ML_AUTO_FREE char *found = optind < argc ? ml_strdup(argv[optind]) : find_running();
    if (!found)
        return ml_command_misuse(command, "no run goes on in this folder; name its file");
    return show(found, every_ns, wanted[PLAIN], wanted[NO_COLOR]);
}

const struct ml_command ml_command_top = {
    "top",
    "[FILE]",
    "Watch a job that runs: memory, ranks, nodes",
    "FILE is what memlog-mpi is to write (its journals lie beside it), or has written;\n"
    "without, the run whose journals in this folder were written last. Press h for the\n"
    "keys. The job does not notice: only journals are read.\n"
    "\n"
    "  memlog top run.h5\n"
    "  memlog top --plain run.h5\n",
    options,
    run_top,
};
