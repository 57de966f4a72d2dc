"""memlog-mpi --attach of processes without MPI: which are joined and which are not, and that they
survive whatever becomes of the recorder. See attach_testing.py."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import attach_testing as at
import memlog_testing as mt
import stack_testing as st
from memlog_file import Recording

MANY = 64
NOBODY = 65534
moments = random.Random(16)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def sleeper(folder):
    """A program of its own name that does nothing."""
    path = folder / at.unique_name()
    shutil.copy(shutil.which("sleep"), path)
    return path


def named(name, user=None, dumpable=1):
    """A process of USER that calls itself NAME, and may not be looked into where it is not DUMPABLE
    (prctl(2))."""
    code = ("import ctypes, time; libc = ctypes.CDLL(None); "
            f"libc.prctl(15, {name!r}.encode(), 0, 0, 0); libc.prctl(4, {dumpable}, 0, 0, 0); "
            "print('ready', flush=True); time.sleep(1000)")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, user=user,
                               cwd="/")
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process):
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


# ---------------------------------------------------------------- which
def test_many_of_which_some_end(file):
    """All of a name; those that end while we attach, and one that comes later."""
    program = sleeper(file.parent)
    targets = [subprocess.Popen([program, "1000"]) for _ in range(MANY)]
    with at.Recorder(program.name, file) as recorder:
        mt.wait_for(lambda: mt.journals_of(file), what="the journal")
        for target in targets[:MANY // 2]:
            end(target)
        recorder.wait_for_processes(MANY // 2)
        targets.append(subprocess.Popen([program, "1000"]))
        recorder.wait_until(lambda r: targets[-1].pid in {p["pid"] for p in r["processes"]},
                            "the one that came later")
        for target in targets[MANY // 2:]:
            end(target)
        recorder.finish()
    found = {p["pid"] for p in Recording(file).rows("processes")}
    alive = {t.pid for t in targets[MANY // 2:]}
    assert alive <= found <= {t.pid for t in targets}


def test_pids_children_and_execve(file):
    """A shell is joined, starts a helper, and becomes another program."""
    program = sleeper(file.parent)
    shell = subprocess.Popen(["bash", "-c", f"read x; {program} 1001 & read x; exec {program} 1002"],
                             stdin=subprocess.PIPE)
    other = subprocess.Popen([program, "1000"])
    with at.Recorder(str(shell.pid), file) as recorder:
        recorder.wait_for_processes(1)
        shell.stdin.write(b"\n")
        shell.stdin.flush()
        recorder.wait_for_processes(2)
        shell.stdin.write(b"\n")
        shell.stdin.flush()
        recorder.wait_until(lambda r: {p["name"] for p in r["processes"]} == {program.name},
                            "the other program")
        helper, = (p["pid"] for p in recorder.report()["processes"] if p["pid"] != shell.pid)
        end(shell)
        os.kill(helper, signal.SIGKILL)
        recorder.finish()
    end(other)
    run = Recording(file)
    assert {p["pid"] for p in run.rows("processes")} == {shell.pid, helper}
    assert run.attributes["attached"] == f"PID {shell.pid}"
    assert run.attributes["command"].startswith("bash -c read x")


def test_others_of_the_same_name(file):
    """Only our own user's are joined, for root too; root may name another's PID."""
    if os.geteuid():
        pytest.skip("takes root, to start a process of another user")
    name = at.unique_name()
    ours, others = named(name), named(name, user=NOBODY)
    with at.Recorder(name, file) as recorder:
        recorder.wait_for_processes(1)
        recorder.leave(signal.SIGINT)
    run = Recording(file)
    assert [p["pid"] for p in run.rows("processes")] == [ours.pid]
    assert run.attributes["verdict"] == "left at ^C, while it ran"
    end(ours)
    assert "nothing of yours" in at.refused("--attach", name)
    with at.Recorder(str(others.pid), file.with_name("pid.h5")) as recorder:
        recorder.wait_for_processes(1)
        recorder.leave(signal.SIGTERM)
    assert others.poll() is None
    end(others)


def test_tracing_refused(tmp_path):
    """A program that nobody may look into: one line says so, and memory is recorded."""
    user = None if os.geteuid() else NOBODY
    folder = Path(tempfile.mkdtemp(prefix="memlog-attach."))
    folder.chmod(0o777)
    try:
        reach = subprocess.run(["test", "-x", mt.MEMLOG_MPI], user=user, cwd="/")
        if reach.returncode:
            pytest.skip(f"{mt.MEMLOG_MPI} is not to be reached by another user")
        target = named(at.unique_name(), user, dumpable=0)
        file = folder / "run.h5"
        with at.Recorder(str(target.pid), file, "--pstack", "--stack-rate", "50ms",
                         preexec_fn=lambda: user and os.setuid(user)) as recorder:
            recorder.wait_until(lambda r: r["notes"] and r["summary"]["peak_B"], "the note")
            outcome = recorder.leave(signal.SIGTERM)
        end(target)
        assert outcome.stderr.count(b"does not permit stack traces") == 1, str(outcome)
        assert mt.memlog(folder, "read", file).count("does not permit stack traces") == 1
    finally:
        shutil.rmtree(folder)


def test_nothing_to_join(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    for words, says in (
            ([at.unique_name()], "nothing of yours to join: processes named"),
            ([f"job:{at.unique_name()}"], "nothing of yours to join: job "),
            ([], "this is no batch job"),
            ([str(gone.pid)], f"there is no process {gone.pid}"),
            ([str(os.getpid())], "has started this one")):
        assert says in at.refused("--attach", *words, cwd=tmp_path)
    assert not os.listdir(tmp_path)


# ---------------------------------------------------------------- without a trace
def options_of(way):
    stacks = ["--debugger", way, "--stack-rate", "10ms", "--overhead", "50%"]
    return [] if way == "none" else stacks


def end_at_random(target, way, number, file):
    """Ends a recorder of TARGET by signal NUMBER."""
    with at.Recorder(str(target.pid), file, *options_of(way)) as recorder:
        mt.wait_for(lambda: mt.journals_of(file), what="the journal")
        time.sleep(moments.uniform(0, 0.5))
        mt.send(recorder.job.process.pid, number)
        recorder.finish(code=128 + number if number == signal.SIGKILL else 0)
    st.check_free(target.pid)
    assert target.process.poll() is None


def test_recorder_that_is_ended(tmp_path):
    """At any moment, by any signal, however it takes stacks: the target misses nothing. survivor
    (test_survive.py) says so itself; lldb may lose a signal."""
    draws = [("none", signal.SIGKILL), ("unwind", signal.SIGKILL), ("gdb", signal.SIGTERM)]
    if mt.LONG:
        draws = [(way, s) for way in ("none", *st.BACKENDS) for s in SIGNALS * 10]
    draws = [(way, s) for way, s in draws if way in ("none", "unwind") or shutil.which(way)]
    with st.Target("survivor") as target:
        for i, (way, number) in enumerate(draws):
            end_at_random(target, way, number, tmp_path / f"{i}.h5")
        words = target.end(codes=(0, 1) if mt.LONG else (0,))
    wrong = [line for line in words.splitlines() if "wrong: " in line]
    assert not [w for w in wrong if not (mt.LONG and "signals lost" in w)], words
