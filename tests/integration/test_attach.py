"""memlog-mpi --attach of an MPI job that others have started: memory, ranks and stacks are right,
and the job notices nothing. What has no MPI: test_attach_processes.py."""
import os
import shutil
import signal

import pytest
import attach_testing as at
import memlog_testing as mt
import stack_testing as st
from memlog_file import Stacks

MIB, RANKS, EACH = 1 << 20, 3, 24
OWN_B = 40 * MIB                        # what a rank has beside what it holds, at most


class Job:
    """RANKS ranks of hold under the mpiexec of FLAVOUR, as job ID of a batch system."""

    def __init__(self, flavour, folder):
        self.name, self.id, self.end = at.unique_name(), at.unique_name(), folder / "end"
        program = folder / self.name
        shutil.copy(mt.PROGRAMS / flavour / "hold", program)
        self.job = mt.Job([*mt.mpiexec(flavour, RANKS), program, self.end, EACH], cwd=folder,
                          env={"PBS_JOBID": f"{self.id}.server"})
        mt.wait_for(lambda: len(self.ranks()) == RANKS, what="the ranks")

    def ranks(self):
        return mt.application_ranks(self.job, self.name)

    def check_untouched(self):
        assert len(self.ranks()) == RANKS
        for pid in self.ranks():
            st.check_free(pid)

    def finish(self):
        self.end.touch()
        outcome = self.job.finish()
        said = outcome.by_rank()
        assert outcome.code == 0 and not outcome.orphans, str(outcome)
        assert said == {r: ["holds", "held"] for r in range(RANKS)}, str(outcome)


@pytest.fixture
def job(flavour, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    running = Job(flavour, folder)
    with running.job:
        yield running


def has_all(report):
    """The ranks have what they hold, and of each there are stacks."""
    ranks = [p for p in report["processes"] if p["rank"] is not None and p["rank"] >= 0]
    stacks = {s["rank"] for s in report["stacks"]["samples"]}
    return len(ranks) == len(stacks) == RANKS and all(
        (p["peak_B"] or 0) >= (p["rank"] + 1) * EACH * MIB for p in ranks)


def check_record(run, job, what):
    ranks = run.ranks()
    assert sorted(ranks) == list(range(RANKS))
    assert run.attributes["attached"] == what
    assert run.attributes["exit_code"] == -1
    assert len(run["output"]["time_s"]) == 0 and len(run["mpi"]["calls"]) == 0
    for row in ranks.values():
        held_B = (row["rank"] + 1) * EACH * MIB
        memory = [s["memory_B"] for s in run.rows("samples") if s["process"] == row["process"]]
        assert held_B <= max(memory) <= held_B + OWN_B
        assert row["exit_code"] == -1 and row["signal"] == -1
        assert row["name"] == job.name and str(job.end) in row["command"]


def check_stacks(run):
    stacks = run.samples()
    assert {s["rank"] for s in stacks} == set(range(RANKS))
    assert any("hold_on" in s["functions"] and "main" in s["functions"] for s in stacks)


def test_job(job, tmp_path):
    """By name, with two of ours on the node, left at a signal; then by the job's id, to its end."""
    stacks = ["--pstack", "--stack-rate", "100ms", "--overhead", "50%"]
    with at.Recorder(job.name, tmp_path / "name.h5", *stacks,
                     launcher=mt.mpiexec(mt.BUILD, 2)) as first:
        first.wait_until(has_all, "memory and stacks", "--pstack")
        job.check_untouched()
        first.leave(signal.SIGTERM)
    job.check_untouched()
    run = Stacks(first.file)
    assert run.attributes["verdict"].startswith("left at signal 15")
    check_record(run, job, f"processes named {job.name}")
    assert len(run.rows("processes")) == RANKS
    check_stacks(run)

    debugger = ["--debugger", "gdb"] if shutil.which("gdb") else []
    with at.Recorder(f"job:{job.id}", tmp_path / "job.h5", *stacks, *debugger) as second:
        second.wait_until(has_all, "memory and stacks", "--pstack")
        job.finish()
        second.finish()
    run = Stacks(second.file)
    assert run.attributes["verdict"] == "ended; exit codes are not known"
    check_record(run, job, f"job {job.id}")
    check_stacks(run)
    launchers = {h["name"] for h in run.helpers()}
    assert any(name.startswith(("mpiexec", "hydra", "orterun", "prterun")) for name in launchers)
    assert not any(name.startswith("memlog") or name == "gdb" for name in launchers)
    assert sorted(os.listdir(tmp_path)) == ["job", "job.h5", "name.h5"]
    assert "to job " in mt.memlog(tmp_path, "read", "job.h5")
