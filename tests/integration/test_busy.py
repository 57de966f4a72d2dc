"""A node that is overloaded or full: the application ends as it would have, what was asked for is
recorded, and nothing of ours is ended for having waited for a CPU. The load is made here: busy loops
on every CPU, at normal priority."""
import os
import random
import subprocess
import sys

import pytest
import kill_testing as kt
import memlog_testing as mt
from memlog_file import Recording

CPUS = len(os.sched_getaffinity(0))
SLOWED = 7


@pytest.fixture
def load():
    """Two busy loops a CPU."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
             for _ in range(2 * CPUS)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


def test_many_ranks_end_well(load, file):
    """MPI_Finalize of our own processes waits for all of them, which wait for a CPU."""
    ranks = 8 * CPUS
    outcome = mt.run_hosted(mt.BUILD, ranks, "hello", file=file, timeout_s=240)
    assert outcome.code == 0, outcome
    assert b"finalize" not in outcome.stderr, outcome
    assert len(outcome.by_rank()) == ranks
    assert Recording(file).attributes["exit_code"] == 0


def test_a_rank_dies_in_finalize(load):
    """The others do not wait for it, however much the node has to do: who waits in MPICH computes,
    which is most of that."""
    row = next(r for r in kt.rows_of("sampling rank") if r.phases == "leaving" and r.record == "file")
    for i in range(3):
        run = kt.Run(kt.Draw(i, "sampling rank", "SEGV", "leaving", mt.BUILD, row, random.Random(i)))
        try:
            assert kt.strike(run).seconds < kt.END_S
        finally:
            run.close()


def test_exit_code_under_load(load, flavour, file):
    outcome = mt.run_hosted(flavour, 2 * CPUS, "exit3", file=file, timeout_s=120)
    assert outcome.code == 3, outcome


def test_a_rate_that_is_asked_for_holds(load, file):
    """A hundredth of a core, the default budget, is no reason to sample less than -r says. What
    cannot be kept is missed, and counted; nothing slows down in silence."""
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "-r", "10ms", "-o", file, "--", "sleep", "3"])
    assert outcome.code == 0, outcome
    recording = Recording(file)
    node = recording.rows("nodes")[0]
    due = node["ticks"] + node["missed"]
    assert 270 <= due <= 340, node
    assert not [e for e in recording.rows("events") if e["kind"] == SLOWED]


def test_a_slow_down_is_told(load, file):
    """With --overhead it does slow down, and the report says so."""
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "-r", "1ms", "--overhead", "0.1%", "-o", file, "--",
                      "sleep", "2"])
    assert outcome.code == 0, outcome
    assert "sampling slows down to stay within --overhead, to " in mt.memlog(
        file.parent, "read", file.name).replace("\n                  ", " ")


def in_small_folder(folder, command):
    """COMMAND where FOLDER is a file system of 4 KiB."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = 'mount -t tmpfs -o size=4k small "$0" && exec "$@"'
    return ["unshare", *user, "--mount", "sh", "-c", script, folder, *command]


def test_full_disk_is_not_the_applications_fault(flavour, tmp_path):
    """HDF5 cannot close its file then, and may crash in MPI_Finalize."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(in_small_folder(small, ["true"]), capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    for code, name in ((0, "hello"), (3, "exit3")):
        outcome = mt.run(in_small_folder(small, mt.hosted_command(flavour, 2, name,
                                                                  file=small / "run.h5")))
        assert outcome.code == code, outcome
        assert b"No space left" in outcome.stderr or b"0 KiB are left" in outcome.stderr, outcome
