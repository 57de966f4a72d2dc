/* known WHAT: allocations of one kind. */
#include "known.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 1 << 17 };
static void *kept[KEPT];

static OWNER void *own_small(void)
{
    void *p = malloc(64);
    KEEP(p);
    return p;
}

static OWNER void *own_medium(void)
{
    void *p = calloc(5, 1000);
    KEEP(p);
    return p;
}

static OWNER void *own_large(void)
{
    void *p = malloc(3000000);
    KEEP(p);
    return p;
}

/* Blocks of three sizes; every other one is freed. */
static void mixed(void)
{
    for (int i = 0; i < 100000; i++) {
        void *p = own_small();
        if (i % 2)
            free(p);
    }
    for (int i = 0; i < 4000; i++) {
        void *p = own_medium();
        if (i % 2)
            free(p);
    }
    for (int i = 0; i < 20; i++) {
        void *p = own_large();
        if (i % 2)
            free(p);
    }
    told("small", 64, 100000, 50000);
    told("medium", 5000, 4000, 2000);
    told("large", 3000000, 20, 10);
}

/* Small ones, of which one in a hundred stays. */
static void many(void)
{
    enum { MANY = 10000000 };
    for (int i = 0; i < MANY; i++) {
        void *p = own_small();
        if (i % 100)
            free(p);
        else
            kept[i / 100 % KEPT] = p;
    }
    told("small", 64, MANY, MANY / 100);
}

/* More live blocks than any table has room for. */
static void crowd(void)
{
    enum { CROWD = 2000000 };
    for (int i = 0; i < CROWD; i++)
        own_small();
    for (int i = 0; i < 20; i++)
        own_large();
    told("small", 64, CROWD, CROWD);
    told("large", 3000000, 20, 20);
}

static OWNER void *own_giant(void)
{
    void *p = malloc((size_t)8 << 30);
    KEEP(p);
    return p;
}

/* 8 GiB that are never touched. */
static void giant(void)
{
    int got = own_giant() != NULL;
    told("giant", (double)((size_t)8 << 30), got, got);
}

static OWNER void *own_chain(void *p, size_t size)
{
    p = realloc(p, size);
    KEEP(p);
    return p;
}

/* Buffers that grow by doubling, and shrink to half at last. */
static void chain(void)
{
    enum { CHAINS = 4000, LAST = 16384 };
    for (int i = 0; i < CHAINS; i++) {
        void *p = NULL;
        for (size_t size = 64; size <= LAST; size *= 2)
            p = own_chain(p, size);
        kept[i] = own_chain(p, LAST / 2);
    }
    for (int size = 64; size <= LAST; size *= 2)
        told("chain", size, size == LAST / 2 ? 2 * CHAINS : CHAINS, size == LAST / 2 ? CHAINS : 0);
}

static OWNER void *own_leak(void)
{
    void *p = malloc(64);
    KEEP(p);
    return p;
}

static OWNER void *own_churn(size_t size)
{
    void *p = malloc(size);
    KEEP(p);
    return p;
}

/* 64 bytes a cycle stay, among much that does not. */
static void leak_for(int cycles)
{
    for (int i = 0; i < cycles; i++) {
        own_leak();
        for (int j = 0; j < 10; j++)
            free(own_churn(1000));
    }
    told("leak", 64, cycles, cycles);
    told("churn", 1000, 10.0 * cycles, 0);
}

static void leak(void)
{
    leak_for(100000);
}

/* Among 10 GB. */
static void flood(void)
{
    leak_for(1000000);
}

static OWNER void *own_posix(void)
{
    void *p;
    if (posix_memalign(&p, 256, 1000))
        p = NULL;
    return p;
}

static OWNER void *own_aligned(void)
{
    void *p = aligned_alloc(64, 1024);
    KEEP(p);
    return p;
}

static OWNER void *own_memalign(void)
{
    void *p = memalign(128, 1000);
    KEEP(p);
    return p;
}

static OWNER void *own_valloc(void)
{
    void *p = valloc(1000);
    KEEP(p);
    return p;
}

static OWNER void *own_pvalloc(void)
{
    void *p = pvalloc(1000);
    KEEP(p);
    return p;
}

static OWNER void *own_array(void)
{
    void *p = reallocarray(NULL, 10, 100);
    KEEP(p);
    return p;
}

static OWNER void *own_text(const char *text)
{
    char *p = strdup(text);
    KEEP(p);
    return p;
}

static void aligned(void)
{
    enum { N = 5000 };
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < N; i++) {
        void *p[] = {own_posix(),   own_aligned(), own_memalign(), own_valloc(),
                     own_pvalloc(), own_array(),   own_text(text)};
        for (size_t j = 0; i % 2 && j < sizeof p / sizeof *p; j++)
            free(p[j]);
    }
    told("aligned", 1024, N, N / 2);
    told("posix", 1000, N, N / 2);
    told("memalign", 1000, N, N / 2);
    told("valloc", 1000, N, N / 2);
    told("pvalloc", 1000, N, N / 2);
    told("array", 1000, N, N / 2);
    told("text", 1000, N, N / 2);
}

/* ------------------------------------------------------------------------------ threads */
enum { HANDED = 40000 };
static void *handed[HANDED];

static OWNER void *own_handed(void)
{
    void *p = malloc(500);
    KEEP(p);
    return p;
}

static void *make_handed(void *unused)
{
    for (int i = 0; i < HANDED; i++)
        handed[i] = own_handed();
    return unused;
}

static void *free_handed(void *unused)
{
    for (int i = 0; i < HANDED; i += 2)
        free(handed[i]);
    return unused;
}

/* One thread makes them, another one frees half. */
static void hand(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, make_handed, NULL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, free_handed, NULL);
    pthread_join(thread, NULL);
    told("handed", 500, HANDED, HANDED / 2);
}

static OWNER void *own_brief(void)
{
    void *p = malloc(2000);
    KEEP(p);
    return p;
}

static pthread_key_t key;

static void at_end_of_thread(void *p)
{
    free(p);
    free(own_brief());
    kept[0] = own_brief();
}

static void *live_briefly(void *unused)
{
    pthread_setspecific(key, own_brief());
    return unused;
}

/* Many threads that allocate little, in their destructors too. */
static void brief(void)
{
    enum { THREADS = 3000 };
    pthread_key_create(&key, at_end_of_thread);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, live_briefly, NULL);
        pthread_join(thread, NULL);
    }
    told("brief", 2000, 3 * THREADS, THREADS);
}

/* ------------------------------------------------------------------------------ maps */
static OWNER void *own_arena(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    KEEP(p);
    return p;
}

static OWNER void *own_shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    KEEP(p);
    return p;
}

static OWNER void *own_file(size_t size)
{
    int fd = memfd_create("known", 0);
    void *p = ftruncate(fd, (off_t)size)
                  ? MAP_FAILED
                  : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return p;
}

static OWNER void *own_segment(size_t size)
{
    int id = shmget(IPC_PRIVATE, size, 0600);
    void *p = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    return p;
}

static OWNER void *own_reserved(size_t size)
{
    void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    KEEP(p);
    return p;
}

#define MB ((size_t)1 << 20)

/* Maps that are cut, moved, replaced; some that do not count. */
static void maps(void)
{
    char *cut = own_arena(64 * MB);
    munmap(cut + 16 * MB, 16 * MB);
    char *moved = own_arena(8 * MB);
    moved = mremap(moved, 8 * MB, 128 * MB, MREMAP_MAYMOVE);
    munmap(moved, 100 * MB);
    char *replaced = own_arena(4 * MB);
    mmap(replaced, 4 * MB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    munmap(own_arena(MB), MB);
    munmap(cut + 1, MB); /* refused */
    own_shared(32 * MB);
    own_file(16 * MB);
    own_segment(8 * MB);
    shmdt(own_segment(2 * MB));
    own_reserved(1024 * MB);
    told("arena", (double)MB, 64 + 128 + 4 + 1, 48 + 28);
    told("shared", (double)(32 * MB), 1, 1);
    told("file", (double)(16 * MB), 1, 1);
    told("segment", (double)(2 * MB), 5, 4);
    told("reserved", (double)MB, 0, 0);
}

/* More maps than any table has room for. */
static void many_maps(void)
{
    enum { MAPS = 12000 };
    for (int i = 0; i < MAPS; i++) {
        char *p = own_arena(8192);
        mprotect(p, 4096, PROT_NONE); /* so that the kernel does not join neighbours */
    }
    own_shared(256 * MB);
    told("arena", 8192, MAPS, MAPS);
    told("shared", (double)(256 * MB), 1, 1);
}

/* ------------------------------------------------------------------------------ processes */
static OWNER void *own_child(void)
{
    void *p = malloc(2000);
    KEEP(p);
    return p;
}

static void child(void)
{
    for (int i = 0; i < 3000; i++)
        kept[i] = own_child();
}

static void free_small_of_parent(void)
{
    for (int i = 0; i < 1000; i++)
        free(kept[KEPT - 1 - i]);
}

/* The parent's blocks are the parent's, as are those of a vfork's child, what another child does
 * with its copies is nobody's. */
static void forks(void)
{
    for (int i = 0; i < 1000; i++)
        kept[KEPT - 1 - i] = own_medium();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        free_small_of_parent();
        child();
        printf("{\"pid\": %d, \"owner\": \"own_child\", \"size\": 2000, \"allocated\": 3000, "
               "\"live\": 3000}\n",
               (int)getpid());
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    if (vfork() == 0) { /* in this memory */
        child();
        _exit(0);
    }
    told("medium", 5000, 1000, 1000);
    told("child", 2000, 3000, 3000);
}

static atomic_bool stop;

static void *churn(void *unused)
{
    while (!stop)
        free(own_churn(200));
    return unused;
}

/* Children of a process whose other threads are at work: they allocate, fork again past the C
 * library, and end. */
static void storm(void)
{
    enum { CHURNERS = 4, CHILDREN = 200 };
    pthread_t threads[CHURNERS];
    int failed = 0;
    for (int i = 0; i < CHURNERS; i++)
        pthread_create(&threads[i], NULL, churn, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        int status = 1;
        pid_t pid = fork();
        if (pid == 0) {
            free(own_small());
            own_medium();
            if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
                own_small();
                _exit(0);
            }
            wait(&status);
            _exit(status != 0);
        }
        waitpid(pid, &status, 0);
        failed += status != 0;
    }
    stop = 1;
    for (int i = 0; i < CHURNERS; i++)
        pthread_join(threads[i], NULL);
    told("churn", 200, failed, 0);
}

static void executes(const char *self)
{
    for (int i = 0; i < 1000; i++)
        own_medium();
    execl(self, self, "mixed", (char *)NULL);
}

/* ------------------------------------------------------------------------------ libraries */
/* Blocks that outlive the library that allocated them. */
static OWNER void own_plugin(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW);
    void *(*allocate)(void) = handle ? (void *(*)(void))dlsym(handle, "plugin_allocate") : NULL;
    for (int i = 0; allocate && i < 3000; i++)
        kept[i] = allocate();
    if (handle)
        dlclose(handle);
    for (int i = 0; i < 3000; i += 2)
        free(kept[i]);
}

static void plugin(const char *path)
{
    own_plugin(path);
    told("plugin", 3000, 3000, 1500);
}

/* ------------------------------------------------------------------------------ main */
static OWNER void own_early(void)
{
    for (int i = 0; i < 5000; i++)
        KEEP(malloc(1000));
}

static OWNER void own_late(void)
{
    for (int i = 0; i < 5000; i++)
        KEEP(malloc(1000));
}

static int is_before_main; /* the first argument is "around" */

static __attribute__((constructor(101))) void before_main(int argc, char **argv)
{
    is_before_main = argc > 1 && strcmp(argv[1], "around") == 0;
    if (is_before_main)
        own_early();
}

static __attribute__((destructor)) void after_main(void)
{
    if (is_before_main)
        own_late();
}

static void around(void)
{
    told("early", 1000, 5000, 5000);
    told("late", 1000, 5000, 5000);
}

static const struct scenario {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"mixed", mixed},     {"many", many},   {"crowd", crowd}, {"giant", giant},
    {"chain", chain},     {"leak", leak},   {"hand", hand},   {"brief", brief},
    {"aligned", aligned}, {"maps", maps},   {"forks", forks}, {"many_maps", many_maps},
    {"around", around},   {"storm", storm}, {"flood", flood},
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "executes") == 0)
        executes(argv[0]);
    if (argc == 3 && strcmp(argv[1], "plugin") == 0) {
        plugin(argv[2]);
        return 0;
    }
    for (size_t i = 0; argc == 2 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    fprintf(stderr, "known: what?\n");
    return 2;
}
