"""Whoever takes stacks, and however it ends: the application runs on, is right, and misses nothing.

survivor (tests/programs/stacks) does all that suffers when a process is looked at, and says at its
end whether everything was right.
"""
import os
import random
import re
import signal
import subprocess
import time

import pytest
import memlog_testing as mt
import stack_testing as st

TURNS = 10 if mt.LONG else 1
SAMPLES = {"unwind": 10000 if mt.LONG else 2500, "gdb": 30, "lldb": 50 if mt.LONG else 20}
TOGETHER = 2000 if mt.LONG else 500
FOR_EVER = 1000000
moments = random.Random(3)


@pytest.fixture(params=st.BACKENDS)
def backend(request):
    st.need_backend(request.param)
    return request.param


def parts_of(words):
    """What survivor says at its end: by part, its turns and interrupted calls."""
    return {m[1]: (int(m[2]), int(m[3]))
            for m in re.finditer(r"^(\w+) turns=(\d+) eintr=(\d+)", words, re.M)}


def check_right(target, may_lose_signals=False):
    words = target.end(codes=(0, 1) if may_lose_signals else (0,))
    wrong = re.findall(r"wrong: .*", words)
    if may_lose_signals:
        wrong = [w for w in wrong if not re.search("signals lost", w)]
    else:
        assert words.splitlines()[-1] == "right", words
    assert not wrong, words
    parts = parts_of(words)
    assert len(parts) == 14 and all(turns > 1 for turns, _ in parts.values()), words
    return parts


def survivor():
    return st.Target("survivor")


def check_goes_on(target):
    """It still runs: its processor time grows."""
    begin = process_ticks(target.pid)
    mt.wait_for(lambda: target.process.poll() is not None or process_ticks(target.pid) > begin + 10,
                what="that it works on")
    assert target.process.poll() is None, f"it has ended: {target.job.finish()}"


def process_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return sum(map(int, f.read().rpartition(")")[2].split()[11:13]))


# ---------------------------------------------------------------- at full speed
def test_full_speed(backend):
    """Its result is right. On x86_64 our own unwinder lets no call end with EINTR; the debuggers
    stop the process, so those that the kernel does not restart do. lldb lets go of a signal that
    comes just as it detaches: some of millions here."""
    with survivor() as target:
        try:
            sample, = st.take(backend, target.pid, times=SAMPLES[backend], timeout_s=400)
            assert not sample.failed and len(sample.threads) >= 15, str(sample)
        except AssertionError as error:      # its deadline released the target, which is what counts
            if backend != "lldb" or "lldb does not answer" not in str(error):
                raise
            print("lldb hung, and was ended")
        st.check_free(target.pid)
        parts = check_right(target, may_lose_signals=backend == "lldb")
    interrupted = {name: eintr for name, (_, eintr) in parts.items() if eintr}
    print(f"{backend}: interrupted calls {interrupted}")
    if backend == "unwind" and os.uname().machine == "x86_64":
        assert not interrupted


def test_all_at_full_speed():
    """Three samplers at once: a process that somebody else traces is left alone, not hurt."""
    with survivor() as target:
        takers = [subprocess.Popen([*map(str, st.command("unwind", [target.pid], TOGETHER))],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                  for _ in range(3)]
        for taker in takers:
            out, err = taker.communicate(timeout=400)
            assert taker.returncode == 0, out + err
        st.check_free(target.pid)
        check_right(target)


# ---------------------------------------------------------------- in the middle of a sample
def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and int(st.stat_fields(entry, entry)[1]) == pid:
                found.append(int(entry))
        except OSError:
            pass                # it has ended meanwhile
    return found


class Taker:
    """take_stacks, which takes stacks until it is ended."""

    def __init__(self, backend, target):
        self.target, self.backend = target, backend
        self.process = subprocess.Popen([*map(str, st.command(backend, [target.pid], FOR_EVER))],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.children = []

    def at_work(self):
        """Waits until its debugger holds the target, or it has begun to take stacks itself, then
        for a random moment. Its PID, or that of the debugger."""
        if self.backend == "unwind":
            mt.wait_for(lambda: st.cpu_ticks(self.process.pid, self.process.pid) > 10,
                        what="that it takes stacks")
            time.sleep(moments.uniform(0, 0.05))
            return self.process.pid
        mt.wait_for(lambda: st.tracer_of(self.target.pid) or self.process.poll() is not None,
                    what=f"that {self.backend} attaches")
        assert self.process.poll() is None, self.process.stderr.read()
        self.children = children_of(self.process.pid)
        time.sleep(moments.uniform(0, 0.1))
        assert self.children, f"{self.backend} is no child: {self.process.poll()}"
        return self.children[0]

    def end(self, timeout_s):
        """Waits until it and its debugger are gone."""
        _, words = self.process.communicate(timeout=timeout_s)
        mt.wait_for(lambda: not any(os.path.exists(f"/proc/{c}") and st.thread_state(c, c) != "Z"
                                    for c in self.children), what="that the debugger ends")
        return words

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [self.process.pid] + children_of(self.process.pid):
            mt.send(pid, signal.SIGCONT)
            mt.send(pid, signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()


def check_unhurt(target, backend):
    """A debugger that is cut off may keep a signal that it has just taken: that is not ours to mend."""
    st.check_free(target.pid)
    check_goes_on(target)
    check_right(target, may_lose_signals=backend != "unwind")


def wake(target):
    """lldb leaves what it was just attaching to stopped when it loses whoever drives it. In a job the
    sampling rank continues it, when its stack server has died."""
    if st.thread_state(target.pid, target.pid) == "T":
        os.kill(target.pid, signal.SIGCONT)


@pytest.fixture(params=["gdb", "lldb"])
def debugger(request):
    st.need_backend(request.param)
    return request.param


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["KILL", "TERM"])
def test_debugger_ends(number, debugger):
    """Its end is an error of the backend; TERM it may ignore."""
    for _ in range(TURNS):
        with survivor() as target, Taker(debugger, target) as taker:
            os.kill(taker.at_work(), number)
            if number == signal.SIGKILL:
                words = taker.end(60)
                assert taker.process.returncode == 1 and "take: " in words, words
            else:
                time.sleep(0.3)
                mt.send(taker.process.pid, signal.SIGTERM)
                taker.end(60)
                wake(target)
            check_unhurt(target, debugger)


def test_debugger_stops(debugger):
    """It hangs: the deadline of the backend releases the target. All turns at once: they wait."""
    pairs = []
    try:
        for _ in range(TURNS):
            target = survivor()
            taker = Taker(debugger, target)
            pairs.append((target, taker))
            os.kill(taker.at_work(), signal.SIGSTOP)
        for target, taker in pairs:
            words = taker.end(90)
            assert taker.process.returncode == 1 and "take: " in words, words
            check_unhurt(target, debugger)
    finally:
        for target, taker in pairs:
            taker.__exit__()
            target.__exit__()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["KILL", "TERM"])
def test_taker_ends(number, backend):
    for _ in range(TURNS):
        with survivor() as target, Taker(backend, target) as taker:
            taker.at_work()
            os.kill(taker.process.pid, number)
            taker.end(30)
            wake(target)
            check_unhurt(target, backend)


def test_taker_stops():
    """It goes on after CONT, and so does the target."""
    for _ in range(TURNS):
        with survivor() as target, Taker("unwind", target) as taker:
            pid = taker.at_work()
            os.kill(pid, signal.SIGSTOP)
            time.sleep(moments.uniform(0, 0.3))
            os.kill(pid, signal.SIGCONT)
            check_goes_on(target)
            os.kill(pid, signal.SIGTERM)
            taker.end(30)
            check_unhurt(target, "unwind")
