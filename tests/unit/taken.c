#include "taken.h"

#include "base/memory.h"
#include "targets.h"
#include "unwind/unwind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen *seen;

static const struct ml_stack_backend *backend = &ml_stack_unwind;
static void *state;

static void on_thread(void *context, const struct ml_stack_thread *s)
{
    (void)context;
    char *to = seen->text[seen->n];
    seen->stopped_ns[seen->n] = s->stopped_ns;
    seen->n_cut += s->cut;
    *to = 0;
    for (size_t i = s->n_frames; i-- > 0;) {
        to += snprintf(to, 200, "%s<", s->frames[i].function);
        assert_true(to - seen->text[seen->n] < TEXT_B - 200);
        seen->vdso |= strcmp(s->frames[i].module, "[vdso]") == 0;
    }
    seen->n++;
    assert_true(seen->n < THREADS_MAX);
}

static void on_failed(void *context, const struct ml_stack_target *target,
                      enum ml_stack_failure why, const char *text)
{
    (void)context;
    (void)target;
    assert_true(strlen(text) > 0);
    snprintf(seen->reason, sizeof seen->reason, "%s", text);
    seen->n_failed++;
    seen->why = why;
}

void take_all(const pid_t *pids, size_t n)
{
    struct ml_stack_target targets[8];
    struct ml_stack_sink sink = {NULL, on_thread, on_failed, false};
    struct ml_error err;
    for (size_t i = 0; i < n; i++)
        targets[i] = (struct ml_stack_target){.pid = pids[i], .process = (int)i};
    seen->n = seen->n_cut = seen->n_failed = 0;
    seen->why = 0;
    seen->reason[0] = 0;
    seen->vdso = false;
    assert_int_equal(backend->take(state, targets, n, &sink, &err), ML_OK);
}

void take(pid_t pid)
{
    take_all(&pid, 1);
}

void assert_seen(size_t i, const char *functions)
{
    if (i >= seen->n)
        fail_msg("no stack %zu, and %zu failed: %s", i, seen->n_failed, seen->reason);
    if (!strstr(seen->text[i], functions))
        fail_msg("%s is not in %s", functions, seen->text[i]);
}

int taken_open(void **context)
{
    (void)context;
    struct ml_error err;
    seen = ml_alloc(sizeof *seen);
    return !targets_open() || backend->open(&state, &err) != ML_OK;
}

int taken_close(void **context)
{
    (void)context;
    backend->close(state);
    targets_close();
    free(seen);
    return 0;
}
