#include "debuggers/lldb_frames.h"

#include "base/memory.h"
#include "base/own.h"

#include <string.h>

struct ml_lldb_frame {
    struct ml_lldb_line said;
    char *texts; /* its symbol and file, with their NULs */
};

struct ml_lldb_thread {
    pid_t id;
    size_t first, n; /* of the frames */
};

static void add_thread(struct ml_lldb_frames *frames, pid_t id)
{
    ML_GROW(frames->threads, frames->n_threads, frames->threads_capacity);
    frames->threads[frames->n_threads++] = (struct ml_lldb_thread){.id = id, .first = frames->n};
}

static char *keep(char *to, const char **text)
{
    size_t n = strlen(*text) + 1;
    memcpy(to, *text, n);
    *text = to;
    return to + n;
}

static void add_frame(struct ml_lldb_frames *frames, const struct ml_lldb_line *line)
{
    struct ml_lldb_thread *thread = &frames->threads[frames->n_threads - 1];
    if (thread->n > ML_STACK_DEPTH_MAX) /* one more shows that there are more */
        return;
    ML_GROW(frames->list, frames->n, frames->capacity);
    struct ml_lldb_frame *frame = &frames->list[frames->n++];
    frame->said = *line;
    frame->texts = ml_alloc(strlen(line->symbol) + strlen(line->file) + 2);
    char *to = keep(frame->texts, &frame->said.symbol);
    keep(to, &frame->said.file);
    thread->n++;
}

void ml_lldb_frames_add(struct ml_lldb_frames *frames, enum ml_lldb_kind kind,
                        const struct ml_lldb_line *line)
{
    if (kind == ML_LLDB_THREAD)
        add_thread(frames, line->thread);
    else if (kind == ML_LLDB_FRAME && frames->n_threads && !line->artificial)
        add_frame(frames, line);
}

static void pass_thread(const struct ml_lldb_frames *frames, const struct ml_lldb_thread *thread,
                        const struct ml_told_process *process, struct ml_stack_thread *sample,
                        const struct ml_stack_sink *sink)
{
    ML_AUTO_FREE struct ml_told *told = ml_alloc((thread->n + 1) * sizeof *told);
    for (size_t i = 0; i < thread->n; i++) {
        const struct ml_lldb_line *said = &frames->list[thread->first + i].said;
        told[i] = (struct ml_told){.pc = said->pc,
                                   .function = said->symbol,
                                   .file = said->file,
                                   .line = said->line,
                                   .inlined = said->inlined};
    }
    sample->thread = thread->id;
    ml_told_pass(process, told, thread->n, sample, sink);
}

void ml_lldb_frames_pass(const struct ml_lldb_frames *frames, const struct ml_told_process *process,
                         const struct ml_stack_thread *sample, const struct ml_stack_sink *sink)
{
    struct ml_stack_thread thread = *sample;
    for (size_t i = 0; i < frames->n_threads; i++)
        pass_thread(frames, &frames->threads[i], process, &thread, sink);
}

void ml_lldb_frames_free(struct ml_lldb_frames *frames)
{
    for (size_t i = 0; i < frames->n; i++)
        free(frames->list[i].texts);
    free(frames->list);
    free(frames->threads);
    *frames = (struct ml_lldb_frames){0};
}
