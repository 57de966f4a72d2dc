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

static void rows_come_back(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_harvest *h;
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
    assert_int_equal(ml_harvest_open(journal_path, NULL, &h, &err), ML_OK);
    ml_harvest_set_bases(h, 20, 0);

    struct ml_gpu_row gpu_back;
    struct ml_gpu_sample_row sample_back;
    struct ml_gpu_process_sample_row back;
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_gpus);
    assert_int_equal(rows.count, 1);
    rows.fetch(rows.context, 0, &gpu_back);
    assert_string_equal(gpu_back.pci, "0000:03:00.0");
    assert_int_equal(gpu_back.gpu, 3);
    assert_int_equal(gpu_back.memory_B, 1000);
    assert_int_equal(gpu_back.minor, 2);
    assert_int_equal(gpu_back.reserved_B, 30);
    assert_int_equal(gpu_back.gpu_instance, 4);
    rows = ml_harvest_rows(h, &ml_table_gpu_samples);
    assert_int_equal(rows.count, 1);
    rows.fetch(rows.context, 0, &sample_back);
    assert_int_equal(sample_back.used_B, 700);
    assert_int_equal(sample_back.utilisation, 42);
    assert_int_equal(sample_back.ecc_errors, 6);
    rows = ml_harvest_rows(h, &ml_table_gpu_process_samples);
    assert_int_equal(rows.count, 1);
    rows.fetch(rows.context, 0, &back);
    assert_int_equal(back.process, 20); /* numbered through the file */
    assert_int_equal(back.used_B, 600);
    assert_int_equal(back.host_B, 50);
    assert_int_equal(back.time_ns, sample_back.time_ns);
    struct ml_gpu_choice_row choice_back;
    rows = ml_harvest_rows(h, &ml_table_gpu_choices);
    assert_int_equal(rows.count, 1);
    rows.fetch(rows.context, 0, &choice_back);
    assert_int_equal(choice_back.process, 20);
    assert_int_equal(choice_back.gpu, -1);
    assert_string_equal(choice_back.variable, "CUDA_VISIBLE_DEVICES");
    assert_string_equal(choice_back.value, "0,1");
    assert_int_equal(choice_back.time_ns, sample_back.time_ns);
    ml_harvest_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        rows_come_back, make_journal_folder, remove_journal_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
