"""NVIDIA's GPUs under a real mpiexec, with a made-up library (tests/support/made_up_nvml.c) and a
made-up /proc/driver/nvidia. It needs a mount namespace, and the PIDs of the machine itself."""
import ctypes
import os
import re
import shutil
import subprocess

import h5py
import pytest
import memlog_testing as mt
from memlog_file import Recording

ENTER = """mount -t tmpfs nvidia /proc/driver && cp -r "$0/driver/." /proc/driver && exec "$@" """
MiB = 1 << 20
LIBRARY = mt.BIN_DIR.parent / "tests/support"

RANK = """
import os, time
rank = int(os.environ.get("PMIX_RANK", os.environ.get("PMI_RANK", -1)))
folder = os.environ["MADE_UP_NVML"]
def looks():
    try:
        return int(open(folder + "/looks").read())
    except (OSError, ValueError):
        return 0
def hold(*rows):
    new = f"{folder}/new.{rank}"
    with open(new, "w") as f:
        f.write("".join(f"{gpu} {MiB << 20}\\n" for gpu, MiB in rows))
    os.rename(new, f"{folder}/{os.getpid()}")
    first = looks()
    while looks() < first + 3: # the one under way, one that saw it, one after that was heard
        time.sleep(0.01)
hold((0, 300 + rank))
hold((0, 300 + rank), (1, 50))
if rank == 0:
    with open(folder + "/behaviour", "w") as f:
        f.write("ecc 2\\n")
hold((0, 100))
"""

# When it was looked at once, the next look is the library's last
DIES = """
import os, time
folder = os.environ["MADE_UP_NVML"]
while not os.path.exists(folder + "/looks"):
    time.sleep(0.01)
with open(folder + "/behaviour", "a") as f:
    f.write("die nvmlDeviceGetUtilizationRates\\n")
while not os.path.exists(folder + "/dies"):
    time.sleep(0.01)
time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if os.readlink("/proc/self/ns/pid") != "pid:[4026531836]":
        pytest.skip("in a PID namespace, where the PIDs of NVML are others'")
    tree = tmp_path_factory.mktemp("nvidia")
    for minor, pci in enumerate(("0000:10:00.0", "0000:11:00.0")):
        gpu = tree / "driver/nvidia/gpus" / pci
        gpu.mkdir(parents=True)
        (gpu / "information").write_text(f"Model: \t\t NVIDIA by its driver\nGPU UUID: \t GPU-{minor}\n"
                                         f"Device Minor: \t {minor}\n")
    (tree / "driver/nvidia/version").write_text("NVRM version: made up\n")
    if subprocess.run(["unshare", "-m", "sh", "-c", ENTER, tree, "true"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted over /proc/driver here")
    return tree


def record(machine, folder, command, behaviour="", version="3", options=("--gpu-rate", "20ms"), **more):
    told = folder / "told"
    told.mkdir()
    (told / "behaviour").write_text(behaviour)
    environment = {"MADE_UP_NVML": str(told), "LD_LIBRARY_PATH": f"{LIBRARY}/nvml_{version}", **more}
    job = mt.mpiexec(mt.BUILD, 2) + [mt.MEMLOG_MPI, "-r", "20ms", *options, "-o", folder / "run.h5", "--"]
    outcome = mt.run(["unshare", "-m", "sh", "-c", ENTER, machine, *job, *command], env=environment)
    assert outcome.code == 0, str(outcome)
    return Recording(folder / "run.h5"), outcome


@pytest.fixture(scope="module")
def recording(machine, tmp_path_factory):
    return record(machine, tmp_path_factory.mktemp("nvml"), ["/usr/bin/python3", "-c", RANK],
                  CUDA_VISIBLE_DEVICES="1,0")[0]


def test_the_gpus(recording):
    gpus = [{k: g[k] for k in ("gpu", "name", "uuid", "pci", "driver", "memory_B", "reserved_B", "minor",
                               "gpu_instance")} for g in recording.rows("gpus")]
    assert gpus == [dict(gpu=i, name=f"Made-up GPU {i}", uuid=f"GPU-0000000{i}", pci=f"0000:1{i}:00.0",
                         driver="nvidia", memory_B=4 << 30, reserved_B=256 * MiB, minor=i, gpu_instance=-1)
                    for i in (0, 1)]
    assert [(s["gpu"], s["used_B"], s["utilisation"], s["ecc_errors"]) for s in sorted(
        recording.rows("gpu_samples"), key=lambda s: (s["gpu"], s["time_s"]))] == [
        (gpu, 512 * MiB, 40 + gpu, errors) for gpu in (0, 1) for errors in (0, 2)]
    assert [e["text"] for e in recording.rows("events") if "ECC" in e["text"]] == [
        f"GPU {gpu} had errors of its memory that ECC could not correct: 2 more" for gpu in (0, 1)]


def test_what_each_rank_had(recording):
    rank = {r["process"]: n for n, r in recording.ranks().items()}
    had = {n: [(s["gpu"], s["used_B"] // MiB) for s in recording.rows("gpu_process_samples")
               if rank[s["process"]] == n] for n in (0, 1)}
    for n in (0, 1):
        assert had[n][:4] == [(0, 300 + n), (1, 50), (0, 100), (1, 0)], had
    text = mt.memlog(recording.path.parent, "read", "run.h5")
    assert re.search(r"\n +1 +0 +\S+ +301\.?0? MiB +4\.00 GiB +7%", text), text


def test_what_each_rank_may_use(recording, tmp_path):
    process = {n: r["process"] for n, r in recording.ranks().items()}
    told = [(c["process"], c["gpu"], c["variable"], c["value"]) for c in recording.rows("gpu_choices")
            if c["process"] in process.values()]
    assert sorted(told) == [(process[n], -1, "CUDA_VISIBLE_DEVICES", "1,0") for n in (0, 1)]
    text = mt.memlog(recording.path.parent, "read", "run.h5")
    assert "CUDA_VISIBLE_DEVICES of the ranks: 1,0 (2 ranks).\n" in text
    # Where no memory by process is known, what they have open says something
    shutil.copy(recording.path, tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5", "r+") as f:
        for column, value in (("gpu_choices/gpu", 1), ("gpu_choices/variable", b""),
                              ("gpu_process_samples/gpu", 99)):
            f[column][:] = value
            del f[column].attrs["checksum"]
    text = mt.memlog(tmp_path, "read", "run.h5")
    assert re.search(r"\n\nNo rank opened GPU 0 of \S+\.\n2 ranks have GPU 1 of \S+ open and no other "
                     r"\(0 and 1\)\.\n", text), text


def notes(recording):
    return [e["text"] for e in recording.rows("events") if "NVIDIA" in e["text"]]


def test_a_hang_changes_nothing_and_is_told(machine, tmp_path):
    recording, outcome = record(machine, tmp_path, ["sh", "-c", "sleep 0.3; echo well"], "hang nvmlInit_v2\n")
    assert outcome.stdout.count(b"well") == 2
    note, = notes(recording)
    assert re.fullmatch(r"NVML had not answered for \S+ s, when the run ended; .* is not recorded", note)
    assert [g["name"] for g in recording.rows("gpus")] == ["NVIDIA by its driver"] * 2
    assert not recording.rows("gpu_samples")


def test_a_death_is_told(machine, tmp_path):
    recording, outcome = record(machine, tmp_path, ["/usr/bin/python3", "-c", DIES], "devices 2\n")
    note, = notes(recording)
    assert note == "the process that asks NVML died; from now on nothing of NVIDIA's GPUs is recorded"
    assert note.encode() in outcome.stderr
    assert [g["name"] for g in recording.rows("gpus")] == ["Made-up GPU 0", "Made-up GPU 1"]
    last = {s["gpu"]: (s["used_B"], s["utilisation"]) for s in recording.rows("gpu_samples")}
    assert last == {0: (-1, -1), 1: (-1, -1)}


def real_gpu():
    if not os.path.exists("/proc/driver/nvidia/version"):
        pytest.skip("no GPU of NVIDIA here")
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        pytest.skip(f"CUDA's driver API cannot be used: {error}")


def test_a_real_gpu(tmp_path):
    """What CUDA's contexts take for themselves is alike in all ranks; the rest is what they asked for."""
    real_gpu()
    job = mt.mpiexec(mt.BUILD, 4) + [mt.MEMLOG_MPI, "--gpu-rate", "100ms", "-o", tmp_path / "run.h5", "--"]
    outcome = mt.run([*job, "/usr/bin/python3", mt.TESTS / "programs/cuda_hold.py", "64", "12"])
    assert outcome.code == 0, str(outcome)
    recording = Recording(tmp_path / "run.h5")
    rank = {r["process"]: n for n, r in recording.ranks().items()}
    peaks = [0] * 4
    for s in recording.rows("gpu_process_samples"):
        if s["process"] in rank:
            peaks[rank[s["process"]]] = max(peaks[rank[s["process"]]], s["used_B"])
    for n in range(1, 4):
        assert abs(peaks[n] - peaks[0] - ((64 << n) - 64) * MiB) <= 2 * MiB, peaks
