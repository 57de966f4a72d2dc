"""memlog doctor: what it finds here, and what it says where something is missing."""
import json
import re
import shutil
import subprocess

import pytest
import memlog_testing as mt

NAMES = {"openmpi": "Open MPI", "mpich": "MPICH"}


def doctor(*options, memlog=mt.MEMLOG, before=(), **environment):
    env = {**mt.base_environment(), **environment}
    return subprocess.run([*before, memlog, "doctor", *options], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=mt.TIMEOUT_S)


def findings(done):
    """The lines by the name of what was looked at: (state, what was found, what to do)."""
    report = json.loads(done.stdout)
    return {f["name"]: (f["state"], f["found"], f["remedy"]) for f in report["findings"]}


@pytest.fixture
def programs(tmp_path):
    """A PATH of our own: a folder to put programs into."""
    def make(name, text, code=0):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
        path.chmod(0o755)
    make.path = str(tmp_path)
    return make


def test_here():
    """All tests run here, so memlog can record."""
    done = doctor()
    assert done.returncode == 0 and done.stderr == "", done.stdout
    lines = done.stdout.splitlines()
    assert re.match(r"memlog \S+ on \S+: Linux ", lines[0]) and lines[-1] == "memlog can record here."
    body = lines[2:-2]
    assert all(re.match(r"(ok|note|missing) +\S.*", line) for line in body), body
    assert not [line for line in body if line.startswith("missing")], body
    recorder = next(line for line in body if " recorder " in line)
    assert str(mt.MEMLOG_MPI) in recorder and NAMES[mt.BUILD] in recorder and "HDF5 1." in recorder


def test_json_says_the_same():
    text, done = doctor(), doctor("--json")
    report = json.loads(done.stdout)
    assert report["version"] == 1 and report["can_record"] is True and done.returncode == 0
    lines = text.stdout.splitlines()[2:-2]
    assert [line.split(None, 1)[0] for line in lines] == [f["state"] for f in report["findings"]]
    assert all(f["name"] in line for f, line in zip(report["findings"], lines))
    assert {"recorder", "mpiexec", "scheduler", "/proc", "tracing", "cgroup", "scratch folder", "open files",
            "locked memory", "core files", "HDF5", "gdb", "lldb", "gnuplot"} <= set(findings(done))


def test_applications_of_both(flavour):
    state, found, _ = findings(doctor("--json"))[NAMES[flavour]]
    assert state == "ok" and found == "applications of it are recorded, with their MPI calls"


def test_no_recorder(tmp_path):
    alone = tmp_path / "memlog"
    shutil.copy(mt.MEMLOG, alone)
    done = doctor("--json", memlog=alone, PATH="/nowhere")
    assert done.returncode == 1
    state, found, remedy = findings(done)["recorder"]
    assert state == "missing" and "neither beside memlog nor in PATH" in found and "PATH" in remedy
    assert "cannot record here" in doctor(memlog=alone, PATH="/nowhere").stdout


def test_recorder_that_does_not_start(tmp_path, programs):
    """As where the module of its MPI is not loaded."""
    alone = tmp_path / "memlog"
    shutil.copy(mt.MEMLOG, alone)
    programs("memlog-mpi", "error while loading shared libraries: libmpi.so.40", 127)
    done = doctor("--json", memlog=alone, PATH="/nowhere")
    state, found, remedy = findings(done)["recorder"]
    assert done.returncode == 1 and state == "missing"
    assert found.endswith("memlog-mpi: error while loading shared libraries: libmpi.so.40") and "modules" in remedy


RECORDER = """#!/bin/sh
echo memlog-mpi 1.0 for {0}
echo MPI: {0} 1.0
echo PMIx: yes
"""


def test_recorders_of_both(tmp_path, programs):
    """Side by side, as they are installed; one whose module is not loaded is not missing."""
    shutil.copy(mt.MEMLOG, tmp_path)
    for name in NAMES:
        programs(f"memlog-mpi.{name}", "")
        (tmp_path / f"memlog-mpi.{name}").write_text(RECORDER.format(name))
    for name, says in (OWN[BUILD] for BUILD in NAMES):
        programs(name, says)

    def lines(**environment):
        done = doctor("--json", memlog=tmp_path / "memlog", **environment)
        assert done.returncode == 0, done.stdout
        return [(f["name"], f["state"], f["found"]) for f in json.loads(done.stdout)["findings"]
                if f["name"] in ("recorder", "mpiexec")]
    assert lines(PATH=programs.path) == [
        ("recorder", "ok", f"{tmp_path}/memlog-mpi.openmpi: memlog-mpi 1.0 for openmpi, openmpi 1.0, HDF5 "),
        ("recorder", "ok", f"{tmp_path}/memlog-mpi.mpich: memlog-mpi 1.0 for mpich, mpich 1.0, HDF5 "),
        ("mpiexec", "ok", "mpiexec.openmpi 4.1.4 is Open MPI"),
        ("mpiexec", "ok", "mpiexec.hydra 4.0.2 is MPICH")]
    programs("memlog-mpi.mpich", "libmpich.so.12: cannot open", 127)
    assert lines(PATH=programs.path)[1:3] == [
        ("recorder", "note", f"{tmp_path}/memlog-mpi.mpich: libmpich.so.12: cannot open"),
        ("mpiexec", "ok", "mpiexec.openmpi 4.1.4 is Open MPI")]


OTHER = {"openmpi": "HYDRA build details:", "mpich": "mpiexec (OpenRTE) 4.1.4"}
OWN = {"openmpi": ("mpiexec.openmpi", "mpiexec (OpenRTE) 4.1.4"), "mpich": ("mpiexec.hydra", "HYDRA build 4.0.2")}


def test_mpiexec_of_another_mpi(programs):
    programs("mpiexec", OTHER[mt.BUILD])
    state, found, remedy = findings(doctor("--json", PATH=programs.path))["mpiexec"]
    assert state == "note" and found == f"none of {NAMES[mt.BUILD]} in PATH; mpiexec is of another MPI"
    programs(*OWN[mt.BUILD])
    state, found, remedy = findings(doctor("--json", PATH=programs.path))["mpiexec"]
    assert state == "note" and "mpiexec is of another MPI" in found
    assert remedy == f"start it with {OWN[mt.BUILD][0]} memlog-mpi"
    programs("mpiexec", OWN[mt.BUILD][1])
    assert findings(doctor("--json", PATH=programs.path))["mpiexec"][0] == "ok"


def test_nothing_in_path():
    """What is missing is said, and memlog records without it."""
    done = doctor("--json", PATH="/nowhere")
    said = findings(done)
    assert done.returncode == 0
    for name in ("mpiexec", "gdb", "lldb", "gnuplot"):
        state, found, remedy = said[name]
        assert state == "note" and "PATH" in found and remedy, name


def test_gnuplot_without_windows(programs):
    programs("gnuplot", "5.4\ndumb pngcairo svg pdfcairo epscairo tikz")
    state, found, _ = findings(doctor("--json", PATH=f"{programs.path}:/usr/bin:/bin"))["gnuplot"]
    assert (state, found) == ("note", "5.4, without terminals for windows")
    programs("gnuplot", "5.0\nqt pngcairo svg pdfcairo epscairo tikz")
    assert findings(doctor("--json", PATH=programs.path))["gnuplot"][1] == "5.0 is too old for memlog plot"
    programs("gnuplot", "6.0\nqt pngcairo svg pdfcairo epscairo tikz")
    assert findings(doctor("--json", PATH=programs.path))["gnuplot"][0] == "ok"


def test_hostile_words(programs):
    programs("gdb", "\033[31mGNU gdb \033]0;x\007 13.1")
    done = doctor(PATH=programs.path)
    assert "\033" not in done.stdout and "GNU gdb" in done.stdout


def quick(before=(), **environment):
    """Without programs that would be asked."""
    return doctor("--json", before=before, PATH="/nowhere", **environment)


def test_job():
    assert findings(quick(PBS_JOBID="14.server"))["scheduler"][1] == "PBS 14.server"
    assert findings(quick())["scheduler"][1] == "none seen; this is no batch job"


def test_folder_and_limits(tmp_path):
    assert findings(quick(TMPDIR=str(tmp_path)))["scratch folder"][:2] == ("ok", str(tmp_path))
    assert not list(tmp_path.iterdir())
    state, found, _ = findings(quick(TMPDIR="/proc"))["scratch folder"]
    assert state == "note" and found.startswith("TMPDIR, /proc, cannot be written; ")
    for files, code, state in ((30, 1, "missing"), (500, 0, "note")):
        done = quick(before=["/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"])
        assert done.returncode == code and findings(done)["open files"][0] == state


def test_tracing_is_refused():
    """As in a container whose seccomp profile forbids ptrace; here strace stands in for it."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    refused = [shutil.which("strace"), "-qq", "-o", "/dev/null", "-e", "trace=ptrace", "-e", "inject=ptrace:error=EPERM"]
    done = quick(before=refused)
    if done.returncode and not done.stdout:
        pytest.skip(f"strace cannot trace here: {done.stderr}")
    state, found, remedy = findings(done)["tracing"]
    assert state == "note" and "no stacks can be taken" in found and remedy, found
    assert done.returncode == 0
