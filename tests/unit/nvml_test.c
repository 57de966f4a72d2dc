/* NVML, on made-up libraries (tests/support/made_up_nvml.c). */
#include "gpu/nvml.h"

#include "../support/fake_proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GiB (1LL << 30)
#define TELLS(...) fake_proc_write(&folder, "behaviour", __VA_ARGS__)

static struct fake_proc folder;
static struct ml_nvml *nvml;

static int make_folder(void **state)
{
    (void)state;
    fake_proc_open(&folder);
    TELLS("devices 2\n");
    setenv("MADE_UP_NVML", folder.root, 1);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    ml_nvml_close(nvml);
    nvml = NULL;
    fake_proc_close(&folder);
    return 0;
}

static enum ml_status open_version(const char *version, struct ml_error *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/nvml_%s/libnvidia-ml.so.1", MEMLOG_SUPPORT, version);
    return ml_nvml_open(path, &nvml, err);
}

static void open_library(const char *version, size_t n)
{
    struct ml_error err = {{0}};
    if (open_version(version, &err) != ML_OK)
        fail_msg("%s", err.text);
    assert_int_equal(ml_nvml_count(nvml), n);
}

static struct ml_gpu_told_sample look(size_t device)
{
    struct ml_gpu_told_sample s;
    ml_nvml_look(nvml, device, &s);
    assert_int_equal(s.device, device);
    return s;
}

static void each_version(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t reserved_B, used_B;
    } versions[] = {{"1", -1, GiB * 3 / 4},
                    {"2", -1, GiB * 3 / 4},
                    {"3", GiB / 4, GiB / 2},
                    {"535", GiB / 4, GiB / 2}};
    fake_proc_write(&folder, "300", "1 5000\n0 7\n");
    fake_proc_write(&folder, "20", "1 6000\n");
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct ml_gpu_told_device d;
        open_library(versions[i].name, 2);
        ml_nvml_describe(nvml, 1, &d);
        assert_string_equal(d.name, "Made-up GPU 1");
        assert_string_equal(d.uuid, "GPU-00000001");
        assert_string_equal(d.pci, "0000:11:00.0");
        assert_int_equal(d.memory_B, 4 * GiB);
        assert_int_equal(d.reserved_B, versions[i].reserved_B);
        assert_int_equal(d.minor, 1);
        assert_int_equal(d.gpu_instance, -1);
        struct ml_gpu_told_sample s = look(1);
        assert_true(s.complete);
        assert_int_equal(s.used_B, versions[i].used_B);
        assert_int_equal(s.utilisation, 41);
        assert_int_equal(s.ecc_errors, 0);
        assert_int_equal(s.n, 2); /* each is in two lists */
        assert_true(s.processes[0].pid == 20 && s.processes[0].used_B == 6000);
        assert_true(s.processes[1].pid == 300 && s.processes[1].used_B == 5000);
        ml_nvml_close(nvml);
    }
    nvml = NULL;
}

static void instances(void **state)
{
    (void)state;
    struct ml_gpu_told_device d;
    TELLS("devices 2\nmig 3\nused %lld\necc 5\n", GiB / 8);
    fake_proc_write(&folder, "40", "102 70\n");
    open_library("3", 4);
    ml_nvml_describe(nvml, 2, &d);
    assert_string_equal(d.name, "Made-up GPU MIG 1g.1gb");
    assert_string_equal(d.uuid, "MIG-00000002");
    assert_string_equal(d.pci, "0000:10:00.0"); /* of the whole */
    assert_int_equal(d.memory_B, GiB);
    assert_int_equal(d.minor, 0);
    assert_int_equal(d.gpu_instance, 9);
    struct ml_gpu_told_sample s = look(2);
    assert_int_equal(s.utilisation, -1);
    assert_int_equal(s.ecc_errors, 5);
    assert_true(s.n == 1 && s.processes[0].pid == 40 && s.processes[0].used_B == 70);
    ml_nvml_describe(nvml, 3, &d);
    assert_string_equal(d.pci, "0000:11:00.0");
    assert_int_equal(look(1).n, 0);
}

static void instances_that_nobody_may_see(void **state)
{
    (void)state;
    TELLS("mig 2\nerror nvmlDeviceGetMigDeviceHandleByIndex 4\n");
    open_library("3", 2);
}

static void it_does_not_work(void **state)
{
    (void)state;
    struct ml_error err;
    assert_int_not_equal(ml_nvml_open("libno-such-thing.so.1", &nvml, &err), ML_OK);
    assert_non_null(strstr(err.text, "libno-such-thing.so.1"));
    assert_int_not_equal(ml_nvml_open("libc.so.6", &nvml, &err), ML_OK);
    assert_string_equal(err.text, "libc.so.6 is no NVML that is known here");
    TELLS("error nvmlInit_v2 15\n");
    assert_int_not_equal(open_version("3", &err), ML_OK);
    assert_string_equal(err.text, "nvmlInit: GPU is lost (15)");
    TELLS("error nvmlDeviceGetCount_v2 999\n");
    assert_int_not_equal(open_version("3", &err), ML_OK);
    assert_string_equal(err.text, "nvmlDeviceGetCount: Some error (999)");
}

static void each_call_fails(void **state)
{
    (void)state;
    struct ml_gpu_told_device d;
    TELLS("error nvmlDeviceGetHandleByIndex_v2 4\n");
    open_library("3", 0);
    ml_nvml_close(nvml);
    TELLS("error nvmlDeviceGetName 3\nerror nvmlDeviceGetUUID 3\nerror nvmlDeviceGetPciInfo_v3 3\n"
          "error nvmlDeviceGetMinorNumber 3\nerror nvmlDeviceGetMigMode 3\n"
          "error nvmlDeviceGetMemoryInfo 15\nerror nvmlDeviceGetUtilizationRates 3\n"
          "error nvmlDeviceGetTotalEccErrors 3\nerror nvmlDeviceGetComputeRunningProcesses_v3 4\n");
    open_library("3", 2);
    ml_nvml_describe(nvml, 0, &d);
    assert_true(!*d.name && !*d.uuid && !*d.pci);
    assert_true(d.minor == -1 && d.memory_B == -1 && d.reserved_B == -1);
    struct ml_gpu_told_sample s = look(0);
    assert_false(s.complete);
    assert_true(s.used_B == -1 && s.utilisation == -1 && s.ecc_errors == -1);
}

static void memory_v2_fails(void **state)
{
    (void)state;
    TELLS("error nvmlDeviceGetMemoryInfo_v2 3\n");
    open_library("3", 2);
    assert_int_equal(look(0).used_B, GiB * 3 / 4);
}

static void reserved_may_be_part_of_used(void **state)
{
    (void)state;
    TELLS("reserved_is_used 1\n");
    open_library("3", 2);
    assert_int_equal(look(0).used_B, GiB / 2);
}

static void many(void **state)
{
    (void)state;
    TELLS("devices 16\nprocesses 1000\n");
    fake_proc_write(&folder, "7", "15 9\n");
    open_library("535", 16);
    struct ml_gpu_told_sample s = look(15);
    assert_true(s.complete);
    assert_int_equal(s.n, 1001);
    assert_true(s.processes[0].pid == 7 && s.processes[0].used_B == 9);
    assert_true(s.processes[1000].pid == 1000999 && s.processes[1000].used_B == 1);
    ml_nvml_close(nvml);
    TELLS("devices 1000\n");
    open_library("3", 64);
    ml_nvml_close(nvml);
    TELLS("processes 100000\n");
    open_library("3", 2);
    assert_false(look(0).complete); /* no machine has so many */
}

static void one_vanishes(void **state)
{
    (void)state;
    fake_proc_write(&folder, "7", "0 9\n");
    open_library("3", 2);
    assert_int_equal(look(0).n, 1);
    fake_proc_write(&folder, "7", "%s", "");
    assert_int_equal(look(0).n, 0);
}

static void hostile(void **state)
{
    (void)state;
    struct ml_gpu_told_device d;
    TELLS("hostile 1\n");
    fake_proc_write(&folder, "7", "0 %llu\n", ~0ULL);
    fake_proc_write(&folder, "8", "0 %llu\n", 1ULL << 63);
    open_library("3", 2);
    ml_nvml_describe(nvml, 0, &d);
    assert_int_equal(strlen(d.name), sizeof d.name - 1);
    assert_int_equal(strlen(d.uuid), sizeof d.uuid - 1);
    assert_int_equal(d.memory_B, -1);
    struct ml_gpu_told_sample s = look(0);
    assert_true(s.used_B == -1 && s.utilisation == -1);
    assert_true(s.n == 2 && s.processes[0].used_B == -1 && s.processes[1].used_B == -1);
    TELLS("overflow 1\n");
    s = look(0);
    assert_true(!s.complete && s.n == 0);
}

static void over_the_socket(void **state)
{
    (void)state;
    struct ml_buffer message = {0};
    const struct ml_gpu_told_process two[] = {{5, 1000}, {9, -1}};
    const struct ml_gpu_told_device d = {"name", "uuid", "0000:01:00.0", 5, -1, 3, -1};
    const struct ml_gpu_told_sample s = {1, 70, 2, -1, true, two, 2};
    struct ml_gpu_told_device d_back;
    struct ml_gpu_told_sample s_back;
    struct ml_gpu_told_process *processes;
    ml_gpu_told_device_pack(&d, &message);
    ml_gpu_told_sample_pack(&s, &message);
    struct ml_unpacker u = ml_unpack(message.data, message.length);
    assert_true(ml_gpu_told_device_unpack(&u, &d_back));
    assert_true(ml_gpu_told_sample_unpack(&u, &s_back, &processes));
    assert_string_equal(d_back.name, "name");
    assert_string_equal(d_back.pci, "0000:01:00.0");
    assert_true(d_back.memory_B == 5 && d_back.reserved_B == -1 && d_back.minor == 3);
    assert_true(s_back.used_B == 70 && s_back.ecc_errors == 2 && s_back.utilisation == -1);
    assert_true(s_back.complete && s_back.device == 1 && s_back.n == 2);
    assert_true(processes[1].pid == 9 && processes[1].used_B == -1);
    free(processes);
    for (size_t cut = 0; cut < message.length; cut++) {
        u = ml_unpack(message.data, cut);
        assert_false(ml_gpu_told_device_unpack(&u, &d_back) &&
                     ml_gpu_told_sample_unpack(&u, &s_back, &processes));
    }
    ml_buffer_free(&message);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_version),
        TEST(instances),
        TEST(instances_that_nobody_may_see),
        TEST(it_does_not_work),
        TEST(each_call_fails),
        TEST(memory_v2_fails),
        TEST(reserved_may_be_part_of_used),
        TEST(many),
        TEST(one_vanishes),
        TEST(hostile),
        TEST(over_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
