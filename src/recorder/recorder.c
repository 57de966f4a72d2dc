#include "recorder/recorder.h"

#include "assemble/run_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "gather/clock.h"
#include "launch/schedulers.h"
#include "store/team_mpi.h"
#include "version.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct ml_recorder {
    const struct ml_options *options;
    const struct ml_place *place;
    const struct ml_run_identity *identity;
    struct ml_sampler *sampler;
    char *journal; /* path */
    int64_t clock_offset_ns;
};

/* "memlog-1234.pbs.h5" in a PBS job, else by date and time. */
static void default_name(char *out, size_t size)
{
    const char *job = ml_scheduler_job();
    time_t now = time(NULL);
    struct tm tm;
    if (job && !strchr(job, '/'))
        snprintf(out, size, "memlog-%s.h5", job);
    else
        strftime(out, size, "memlog-%Y%m%d-%H%M%S.h5", localtime_r(&now, &tm));
}

static enum ml_status check_folder(const char *folder, const char *purpose, struct ml_error *err)
{
    struct stat s;
    if (stat(folder, &s))
        return ml_fail_errno(err, ML_RUN_LOST, "%s: folder %.300s", purpose, folder);
    if (!S_ISDIR(s.st_mode))
        return ml_fail(err, ML_RUN_LOST, "%s: %.300s is no folder", purpose, folder);
    if (access(folder, W_OK | X_OK))
        return ml_fail_errno(err, ML_RUN_LOST, "%s: write in folder %.300s", purpose, folder);
    return ML_OK;
}

/* A journal that an earlier run of the same FILE left is all that there is of that run. */
static enum ml_status check_journals(const char *folder, const char *file, struct ml_error *err)
{
    size_t n = strlen(file);
    enum ml_status status = ML_OK;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir && status == ML_OK && (e = readdir(dir));) {
        size_t length = strlen(e->d_name);
        bool ours = strncmp(e->d_name, file, n) == 0 && e->d_name[n] == '.' && length > n + 8 &&
                    strcmp(e->d_name + length - 8, ".journal") == 0;
        if (ours)
            status = ml_fail(err, ML_RUN_LOST,
                             "%.200s/%.200s is the record of an earlier run; keep it with memlog "
                             "recover, remove it, or --force",
                             folder, e->d_name);
    }
    if (dir)
        closedir(dir);
    return status;
}

enum ml_status ml_recorder_check_outfile(const struct ml_options *options, char *out, size_t size,
                                         struct ml_error *err)
{
    char name[512], folder[4096];
    default_name(name, sizeof name);
    const char *wanted = *options->outfile ? options->outfile : name;
    ML_AUTO_FREE char *cwd = getcwd(NULL, 0);
    int n = *wanted == '/' ? snprintf(out, size, "%s", wanted)
                           : snprintf(out, size, "%s/%s", cwd ? cwd : ".", wanted);
    if (n < 0 || (size_t)n >= size || (size_t)n >= sizeof folder)
        return ml_fail(err, ML_RUN_LOST, "--outfile: the path is too long");
    snprintf(folder, sizeof folder, "%s", out);
    const char *beside = dirname(folder);
    const char *journals = *options->journal_dir ? options->journal_dir : beside;
    enum ml_status status = check_folder(beside, "--outfile", err);
    if (status == ML_OK && journals != beside)
        status = check_folder(journals, "--journal-dir", err);
    if (status == ML_OK && !options->force)
        status = check_journals(journals, strrchr(out, '/') + 1, err);
    struct stat s;
    if (status == ML_OK && lstat(out, &s) == 0 && !options->force)
        status =
            ml_fail(err, ML_RUN_LOST,
                    "%.400s is there already; remove it, name another with -o, or --force", out);
    else if (status == ML_OK && stat(out, &s) == 0 && S_ISDIR(s.st_mode))
        status = ml_fail(err, ML_RUN_LOST, "--outfile: %.400s is a folder", out);
    return status;
}

void ml_recorder_identify(struct ml_run_identity *identity, int rank)
{
    if (rank == 0) {
        unsigned char random[8];
        if (getrandom(random, sizeof random, 0) != sizeof random)
            snprintf((char *)random, sizeof random, "%d", (int)getpid());
        for (size_t i = 0; i < sizeof random; i++)
            snprintf(identity->id + 2 * i, 3, "%02x", random[i]);
        identity->origin_ns = ml_mono_now().ns;
        identity->origin_wall = ml_wall_now().ns;
    }
    MPI_Bcast(identity, sizeof *identity, MPI_BYTE, 0, MPI_COMM_WORLD);
}

/* ---- the journal's beginning ---- */

static void put(struct ml_journal *j, const char *name, enum ml_kind kind, const char *text)
{
    struct ml_attribute a = {name, kind, text};
    ml_journal_attribute(j, ml_mono_now().ns, &a);
}

static void put_command(struct ml_journal *j, char *const *command)
{
    struct ml_buffer text = {0};
    for (char *const *word = command; *word; word++)
        ml_buffer_printf(&text, "%s%s", word == command ? "" : " ", *word);
    ml_buffer_append(&text, "", 1);
    put(j, "command", ML_TEXT, text.data);
    ml_buffer_free(&text);
}

static void put_mpi(struct ml_journal *j)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int n;
    MPI_Get_library_version(version, &n);
    version[strcspn(version, ",\n")] = 0;
    for (char *p = version; *p; p++) {
        if (*p == '\t')
            *p = ' ';
    }
    put(j, "mpi", ML_TEXT, version);
}

static void put_run(struct ml_recorder *r, struct ml_journal *j)
{
    ML_AUTO_FREE char *cwd = getcwd(NULL, 0);
    const char *job = ml_scheduler_job();
    char value[4096];
    const char *name;
    put(j, "creator", ML_TEXT, "memlog-mpi " MEMLOG_VERSION);
    put_command(j, r->options->command);
    put(j, "directory", ML_TEXT, cwd ? cwd : "");
    put(j, "job_id", ML_TEXT, job ? job : "");
    put_mpi(j);
    for (size_t i = 0; ml_options_attribute(r->options, i, &name, value, sizeof value); i++) {
        ML_AUTO_FREE char *attribute = ml_format("option_%s", name);
        for (char *p = attribute; *p; p++) {
            if (*p == '-')
                *p = '_';
        }
        put(j, attribute, ML_TEXT, value);
    }
}

/* Every journal knows all nodes, so that a recovery from some of them can name the others. */
static void put_nodes(struct ml_recorder *r, struct ml_journal *j)
{
    const struct ml_layout *layout = &r->place->layout;
    for (int i = 0; i < layout->n_nodes; i++) {
        struct ml_node_row row;
        if (i == r->place->node)
            continue; /* the sampler describes it */
        ml_row_clear(&ml_table_nodes, &row);
        row.node = i;
        row.name = layout->nodes[i].name;
        ml_journal_row(j, ML_FRAME_NODE, ml_mono_now().ns, &ml_table_nodes, &row);
    }
}

static void put_clock(struct ml_recorder *r)
{
    int64_t local, offset, error;
    ml_clock_align(r->place->samplers, r->place->root_host, &local, &offset, &error);
    r->clock_offset_ns = offset;
    if (r->sampler)
        ml_journal_clock(ml_sampler_journal(r->sampler), local, offset, error);
}

static bool name_is_shared(const struct ml_layout *layout, int node)
{
    for (int i = 0; i < layout->n_nodes; i++) {
        if (i != node && strcmp(layout->nodes[i].name, layout->nodes[node].name) == 0)
            return true;
    }
    return false;
}

static enum ml_status open_sampler(struct ml_loop *loop, struct ml_recorder *r,
                                   const struct ml_plan *plan, struct ml_starter *starter,
                                   struct ml_error *err)
{
    const struct ml_layout *layout = &r->place->layout;
    int node = r->place->node;
    struct ml_journal_header *header = ml_alloc(sizeof *header);
    *header = (struct ml_journal_header){.node = node,
                                         .n_nodes = layout->n_nodes,
                                         .root = r->place->host == r->place->root_host,
                                         .origin_ns = r->identity->origin_ns,
                                         .origin_wall = r->identity->origin_wall};
    snprintf(header->run, sizeof header->run, "%s", r->identity->id);
    snprintf(header->outfile, sizeof header->outfile, "%s", r->identity->outfile);
    const char *folder = *r->options->journal_dir ? r->options->journal_dir : NULL;
    r->journal = ml_journal_name(folder, r->identity->outfile, layout->nodes[node].name,
                                 name_is_shared(layout, node) ? node : -1);
    struct ml_sampler_setup setup = {r->options, node,           layout->nodes[node].name,
                                     plan->mark, r->journal,     header,
                                     starter,    ml_source_table};
    enum ml_status status = ml_sampler_open(loop, &setup, &r->sampler, err);
    free(header);
    return status;
}

/* The worst of all sampling ranks' states, with its words, for all. */
static enum ml_status agree(const struct ml_recorder *r, enum ml_status status,
                            struct ml_error *err)
{
    struct ml_team team;
    ml_team_mpi(r->place->samplers, &team);
    return team.agree(&team, status, err);
}

enum ml_status ml_recorder_open(struct ml_loop *loop, const struct ml_options *options,
                                const struct ml_place *place, const struct ml_plan *plan,
                                const struct ml_run_identity *identity, struct ml_starter *starter,
                                struct ml_recorder **out_recorder, struct ml_error *err)
{
    struct ml_recorder *r = ml_alloc(sizeof *r);
    *r = (struct ml_recorder){.options = options, .place = place, .identity = identity};
    enum ml_status status = open_sampler(loop, r, plan, starter, err);
    put_clock(r);
    status = agree(r, status, err);
    if (status != ML_OK) {
        if (r->sampler)
            unlink(r->journal);
        ml_recorder_close(r);
        return status;
    }
    struct ml_journal *j = ml_sampler_journal(r->sampler);
    put_run(r, j);
    put_nodes(r, j);
    status = ml_journal_flush(j, err);
    *out_recorder = r;
    return status;
}

struct ml_sampler *ml_recorder_sampler(struct ml_recorder *r)
{
    return r->sampler;
}

int64_t ml_recorder_clock_offset(const struct ml_recorder *r)
{
    return r->clock_offset_ns;
}

static void put_end(struct ml_recorder *r, const struct ml_verdict *verdict)
{
    struct ml_journal *j = ml_sampler_journal(r->sampler);
    char words[256], code[16];
    ml_verdict_describe(verdict, words, sizeof words);
    snprintf(code, sizeof code, "%d", ml_verdict_exit_code(verdict));
    put(j, "exit_code", ML_INT64, code);
    put(j, "verdict", ML_TEXT, words);
}

static enum ml_status write_file(struct ml_recorder *r, struct ml_error *err)
{
    struct ml_team team;
    struct ml_harvest *harvest = NULL;
    ml_team_mpi(r->place->samplers, &team);
    enum ml_status status = ml_harvest_open(r->journal, &harvest, NULL, err);
    status = team.agree(&team, status, err);
    if (status == ML_OK)
        status = ml_run_file_write(&team, &harvest, 1, NULL, 0, r->identity->outfile, err);
    ml_harvest_close(harvest);
    return status;
}

enum ml_status ml_recorder_finish(struct ml_recorder *r, const struct ml_verdict *verdict,
                                  struct ml_error *err)
{
    struct ml_error why;
    put_clock(r);
    put_end(r, verdict);
    ml_sampler_complete(r->sampler);
    enum ml_status status = write_file(r, &why);
    if (status == ML_OK)
        unlink(r->journal);
    else
        ml_fail(err, status,
                "%.300s; the record is in the journals: memlog recover %.120s.*.journal", why.text,
                r->identity->outfile);
    return status;
}

void ml_recorder_close(struct ml_recorder *r)
{
    if (!r)
        return;
    ml_sampler_close(r->sampler);
    free(r->journal);
    free(r);
}
