/* memlog doctor: whether memlog can record here, and what is missing. */
#include "doctor/doctor.h"
#include "base/buffer.h"
#include "base/log.h"
#include "commands/command.h"
#include "report/text.h"
#include "store/store.h"
#include "version.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { JSON };

static const struct ml_command_option options[] = {
    [JSON] = {"json", 0, NULL, "for scripts"},
    {0},
};

/* Other programs' words are among them. */
static void put(struct ml_buffer *out, const char *text)
{
    ml_text_append(out, text, INT_MAX / 2, strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
}

static void put_finding(struct ml_buffer *out, const struct ml_finding *f)
{
    ml_buffer_printf(out, "%-8s %-15s ", ml_finding_word(f->state), f->name);
    put(out, f->found);
    if (*f->remedy) {
        ml_buffer_printf(out, "; ");
        put(out, f->remedy);
    }
    ml_buffer_printf(out, "\n");
}

static void put_text(struct ml_buffer *out, const struct ml_findings *findings, const char *system)
{
    ml_buffer_printf(out, "memlog %s on ", MEMLOG_VERSION);
    put(out, system);
    ml_buffer_printf(out, "\n\n");
    for (size_t i = 0; i < findings->n; i++)
        put_finding(out, &findings->list[i]);
    ml_buffer_printf(out, "\n%s\n",
                     ml_findings_can_record(findings)
                         ? "memlog can record here."
                         : "memlog cannot record here: something that it needs is missing.");
}

static int print(const struct ml_buffer *out)
{
    if (fwrite(out->data, 1, out->length, stdout) == out->length && fflush(stdout) == 0)
        return ML_EXIT_OK;
    ml_log(ML_LOG_ERROR, "write to standard output: %s", strerror(errno));
    return ML_EXIT_FAILURE;
}

static int diagnose(bool json)
{
    struct ml_findings findings;
    struct ml_buffer out = {0};
    char hdf5[40], system[300];
    ml_store_library(hdf5, sizeof hdf5);
    ml_doctor_system(system, sizeof system);
    ml_doctor_look(hdf5, &findings);
    if (json)
        ml_doctor_json(&findings, system, &out);
    else
        put_text(&out, &findings, system);
    int code = print(&out);
    if (!ml_findings_can_record(&findings))
        code = ML_EXIT_FAILURE;
    ml_buffer_free(&out);
    ml_findings_free(&findings);
    return code;
}

static int run_doctor(const struct ml_command *command, int argc, char **argv)
{
    const char *value;
    bool json = false;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0)
        json |= option == JSON;
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (optind < argc)
        return ml_command_misuse(command, "'%.80s': it takes no file", argv[optind]);
    return diagnose(json);
}

const struct ml_command ml_command_doctor = {
    "doctor",
    "",
    "Say what is missing to record here",
    "A line for each thing: ok, note (something cannot be had) or missing, and what\n"
    "to do. Exit code 1 if something that recording needs is missing.\n"
    "\n"
    "  memlog doctor\n"
    "  mpiexec --map-by ppr:1:node memlog doctor   on each node of a job\n",
    options,
    run_doctor,
};
