#include "stack/answers.h"

#include "base/pack.h"
#include "record/tables.h"

static void add_site(struct ml_stack_answers *a, const struct ml_stack_thread *t, int32_t stack)
{
    ml_varint_append(&a->sites, t->thread);
    ml_varint_append(&a->sites, stack);
    a->n_sites++;
}

static void add_sample(struct ml_stack_answers *a, const struct ml_stack_thread *t, int trigger,
                       int32_t stack)
{
    struct ml_stack_sample_row row = {.time_ns = t->time_ns,
                                      .process = t->process,
                                      .thread = t->thread,
                                      .stack = stack,
                                      .trigger = (int8_t)trigger,
                                      .stopped_ns = t->stopped_ns,
                                      .took_ns = t->took_ns};
    ml_row_pack(&ml_table_stack_samples, &row, &a->samples);
    a->n_samples++;
}

void ml_stack_answer(struct ml_stack_answers *a, struct ml_stack_tree *tree,
                     const struct ml_stack_thread *thread, int trigger)
{
    int32_t stack = ml_stack_tree_add(tree, thread);
    if (stack < 0)
        return;
    if (trigger == ML_TRIGGER_SITE)
        add_site(a, thread, stack);
    else
        add_sample(a, thread, trigger, stack);
}

void ml_stack_answers_clear(struct ml_stack_answers *a)
{
    ml_buffer_clear(&a->samples);
    ml_buffer_clear(&a->sites);
    a->n_samples = a->n_sites = 0;
}

void ml_stack_answers_free(struct ml_stack_answers *a)
{
    ml_buffer_free(&a->samples);
    ml_buffer_free(&a->sites);
}
