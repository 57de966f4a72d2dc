/* GPUs in a journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "journal/harvest.h"
#include "synthetic.h"

/* The only row of TABLE in H into OUT_ROW. */
static void fetch(struct ml_harvest *h, const struct ml_table *table, void *out_row)
{
    struct ml_rows rows = ml_harvest_rows(h, table);
    assert_int_equal(rows.count, 1);
    rows.fetch(rows.context, 0, out_row);
}

static void write_rows(void)
{
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    const struct ml_gpu_row gpu = {0, 3, "name", "uuid", 1000, "amdgpu", "0000:03:00.0",
                                   1, 2, 30,     4};
    const struct ml_gpu_sample_row sample = {5 * ML_NS_PER_S, 0, 3, 700, 42, 6};
    const struct ml_gpu_process_sample_row of_process = {5 * ML_NS_PER_S, 9, 3, 600, 50};
    const struct ml_gpu_choice_row choice = {5 * ML_NS_PER_S, 9, -1, "CUDA_VISIBLE_DEVICES", "0,1"};
    struct ml_process_row process;
    ml_row_clear(&ml_table_processes, &process);
    process.process = 9;
    assert_int_equal(ml_journal_create(journal_path, &header, 1, &j, &err), ML_OK);
    ml_journal_row(j, ML_FRAME_PROCESS, 1, &ml_table_processes, &process);
    ml_journal_row(j, ML_FRAME_GPUS, 1, &ml_table_gpus, &gpu);
    ml_journal_row(j, ML_FRAME_GPU_SAMPLES, 1, &ml_table_gpu_samples, &sample);
    ml_journal_row(j, ML_FRAME_GPU_PROCESS_SAMPLES, 1, &ml_table_gpu_process_samples, &of_process);
    ml_journal_row(j, ML_FRAME_GPU_CHOICES, 1, &ml_table_gpu_choices, &choice);
    assert_int_equal(ml_journal_flush(j, &err), ML_OK);
    ml_journal_close(j);
}

static void rows_come_back(void **state)
{
    struct ml_harvest *h;
    struct ml_error err;
    struct ml_gpu_row gpu;
    struct ml_gpu_sample_row sample;
    struct ml_gpu_process_sample_row of_process;
    struct ml_gpu_choice_row choice;
    (void)state;
    write_rows();
    assert_int_equal(ml_harvest_open(journal_path, NULL, &h, &err), ML_OK);
    ml_harvest_set_bases(h, 20, 0);
    fetch(h, &ml_table_gpus, &gpu);
    assert_string_equal(gpu.pci, "0000:03:00.0");
    assert_int_equal(gpu.gpu, 3);
    assert_int_equal(gpu.memory_B, 1000);
    assert_int_equal(gpu.minor, 2);
    assert_int_equal(gpu.reserved_B, 30);
    assert_int_equal(gpu.gpu_instance, 4);
    fetch(h, &ml_table_gpu_samples, &sample);
    assert_int_equal(sample.used_B, 700);
    assert_int_equal(sample.utilisation, 42);
    assert_int_equal(sample.ecc_errors, 6);
    fetch(h, &ml_table_gpu_process_samples, &of_process);
    assert_int_equal(of_process.process, 20); /* numbered through the file */
    assert_int_equal(of_process.used_B, 600);
    assert_int_equal(of_process.host_B, 50);
    assert_int_equal(of_process.time_ns, sample.time_ns);
    fetch(h, &ml_table_gpu_choices, &choice);
    assert_int_equal(choice.process, 20);
    assert_int_equal(choice.gpu, -1);
    assert_string_equal(choice.variable, "CUDA_VISIBLE_DEVICES");
    assert_string_equal(choice.value, "0,1");
    assert_int_equal(choice.time_ns, sample.time_ns);
    ml_harvest_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        rows_come_back, make_journal_folder, remove_journal_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
