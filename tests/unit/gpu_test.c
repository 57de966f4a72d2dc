/* GPUs, on made-up trees of /proc and /sys/class. */
#include "gpu/gpu.h"

#include "../support/fake_proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MiB (1 << 20)
#define MOST 64

static struct fake_proc proc, sys;
static struct ml_gpus *gpus;
static char said[4096];

/* ---- parsers ---- */

static struct ml_gpu_client parsed(const char *text)
{
    struct ml_gpu_client c;
    assert_true(ml_gpu_parse_fdinfo(text, strlen(text), &c));
    return c;
}

/* As each driver writes it: the fdinfo files of drivers/gpu/drm, drm_file.c. */
static void each_driver(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t device_B, host_B;
    } cases[] = {
        {"pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t550\ndrm-driver:\tamdgpu\n"
         "drm-client-id:\t7\ndrm-pdev:\t0000:03:00.0\npasid:\t32771\n"
         "drm-memory-vram:\t2048 KiB\ndrm-memory-gtt: \t4096 KiB\ndrm-memory-cpu: \t0 KiB\n"
         "amd-memory-visible-vram:\t512 KiB\ndrm-engine-gfx:\t94 ns\n",
         2 * MiB, 4 * MiB},
        {"drm-driver:\tamdgpu\ndrm-client-id:\t7\ndrm-pdev:\t0000:03:00.0\n"
         "drm-total-vram:\t9 MiB\ndrm-shared-vram:\t0\ndrm-active-vram:\t0\n"
         "drm-resident-vram:\t3 MiB\ndrm-purgeable-vram:\t0\ndrm-memory-vram:\t3 MiB\n"
         "drm-total-gds:\t64 KiB\ndrm-total-doorbell:\t8 KiB\n",
         3 * MiB, -1},
        {"drm-driver:\txe\ndrm-client-id:\t14\ndrm-pdev:\t0000:00:02.0\n"
         "drm-total-system:\t0\ndrm-resident-system:\t0\ndrm-total-gtt:\t192 KiB\n"
         "drm-resident-gtt:\t192 KiB\ndrm-total-vram0:\t23992 KiB\ndrm-resident-vram0:\t16 MiB\n"
         "drm-resident-vram1:\t1 MiB\ndrm-resident-stolen:\t5 MiB\n",
         17 * MiB, 192 << 10},
        {"drm-driver:\ti915\ndrm-client-id:\t3\ndrm-pdev:\t0000:03:00.0\n"
         "drm-total-system0:\t20 MiB\ndrm-resident-system0:\t10 MiB\n"
         "drm-total-local0:\t8 MiB\ndrm-resident-local0:\t7 MiB\n"
         "drm-resident-stolen-local0:\t1 MiB\ndrm-engine-render:\t0 ns\n",
         8 * MiB, 10 * MiB},
        {"drm-driver:\tpanfrost\ndrm-client-id:\t3\ndrm-resident-memory:\t96 KiB\n", -1, 96 << 10},
        {"drm-driver:\tnouveau\ndrm-client-id:\t3\ndrm-pdev:\t0000:01:00.0\n", -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_gpu_client c = parsed(cases[i].text);
        assert_int_equal(c.device_B, cases[i].device_B);
        assert_int_equal(c.host_B, cases[i].host_B);
    }
}

#define HEAD "drm-driver:\ta\ndrm-client-id:\t1\n"

static void hostile_fdinfo(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t device_B;
    } cases[] = {
        {HEAD "drm-memory-vram:\t99999999999999999999 KiB\n", INT64_MAX},
        {HEAD "drm-memory-vram0:\t9223372036854775807\ndrm-memory-vram1:\t1\n", INT64_MAX},
        {HEAD "drm-memory-vram:\t-5 KiB\n", -1},
        {HEAD "drm-memory-vram:\t5 parsec\n", -1},
        {HEAD "drm-memory-vram:\t\n", -1},
        {HEAD "drm-memory-vram\n", -1},
        {HEAD "drm-memory-vram:\t5\ndrm-memory-vram:\t7\n", 5},
        {HEAD "drm-memory-vram: 5", 5}, /* cut */
        {HEAD "::::\n:\n\n drm-memory-vram: 5\n", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(parsed(cases[i].text).device_B, cases[i].device_B);
    static const char *const none[] = {"",
                                       "pos:\t0\n",
                                       "drm-driver:\ta\n",
                                       "drm-client-id:\t1\n",
                                       "drm-driver:\ta\ndrm-client-id:\t1x\n",
                                       "drm-driver:\ta\ndrm-client-id:\t\n"};
    struct ml_gpu_client c;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(ml_gpu_parse_fdinfo(none[i], strlen(none[i]), &c));
}

static void numbers_of_sysfs(void **state)
{
    (void)state;
    assert_int_equal(ml_gpu_parse_number("17163091968\n", 12), 17163091968);
    assert_int_equal(ml_gpu_parse_number("-1\n", 3), -1);
    assert_int_equal(ml_gpu_parse_number("12a\n", 4), -1);
    assert_int_equal(ml_gpu_parse_number("", 0), -1);
    char pci[ML_GPU_WORD];
    assert_true(ml_gpu_parse_kfd_pci("location_id 33551\ndomain 1\n", 27, pci));
    assert_string_equal(pci, "0001:83:01.7");
    assert_false(ml_gpu_parse_kfd_pci("domain 1\n", 9, pci));
}

static void device_files(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t nvidia, render;
    } cases[] = {{"/dev/nvidia0", 0, -1},
                 {"/dev/nvidia15", 15, -1},
                 {"/dev/dri/renderD128", -1, 128},
                 {"/dev/nvidiactl", -1, -1},
                 {"/dev/nvidia-uvm", -1, -1},
                 {"/dev/nvidia0 (deleted)", -1, -1},
                 {"/dev/nvidia99999999999", -1, -1},
                 {"/dev/dri/card0", -1, -1},
                 {"", -1, -1},
                 {"/dev/nvidia", -1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].path);
        assert_int_equal(ml_gpu_parse_nvidia_file(cases[i].path, n), cases[i].nvidia);
        assert_int_equal(ml_gpu_parse_render_file(cases[i].path, n), cases[i].render);
    }
}

static void variables(void **state)
{
    (void)state;
    static const char text[] = "A=1\0XA=2\0\0LONG=12345678\0EMPTY=\0CUT=ab";
    char out[5];
    assert_true(ml_gpu_parse_variable(text, sizeof text - 1, "A", out, sizeof out));
    assert_string_equal(out, "1");
    assert_true(ml_gpu_parse_variable(text, sizeof text - 1, "LONG", out, sizeof out));
    assert_string_equal(out, "1234");
    assert_true(ml_gpu_parse_variable(text, sizeof text - 1, "EMPTY", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(ml_gpu_parse_variable(text, sizeof text - 1, "CUT", out, sizeof out));
    assert_string_equal(out, "ab");
    assert_false(ml_gpu_parse_variable(text, sizeof text - 1, "B", out, sizeof out));
    assert_false(ml_gpu_parse_variable(text, 0, "A", out, sizeof out));
}

/* ---- trees ---- */

static int open_trees(void **state)
{
    (void)state;
    fake_proc_open(&proc);
    fake_proc_open(&sys);
    fake_proc_write(&proc, "self/ns/x", "x");
    return 0;
}

static int close_trees(void **state)
{
    (void)state;
    ml_gpus_close(gpus);
    gpus = NULL;
    fake_proc_close(&proc);
    fake_proc_close(&sys);
    return 0;
}

static void link_to(const struct fake_proc *tree, const char *path, const char *target)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", tree->root, path);
    assert_int_equal(symlink(target, full), 0);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    fake_proc_write(&sys, path, "%s", text);
}

static void put_card(int card, const char *driver, const char *pci)
{
    char folder[64], text[128];
    snprintf(folder, sizeof folder, "drm/card%d/device", card);
    snprintf(text, sizeof text, "DRIVER=%s\nPCI_CLASS=30000\nPCI_SLOT_NAME=%s\n", driver, pci);
    put(folder, "uevent", text);
    put(folder, "vendor", "0x1002\n");
    put(folder, "device", "0x740c\n");
    put(folder, "numa_node", "1\n");
    put(folder, "drm/renderD128/dev", "226:128\n");
}

static void put_client(int pid, int fd, const char *driver, const char *pci, int id,
                       const char *lines)
{
    char path[64];
    snprintf(path, sizeof path, "%d/fdinfo/%d", pid, fd);
    fake_proc_write(&proc, path, "pos:\t0\ndrm-driver:\t%s\ndrm-client-id:\t%d\ndrm-pdev:\t%s\n%s",
                    driver, id, pci, lines);
    snprintf(path, sizeof path, "%d/fd/x", pid);
    fake_proc_write(&proc, path, "x");
    snprintf(path, sizeof path, "%d/fd/%d", pid, fd);
    char full[256];
    snprintf(full, sizeof full, "%s/%s", proc.root, path);
    unlink(full);
    link_to(&proc, path, "/dev/dri/renderD128");
}

static void say_device(void *context, int gpu, int64_t used_B, int32_t utilisation,
                       int64_t ecc_errors)
{
    (void)context;
    (void)ecc_errors;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "gpu %d: %lld %d\n", gpu, (long long)used_B,
             (int)utilisation);
}

static void say_process(void *context, int process, int gpu, int64_t used_B, int64_t host_B)
{
    (void)context;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%d on %d: %lld %lld\n", process, gpu, (long long)used_B,
             (long long)host_B);
}

/* One round over processes 0, 1, ... of PIDS, ended by 0. */
static const char *round_of(const pid_t *pids)
{
    static const struct ml_gpu_sink sink = {NULL, say_device, say_process};
    *said = 0;
    ml_gpus_begin(gpus);
    for (int i = 0; pids[i]; i++)
        ml_gpus_look(gpus, i, pids[i]);
    ml_gpus_end(gpus, &sink);
    return said;
}

static void open_gpus(size_t n)
{
    gpus = ml_gpus_open(proc.root, sys.root);
    assert_non_null(gpus);
    assert_int_equal(ml_gpus_count(gpus), n);
}

static const pid_t two[] = {100, 101, 0}, none[] = {0};

static void nothing_without_devices(void **state)
{
    (void)state;
    assert_null(ml_gpus_open(proc.root, sys.root));
    assert_null(ml_gpus_open(proc.root, "/nowhere"));
    fake_proc_write(&sys, "drm/card0/device/uevent", "DRIVER=ast\n"); /* no render node */
    fake_proc_write(&sys, "drm/version", "drm 1.1.0 20060810\n");
    assert_null(ml_gpus_open(proc.root, sys.root));
}

static void devices_are_described(void **state)
{
    (void)state;
    struct ml_gpu_row row;
    put_card(10, "amdgpu", "0000:83:00.0");
    put_card(2, "amdgpu", "0000:03:00.0");
    put("drm/card2/device", "unique_id", "8ee3b2f0d1\n");
    put("drm/card2/device", "mem_info_vram_total", "68702699520\n");
    put("drm/card10/device", "product_name", "AMD Instinct MI250X\n");
    put("drm/card10-DP-1", "status", "connected\n");
    open_gpus(2);
    ml_gpus_describe(gpus, 0, 5, &row);
    assert_int_equal(row.node, 5);
    assert_int_equal(row.memory_B, 68702699520);
    assert_int_equal(row.numa_node, 1);
    assert_string_equal(row.name, "AMD 0x740c");
    assert_string_equal(row.uuid, "8ee3b2f0d1");
    assert_string_equal(row.driver, "amdgpu");
    assert_string_equal(row.pci, "0000:03:00.0");
    ml_gpus_describe(gpus, 1, 5, &row);
    assert_int_equal(row.gpu, 1);
    assert_int_equal(row.memory_B, -1);
    assert_string_equal(row.name, "AMD Instinct MI250X");
}

static void what_processes_have(void **state)
{
    (void)state;
    put_card(0, "amdgpu", "0000:03:00.0");
    put_card(1, "xe", "0000:04:00.0");
    put("drm/card0/device", "mem_info_vram_used", "5000\n");
    put("drm/card0/device", "gpu_busy_percent", "73\n");
    put_client(100, 5, "amdgpu", "0000:03:00.0", 7, "drm-memory-vram:\t1 KiB\n");
    put_client(100, 6, "amdgpu", "0000:03:00.0", 7, "drm-memory-vram:\t1 KiB\n"); /* dup(2) */
    put_client(100, 7, "amdgpu", "0000:03:00.0", 8, "drm-memory-gtt:\t2 KiB\n");
    put_client(101, 5, "amdgpu", "0000:03:00.0", 7, "drm-memory-vram:\t1 KiB\n"); /* fork(2) */
    put_client(101, 6, "xe", "0000:04:00.0", 7, "drm-resident-vram0:\t3 KiB\n");
    put_client(101, 7, "xe", "0000:09:00.0", 9, "drm-resident-vram0:\t4 KiB\n"); /* no such card */
    open_gpus(2);
    assert_string_equal(round_of(two), "gpu 0: 5000 73\n0 on 0: 1024 2048\n1 on 1: 3072 0\n");
    assert_string_equal(round_of(two), ""); /* nothing has changed */
    put_client(101, 6, "xe", "0000:04:00.0", 7, "drm-resident-vram0:\t1 KiB\n");
    put("drm/card0/device", "gpu_busy_percent", "1000\n");
    assert_string_equal(round_of(two), "gpu 0: 5000 -1\n1 on 1: 1024 0\n");
    assert_string_equal(round_of(none), "0 on 0: 0 0\n1 on 1: 0 0\n");
    assert_string_equal(round_of(none), "");
}

static void put_kfd_node(int node, const char *id, const char *properties)
{
    char folder[64];
    snprintf(folder, sizeof folder, "kfd/kfd/topology/nodes/%d", node);
    put(folder, "gpu_id", id);
    put(folder, "properties", properties);
    put(folder, "name", "gfx90a\n");
    put(folder, "mem_banks/0/properties", "heap_type 1\nsize_in_bytes 1000\n");
    put(folder, "mem_banks/1/properties", "heap_type 0\nsize_in_bytes 50\n");
}

static void kfd_beside_drm(void **state)
{
    (void)state;
    struct ml_gpu_row row;
    link_to(&proc, "self/ns/pid", "pid:[4026531836]");
    put_card(0, "amdgpu", "0000:03:00.0");
    put_kfd_node(0, "0\n", "cpu_cores_count 64\n");
    put_kfd_node(1, "51234\n", "location_id 768\ndomain 0\n");
    put_kfd_node(2, "7\n", "location_id 1024\ndomain 0\n"); /* without a DRM device */
    put_client(100, 5, "amdgpu", "0000:03:00.0", 7, "drm-memory-vram:\t300\n");
    fake_proc_write(&sys, "kfd/kfd/proc/100/vram_51234", "500\n"); /* has those 300 too */
    fake_proc_write(&sys, "kfd/kfd/proc/101/vram_7", "9\n");
    open_gpus(2);
    ml_gpus_describe(gpus, 1, 0, &row);
    assert_string_equal(row.name, "gfx90a");
    assert_string_equal(row.pci, "0000:04:00.0");
    assert_int_equal(row.memory_B, 1000);
    assert_string_equal(round_of(two), "0 on 0: 500 0\n1 on 1: 9 0\n");
    fake_proc_write(&sys, "kfd/kfd/proc/101/vram_7", "garbage\n");
    assert_string_equal(round_of(two), "1 on 1: 0 0\n");
}

static void parts_of_a_device_add_up(void **state)
{
    (void)state;
    link_to(&proc, "self/ns/pid", "pid:[4026531836]");
    put_kfd_node(0, "5\n", "location_id 768\n");
    put_kfd_node(1, "6\n", "location_id 268436224\n"); /* partition 1 */
    fake_proc_write(&sys, "kfd/kfd/proc/100/vram_5", "9223372036854775807\n");
    fake_proc_write(&sys, "kfd/kfd/proc/100/vram_6", "5\n");
    fake_proc_write(&sys, "kfd/kfd/proc/101/vram_6", "5\n");
    open_gpus(1);
    assert_string_equal(round_of(two), "0 on 0: 9223372036854775807 0\n1 on 0: 5 0\n");
}

/* The PIDs of kfd are those of the host: 100 there is somebody else. */
static void no_kfd_in_a_pid_namespace(void **state)
{
    (void)state;
    link_to(&proc, "self/ns/pid", "pid:[4026532201]");
    put_kfd_node(0, "5\n", "location_id 768\n");
    fake_proc_write(&sys, "kfd/kfd/proc/100/vram_5", "5\n");
    assert_null(ml_gpus_open(proc.root, sys.root));
}

static void many_devices(void **state)
{
    (void)state;
    char pci[32];
    for (int i = 0; i < 100; i++) {
        snprintf(pci, sizeof pci, "0000:%02x:00.0", i);
        put_card(i, "amdgpu", pci);
    }
    put_client(100, 5, "amdgpu", "0000:3f:00.0", 7, "drm-memory-vram:\t1\n");
    put_client(101, 5, "amdgpu", "0000:40:00.0", 7, "drm-memory-vram:\t1\n"); /* past the last */
    open_gpus(MOST);
    assert_string_equal(round_of(two), "0 on 63: 1 0\n");
}

/* ---- NVML ---- */

static void tell_of(int device, int64_t used_B, bool complete,
                    const struct ml_gpu_told_process *processes, size_t n)
{
    const struct ml_gpu_told_sample s = {device, used_B, 0, 5, complete, processes, n};
    ml_gpus_told(gpus, &s);
}

static void put_nvidia(void)
{
    fake_proc_write(&proc, "driver/nvidia/version", "NVRM\n");
    fake_proc_write(&proc, "driver/nvidia/gpus/0000:0b:00.0/information",
                    "Model: \t\t Made-up\nGPU UUID: \t GPU-2\nDevice Minor: \t 0\n");
    fake_proc_write(&proc, "driver/nvidia/gpus/0000:0a:00.0/information",
                    "Model: \t\t Made-up\nGPU UUID: \t GPU-1\nDevice Minor: \t 1\n");
    put_card(0, "nvidia", "0000:0a:00.0");
    link_to(&proc, "self/ns/pid", "pid:[4026531836]");
}

static void what_nvml_tells(void **state)
{
    static const pid_t one[] = {1, 101, 0};
    static const struct ml_gpu_told_process first[] = {{7, 1}, {100, 500}, {101, 600}};
    static const struct ml_gpu_told_process second[] = {{101, -1}};
    static const struct ml_gpu_told_device d[] = {
        {"A", "GPU-1", "0000:0a:00.0", 1000, 10, 1, -1},
        {"B MIG", "MIG-2", "0000:0b:00.0", 200, -1, 0, 3}};
    struct ml_gpu_row row;
    (void)state;
    put_nvidia();
    open_gpus(0);
    assert_true(ml_gpus_want_nvml(gpus));
    ml_gpus_add_told(gpus, &d[0]);
    ml_gpus_add_told(gpus, &d[1]);
    ml_gpus_describe(gpus, 1, 5, &row);
    assert_true(row.node == 5 && row.gpu == 1 && row.minor == 0 && row.gpu_instance == 3);
    assert_string_equal(row.name, "B MIG");
    assert_string_equal(row.driver, "nvidia");
    assert_string_equal(round_of(two), "");
    tell_of(0, 700, true, first, 3);
    tell_of(1, 50, true, second, 1);
    tell_of(2, 1, true, first, 3); /* nobody told of it */
    assert_string_equal(round_of(two),
                        "gpu 0: 700 5\ngpu 1: 50 5\n0 on 0: 500 0\n1 on 0: 600 0\n1 on 1: -1 0\n");
    assert_string_equal(round_of(two), "");
    assert_string_equal(round_of(one), "0 on 0: 0 0\n");
    tell_of(0, 700, false, NULL, 0);
    assert_string_equal(round_of(one), "1 on 0: -1 0\n");
    tell_of(0, 800, true, first, 3);
    tell_of(1, 50, true, NULL, 0); /* it has vanished there */
    assert_string_equal(round_of(one), "gpu 0: 800 5\n1 on 0: 600 0\n1 on 1: 0 0\n");
    ml_gpus_nvml_lost(gpus, true);
    assert_string_equal(round_of(one), "gpu 0: -1 -1\ngpu 1: -1 -1\n1 on 0: -1 0\n");
    assert_int_equal(ml_gpus_count(gpus), 2);
}

static void nvidia_without_nvml(void **state)
{
    struct ml_gpu_row row;
    (void)state;
    put_nvidia();
    open_gpus(0);
    ml_gpus_nvml_lost(gpus, false);
    assert_int_equal(ml_gpus_count(gpus), 2);
    ml_gpus_describe(gpus, 0, 0, &row);
    assert_string_equal(row.pci, "0000:0a:00.0");
    assert_string_equal(row.name, "Made-up");
    assert_string_equal(row.uuid, "GPU-1");
    assert_true(row.minor == 1 && row.memory_B == -1);
}

static void nvml_tells_one_of_two(void **state)
{
    static const struct ml_gpu_told_device d = {"A", "GPU-1", "0000:0a:00.0", 1000, 10, 1, -1};
    struct ml_gpu_row row;
    (void)state;
    put_nvidia();
    open_gpus(0);
    ml_gpus_add_told(gpus, &d);
    ml_gpus_nvml_lost(gpus, false);
    assert_int_equal(ml_gpus_count(gpus), 2);
    ml_gpus_describe(gpus, 1, 0, &row);
    assert_string_equal(row.pci, "0000:0b:00.0");
    assert_int_equal(row.minor, 0);
}

static void no_pids_of_nvml_in_a_pid_namespace(void **state)
{
    static const pid_t pids[] = {100, 0};
    static const struct ml_gpu_told_process first[] = {{100, 500}};
    static const struct ml_gpu_told_device d = {"A", "GPU-1", "0000:0a:00.0", 1000, 10, 1, -1};
    (void)state;
    fake_proc_write(&proc, "driver/nvidia/version", "NVRM\n");
    link_to(&proc, "self/ns/pid", "pid:[4026532000]");
    open_gpus(0);
    ml_gpus_add_told(gpus, &d);
    tell_of(0, 700, true, first, 1);
    assert_string_equal(round_of(pids), "gpu 0: 700 5\n");
}

/* ---- choices ---- */

static void say_choice(void *context, int process, int gpu, const char *variable, const char *value)
{
    (void)context;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%d: %d %s %s\n", process, gpu, variable, value);
}

static const char *choices_at(struct ml_gpu_choices *c, int64_t now_ns)
{
    *said = 0;
    ml_gpu_choices_look(c, gpus, 3, 100, now_ns, 10, say_choice, NULL);
    ml_gpu_choices_forget(c);
    return said;
}

static void what_a_process_may_use(void **state)
{
    static const char environment[] = "HOME=/\0CUDA_VISIBLE_DEVICES=0\0ZE_AFFINITY_MASK=1.0";
    (void)state;
    put_nvidia();
    fake_proc_write_bytes(&proc, "100/environ", environment, sizeof environment);
    fake_proc_write(&proc, "100/fd/x", "x");
    link_to(&proc, "100/fd/3", "/dev/nvidiactl");
    link_to(&proc, "100/fd/4", "/dev/nvidia1");
    link_to(&proc, "100/fd/5", "/dev/nvidia1");
    open_gpus(0);
    ml_gpus_nvml_lost(gpus, false);
    struct ml_gpu_choices *c = ml_gpu_choices_new();
    assert_string_equal(
        choices_at(c, 1000),
        "3: 0  /dev/nvidia1\n3: -1 CUDA_VISIBLE_DEVICES 0\n3: -1 ZE_AFFINITY_MASK 1.0\n");
    link_to(&proc, "100/fd/6", "/dev/nvidia0");
    assert_string_equal(choices_at(c, 1005), ""); /* it is not looked at so soon */
    assert_string_equal(choices_at(c, 1010), "3: 1  /dev/nvidia0\n");
    fake_proc_write_bytes(&proc, "100/environ", "CUDA_VISIBLE_DEVICES=1", 22); /* execve(2) */
    assert_string_equal(choices_at(c, 1020), "");
    assert_string_equal(choices_at(c, 1030), "3: -1 CUDA_VISIBLE_DEVICES 1\n");
    ml_gpu_choices_forget(c);
    assert_int_not_equal(strlen(choices_at(c, 1031)), 0); /* it was gone: this is another one */
    ml_gpu_choices_free(c);
}

int main(void)
{
#define ON_TREES(test) cmocka_unit_test_setup_teardown(test, open_trees, close_trees)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_driver),
        cmocka_unit_test(hostile_fdinfo),
        cmocka_unit_test(numbers_of_sysfs),
        cmocka_unit_test(device_files),
        cmocka_unit_test(variables),
        ON_TREES(nothing_without_devices),
        ON_TREES(devices_are_described),
        ON_TREES(what_processes_have),
        ON_TREES(kfd_beside_drm),
        ON_TREES(parts_of_a_device_add_up),
        ON_TREES(no_kfd_in_a_pid_namespace),
        ON_TREES(many_devices),
        ON_TREES(what_nvml_tells),
        ON_TREES(nvidia_without_nvml),
        ON_TREES(nvml_tells_one_of_two),
        ON_TREES(no_pids_of_nvml_in_a_pid_namespace),
        ON_TREES(what_a_process_may_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
