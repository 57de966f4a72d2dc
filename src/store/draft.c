#include "store/draft.h"

#include "base/hold.h"
#include "base/memory.h"
#include "base/own.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD "record.h5"
#define HELD "held" /* by the writer, for as long as it lives */
#define MAGIC "memlog draft "
#define BASE_MAX 160 /* of FILE's name in the folder's, which has to stay under 256 bytes */
#define NAMES_MAX 10000
#define PAUSE_US 10000

struct ml_draft {
    struct ml_team *team;
    char *path, *base; /* FILE, and its name in the folder that it goes to */
    char *name;        /* of the folder of the draft */
    char *file;
    char *published;
    int beside, folder, held;
    bool made; /* by this member */
};

/* What came of the removal of somebody's draft. */
enum fate { GONE, LIVES, IN_DOUBT };

/* ---- whose writers are gone ---- */

/* Locks are seen by all processes of one boot of one node, however far the file system is. */
static void read_boot(char *out, size_t size)
{
    *out = 0;
    ML_AUTO_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    out[n > 0 ? n : 0] = 0;
}

static bool is_of_this_boot(const char *words)
{
    char boot[64];
    read_boot(boot, sizeof boot);
    return *boot && strcmp(words + strlen(MAGIC), boot) == 0;
}

/* Takes the hold of a writer that is gone over. */
static enum fate take_over(int held, bool force)
{
    char words[128];
    struct stat st;
    ssize_t n = pread(held, words, sizeof words - 1, 0);
    words[n > 0 ? n : 0] = 0;
    enum ml_hold hold = ml_hold_of(held);
    if (hold == ML_HOLD_HELD)
        return LIVES;
    bool known = strncmp(words, MAGIC, strlen(MAGIC)) == 0 &&
                 (hold == ML_HOLD_FREE || is_of_this_boot(words));
    if (!known && !force)
        return IN_DOUBT;
    if (!ml_hold_take(held) && (!force || errno == EAGAIN || errno == EACCES))
        return errno == EAGAIN || errno == EACCES ? LIVES : IN_DOUBT;
    return fstat(held, &st) == 0 && st.st_nlink > 0 ? GONE : IN_DOUBT;
}

/* The file, and what MPI-IO has beside it; the hold at last. */
static void empty(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (strncmp(e->d_name, RECORD, strlen(RECORD)) == 0)
            unlinkat(folder, e->d_name, 0);
    }
    if (dir)
        closedir(dir);
    unlinkat(folder, HELD, 0);
}

static enum fate clear(int beside, const char *name, bool force)
{
    ML_AUTO_FD int folder = openat(beside, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT ? GONE : IN_DOUBT;
    ML_AUTO_FD int held = openat(folder, HELD, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (held < 0 && !force)
        return IN_DOUBT;
    if (held >= 0) {
        enum fate fate = take_over(held, force);
        if (fate != GONE)
            return fate;
        empty(folder);
    }
    return unlinkat(beside, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? GONE : IN_DOUBT;
}

static bool is_id(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    return n && !text[n];
}

/* What dead runs left of their drafts of this FILE. Where that is in doubt it is left, but with
 * FORCE what is of this run. */
static void clear_others(const struct ml_draft *d, bool force)
{
    ML_AUTO_FREE char *prefix = ml_format(".%.*s.", BASE_MAX, d->base);
    int fd = openat(d->beside, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && is_id(e->d_name + strlen(prefix)) &&
            strcmp(e->d_name, d->name) != 0)
            clear(d->beside, e->d_name, force && strncmp(e->d_name, d->name, strlen(d->name)) == 0);
    }
    if (dir)
        closedir(dir);
}

/* ---- the folder ---- */

/* Gives the folder NAME, which is held already, the name that only one can have. */
static enum ml_status claim_name(struct ml_draft *d, const char *name, enum ml_draft_claim claim,
                                 struct ml_error *err)
{
    static const int tries[] = {
        [ML_DRAFT_ASK] = 100, [ML_DRAFT_WAIT] = 3000, [ML_DRAFT_FORCE] = 100};
    enum fate fate = GONE;
    for (int i = 0; i < tries[claim]; i++) {
        if (renameat(d->beside, name, d->beside, d->name) == 0)
            return ML_OK;
        if (errno != EEXIST && errno != ENOTEMPTY)
            return ml_fail_errno(err, ML_RUN_LOST, "%.300s: make the folder %.100s beside it",
                                 d->path, d->name);
        fate = clear(d->beside, d->name, claim == ML_DRAFT_FORCE);
        if (fate != GONE)
            usleep(PAUSE_US);
    }
    if (fate == LIVES)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s is just being made of this record by another process; wait for it",
                       d->path);
    return ml_fail(err, ML_RUN_LOST,
                   "%.200s: the folder %.100s beside it is of another process that makes it, or of "
                   "one that died on another node; remove the folder if none does",
                   d->path, d->name);
}

/* The hold first: before it has words nobody takes its writer for dead. */
static bool hold_folder(struct ml_draft *d)
{
    char boot[64];
    d->held = openat(d->folder, HELD, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (d->held < 0)
        return false;
    read_boot(boot, sizeof boot);
    ML_AUTO_FREE char *words =
        ml_format("%s%s", MAGIC, ml_hold_take(d->held) ? boot : "without locks");
    return write(d->held, words, strlen(words)) == (ssize_t)strlen(words);
}

/* It is held before it has its name, so that whoever dies here leaves no folder of that name of
 * which nobody knows whose it is. */
static enum ml_status make_folder(struct ml_draft *d, enum ml_draft_claim claim,
                                  struct ml_error *err)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s: random bytes", d->path);
    ML_AUTO_FREE char *name = ml_format("%s_%016llx", d->name, (unsigned long long)number);
    if (mkdirat(d->beside, name, 0700) < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s: make the folder %.100s beside it", d->path,
                             name);
    d->folder = openat(d->beside, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    enum ml_status status =
        d->folder >= 0 && hold_folder(d)
            ? claim_name(d, name, claim, err)
            : ml_fail_errno(err, ML_RUN_LOST, "%.300s: write in the folder %.100s beside it",
                            d->path, name);
    if (status != ML_OK) {
        if (d->folder >= 0)
            unlinkat(d->folder, HELD, 0);
        unlinkat(d->beside, name, AT_REMOVEDIR);
    }
    return status;
}

/* The bytes by which the other members know the file. */
struct token {
    unsigned char bytes[16];
};

static enum ml_status make(struct ml_draft *d, enum ml_draft_claim claim, struct token *out_token,
                           struct ml_error *err)
{
    clear_others(d, claim == ML_DRAFT_FORCE);
    enum ml_status status = make_folder(d, claim, err);
    if (status != ML_OK)
        return status;
    d->made = true;
    ML_AUTO_FD int fd =
        openat(d->folder, RECORD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0 || getrandom(out_token, sizeof *out_token, 0) != sizeof *out_token ||
        write(fd, out_token, sizeof *out_token) != sizeof *out_token)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s: create", d->path);
    return ML_OK;
}

/* Another member opens what member 0 has made, and nothing that was put in its place. */
static enum ml_status open_made(struct ml_draft *d, const struct token *token, struct ml_error *err)
{
    struct token found;
    d->folder = openat(d->beside, d->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    ML_AUTO_FD int fd =
        d->folder < 0 ? -1 : openat(d->folder, RECORD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "%.300s: open the folder %.100s beside it", d->path,
                             d->name);
    if (read(fd, &found, sizeof found) != sizeof found || memcmp(&found, token, sizeof found) != 0)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: the folder %.100s beside it is not the one that was made; is the "
                       "folder another one on this node?",
                       d->path, d->name);
    return ML_OK;
}

/* An id comes from a journal: nothing in it may lead elsewhere. */
static char *name_folder(const char *base, const char *run)
{
    char *name = ml_format(".%.*s.%.60s", BASE_MAX, base, *run ? run : "_");
    for (char *c = name + strlen(name) - strnlen(run, 60); *c; c++) {
        if (!isalnum((unsigned char)*c))
            *c = '_';
    }
    return name;
}

static enum ml_status open_beside(struct ml_draft *d, struct ml_error *err)
{
    int n = (int)(strlen(d->path) - strlen(d->base));
    ML_AUTO_FREE char *parent = ml_format("%.*s", n, d->path);
    d->beside = open(*parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->beside < 0)
        return ml_fail_errno(err, ML_RUN_LOST, "%.400s: open its folder", d->path);
    return ML_OK;
}

enum ml_status ml_draft_open(struct ml_team *team, const char *path, const char *run,
                             enum ml_draft_claim claim, struct ml_draft **out_draft,
                             struct ml_error *err)
{
    struct ml_draft *d = ml_alloc(sizeof *d);
    const char *slash = strrchr(path, '/');
    *d = (struct ml_draft){.team = team, .beside = -1, .folder = -1, .held = -1};
    d->path = ml_strdup(path);
    d->base = ml_strdup(slash ? slash + 1 : path);
    d->name = name_folder(d->base, run);
    struct token token = {{0}};
    enum ml_status status = open_beside(d, err);
    if (status == ML_OK && team->member == 0)
        status = make(d, claim, &token, err);
    status = team->agree(team, status, err);
    team->broadcast(team, 0, &token, sizeof token);
    if (status == ML_OK && team->member != 0)
        status = open_made(d, &token, err);
    status = team->agree(team, status, err);
    if (status != ML_OK) {
        ml_draft_close(d);
        return status;
    }
    d->file = ml_format("/proc/self/fd/%d/" RECORD, d->folder);
    *out_draft = d;
    return ML_OK;
}

const char *ml_draft_file(const struct ml_draft *draft)
{
    return draft->file;
}

const char *ml_draft_path(const struct ml_draft *draft)
{
    return draft->path;
}

/* ---- its name ---- */

/* The NUMBER-th name: "run.h5", "run-2.h5", "run-3.h5". */
static char *free_name(const char *base, int number)
{
    const char *dot = strrchr(base, '.');
    size_t stem = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return number < 2 ? ml_strdup(base)
                      : ml_format("%.*s-%d%s", (int)stem, base, number, base + stem);
}

static bool is_named(const struct ml_draft *d, const char *name)
{
    struct stat file, other;
    return fstatat(d->folder, RECORD, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(d->beside, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
           file.st_ino == other.st_ino && file.st_dev == other.st_dev;
}

/* Without links and without RENAME_NOREPLACE (NFS of a server that has no links): an empty file
 * takes the name, which only one can make, and is replaced. */
static bool replace_own(const struct ml_draft *d, const char *name)
{
    ML_AUTO_FD int fd =
        openat(d->beside, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    if (renameat(d->folder, RECORD, d->beside, name) == 0)
        return true;
    int why = errno;
    unlinkat(d->beside, name, 0);
    errno = why;
    return false;
}

/* False with EEXIST: the name is taken. */
static bool name_new(const struct ml_draft *d, const char *name)
{
    /* An NFS server whose answer was lost is asked again, and then finds the link that it made. */
    if (linkat(d->folder, RECORD, d->beside, name, 0) == 0 || is_named(d, name))
        return true;
    if (errno == EEXIST)
        return false;
    if (renameat2(d->folder, RECORD, d->beside, name, RENAME_NOREPLACE) == 0)
        return true;
    return errno != EEXIST && replace_own(d, name);
}

enum ml_status ml_draft_publish(struct ml_draft *draft, bool replace, struct ml_error *err)
{
    ML_AUTO_FREE char *name = NULL;
    bool named = replace && renameat(draft->folder, RECORD, draft->beside, draft->base) == 0;
    if (named)
        name = ml_strdup(draft->base);
    errno = EEXIST; /* what is not replaced has the name: a folder */
    for (int number = 1; !named && errno == EEXIST && number < NAMES_MAX; number++) {
        free(name);
        name = free_name(draft->base, number);
        named = name_new(draft, name);
    }
    if (!named)
        return ml_fail_errno(err, ML_RUN_LOST, "%.400s: give the file its name", draft->path);
    size_t parent = strlen(draft->path) - strlen(draft->base);
    draft->published = ml_format("%.*s%s", (int)parent, draft->path, name);
    if (fsync(draft->beside) < 0 && errno != EINVAL) /* EINVAL: cannot be synced */
        return ml_fail_errno(err, ML_RUN_LOST, "%.400s: fsync its folder", draft->published);
    return ML_OK;
}

const char *ml_draft_published(struct ml_draft *draft)
{
    struct ml_team *team = draft->team;
    int64_t n = draft->published ? (int64_t)strlen(draft->published) + 1 : 0;
    team->broadcast(team, 0, &n, sizeof n);
    if (n && team->member != 0) {
        free(draft->published);
        draft->published = ml_alloc((size_t)n);
    }
    if (n)
        team->broadcast(team, 0, draft->published, (size_t)n);
    return draft->published;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void ml_draft_close(struct ml_draft *draft)
{
    if (!draft)
        return;
    draft->team->largest(draft->team, 0); /* nobody has the file open any more */
    if (draft->folder >= 0 && draft->made)
        empty(draft->folder);
    if (draft->made)
        unlinkat(draft->beside, draft->name, AT_REMOVEDIR);
    close_fd(draft->folder);
    close_fd(draft->beside);
    close_fd(draft->held);
    free(draft->path);
    free(draft->base);
    free(draft->name);
    free(draft->file);
    free(draft->published);
    free(draft);
}

char *ml_draft_target(const char *path)
{
    ML_AUTO_FREE char *folder = ml_strdup(path);
    size_t n = strlen(folder);
    if (n > strlen("/" RECORD) && strcmp(folder + n - strlen("/" RECORD), "/" RECORD) == 0)
        folder[n - strlen("/" RECORD)] = 0;
    char *slash = strrchr(folder, '/');
    char *name = slash ? slash + 1 : folder;
    char *dot = strrchr(name, '.');
    if (*name != '.' || dot < name + 2 || strlen(dot + 1) != 16 || !is_id(dot + 1))
        return NULL;
    *dot = 0;
    memmove(name, name + 1, strlen(name + 1) + 1);
    return ML_TAKE_POINTER(folder);
}
