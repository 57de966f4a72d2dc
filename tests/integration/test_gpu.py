"""Memory of GPUs under a real mpiexec, on a made-up /sys/class: ranks write there what a driver
would. It needs a mount namespace, and the PIDs of the machine itself."""
import json
import os
import re
import subprocess

import pytest
import memlog_testing as mt
from memlog_file import Recording

# Mounted with strictatime: a rank sees by the time of the last access that memlog-mpi has looked
ENTER = """mount -t tmpfs -o strictatime gpu /sys/class && cp -r "$0/." /sys/class && exec "$@" """
MiB = 1 << 20

RANK = """
import os, time
rank = int(os.environ.get("PMIX_RANK", os.environ.get("PMI_RANK", -1)))
folder = f"/sys/class/kfd/kfd/proc/{os.getpid()}"
os.makedirs(folder)
def hold(gpu, MiB):
    with open(f"{folder}/vram_{gpu}", "w") as f:
        f.write(str(MiB << 20) + "\\n")
    now = os.stat(f.name)
    while os.stat(f.name).st_atime_ns <= now.st_mtime_ns:
        time.sleep(0.01)
hold(7, 300 + rank)
if rank == 1:
    hold(8, 50)
hold(7, 100)
"""


def put(folder, **files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text + "\n")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if os.readlink("/proc/self/ns/pid") != "pid:[4026531836]":
        pytest.skip("in a PID namespace, where the PIDs of /sys/class/kfd are others'")
    tree = tmp_path_factory.mktemp("class")
    if subprocess.run(["unshare", "-m", "sh", "-c", ENTER, tree, "true"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted over /sys/class here")
    nodes = tree / "kfd/kfd/topology/nodes"
    put(nodes / "0", gpu_id="0", properties="cpu_cores_count 2")
    for node, gpu in enumerate((7, 8, 9), 1):
        put(nodes / str(node), gpu_id=str(gpu), properties=f"location_id {node << 8}", name="gfx90a")
        put(nodes / f"{node}/mem_banks/0", properties=f"heap_type 1\nsize_in_bytes {400 * MiB}")
    card = tree / "drm/card0/device"
    put(card, uevent="DRIVER=amdgpu\nPCI_SLOT_NAME=0000:01:00.0", product_name="Made-up GPU",
        mem_info_vram_total=str(400 * MiB), mem_info_vram_used="4096", gpu_busy_percent="9")
    put(card / "drm/renderD128", dev="226:128")
    return tree


def record(machine, file, command, *options):
    job = mt.mpiexec(mt.BUILD, 2) + [mt.MEMLOG_MPI, "-q", "-r", "20ms", *options, "-o", file, "--"]
    outcome = mt.run(["unshare", "-m", "sh", "-c", ENTER, machine, *job, *command])
    assert outcome.code == 0, str(outcome)
    return Recording(file)


@pytest.fixture(scope="module")
def recording(machine, tmp_path_factory):
    return record(machine, tmp_path_factory.mktemp("gpu") / "run.h5",
                  ["/usr/bin/python3", "-c", RANK], "--gpu-rate", "20ms")


def test_the_gpus(recording):
    gpus = recording.rows("gpus")
    assert [(g["gpu"], g["name"], g["pci"]) for g in gpus] == [
        (0, "Made-up GPU", "0000:01:00.0"), (1, "gfx90a", "0000:02:00.0"), (2, "gfx90a", "0000:03:00.0")]
    assert {g["memory_B"] for g in gpus} == {400 * MiB} and {g["driver"] for g in gpus} == {"amdgpu"}
    assert [(s["gpu"], s["used_B"], s["utilisation"]) for s in recording.rows("gpu_samples")] == [(0, 4096, 9)]


def test_what_each_rank_had(recording):
    rank = {r["process"]: n for n, r in recording.ranks().items()}
    had = {n: [(s["gpu"], s["used_B"] // MiB) for s in recording.rows("gpu_process_samples")
               if rank[s["process"]] == n] for n in (0, 1)}
    assert had[0][:2] == [(0, 300), (0, 100)]
    assert had[1][:3] == [(0, 301), (1, 50), (0, 100)]
    assert all(used == 0 for rows, n in ((had[0], 2), (had[1], 3)) for _, used in rows[n:])


def test_the_report(recording):
    folder = recording.path.parent
    text = mt.memlog(folder, "read", "run.h5")
    assert re.search(r"rank +GPU +node +GPU peak", text)
    assert re.search(r"\n +1 +0 +\S+ +301\.?0? MiB +400\.?0? MiB +75%", text), text
    assert re.search(r"2 ranks share GPU 0 of \S+ \(0 and 1\)\.\n", text)
    assert re.search(r"No rank had memory of GPU 2 of \S+\.\n", text)
    gpus = json.loads(mt.memlog(folder, "read", "--json", "run.h5"))["gpus"]
    assert [[(r["rank"], r["peak_B"] // MiB) for r in g["ranks"]] for g in gpus] == [
        [(0, 300), (1, 301)], [(1, 50)], []]
    assert gpus[0]["peak_used_B"] == 4096 and gpus[1]["peak_used_B"] is None


def test_the_tables_are_checked_and_exported(recording):
    folder = recording.path.parent
    mt.memlog(folder, "check", "run.h5")
    tables = json.loads(mt.memlog(folder, "export", "--json", "run.h5"))
    assert tables["gpus"]["gpu"] == [0, 1, 2]
    assert tables["gpu_process_samples"]["used_B"] == recording["gpu_process_samples"]["used_B"]


def test_no_gpu(machine, tmp_path):
    recording = record(machine, tmp_path / "run.h5", ["sleep", "0.2"], "--no-gpu")
    assert not recording.rows("gpus") and not recording.rows("gpu_process_samples")
    assert "GPU" not in mt.memlog(tmp_path, "read", "run.h5")
