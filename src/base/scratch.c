#include "base/scratch.h"

#include "base/hold.h"
#include "base/own.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "memlog."
#define RANDOM_LETTERS 6 /* of mkdtemp(3) */
#define HELD "held"
#define DESCRIPTORS 16
#define TRIES 50 /* processes that are just being killed may still put something into it */
#define PAUSE_US 20000

/* What is in the folder, but for who holds it. */
static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *where)
{
    (void)s, (void)type;
    if (where->level > 1 || (where->level == 1 && strcmp(path + where->base, HELD) != 0))
        remove(path);
    return 0;
}

/* Whoever is killed meanwhile leaves what the next job knows to be left behind, and so does who
 * puts something into it again. */
static void remove_folder(const char *path)
{
    char held[sizeof((struct ml_scratch *)0)->path + sizeof HELD];
    if ((size_t)snprintf(held, sizeof held, "%s/" HELD, path) >= sizeof held)
        return;
    unlink(held);
    if (rmdir(path) == 0)
        return;
    int fd = open(held, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

void ml_scratch_remove_path(const char *path)
{
    for (int i = 0; i < TRIES && access(path, F_OK) == 0; i++) {
        if (i > 0)
            usleep(PAUSE_US);
        nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
        remove_folder(path);
    }
}

/* Whether NAME in PARENT is a folder of this user whose process is gone. */
static bool is_left_behind(int parent, const char *name)
{
    struct stat st;
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
        strlen(name) != strlen(PREFIX) + RANDOM_LETTERS)
        return false;
    ML_AUTO_FD int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || fstat(folder, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077))
        return false;
    ML_AUTO_FD int held = openat(folder, HELD, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return held >= 0 && ml_hold_of(held) == ML_HOLD_FREE;
}

static void clear_others(const char *parent)
{
    DIR *dir = opendir(parent);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (!is_left_behind(dirfd(dir), e->d_name))
            continue;
        char path[sizeof((struct ml_scratch *)0)->path + sizeof e->d_name];
        snprintf(path, sizeof path, "%s/%s", parent, e->d_name);
        ml_scratch_remove_path(path);
    }
    if (dir)
        closedir(dir);
}

/* Sets S->path. */
static enum ml_status make_in(const char *parent, struct ml_scratch *s, struct ml_error *err)
{
    if (snprintf(s->path, sizeof s->path, "%s/" PREFIX "XXXXXX", parent) >= (int)sizeof s->path)
        return ml_fail(err, ML_RUN_LOST, "%.200s: the path is too long", parent);
    clear_others(parent);
    return mkdtemp(s->path) ? ML_OK : ml_fail_errno(err, ML_RUN_LOST, "%.200s", parent);
}

static void hold(struct ml_scratch *s)
{
    char held[sizeof s->path + sizeof HELD], taken[sizeof held + 1];
    snprintf(held, sizeof held, "%s/" HELD, s->path);
    snprintf(taken, sizeof taken, "%s~", held);
    s->held = open(taken, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->held >= 0 && ml_hold_take(s->held)) /* a folder without HELD is nobody's to remove */
        rename(taken, held);
}

enum ml_status ml_scratch_make(struct ml_scratch *out, struct ml_error *err)
{
    const char *const places[] = {getenv("TMPDIR"), getenv("XDG_RUNTIME_DIR"), "/tmp", "/dev/shm"};
    struct ml_error first = {""}, why;
    *out = (struct ml_scratch){.held = -1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct ml_scratch s = {.held = -1};
        if (!places[i] || !*places[i])
            continue;
        if (make_in(places[i], &s, &why) == ML_OK) {
            hold(&s);
            *out = s;
            return ML_OK;
        }
        first = *first.text ? first : why;
    }
    return ml_fail(err, ML_RUN_LOST,
                   "no folder can be made in TMPDIR, XDG_RUNTIME_DIR, /tmp or /dev/shm (%.300s)",
                   first.text);
}

void ml_scratch_remove(struct ml_scratch *scratch)
{
    if (!*scratch->path)
        return;
    ml_scratch_remove_path(scratch->path);
    if (scratch->held >= 0)
        close(scratch->held);
    *scratch = (struct ml_scratch){.held = -1};
}
