"""Each backend's stacks of programs that say themselves where they are, and the backends' stacks of
one process against each other's."""
import os
import shutil
import signal
import subprocess
import time

import pytest
import memlog_testing as mt
import stack_testing as st
from stack_testing import Target

# Program and further arguments
KNOWN = {
    "chain": ("chain",), "nanosleep": ("chain", "nanosleep"), "poll": ("chain", "poll"),
    "futex": ("chain", "futex"), "stdio": ("chain", "stdio"), "pause": ("chain", "pause"),
    "frame_pointers": ("chain_fp",), "frame_pointers_nanosleep": ("chain_fp", "nanosleep"),
    "static": ("chain_static",), "debug_frame": ("chain_debug_frame",),
    "stripped": ("chain_stripped",), "recursion": ("recursion",), "threads": ("threads8",),
    "cxx": ("shapes",), "fortran": ("waves",), "plugin": ("plugged",), "frames": ("frames",),
    "handler": ("handler",), "alternate_stack": ("handler", "nanosleep", "stack"),
    "interrupted": ("interrupted",), "stopped": ("chain", "stop"),
}

LET_RUN = "it is stopped, and lldb would make it run on"


@pytest.fixture(params=st.BACKENDS)
def backend(request):
    st.need_backend(request.param)
    return request.param


@pytest.mark.parametrize("mode", ["hold", "spin"])
@pytest.mark.parametrize("case", KNOWN)
def test_known(case, mode, backend):
    name, *args = KNOWN[case]
    if mode == "spin" and args and "stack" not in args:
        pytest.skip("these differ only in how they hold")
    with Target(name, mode, *args) as target:
        sample, = st.take(backend, target.pid)
        if case == "stopped" and backend == "lldb" and st.lldb_continues():
            assert sample.failed == [(target.pid, st.FAILED, LET_RUN)], sample
        else:
            st.check_take(sample, target, backend, static=case == "static")
        if case == "stopped":
            assert st.states(target.pid) == "T", "it was stopped, and is not any more"
            os.kill(target.pid, signal.SIGCONT)
            mt.wait_for(lambda: st.states(target.pid) == "S", what="that it goes on")
        else:
            st.check_free(target.pid)
        target.check_end()


@pytest.mark.parametrize("case", [c for c in KNOWN if c != "stopped"])
def test_never_stopped(case):
    """Our own unwinder does not stop a thread that is blocked, but once where the frame pointer
    is needed, which only registers tell. On a busy machine it takes a while until it is blocked
    again."""
    name, *args = KNOWN[case]
    with Target(name, "hold", *args) as target:
        for _ in range(5):
            sample, = st.take("unwind", target.pid, times=3)
            stopped = [t.stopped_us for t in sample.threads.values()]
            if not any(stopped):
                break
        assert stopped == [0.0] * len(target.expected)
        target.check_end()


@pytest.mark.parametrize("question", ["clock", "cpu"])
def test_vdso(question, backend):
    """In the kernel's library, or on the way there: the caller is right, whatever is inside. On a full
    machine the program hardly runs between two samples: then there are more."""
    with Target("clocks", "spin", question) as target:
        for _ in range(20):
            samples = st.take(backend, target.pid, times=200 if backend == "unwind" else 30, every=True)
            for sample in samples:
                st.check_take(sample, target, backend, inner_allowed=True)
            inside = [t for s in samples for t in s.threads.values() if "vdso" in t.frames[-1].module]
            if inside:
                break
        assert inside, "none was in the vdso\n" + str(samples[-1])
        target.check_end()


# ---------------------------------------------------------------- processes that do not stay
# Times enough to be at it when the process leaves
WHILE_LEAVING = {"unwind": 3000, "gdb": 500, "lldb": 40}
LIFE_MS = {"unwind": 150, "gdb": 1500, "lldb": 1500}


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("how", ["exit", "thread"])
def test_exiting(how, turn, backend):
    """It ends as it would have ended. Once it is gone, the backend says so, and goes on. (Where the
    first thread has ended and another one has not, it may say so too.)"""
    for longer in range(5):
        life_ms = LIFE_MS[backend] * 2**longer + 70 * turn
        with mt.Job([st.need_program("leaver"), how, str(life_ms)]) as job:
            assert job.process.stdout.readline() == b"ready\n"
            samples = st.take(backend, job.process.pid, times=WHILE_LEAVING[backend], every=True)
            outcome = job.finish()
        if samples[0].threads:                 # on a busy machine a debugger may need longer to come
            break
    assert outcome.code == 7, str(outcome)
    assert len(samples) == WHILE_LEAVING[backend]
    failures = {why for s in samples for _, why, _ in s.failed}
    assert failures == {st.GONE}, [s.failed for s in samples if s.failed][:3]
    assert samples[-1].failed and not samples[-1].threads
    assert how == "thread" or any(s.threads for s in samples), "it was gone at once"


def test_exec(backend):
    """A process that becomes another program all the time: not all of its stacks can be right, but
    none names a function of a file that the process does not have, and it comes to its end."""
    times = {"unwind": 2000, "gdb": 5, "lldb": 10}[backend]
    with mt.Job([st.need_program("leaver"), "exec", "1000"]) as job:
        samples = st.take(backend, job.process.pid, times=times, every=True)
        if os.path.exists(f"/proc/{job.process.pid}/task/{job.process.pid}"):
            st.check_free(job.process.pid)
        outcome = job.finish()
    assert outcome.code == 0 and outcome.stdout == b"done\n", str(outcome)
    modules = {os.path.basename(f.module) for s in samples for t in s.threads.values()
               for f in t.frames}
    assert all(m in ("", "leaver", "[vdso]") or st.SYSTEM.fullmatch(m) for m in modules), modules
    assert {why for s in samples for _, why, _ in s.failed} <= {st.GONE}, \
        [s.failed for s in samples if s.failed][:3]


def test_nobody_there(backend):
    """A PID that no process has."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    with Target("chain", "hold") as target:
        sample, = st.take(backend, gone.pid, target.pid)
        assert [(pid, why) for pid, why, _ in sample.failed] == [(gone.pid, st.GONE)]
        sample.failed.clear()
        st.check_take(sample, target, backend)
        target.check_end()


def test_several(backend):
    """Processes that are taken together."""
    with Target("chain", "hold") as one, Target("threads8", "spin") as two, \
            Target("recursion", "hold") as three:
        targets = [one, two, three]
        sample, = st.take(backend, *[t.pid for t in targets], times=2)
        for target in targets:
            threads = {k: t for k, t in sample.threads.items() if t.pid == target.pid}
            st.check_take(st.Take(threads, sample.failed), target, backend)
            target.check_end()


# ---------------------------------------------------------------- one against the other
@pytest.fixture(params=["gdb", "lldb"])
def other(request):
    st.need_backend(request.param)
    return request.param


def need_stopped(other):
    if other == "lldb" and st.lldb_continues():
        pytest.skip(LET_RUN)


@pytest.mark.parametrize("case", KNOWN)
def test_equal(case, other):
    if case == "stopped":
        need_stopped(other)
    name, *args = KNOWN[case]
    with Target(name, "hold", *args) as target:
        (ours,), (theirs,) = st.take("unwind", target.pid), st.take(other, target.pid)
        st.check_equal(ours, theirs)
        if case == "stopped":
            os.kill(target.pid, signal.SIGCONT)
        target.check_end()


def hold_still(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    mt.wait_for(lambda: all(set(st.states(pid)) == {"T"} for pid in pids), what="that they stop")


# Flavour, command, name of its processes, a function that each main thread is in
MPI_JOBS = {
    "lammps": ("openmpi", ["lmp", "-in", str(mt.TESTS / "data/lj.in"), "-var", "steps", "800000",
                           "-log", "none"], "lmp", "LAMMPS_NS::Input::file"),
    "mpich": ("mpich", mt.program("mpich", "pingpong") + ["100000", "100000"], "pingpong",
              "main"),
}


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize("name", MPI_JOBS)
def test_equal_mpi(name, turn, other, tmp_path):
    """LAMMPS under Open MPI, and MPICH over UCX, stopped anywhere in their work."""
    need_stopped(other)
    flavour, command, comm, outer = MPI_JOBS[name]
    if flavour not in mt.FLAVOURS or not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} or no {flavour}")
    with mt.Job(mt.mpiexec(flavour, 2) + command, cwd=tmp_path,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        def at_work():
            pids = mt.application_ranks(job, comm)
            return len(pids) == 2 and all(st.cpu_ticks(p, p) > 100 for p in pids) and pids
        pids = mt.wait_for(at_work, mt.TIMEOUT_S, f"that {name} works")
        time.sleep(0.01 * turn)                # anywhere else
        hold_still(pids)
        (ours,), (theirs,) = st.take("unwind", *pids), st.take(other, *pids)
        assert {t.pid for t in ours.threads.values()} == set(pids)
        for pid in pids:
            assert any(f.function == outer for f in ours.threads[pid].frames), str(ours)
            mt.wait_for(lambda p=pid: set(st.states(p)) == {"T"}, what="that it is stopped as before")
        st.check_equal(ours, theirs)
