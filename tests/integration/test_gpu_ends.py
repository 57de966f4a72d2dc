"""Memory of GPUs while a job runs, and when it ends for want of it: as test_gpu.py, on a made-up
/sys/class."""
import json
import re
import shutil

import pytest
import memlog_testing as mt
from memlog_file import Recording, Stacks
from test_gpu import ENTER, RANK, MiB, machine  # noqa: F401 machine is a fixture

HOLD = RANK[:RANK.index("hold(7, 300")]


def command(machine, file, script, *options):
    job = mt.mpiexec(mt.BUILD, 2) + [mt.MEMLOG_MPI, "-r", "20ms", "--gpu-rate", "20ms", *options, "-o", file, "--"]
    return ["unshare", "-m", "sh", "-c", ENTER, machine, *job, "/usr/bin/python3", "-c", HOLD + script]


def death(folder):
    return json.loads(mt.memlog(folder, "read", "--json", "run.h5"))["run"]["death"]


def keep_journals(file, place):
    """As they are while the run goes on."""
    place.mkdir()
    for journal in mt.journals_of(file):
        shutil.copy(journal, place)


def rows_of(recording, table):
    return [{k: pytest.approx(v) if k == "time_s" else v for k, v in row.items()} for row in recording.rows(table)]


def check_recovered(place, whole):
    """The file of those journals has the rows that the whole file begins with."""
    mt.memlog(place, "recover", *[j.name for j in place.iterdir()], "-o", "again.h5")
    again = Recording(place / "again.h5")
    assert again.rows("gpus") == whole.rows("gpus")
    kept = again.rows("gpu_process_samples")
    assert [row["used_B"] // MiB for row in kept if row["used_B"]] == [50, 395]
    assert kept == rows_of(whole, "gpu_process_samples")[:len(kept)]
    assert again.rows("gpu_samples") == rows_of(whole, "gpu_samples")
    assert re.search(r"\nGPU peak +395 MiB at", mt.memlog(place, "read", "again.h5"))


def test_a_run_that_fills_its_gpu(machine, tmp_path):  # noqa: F811
    """The live line and /job_samples have it, stacks are taken of who grows there, the verdict
    tells of it, and recovered journals have it too."""
    go, said, file = tmp_path / "go", tmp_path / "stderr", tmp_path / "run.h5"
    script = f"""
if rank == 1:
    hold(8, 50)
    hold(8, 395)
while not os.path.exists({str(go)!r}):
    time.sleep(0.01)
if rank == 1:
    os._exit(3)
time.sleep(1000)
"""
    options = ["--live", "--pstack", "--stack-rate", "0", "--stack-growth", "200MiB"]
    with said.open("wb") as stderr, mt.Job(command(machine, file, script, *options), stderr=stderr) as job:
        mt.wait_for(lambda: job.process.poll() is not None or b"  GPUs 395 MiB" in said.read_bytes(),
                    what="memory of GPUs in the live line")
        keep_journals(file, tmp_path / "kept")
        go.touch()
        assert job.finish().code == 3, said.read_bytes()
    recording = Stacks(file)
    assert max(recording["job_samples"]["gpu_B"]) == 395 * MiB
    assert re.search(r"\nGPU peak +395 MiB at", mt.memlog(tmp_path, "read", "run.h5"))
    check_recovered(tmp_path / "kept", recording)
    attributes, found = recording.attributes, death(tmp_path)
    assert (attributes["death"], attributes["death_rank"], attributes["death_sure"]) == ("gpu_full", 1, 0)
    assert (found["kind"], found["sure"], found["rank"]) == ("gpu_full", False, 1)
    assert attributes["verdict"].endswith(
        ", likely for want of GPU memory: 5.00 MiB were left of the 400 MiB of GPU 1"), attributes["verdict"]
    rank = {r["process"]: n for n, r in recording.ranks().items()}
    samples = recording.rows("stack_samples")
    if not samples:
        pytest.skip("no stack was taken: " + mt.memlog(tmp_path, "read", "--pstack", "run.h5"))
    assert {(rank[s["process"]], s["trigger"]) for s in samples} == {(1, 2)}


def test_an_end_with_a_gpu_half_full(machine, tmp_path):  # noqa: F811
    script = "if rank == 1:\n    hold(8, 60); hold(8, 220); os._exit(3)\n"
    outcome = mt.run(command(machine, tmp_path / "run.h5", script, "-q"))
    assert outcome.code == 3, str(outcome)
    attributes = Recording(tmp_path / "run.h5").attributes
    assert "death" not in attributes and death(tmp_path) is None and "GPU" not in attributes["verdict"]
