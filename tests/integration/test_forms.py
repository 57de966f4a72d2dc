"""The four launch forms, on one host."""
import os
from pathlib import Path

import pytest
import memlog_testing as mt
import program_table
from memlog_file import Recording

PAIRINGS = True


def forms(flavour, ranks, file):
    """Name of the form -> the command up to the application."""
    us = [mt.MEMLOG_MPI, "-q", "-o", file]
    return {
        "rank by rank": mt.mpiexec(mt.BUILD, ranks) + us + ["--"],
        "one process, many ranks": mt.mpiexec(mt.BUILD, 1) + us + ["-n", str(ranks), "--"],
        "no mpiexec": us + ["-n", str(ranks), "--"],
        "around a launcher": us + ["--"] + mt.mpiexec(flavour, ranks),
        "around a launcher, under mpiexec": (mt.mpiexec(mt.BUILD, 1) + us + ["--"]
                                             + mt.mpiexec(flavour, ranks)),
    }


FORMS = list(forms("openmpi", 1, "x"))
OUR_RANKS = FORMS[:3]                          # in these the ranks are ours to start


def run_form(form, flavour, ranks, file, name, *args, **how):
    return mt.run(forms(flavour, ranks, file)[form] + mt.program(flavour, name) + list(args), **how)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ranks", [1, 4])
def test_all_ranks_are_there(form, ranks, flavour, file):
    args = ("touch", "10", "0.5")              # long enough to be sampled
    outcome = run_form(form, flavour, ranks, file, *args)
    plain = mt.run_plain(flavour, ranks, *args)
    assert outcome.code == 0 and outcome.lines() == plain.lines(), str(outcome)
    recording = Recording(file)
    named = [p for p in recording.rows("processes") if p["name"] == "touch"]
    assert len(named) == ranks, recording.rows("processes")
    if form in OUR_RANKS:
        assert sorted(recording.ranks()) == list(range(ranks))
    assert len(recording.rows("nodes")) == 1


def test_ranks_share_the_topology(file):
    """Of Open MPI 4, where nobody binds them: each has that which its world host has read."""
    if mt.launcher_is_prrte("openmpi"):
        pytest.skip("ranks of Open MPI 5 do not map what libpmix shares")
    command = [mt.MEMLOG_MPI, "-q", "-o", file, "-n", "2", "--", *mt.program("openmpi", "touch"), "10", "60"]
    with mt.Job(command) as job:
        def they_map_it():
            maps = [Path(f"/proc/{pid}/maps").read_text() for pid in mt.application_ranks(job, "touch")]
            return len(maps) == 2 and all("/hwloc.sm" in text for text in maps)
        mt.wait_for(they_map_it, what="two ranks that map it")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name, args, code", [("exit3", ("after", "1"), 3), ("abort7", ("1",), 7)])
def test_exit_code(form, name, args, code, flavour, file):
    outcome = run_form(form, flavour, 3, file, name, *args)
    assert outcome.code == code, str(outcome)
    assert Recording(file).attributes["exit_code"] == code


@pytest.mark.parametrize("form", FORMS)
def test_segfault(form, flavour, file):
    """Where we start the ranks without mpiexec, the code is a shell's; else the launcher's."""
    outcome = run_form(form, flavour, 3, file, "segfault", "2")
    if form.startswith("around"):
        expected = program_table.signalled(11)[flavour]
    else:
        expected = {139} if form == "no mpiexec" else program_table.signalled(11)[mt.BUILD]
    assert outcome.code in expected, str(outcome)


@pytest.mark.parametrize("form", ["no mpiexec", "one process, many ranks"])
def test_each_rank_has_its_core(form, file):
    """Ranks that we start are bound as mpiexec would have, not all to our own core."""
    free = len(os.sched_getaffinity(0))
    if free < 2:
        pytest.skip("only one processor may be used here")
    command = forms(mt.BUILD, 2, file)[form]
    command[command.index("--"):] = ["--bind-to", "core", "--"]
    outcome = mt.run(command + mt.program(mt.BUILD, "fds"))
    assert outcome.code == 0, str(outcome)
    cores = [[l for l in lines if "processors" in l] for lines in outcome.by_rank().values()]
    assert len(cores) == 2 and cores[0] != cores[1], f"{cores}\n{outcome}"


@pytest.mark.parametrize("form", ["no mpiexec", "one process, many ranks"])
def test_not_bound_where_told(form, file):
    command = forms(mt.BUILD, 2, file)[form]
    command[command.index("--"):] = ["--bind-to", "none", "--"]
    outcome = mt.run(command + mt.program(mt.BUILD, "fds"))
    free = len(os.sched_getaffinity(0))
    counts = [l.split()[0] for lines in outcome.by_rank().values() for l in lines
              if "processors" in l]
    assert counts == [str(free)] * 2, str(outcome)


def test_serial_program_alone(file):
    """The plainest form of all: memlog-mpi -- ./serial."""
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "-o", file, "--", *mt.program(mt.BUILD, "serial"),
                      "30", "0.4", "9"])
    assert outcome.code == 9 and outcome.stdout == b"serial: touched 30 MiB, last byte 1\n"
    row = Recording(file).ranks()[0]
    assert row["exit_code"] == 9 and row["peak_rss_B"] > 30 << 20


def test_default_name(tmp_path):
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "--", "true"], cwd=tmp_path,
                     env={"PBS_JOBID": "42.server"})
    assert outcome.code == 0 and [p.name for p in tmp_path.iterdir()] == ["memlog-42.server.h5"]


def test_options_from_the_environment(tmp_path):
    outcome = mt.run([mt.MEMLOG_MPI, "--", *mt.program(mt.BUILD, "serial"), "1", "0.5"],
                     env={"MEMLOG_OUTFILE": str(tmp_path / "env.h5"), "MEMLOG_REPEAT_RATE": "20ms",
                          "MEMLOG_QUIET": "1"})
    assert outcome.code == 0, str(outcome)
    assert Recording(tmp_path / "env.h5")["nodes"]["ticks"][0] > 5, "at 250 ms: 3"


def test_live_line(file):
    """Only where stderr is a terminal, or asked for; never with -q."""
    def stderr(*options):
        command = [mt.MEMLOG_MPI, "--force", *options, "-o", file, "--",
                   *mt.program(mt.BUILD, "serial"), "10", "1.5"]
        return mt.run(command).stderr
    assert stderr("-q") == b""
    assert b"largest" not in stderr()
    assert b"largest" in stderr("--live")
