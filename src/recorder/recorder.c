#include "recorder/recorder.h"

#include "assemble/run_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "gather/clock.h"
#include "launch/schedulers.h"
#include "recorder/about.h"
#include "store/team_mpi.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct ml_recorder {
    const struct ml_options *options;
    const struct ml_place *place;
    const struct ml_run_identity *identity;
    const struct ml_joining *joining; /* NULL: we start what is recorded */
    enum ml_form form;
    struct ml_sampler *sampler;
    char *journal; /* path */
    int hold; /* of the journal, so that nobody takes the run for dead before its file is made */
    int64_t journal_B;
    int64_t clock_offset_ns;
};

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

static void put_command(const struct ml_recorder *r, struct ml_journal *j)
{
    ML_AUTO_FREE char *text = ml_join(r->options->command, " ");
    put(j, "command", ML_TEXT, r->joining ? r->joining->command : text);
}

static void put_joined(const struct ml_recorder *r, struct ml_journal *j)
{
    char words[400];
    if (!r->joining)
        return;
    ml_joining_describe(r->joining, words, sizeof words);
    put(j, "attached", ML_TEXT, words);
}

static void put_mpi(struct ml_journal *j)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    ml_about_mpi(version, sizeof version);
    put(j, "mpi", ML_TEXT, version);
}

static void put_run(struct ml_recorder *r, struct ml_journal *j)
{
    ML_AUTO_FREE char *cwd = getcwd(NULL, 0);
    const char *job = ml_scheduler_job();
    char value[4096];
    const char *name;
    put(j, "creator", ML_TEXT, "memlog-mpi " MEMLOG_VERSION);
    put_command(r, j);
    put_joined(r, j);
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

/* The root's journal has all nodes, so that a recovery from some can name the others; each of the
 * others, of which there may be many, the next one, in case that its journal is lost. */
static void put_nodes(struct ml_recorder *r, struct ml_journal *j)
{
    const struct ml_layout *layout = &r->place->layout;
    bool is_root = r->place->host == r->place->root_host;
    for (int i = 0; i < layout->n_nodes; i++) {
        struct ml_node_row row;
        bool next = i == r->place->node + 1;
        if (i == r->place->node || !(is_root || next)) /* the sampler describes its own */
            continue;
        ml_row_clear(&ml_table_nodes, &row);
        row.node = i;
        row.name = layout->nodes[i].name;
        ml_journal_row(j, ML_FRAME_NODE, ml_mono_now().ns, &ml_table_nodes, &row);
    }
}

static void put_clock(struct ml_recorder *r)
{
    struct ml_clock_offset clock = ml_clock_align(r->place->samplers, r->place->root_host);
    r->clock_offset_ns = clock.offset_ns;
    if (r->sampler)
        ml_journal_clock(ml_sampler_journal(r->sampler), clock.local_ns, clock.offset_ns,
                         clock.error_ns);
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
    const struct ml_wanted *join = r->joining ? &r->joining->wanted : NULL;
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
    struct ml_sampler_setup setup = {r->options, node,    layout->nodes[node].name,
                                     plan->mark, join,    r->journal,
                                     header,     starter, ml_source_table};
    enum ml_status status = ml_sampler_open(loop, &setup, &r->sampler, err);
    free(header);
    return status;
}

/* The worst of all sampling ranks' states, and its words. */
static enum ml_status agree(const struct ml_recorder *r, enum ml_status status,
                            struct ml_error *err)
{
    struct ml_team team;
    ml_team_mpi(r->place->samplers, &team);
    return team.agree(&team, status, err);
}

enum ml_status ml_recorder_open(struct ml_loop *loop, const struct ml_options *options,
                                const struct ml_place *place, const struct ml_plan *plan,
                                const struct ml_run_identity *identity,
                                const struct ml_joining *joining, struct ml_starter *starter,
                                struct ml_recorder **out_recorder, struct ml_error *err)
{
    struct ml_recorder *r = ml_alloc(sizeof *r);
    *r = (struct ml_recorder){.options = options,
                              .place = place,
                              .identity = identity,
                              .joining = joining,
                              .form = plan->form,
                              .hold = -1};
    *out_recorder = r;
    enum ml_status status = open_sampler(loop, r, plan, starter, err);
    put_clock(r);
    if (status != ML_OK)
        return status;
    struct ml_journal *j = ml_sampler_journal(r->sampler);
    r->hold = ml_journal_hold(j);
    put_run(r, j);
    put_nodes(r, j);
    return ml_journal_flush(j, err);
}

bool ml_recorder_is_taken(const struct ml_recorder *r)
{
    struct stat s;
    return !r->sampler && lstat(r->journal, &s) == 0;
}

void ml_recorder_abandon(struct ml_recorder *r)
{
    if (r && r->sampler)
        unlink(r->journal);
    ml_recorder_close(r);
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
    char words[256], code[16], rank[16];
    bool as_form_has_it = verdict->cause == ML_CAUSE_NONE && !verdict->refused;
    const char *ended = as_form_has_it ? ml_form_traits(r->form)->ended : words;
    ml_verdict_describe(verdict, words, sizeof words);
    snprintf(code, sizeof code, "%d", ml_verdict_exit_code(verdict));
    if (!r->joining)
        put(j, "exit_code", ML_INT64, code);
    put(j, "verdict", ML_TEXT, ended);
    if (verdict->why.death == ML_DEATH_PLAIN)
        return;
    snprintf(rank, sizeof rank, "%d", verdict->rank);
    put(j, "death", ML_TEXT, ml_death_name(verdict->why.death));
    put(j, "death_rank", ML_INT64, rank);
    put(j, "death_sure", ML_INT64, verdict->why.sure ? "1" : "0");
}

/* ---- the end ---- */

/* Nobody has removed or replaced the journal. */
static bool journal_is_there(const struct ml_recorder *r)
{
    struct stat held, named;
    return fstat(r->hold, &held) == 0 && lstat(r->journal, &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* Whether what HARVEST read is all that was written. */
static enum ml_status check_whole(const struct ml_recorder *r, const struct ml_harvest *harvest,
                                  struct ml_error *err)
{
    if (ml_harvest_read_B(harvest) < r->journal_B)
        return ml_fail(err, ML_SAMPLE_LOST, "a part of %.300s is lost: it was cut or changed",
                       r->journal);
    return ML_OK;
}

/* Reads the journal, by the descriptor where it has lost its name. Errors: the node's record is
 * gone. */
static enum ml_status open_harvest(const struct ml_recorder *r, struct ml_spill *spill,
                                   struct ml_harvest **out_harvest, struct ml_error *err)
{
    ML_AUTO_FREE char *by_hold = ml_format("/proc/self/fd/%d", r->hold);
    struct ml_error why = {{0}};
    if (ml_harvest_open(journal_is_there(r) ? r->journal : by_hold, spill, out_harvest, &why))
        return ml_fail(err, ML_NODE_LOST, "what %.200s held is lost: %.250s", r->journal, why.text);
    return ML_OK;
}

/* HARVEST may be NULL. The journals go before the draft does, which keeps recoveries off. */
static enum ml_status write_file(struct ml_recorder *r, struct ml_harvest *harvest, char **out_path,
                                 struct ml_error *err)
{
    struct ml_team team;
    struct ml_draft *draft;
    bool replace = r->options->force;
    ml_team_mpi(r->place->samplers, &team);
    enum ml_status status =
        ml_draft_open(&team, r->identity->outfile, r->identity->id, ML_DRAFT_WAIT, &draft, err);
    if (status != ML_OK)
        return status;
    status = ml_run_file_write(&team, &harvest, harvest != NULL, NULL, 0, draft, replace, err);
    const char *published = ml_draft_published(draft);
    if (status == ML_OK)
        *out_path = ml_strdup(published);
    if (status == ML_OK && harvest && check_whole(r, harvest, NULL) == ML_OK && journal_is_there(r))
        unlink(r->journal);
    ml_draft_close(draft);
    return status;
}

static void say_recorded(const struct ml_recorder *r, const char *path, const struct ml_error *lack,
                         struct ml_error *out_words)
{
    if (*lack->text)
        ml_fail(out_words, ML_OK, "recorded in %.150s, but %.330s", path, lack->text);
    else if (strcmp(path, r->identity->outfile) != 0)
        ml_fail(out_words, ML_OK, "recorded in %.200s; %.200s was made meanwhile by somebody else",
                path, r->identity->outfile);
    else
        ml_fail(out_words, ML_OK, "recorded in %.400s; see it with memlog read", path);
}

/* LEFT: the journals are all there, and whole. */
static void say_lost(const struct ml_recorder *r, bool left, const struct ml_error *why,
                     struct ml_error *out_words)
{
    if (left)
        ml_fail(out_words, ML_OK,
                "%.300s; the record is in the journals: memlog recover %.120s.*.journal", why->text,
                r->identity->outfile);
    else
        ml_fail(out_words, ML_OK,
                "%.200s; and journals were removed or cut: of %.150s there is no "
                "record, or what memlog recover finds",
                why->text, r->identity->outfile);
}

enum ml_status ml_recorder_finish(struct ml_recorder *r, const struct ml_verdict *verdict,
                                  struct ml_error *out_words)
{
    struct ml_error why = {{0}}, lack = {{0}};
    struct ml_harvest *harvest = NULL;
    ML_AUTO_FREE char *path = NULL;
    put_clock(r);
    put_end(r, verdict);
    r->journal_B = ml_journal_size(ml_sampler_journal(r->sampler));
    ml_sampler_complete(r->sampler);
    struct ml_spill *spill = ml_spill_open(r->journal);
    enum ml_status own = open_harvest(r, spill, &harvest, &lack);
    enum ml_status status = write_file(r, harvest, &path, &why);
    if (own == ML_OK) /* it may have been cut while the file was written from it */
        own = check_whole(r, harvest, &lack);
    enum ml_status worst = agree(r, own, &lack);
    ml_harvest_close(harvest);
    ml_spill_close(spill);
    bool left =
        agree(r, own == ML_OK && journal_is_there(r) ? ML_OK : ML_SAMPLE_LOST, NULL) == ML_OK;
    if (status == ML_OK)
        say_recorded(r, path, &lack, out_words);
    else
        say_lost(r, left, worst == ML_NODE_LOST ? &lack : &why, out_words);
    return status == ML_OK ? worst : status;
}

void ml_recorder_close(struct ml_recorder *r)
{
    if (!r)
        return;
    ml_sampler_close(r->sampler);
    if (r->hold >= 0)
        close(r->hold);
    free(r->journal);
    free(r);
}
