"""Python functions in stacks: as Python itself tells them, of each version that is here."""
import glob
import gzip
import json
import os
import re
import shutil
import subprocess

import pytest
import memlog_testing as mt
import stack_testing as st

SCRIPT = mt.TESTS / "programs/python_calls.py"
FIRST, LAST = (3, 11), (3, 14)          # versions whose functions are told


def version_of(python):
    try:
        told = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"],
                              capture_output=True, text=True, timeout=mt.TIMEOUT_S, check=True)
        return tuple(map(int, told.stdout.split()))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def interpreters():
    """MEMLOG_TEST_PYTHONS ("/a/python3.12:/b/python3.13"), and those of the system."""
    found = [p for p in os.environ.get("MEMLOG_TEST_PYTHONS", "").split(":") if p]
    return found + sorted(glob.glob("/usr/bin/python3.[0-9][0-9]"))


@pytest.fixture(params=interpreters() or ["none"])
def python(request):
    version = version_of(request.param)
    if not version or not FIRST <= version <= LAST:
        pytest.skip(f"{request.param} is no Python of {FIRST} to {LAST}")
    return request.param


class Script:
    """python_calls.py, once its threads are where they stay."""

    def __init__(self, python, *args):
        self.job = mt.Job([python, SCRIPT, *args], stdin=subprocess.PIPE)
        self.pid, self.expected = self.job.process.pid, {}
        for line in self.job.process.stdout:
            words = line.decode().split()
            if words == ["ready"]:
                break
            self.expected[int(words[1])] = words[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.job.__exit__()


def python_part(thread):
    return "".join(f"{f.function}@{f.line}<" for f in thread.frames if f.module == "python")


def check(sample, script):
    for tid, expected in script.expected.items():
        told = python_part(sample.threads[tid])
        if "Solver.stay" in expected:   # it goes from line to line
            told, expected = (re.sub(r"(Solver.stay)@\d+", r"\1", t) for t in (told, expected))
        assert told == expected, sample.threads[tid]
        assert not sample.threads[tid].cut


def test_functions(python):
    with Script(python) as script:
        sample, = st.take("unwind", script.pid)
        check(sample, script)
        check(st.take("unwind", script.pid, times=5)[0], script)
        for tid in script.expected:
            frames = sample.threads[tid].frames
            assert {f.file for f in frames if f.function.startswith(("Solver", "in_a", "deep"))} \
                == {str(SCRIPT)}
            assert not [f for f in frames if f.function == "_PyEval_EvalFrameDefault"]
            first = [f.module == "python" for f in frames].index(True)
            assert not any(f.module == "python" for f in frames[:first])
            assert frames[0].function in ("clone3", "__clone3", "__GI___clone3", "clone")


def test_a_child(python):
    """fork(2) leaves a thread state that is of another thread."""
    with Script(python, "fork") as script:
        child = int(open(f"/proc/{script.pid}/task/{script.pid}/children").read().split()[0])
        sample, = st.take("unwind", child)
        check(sample, script)
        main = python_part(sample.threads[child])
        assert main.startswith("<module>@"), sample.threads[child]
        sample, = st.take("unwind", script.pid)
        assert python_part(sample.threads[script.pid]).startswith("<module>@")


def test_another_pid_namespace(python):
    """There the kernel's numbers are others than those that Python knows."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("no PID namespaces here")
    with mt.Job([*unshare, python, SCRIPT], stdin=subprocess.PIPE) as job:
        mt.wait_for(lambda: b"ready\n" == job.process.stdout.readline(), what="the script")
        child, = open(f"/proc/{job.process.pid}/task/{job.process.pid}/children").read().split()
        sample, = st.take("unwind", int(child))
        told = [python_part(t) for t in sample.threads.values()]
        assert sum("in_a_generator@" in t for t in told) == 1, sample
        assert sum("compute@" in t for t in told) == 1, sample


def test_through_a_debugger(python):
    """Debuggers tell what they have always told."""
    st.need_backend("gdb")
    with Script(python) as script:
        sample, = st.take("gdb", script.pid)
        assert sample.threads
        assert not [f for t in sample.threads.values() for f in t.frames if f.module == "python"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    python = "/usr/bin/python3"
    have = subprocess.run([python, "-c", "from mpi4py import MPI; print(MPI.get_vendor()[0])"],
                          capture_output=True, text=True, check=False)
    wanted = {"openmpi": "Open MPI", "mpich": "MPICH"}[mt.BUILD]
    if have.stdout.strip() != wanted or not FIRST <= version_of(python) <= LAST:
        pytest.skip(f"no mpi4py of {wanted}")
    file = tmp_path_factory.mktemp("python") / "run.h5"
    outcome = mt.run_hosted(mt.BUILD, 2, "python_calls.py", "mpi", file=file, options=(
        "-q", "--pstack", "--stack-rate", "100ms", "--overhead", "100%"))
    assert outcome.code == 0, str(outcome)
    return file


def test_read(recorded):
    text = mt.memlog(recorded.parent, "read", "--pstack", "run.h5")
    stay = re.search(r"Solver\.stay at python_calls\.py:(\d+)", text)
    assert stay and "while not over" in "".join(
        SCRIPT.read_text().splitlines()[int(stay[1]) - 2:int(stay[1])]), text
    tree = mt.memlog(recorded.parent, "read", "--pstack", "--tree", "run.h5")
    assert "Solver.step at python_calls.py" in tree


def test_json(recorded):
    told = json.loads(mt.memlog(recorded.parent, "read", "--pstack", "--json", "run.h5"))
    text = json.dumps(told)
    assert '"Solver.step"' in text and str(SCRIPT) in text


def test_exports(recorded):
    def export(how):
        mt.memlog(recorded.parent, "export", how, "run.h5", "-o", f"run{how}")
        return (recorded.parent / f"run{how}").read_bytes()
    folded = export("--folded").decode()
    assert re.search(r";<module>;.*Solver.__init__;Solver.step;Solver.step;", folded), folded
    assert b"Solver.__init__" in gzip.decompress(export("--pprof"))
    names = [f["name"] for f in json.loads(export("--speedscope"))["shared"]["frames"]]
    assert "Solver.stay" in names
    assert "Solver.step" in json.dumps(json.loads(export("--json")))
