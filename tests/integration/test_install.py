"""Recorders of both MPIs, installed side by side, and memlog-mpi that picks one of them."""
import json
import os
import re
import shutil
import subprocess

import pytest
import memlog_testing as mt
from install_testing import NAMES, SOURCE, VERSION, builds, prefix, run  # noqa: F401, a fixture

# ------------------------------------------------------------------------------ the real ones
@pytest.mark.parametrize("mpi", NAMES)
def test_recorder_of_the_mpiexec(prefix, file, mpi):
    if mpi not in builds():
        pytest.skip(f"no build for {NAMES[mpi]} beside this one that is surely finished")
    outcome = mt.run([*mt.mpiexec(mpi, 2), prefix / "bin/memlog-mpi", "-q", "-o", file, "--",
                      *mt.program(mpi, "hello")])
    assert outcome.code == 0 and outcome.lines() == mt.run_plain(mpi, 2, "hello").lines(), str(outcome)
    assert NAMES[mpi] in json.loads(run([prefix / "bin/memlog", "read", "--json", file]).stdout)["run"]["mpi"]


def test_exit_code_and_name(prefix, file):
    """Of the process that starts the application, as ps shows it."""
    outcome = mt.run([*mt.mpiexec(mt.BUILD, 1), prefix / "bin/memlog-mpi", "-q", "-o", file, "--",
                      "sh", "-c", "cat /proc/$PPID/comm; exit 3"])
    assert outcome.code == 3 and outcome.stdout == b"memlog-mpi\n", str(outcome)


def test_wrong_mpiexec_where_there_is_one_recorder(prefix, tmp_path):
    """It is started, and says so: once."""
    other = next((f for f in mt.FLAVOURS if f != mt.BUILD), None)
    if not other:
        pytest.skip("one MPI only")
    shutil.copy(prefix / "bin/memlog-mpi", tmp_path)
    shutil.copy(prefix / f"bin/memlog-mpi.{mt.BUILD}", tmp_path)
    outcome = mt.run([*mt.mpiexec(other, 2), tmp_path / "memlog-mpi", "--", "echo", "started"])
    told = [l for l in outcome.stderr.decode().splitlines() if l.startswith("memlog-mpi: ")]
    assert len(told) == 1 and f"but built for {NAMES[mt.BUILD]}" in told[0], str(outcome)
    assert outcome.code and b"started" not in outcome.stdout


def test_doctor_names_them(prefix):
    report = json.loads(run([prefix / "bin/memlog", "doctor", "--json"]).stdout)
    recorders = [f["found"] for f in report["findings"] if f["name"] == "recorder"]
    assert len(recorders) == len(builds())
    for mpi in builds():
        assert any(r.startswith(f"{prefix}/bin/memlog-mpi.{mpi}: ") for r in recorders), recorders


def test_moved(prefix, tmp_path):
    moved = shutil.copytree(prefix, tmp_path / "elsewhere", symlinks=True)
    said = run([moved / "bin/memlog-mpi", "--version"]).stdout
    hooks = re.search(r"^hooks: (.*)$", said, re.M)[1]
    assert os.path.realpath(hooks).startswith(str(moved)) and list(os.scandir(hooks))


# ------------------------------------------------------------------------------ made-up ones
@pytest.fixture
def recorders(prefix, tmp_path):
    """recorders(NAMES...): memlog-mpi, and beside it those, which say who they are and end with 5."""
    def make(*flavours):
        for flavour in flavours:
            path = tmp_path / f"memlog-mpi.{flavour}"
            path.write_text(f'#!/bin/sh\necho {flavour} "$@"\nexit 5\n')
            path.chmod(0o755)
        return shutil.copy(prefix / "bin/memlog-mpi", tmp_path)
    return make


@pytest.mark.parametrize("environment, flavour", [
    ({}, "openmpi"),
    ({"OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"}, "openmpi"),
    ({"PMI_FD": "9", "PMI_RANK": "0", "PMI_SIZE": "2"}, "mpich"),
    ({"PMI_RANK": "0", "PMI_JOBID": "7.0", "SLURM_PROCID": "0"}, "mpich"),      # srun --mpi=pmi2
    ({"PMIX_RANK": "0", "SLURM_PROCID": "0"}, "openmpi"),                       # srun --mpi=pmix
])
def test_choice(recorders, environment, flavour):
    done = run([recorders("openmpi", "mpich"), "-n", "2", "--", "a b", ""], **environment)
    assert (done.stdout, done.stderr, done.returncode) == (f"{flavour} -n 2 -- a b \n", "", 5)


def test_the_only_one(recorders):
    done = run([recorders("mpich"), "--version"], OMPI_COMM_WORLD_SIZE="2")
    assert (done.stdout, done.stderr, done.returncode) == ("mpich --version\n", "", 5)


def test_none(recorders, tmp_path):
    done = run([recorders(), "--", "echo", "started"])
    assert done.returncode == 70 and done.stdout == ""
    assert re.fullmatch(r"memlog-mpi: neither .* is in (\S+); install .*\n", done.stderr)[1] == str(tmp_path)


@pytest.mark.parametrize("mpi", NAMES)
def test_without_mpiexec_the_application_decides(recorders, mpi):
    if mpi not in mt.FLAVOURS:
        pytest.skip(f"no programs of {NAMES[mpi]}")
    for before in (["-n", "4", "--"], ["-n", "4"], ["--debugger", "gdb", "--", "env", "A=1"]):
        done = run([recorders("openmpi", "mpich"), *before, *mt.program(mpi, "hello")])
        assert done.stdout.startswith(f"{mpi} "), done


def test_arguments_are_as_they_were(recorders, tmp_path):
    """argv[0] too, which is the name of the program in messages of some."""
    program = recorders("openmpi")
    shutil.copy(shutil.which("cat"), tmp_path / "memlog-mpi.openmpi")
    done = subprocess.run(["as it was called", "/proc/self/cmdline"], executable=program, capture_output=True,
                          timeout=mt.TIMEOUT_S)
    assert done.stdout == b"as it was called\0/proc/self/cmdline\0", done


# ------------------------------------------------------------------------------ built together
def test_both_at_once(tmp_path):
    """cmake -DMEMLOG_MPI="openmpi;mpich": some minutes."""
    if not mt.LONG:
        pytest.skip("takes long: MEMLOG_LONG is not set")
    for command in (["-S", SOURCE, "-B", tmp_path / "build", "-DMEMLOG_MPI=openmpi;mpich", "-DBUILD_TESTING=OFF"],
                    ["--build", tmp_path / "build"],
                    ["--install", tmp_path / "build", "--prefix", tmp_path / "prefix"]):
        subprocess.run(["cmake", *command], check=True, timeout=1500)
    programs = {p.name for p in (tmp_path / "prefix/bin").iterdir()}
    assert programs == {"memlog", "memlog-mpi", "memlog-mpi.openmpi", "memlog-mpi.mpich", "memory_logger"}
    for mpi in NAMES:
        said = run([tmp_path / f"prefix/bin/memlog-mpi.{mpi}", "--version"]).stdout
        assert said.startswith(f"memlog-mpi {VERSION} for {mpi}\n"), said
