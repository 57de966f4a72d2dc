/* What memlog read was asked for, and its two forms. */
#ifndef ML_COMMANDS_READ_H
#define ML_COMMANDS_READ_H

#include "base/buffer.h"
#include "base/clock.h"
#include "commands/choice.h"
#include "commands/heap_choice.h"
#include "read/heap_budget.h"
#include "report/facts.h"
#include "report/style.h"

struct ml_read_request {
    bool all, ranks, separate, mpi, pstack, tree, output, json, no_color;
    bool heap, flat, main_threads, follow, chain;
    struct ml_heap_wish wish; /* of the heap */
    int64_t every_ns;         /* 0: not given */
    size_t rows;              /* of memory over time */
    struct ml_command_choice given;
    struct ml_stacks_choice choice; /* what GIVEN means for the run */
    const char *name;               /* of the file */
};

/* Appends the report on RUN. Errors: those of reading; --every gives too many rows. */
enum ml_status ml_read_text(struct ml_run *run, const struct ml_read_request *request,
                            const struct ml_style *style, struct ml_buffer *out,
                            struct ml_error *err);

/* Appends a report on runs that followed each other, each with its unix time: their peak, the gaps,
 * one curve. Errors: those of reading; runs of no known start, or at the same time. */
enum ml_status ml_read_chain(char *const *paths, size_t n, const struct ml_read_request *request,
                             const struct ml_style *style, struct ml_buffer *out,
                             struct ml_error *err);

#define ML_FOLLOW_NS (2 * ML_NS_PER_S)

/* Prints a line on the run of PATH every EVERY_NS as long as it goes on, less often where reading
 * it takes long: it must cost the job nothing. Errors: those of reading. */
enum ml_status ml_read_follow(const char *path, int64_t every_ns, struct ml_error *err);

/* The stacks that R asks for; with --at those nearest to OUT_AT_NS. They are to be freed. */
enum ml_status ml_read_stacks(struct ml_run *run, const struct ml_facts *facts,
                              const struct ml_read_request *r, struct ml_stacks *out_stacks,
                              int64_t *out_at_ns, struct ml_error *err);

/* A heap profile, what it is of, and the memory that its processes had then. */
struct ml_read_heap {
    struct ml_heap_choice choice;
    struct ml_heap_profile profile;
    struct ml_heap_budget budget;
};

/* The heap profile that R asks for, of RUN, which FACTS are of; its profile is to be freed. */
enum ml_status ml_read_heap(struct ml_run *run, const struct ml_facts *facts,
                            const struct ml_read_request *r, struct ml_read_heap *out_heap,
                            struct ml_error *err);

/* The same as JSON (docs/read.schema.json). */
enum ml_status ml_read_json(struct ml_run *run, const struct ml_read_request *request,
                            struct ml_buffer *out, struct ml_error *err);

#endif
