#include "mpi_hooks/attach.h"
#include "mpi_hooks/hooks.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reading the ticks twice costs as much as the cheapest calls. So a function whose calls of a
 * thread in a phase took 1 us or more on average so far is timed at each call, and else one call of
 * each 16, at a random place among them, which stands for all 16. Either choice depends on the past
 * alone, so the sum is unbiased; the variance that the choice brings is kept beside it. */
#define GROUP 16

_Thread_local struct ml_thread ml_self __attribute__((tls_model("initial-exec"))) = {
    .phase = UINT32_MAX,
};

static bool is_gone(int32_t tid)
{
    return syscall(SYS_tgkill, getpid(), tid, 0) != 0 && errno == ESRCH;
}

static bool take(struct ml_page_slot *slot, int32_t old, int32_t tid)
{
    if (!atomic_compare_exchange_strong(&slot->tid, &old, tid))
        return false;
    ML_STORE(slot->is_main, tid == getpid());
    ML_STORE(slot->running, 0);
    return true;
}

/* A thread's end gives nothing back: whoever comes later takes the slots of the dead. So there is
 * no destructor, after which another destructor might call MPI. */
static struct ml_page_slot *find_slot(struct ml_page *page)
{
    int32_t tid = (int32_t)syscall(SYS_gettid);
    for (int pass = 0; pass < 3; pass++)
        for (int i = 0; i < ML_PAGE_SLOTS; i++) {
            struct ml_page_slot *slot = &page->slots[i];
            int32_t old = ML_LOAD(slot->tid);
            bool wanted = pass == 0 ? old == tid : pass == 1 ? old != 0 && is_gone(old) : old == 0;
            if (wanted && take(slot, old, tid))
                return slot;
        }
    return NULL;
}

/* NULL when all are taken. */
static struct ml_page_block *find_block(struct ml_page *page, uint32_t slot, uint32_t phase)
{
    uint32_t owner = 1 + slot * ML_PAGE_PHASES + phase;
    for (int i = 0; i < ML_PAGE_BLOCKS; i++) {
        uint32_t old = ML_LOAD(page->owners[i]);
        if (old == 0 && atomic_compare_exchange_strong(&page->owners[i], &old, owner))
            return &page->blocks[i];
        if (old == owner)
            return &page->blocks[i];
    }
    return NULL;
}

bool ml_thread_follow(struct ml_thread *thread)
{
    int saved_errno = errno;
    struct ml_page *page = ml_attach_for_calls();
    if (page) {
        uint32_t phase = ML_LOAD(page->phase);
        if (!thread->slot)
            thread->slot = find_slot(page);
        thread->block = NULL;
        if (thread->slot && thread->slot != &page->slots[ML_PAGE_SLOTS])
            thread->block = find_block(page, (uint32_t)(thread->slot - page->slots),
                                       phase < ML_PAGE_PHASES ? phase : ML_PHASE_OTHERS);
        else
            thread->slot = &page->slots[ML_PAGE_SLOTS];
        thread->shared = !thread->block;
        if (thread->shared)
            thread->block = &page->blocks[ML_PAGE_BLOCKS];
        thread->phase = phase;
    }
    errno = saved_errno;
    return page != NULL;
}

/* Which call of the next group is timed. Any even spread does: here the top bits of the number of
 * calls times 2^64 / the golden ratio (Fibonacci hashing). */
static uint16_t place_in_group(uint64_t calls)
{
    return (uint16_t)((calls * UINT64_C(0x9e3779b97f4a7c15)) >> 60);
}

static void plan_next(struct ml_page_tally *tally, uint64_t calls, uint64_t ticks)
{
    uint32_t rest = ML_LOAD(tally->rest);
    if (ticks >= calls * ml_ticks_per_us()) {
        ML_STORE(tally->weight, 1);
        ML_STORE(tally->rest, 0);
        ML_STORE(tally->left, rest + 1);
        return;
    }
    uint16_t place = place_in_group(calls);
    ML_STORE(tally->weight, GROUP);
    ML_STORE(tally->rest, (uint16_t)(GROUP - 1 - place));
    ML_STORE(tally->left, rest + 1 + place);
}

void ml_tally_time(struct ml_page_tally *tally, uint64_t begin, bool shared)
{
    uint64_t took = ml_ticks() - begin;
    if (shared) {
        ML_ADD(tally->ticks, took);
        ML_ADD(tally->timed, 1);
        return;
    }
    uint64_t weight = ML_LOAD(tally->left) ? ML_LOAD(tally->weight) : 1; /* 0: the first call */
    uint64_t ticks = ML_LOAD(tally->ticks) + weight * took;
    ML_STORE(tally->ticks, ticks);
    ML_BUMP(tally->timed, 1);
    if (took > ML_LOAD(tally->longest_ticks))
        ML_STORE(tally->longest_ticks, took);
    if (weight > 1)
        ML_BUMP(tally->variance, (double)(weight * (weight - 1)) * (double)took * (double)took);
    plan_next(tally, ML_LOAD(tally->calls), ticks);
}
