"""Why a rank died: what the kernel, the limits and the signals say, in text, JSON and the file."""
import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import memlog_testing as mt
from memlog_file import Recording

MIB = 1 << 20
CGROUPS = Path("/sys/fs/cgroup")


def report(file):
    done = subprocess.run([mt.MEMLOG, "read", "--json", file], capture_output=True, check=True)
    return json.loads(done.stdout)


def text(file):
    env = {**os.environ, "COLUMNS": "300"}
    return subprocess.run([mt.MEMLOG, "read", file], capture_output=True, text=True, check=True,
                          env=env).stdout


def death(file, kind, rank, sure):
    """The death in JSON, after all forms were seen to agree on it."""
    found, attributes = report(file)["run"]["death"], Recording(file).attributes
    assert (found["kind"], found["rank"], found["sure"]) == (kind, rank, sure), found
    assert (attributes["death"], attributes["death_rank"], attributes["death_sure"]) == (kind, rank, sure)
    told = [e["text"] for e in Recording(file).rows("events") if e["kind"] == 14]
    assert attributes["verdict"] in told
    assert attributes["verdict"] in re.sub(r"\s+", " ", text(file))
    return found


def command(ranks, *application, options=(), file):
    return [*mt.mpiexec(mt.BUILD, ranks), mt.MEMLOG_MPI, "-q", "-r", "50ms", *options, "-o", file,
            "--", *application]


def so_far(file, name, column):
    """COLUMN of NAME in the summary of a run that goes on; None: not known yet."""
    done = subprocess.run([mt.MEMLOG, "read", "--json", file], capture_output=True)
    found = json.loads(done.stdout)["summary"][name] if done.returncode == 0 else None
    return found and found[column]


@pytest.fixture
def cgroup():
    """A function that makes a cgroup of so many MiB below ours, in which a job can be started."""
    made = []
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    places = [(CGROUPS / "memory" / own["memory"].lstrip("/"), "memory.limit_in_bytes")] \
        if "memory" in own else [(CGROUPS / own.get("", "/").lstrip("/"), "memory.max")]

    def make(size_MiB):
        parent, limit = places[0]
        path = parent / f"memlog-test-{os.getpid()}"
        try:
            path.mkdir()
            made.append(path)
            (path / limit).write_text(str(size_MiB * MIB))
        except OSError as error:
            pytest.skip(f"no cgroup with a limit may be made here: {error}")
        return lambda: (path / "cgroup.procs").write_text(str(os.getpid()))
    yield make
    for path in made:
        mt.wait_for(lambda p=path: not (p / "cgroup.procs").read_text(), what="an empty cgroup")
        path.rmdir()


def test_killed_in_its_cgroup(file, tmp_path, cgroup):
    job = command(3, mt.PROGRAMS / mt.BUILD / "memory_kinds", "eat", 0, tmp_path / "stop",
                  options=("--pstack", "--stack-rate", "200ms"), file=file)
    outcome = mt.run(job, preexec_fn=cgroup(200))
    assert outcome.code in (137, 9), outcome
    found = death(file, "oom_cgroup", 2, True)
    assert b"died" not in outcome.stderr, outcome
    assert Recording(file).attributes["verdict"].endswith(
        "was ended by the kernel: out of memory; the job's cgroup (200 MiB) was full")
    assert 80 * MIB < found["rank_B"] <= 200 * MIB and found["node_B"] >= found["rank_B"]
    assert any(call.startswith("eat at memory_kinds.c:") for call in found["calls"])
    assert report(file)["summary"]["closest_to_limit"]["limit"] == "cgroup"
    picture = file.with_suffix(".svg")
    subprocess.run([mt.MEMLOG, "plot", file, "-o", picture], check=True)
    assert "out of memory" in picture.read_text()


def test_whose_memory_it_was(file, tmp_path, cgroup):
    """The owner of most of the rank's heap is named, by the profile that its journal has."""
    job = command(2, mt.PROGRAMS / mt.BUILD / "memory_kinds", "eat", 0, tmp_path / "stop",
                  options=("--heap",), file=file)
    outcome = mt.run(job, preexec_fn=cgroup(300))
    assert outcome.code in (137, 9), outcome
    owner = death(file, "oom_cgroup", 1, True)["owner"]
    assert "memory_kinds.c:" in owner["call"] and 50 * MIB < owner["live_B"] <= owner["heap_B"] < 300 * MIB
    assert f"most of its heap was allocated by {owner['call']}: " in re.sub(r"\s+", " ", text(file))


MADE_UP = ["--set", "death_rank=1", "--set", "death_sure=1"]


@pytest.mark.parametrize("options, told", [
    (["--heap", "some", "--set", "death=oom_node"],
     "the largest part of its heap was allocated by assemble(Mesh const&) at core.cpp:211: 30.5 MiB of "),
    (["--heap", "some", "--set", "death=no_memory"], "of its heap was allocated by assemble(Mesh const&)"),
    (["--heap", "some", "--set", "death=killed"], None),
    (["--heap", "empty", "--set", "death=oom_node"], None),
    (["--set", "death=oom_node"], None),
])
def test_owner_of_a_death(tmp_path, options, told):
    file = tmp_path / "run.h5"
    subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", file, "--out-of-memory", *MADE_UP, *options],
                   check=True)
    found = report(file)["run"]["death"]["owner"]
    words = re.sub(r"\s+", " ", text(file))
    assert (told or "rank 1 had ") in words and ("of its heap" in words) == (told is not None), words
    assert (found is not None) == (told is not None)
    if found:
        assert 0 < found["live_error_B"] < found["live_B"] < found["heap_B"]


def test_page_cache_is_left(file, cgroup):
    """What the kernel can take back is no use of memory. /tmp may be a tmpfs, of which it is none."""
    script = 'big=$(mktemp -p /var/tmp); dd if=/dev/zero of=$big bs=1M count=150 2>&-; sleep 1; rm $big'
    outcome = mt.run(command(1, "sh", "-c", script, file=file), preexec_fn=cgroup(300))
    assert outcome.code == 0, outcome
    rows = Recording(file).rows("node_samples")
    assert max(r["cgroup_file_B"] for r in rows) > 140 * MIB
    found = report(file)["summary"]["closest_to_limit"]
    assert found["limit"] == "cgroup" and found["left_B"] > 170 * MIB, found


@pytest.mark.parametrize("letter, kind", [("v", "address_space"), ("d", "data")])
def test_refused_by_ulimit(file, letter, kind):
    """malloc fails near the limit, and the program ends by itself."""
    eater = ("import time\nhad = []\nwhile True:\n had.append(bytearray(4 << 20)); time.sleep(0.05)")
    application = ["sh", "-c", f"ulimit -{letter} 400000; exec python3 -c '{eater}'"]
    outcome = mt.run(command(1, *application, file=file))
    assert outcome.code == 1 and b"MemoryError" in outcome.stderr, outcome
    death(file, "no_memory", 0, False)
    assert f"ulimit -{letter} allows" in Recording(file).attributes["verdict"]
    assert report(file)["summary"]["closest_to_limit"]["limit"] == kind


def test_full_dev_shm(file):
    """A page that a mapped file has no room for is a bus error; the file is still there."""
    if os.geteuid() != 0:
        pytest.skip("a small /dev/shm wants root")
    writer = ("import mmap; f = open('/dev/shm/x', 'w+b'); f.truncate(1 << 30); "
              "m = mmap.mmap(f.fileno(), 0)\nfor i in range(0, 1 << 30, 4096): m[i] = 1")
    job = [mt.MEMLOG_MPI, "-n", 1, "-q", "-r", "50ms", "-o", file, "--", "python3", "-c", writer]
    outcome = mt.run(["unshare", "-m", "sh", "-c",
                      'mount -t tmpfs -o size=40m none /dev/shm && exec "$@"', "sh", *job])
    assert outcome.code == 128 + signal.SIGBUS, outcome
    death(file, "tmpfs_full", 0, False)


@pytest.mark.parametrize("asked", [{"SLURM_MEM_PER_NODE": "100"},
                                   {"SLURM_MEM_PER_CPU": "50", "SLURM_CPUS_ON_NODE": "2"},
                                   {"SLURM_MEM_PER_NODE": "30"}], ids=["node", "cpu", "over"])
def test_what_the_batch_system_was_asked_for(file, asked):
    outcome = mt.run(mt.hosted_command(mt.BUILD, 1, "touch", "60", "0.5", file=file), env=asked)
    assert outcome.code == 0, outcome
    found = report(file)["summary"]["closest_to_limit"]
    limit = 30 * MIB if asked.get("SLURM_MEM_PER_NODE") == "30" else 100 * MIB
    assert (found["limit"], found["limit_B"]) == ("scheduler", limit), found
    assert found["left_B"] == 0 if limit < 60 * MIB else 20 * MIB < found["left_B"] < 40 * MIB


def test_what_pbs_was_asked_for(file):
    """pbs_mom sets it as a limit that the kernel does not keep to."""
    def limit():
        resource.setrlimit(resource.RLIMIT_RSS, (100 * MIB, 100 * MIB))
    job = mt.hosted_command(mt.BUILD, 1, "touch", "60", "0.5", file=file)
    for env, kind in ({"PBS_JOBID": "1.head"}, "scheduler"), ({}, "node"):
        outcome = mt.run(job, env=env, preexec_fn=limit)
        assert outcome.code == 0, outcome
        found = report(file)["summary"]["closest_to_limit"]
        assert (found["limit"] == "scheduler") == (kind == "scheduler"), found
        assert kind != "scheduler" or found["limit_B"] == 100 * MIB, found
        file.unlink()


def test_pbs_adds_up_resident_sets(file, tmp_path):
    """A window of 60 MiB that four ranks share is 240 MiB to it."""
    def limit():
        resource.setrlimit(resource.RLIMIT_RSS, (1000 * MIB, 1000 * MIB))
    job = mt.hosted_command(mt.BUILD, 4, "memory_kinds", "window", "60", tmp_path / "stop", file=file)
    with mt.Job(job, env={"PBS_JOBID": "1.head"}, preexec_fn=limit) as job:
        mt.wait_for(lambda: (so_far(file, "closest_to_limit", "left_B") or 2000 * MIB) < 760 * MIB,
                    what="resident sets of 240 MiB")
        (tmp_path / "stop").touch()
        outcome = job.finish()
    assert outcome.code == 0, outcome
    assert report(file)["summary"]["peak_B"] < 200 * MIB


def test_killed_over_what_the_batch_system_allows(file):
    """As Slurm's OverMemoryKill and pbs_mom do."""
    with mt.Job(command(2, *mt.program(mt.BUILD, "touch"), "70", "600", file=file),
                env={"SLURM_MEM_PER_NODE": "100"}) as job:
        ranks = mt.wait_for(lambda: [p for p in job.processes() if mt.comm_of(p) == "touch"][1:],
                            what="the ranks")
        mt.wait_for(lambda: so_far(file, "closest_to_limit", "left_B") == 0, what="a sample over the limit")
        os.kill(ranks[0], signal.SIGKILL)
        job.finish()
    death(file, "scheduler", report(file)["run"]["death"]["rank"], False)
    assert "0 B were left of the 100 MiB" in Recording(file).attributes["verdict"]


def test_full_stack(file, tmp_path):
    """A recursion without an end: what was taken at last is a whole stack."""
    application = ["sh", "-c", 'ulimit -s 8192; exec "$@"', "sh", *mt.program(mt.BUILD, "deep"),
                   tmp_path / "go"]
    with mt.Job(command(1, *application, file=file)) as job:
        mt.wait_for(lambda: (so_far(file, "largest_rank", "peak_B") or 0) > 64 * MIB,
                    what="a sample of all that it has")
        (tmp_path / "go").touch()
        outcome = job.finish()
    assert outcome.code in (128 + signal.SIGSEGV, signal.SIGSEGV), outcome
    death(file, "stack", 0, False)
    assert "ulimit -s allows 8.00 MiB" in Recording(file).attributes["verdict"]


def test_killed_by_somebody(file):
    with mt.Job(command(2, "sleep", "60", file=file)) as job:
        victim = mt.wait_for(lambda: [p for p in job.processes() if mt.comm_of(p) == "sleep"][1:],
                             what="the ranks")[0]
        mt.wait_for_samples(file)
        os.kill(victim, signal.SIGKILL)
        outcome = job.finish()
    assert outcome.code in (137, 9), outcome
    rank = report(file)["run"]["death"]["rank"]
    death(file, "killed", rank, True)


def test_ended_from_outside(file):
    with mt.Job(command(2, "sleep", "60", file=file)) as job:
        mt.wait_for(lambda: len([p for p in job.processes() if mt.comm_of(p) == "sleep"]) == 2,
                    what="the ranks")
        mt.wait_for_samples(file)
        for pid in mt.sampling_ranks(job):
            os.kill(pid, signal.SIGTERM)
        job.finish()
    death(file, "asked", report(file)["run"]["death"]["rank"], True)


# As MPICH from 4.1 on speaks PMI-1 where a call of MPI fails.
ABORTER = """
import os, time
wire = os.fdopen(int(os.environ["PMI_FD"]), "r+b", buffering=0)
wire.write(b"cmd=init pmi_version=1 pmi_subversion=1\\n")
wire.readline()
wire.write(b"cmd=abort exitcode=9 message=Fatal error in MPI_Send: Invalid rank, error stack:\\n")
time.sleep(600)
"""


def test_abort_with_its_text(file):
    """It is acted upon whatever its text, which stands in the verdict."""
    outcome = mt.run(command(1, "python3", "-c", ABORTER, file=file))
    assert outcome.code == 9, outcome
    death(file, "abort", 0, True)
    assert Recording(file).attributes["verdict"].endswith(
        "called MPI_Abort with code 9: Fatal error in MPI_Send: Invalid rank, error stack:")


def test_abort_without_a_text(file):
    outcome = mt.run(mt.hosted_command(mt.BUILD, 2, "abort7", "1", "9", file=file))
    assert outcome.code == 9, outcome
    death(file, "abort", 1, True)
    assert re.fullmatch(r"rank 1 on \S+ called MPI_Abort with code 9", Recording(file).attributes["verdict"])
    told = [e for e in Recording(file).rows("events") if e["kind"] == 3]
    assert [e["value"] for e in told] == [9]


def test_a_plain_end_is_no_death(file):
    outcome = mt.run(command(2, "sh", "-c", "exit 3", file=file))
    assert outcome.code == 3, outcome
    assert report(file)["run"]["death"] is None
    assert "before that" not in text(file)
