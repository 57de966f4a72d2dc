#include "record/tables.h"

/* The letters of /proc/PID/stat, field 3 (proc(5)), as ASCII. */
const struct ml_code ml_state_codes[] = {
    {'R', "running"}, {'S', "sleeping"},    {'D', "disk_sleep"}, {'Z', "zombie"},
    {'T', "stopped"}, {'t', "traced"},      {'X', "dead"},       {'I', "idle"},
    {'P', "parked"},  {-1, "not_measured"}, {0, NULL},
};

const struct ml_code ml_node_end_codes[] = {
    {ML_NODE_END_COMPLETE, "complete"},
    {ML_NODE_END_CUT, "cut"},
    {ML_NODE_END_NO_RECORD, "no_record"},
    {0, NULL},
};

const struct ml_code ml_event_codes[] = {
    {ML_EVENT_EXIT, "exit"},
    {ML_EVENT_SIGNAL, "signal"},
    {ML_EVENT_ABORT, "abort"},
    {ML_EVENT_FORWARDED, "forwarded"},
    {ML_EVENT_ENDED_BY_US, "ended_by_us"},
    {ML_EVENT_OUTPUT_CUT, "output_cut"},
    {ML_EVENT_SLOWED, "slowed"},
    {ML_EVENT_NODE_LOST, "node_lost"},
    {ML_EVENT_NOTE, "note"},
    {ML_EVENT_DEBUGGER, "debugger"},
    {ML_EVENT_PHASE_BEGIN, "phase_begin"},
    {ML_EVENT_PHASE_END, "phase_end"},
    {ML_EVENT_MARK, "mark"},
    {ML_EVENT_DEATH, "death"},
    {0, NULL},
};

const struct ml_code ml_limit_codes[] = {
    {ML_LIMIT_NODE, "node"},
    {ML_LIMIT_CGROUP, "cgroup"},
    {ML_LIMIT_CGROUP_HIGH, "cgroup_high"},
    {ML_LIMIT_ADDRESS_SPACE, "address_space"},
    {ML_LIMIT_SCHEDULER, "scheduler"},
    {ML_LIMIT_NUMA, "numa"},
    {ML_LIMIT_DATA, "data"},
    {ML_NOT_MEASURED, "not_measured"},
    {0, NULL},
};

const struct ml_code ml_stream_codes[] = {
    {ML_STDOUT, "stdout"},
    {ML_STDERR, "stderr"},
    {0, NULL},
};

const struct ml_code ml_trigger_codes[] = {
    {ML_TRIGGER_INTERVAL, "interval"},
    {ML_TRIGGER_GROWTH, "growth"},
    {ML_TRIGGER_SIGNAL, "signal"},
    {ML_TRIGGER_LOW_MEMORY, "low_memory"},
    {0, NULL},
};

const struct ml_code ml_site_kind_codes[] = {
    {ML_SITE_BLOCKS, "blocks"},
    {ML_SITE_MAPPED, "mapped"},
    {ML_SITE_SHARED, "shared"},
    {ML_SITE_HUGE, "huge"},
    {0, NULL},
};

#define DESCRIBE(row, kind, field, name, units, description, codes)                                \
    {name, ML_##kind, offsetof(struct row, field), units, description, codes},
#define NODE(...) DESCRIBE(ml_node_row, __VA_ARGS__)
#define PROCESS(...) DESCRIBE(ml_process_row, __VA_ARGS__)
#define SAMPLE(...) DESCRIBE(ml_sample_row, __VA_ARGS__)
#define NODE_SAMPLE(...) DESCRIBE(ml_node_sample_row, __VA_ARGS__)
#define JOB_SAMPLE(...) DESCRIBE(ml_job_sample_row, __VA_ARGS__)
#define EVENT(...) DESCRIBE(ml_event_row, __VA_ARGS__)
#define OUTPUT(...) DESCRIBE(ml_output_row, __VA_ARGS__)
#define FRAME(...) DESCRIBE(ml_frame_row, __VA_ARGS__)
#define STACK(...) DESCRIBE(ml_stack_row, __VA_ARGS__)
#define STACK_SAMPLE(...) DESCRIBE(ml_stack_sample_row, __VA_ARGS__)
#define MPI(...) DESCRIBE(ml_mpi_row, __VA_ARGS__)
#define MPI_CALL(...) DESCRIBE(ml_mpi_call_row, __VA_ARGS__)
#define HEAP_SAMPLE(...) DESCRIBE(ml_heap_sample_row, __VA_ARGS__)
#define HEAP(...) DESCRIBE(ml_heap_row, __VA_ARGS__)
#define GPU(...) DESCRIBE(ml_gpu_row, __VA_ARGS__)
#define GPU_SAMPLE(...) DESCRIBE(ml_gpu_sample_row, __VA_ARGS__)
#define GPU_PROCESS_SAMPLE(...) DESCRIBE(ml_gpu_process_sample_row, __VA_ARGS__)
#define GPU_CHOICE(...) DESCRIBE(ml_gpu_choice_row, __VA_ARGS__)

static const struct ml_column node_columns[] = {ML_NODE_COLUMNS(NODE)};
static const struct ml_column process_columns[] = {ML_PROCESS_COLUMNS(PROCESS)};
static const struct ml_column sample_columns[] = {ML_SAMPLE_COLUMNS(SAMPLE)};
static const struct ml_column node_sample_columns[] = {ML_NODE_SAMPLE_COLUMNS(NODE_SAMPLE)};
static const struct ml_column job_sample_columns[] = {ML_JOB_SAMPLE_COLUMNS(JOB_SAMPLE)};
static const struct ml_column event_columns[] = {ML_EVENT_COLUMNS(EVENT)};
static const struct ml_column output_columns[] = {ML_OUTPUT_COLUMNS(OUTPUT)};
static const struct ml_column frame_columns[] = {ML_FRAME_COLUMNS(FRAME)};
static const struct ml_column stack_columns[] = {ML_STACK_COLUMNS(STACK)};
static const struct ml_column stack_sample_columns[] = {ML_STACK_SAMPLE_COLUMNS(STACK_SAMPLE)};
static const struct ml_column mpi_columns[] = {ML_MPI_COLUMNS(MPI)};
static const struct ml_column mpi_call_columns[] = {ML_MPI_CALL_COLUMNS(MPI_CALL)};
static const struct ml_column heap_sample_columns[] = {ML_HEAP_SAMPLE_COLUMNS(HEAP_SAMPLE)};
static const struct ml_column heap_columns[] = {ML_HEAP_COLUMNS(HEAP)};
static const struct ml_column gpu_columns[] = {ML_GPU_COLUMNS(GPU)};
static const struct ml_column gpu_sample_columns[] = {ML_GPU_SAMPLE_COLUMNS(GPU_SAMPLE)};
static const struct ml_column gpu_process_sample_columns[] = {
    ML_GPU_PROCESS_SAMPLE_COLUMNS(GPU_PROCESS_SAMPLE)};
static const struct ml_column gpu_choice_columns[] = {ML_GPU_CHOICE_COLUMNS(GPU_CHOICE)};

#define TABLE(variable, name, description, columns, row)                                           \
    const struct ml_table variable = {name, description, columns,                                  \
                                      sizeof columns / sizeof *columns, sizeof(struct row)}

TABLE(ml_table_nodes, "nodes", "one row a node", node_columns, ml_node_row);
TABLE(ml_table_processes, "processes", "one row a process", process_columns, ml_process_row);
TABLE(ml_table_samples, "samples", "a row when a value of a process changed; by process, by time",
      sample_columns, ml_sample_row);
TABLE(ml_table_node_samples, "node_samples", "one row a node and tick; by node, by time",
      node_sample_columns, ml_node_sample_row);
TABLE(ml_table_job_samples, "job_samples", "sums over all nodes, about one row a second",
      job_sample_columns, ml_job_sample_row);
TABLE(ml_table_events, "events", "what happened; by node, by time", event_columns, ml_event_row);
TABLE(ml_table_output, "output", "what the application wrote; by node, by time", output_columns,
      ml_output_row);
TABLE(ml_table_frames, "frames", "the function calls that stacks are made of", frame_columns,
      ml_frame_row);
TABLE(ml_table_stacks, "stacks", "all stacks of all ranks as one prefix tree; parents come first",
      stack_columns, ml_stack_row);
TABLE(ml_table_stack_samples, "stack_samples", "one row a thread and stack taken; by node, by time",
      stack_sample_columns, ml_stack_sample_row);
TABLE(ml_table_mpi, "mpi", "one row a process, phase and MPI function that it called", mpi_columns,
      ml_mpi_row);
TABLE(ml_table_mpi_calls, "mpi_calls", "the MPI functions that are told apart", mpi_call_columns,
      ml_mpi_call_row);
TABLE(ml_table_heap, "heap", "one row a process and allocation site; by node", heap_columns,
      ml_heap_row);
TABLE(ml_table_heap_samples, "heap_samples",
      "a row when what lives of a site has changed; by node, by time", heap_sample_columns,
      ml_heap_sample_row);
TABLE(ml_table_gpus, "gpus", "one row a GPU; by node", gpu_columns, ml_gpu_row);
TABLE(ml_table_gpu_samples, "gpu_samples", "a row when a GPU has changed; by node, by time",
      gpu_sample_columns, ml_gpu_sample_row);
TABLE(ml_table_gpu_process_samples, "gpu_process_samples",
      "a row when what a process has of a GPU has changed; by node, by time",
      gpu_process_sample_columns, ml_gpu_process_sample_row);
TABLE(ml_table_gpu_choices, "gpu_choices", "which GPUs a process may use; by node, by time",
      gpu_choice_columns, ml_gpu_choice_row);

const struct ml_table *const ml_tables[] = {
    &ml_table_nodes,
    &ml_table_processes,
    &ml_table_samples,
    &ml_table_node_samples,
    &ml_table_job_samples,
    &ml_table_events,
    &ml_table_output,
    &ml_table_frames,
    &ml_table_stacks,
    &ml_table_stack_samples,
    &ml_table_mpi,
    &ml_table_mpi_calls,
    &ml_table_heap,
    &ml_table_heap_samples,
    &ml_table_gpus,
    &ml_table_gpu_samples,
    &ml_table_gpu_process_samples,
    &ml_table_gpu_choices,
    NULL,
};
