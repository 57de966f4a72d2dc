"""Programs with known stacks (tests/programs/stacks), and their stacks as take_stacks tells them.

The environment may say where take_stacks is (MEMLOG_TAKE_STACKS); else it is that of the build.
"""
import dataclasses
import functools
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
import memlog_testing as mt

TAKE_STACKS = Path(os.environ.get("MEMLOG_TAKE_STACKS",
                                  mt.BIN_DIR.parent / "tests/support/take_stacks")).resolve()
PROGRAMS = mt.PROGRAMS / "stacks"
BACKENDS = ("unwind", "gdb", "lldb")
GONE, FAILED = 1, 4             # of enum ml_stack_failure

# What is outside of main, or of a thread's first function. Names of libc's own functions are known
# only where its debug information is installed.
START = re.compile(r"_start|__libc_start_(main|main_impl|call_main)|start_thread|"
                   r"(__|__GI___)?clone3?|__GI_+clone3?")
SYSTEM = re.compile(r"(libc|ld-linux.*|libpthread)[-.0-9]*so[.0-9]*|\[vdso\]|.*vdso.*")


def need_backend(name):
    if name not in ("unwind",) and not shutil.which(name):
        pytest.skip(f"{name} is not installed")


def lldb_continues():
    """What it detaches from: it does not get what is stopped."""
    said = subprocess.run(["lldb", "--version"], capture_output=True, text=True).stdout
    return int(re.search(r"version (\d+)", said)[1]) >= 19


def need_program(name):
    path = PROGRAMS / name
    if not path.exists():
        language = {"shapes": "C++", "waves": "Fortran"}.get(name)
        assert language, f"{path} is not there: set MEMLOG_PROGRAMS"
        pytest.skip(f"no {language} compiler, no {name}")
    return path


# ------------------------------------------------------------------------------ samples
@dataclasses.dataclass
class Frame:
    function: str
    file: str
    line: int
    module: str
    offset: int
    inlined: bool

    @property
    def is_system(self):
        return bool(SYSTEM.fullmatch(os.path.basename(self.module)))

    def __str__(self):
        return (f"{self.function or f'{self.module}+{self.offset:#x}'}"
                f"{' (inlined)' if self.inlined else ''} {os.path.basename(self.file)}:{self.line} "
                f"[{os.path.basename(self.module)}]")


@dataclasses.dataclass
class Thread:
    pid: int
    tid: int
    stopped_us: float
    took_us: float
    cut: int
    frames: list                # outermost first

    def __str__(self):
        return f"thread {self.tid} cut={self.cut}\n" + "\n".join(f"  {f}" for f in self.frames)


@dataclasses.dataclass
class Take:
    threads: dict               # by TID
    failed: list                # (PID, why, text)

    def __str__(self):
        return "\n".join([str(t) for t in self.threads.values()] + [f"failed {self.failed}"])


def parse(text):
    """All takes that take_stacks printed."""
    takes, thread = [], None
    for line in text.splitlines():
        if line == "take":
            takes.append(Take({}, []))
        elif match := re.match(r"thread (\d+) (\d+) stopped_us=(\S+) took_us=(\S+) cut=(\d)", line):
            thread = Thread(int(match[1]), int(match[2]), float(match[3]), float(match[4]),
                            int(match[5]), [])
            assert thread.tid not in takes[-1].threads, f"thread {thread.tid} twice:\n{text}"
            takes[-1].threads[thread.tid] = thread
        elif match := re.match(r"failed (\d+) (\d+) (.*)", line):
            takes[-1].failed.append((int(match[1]), int(match[2]), match[3]))
        elif line.startswith("  "):
            function, file, number, module, offset, inlined = line[2:].rsplit("|", 5)
            thread.frames.insert(0, Frame(function, file, int(number), module, int(offset),
                                          inlined == "1"))
    return takes


def command(backend, pids, times, every=False):
    return [TAKE_STACKS, *(["-a"] if every else []), backend, str(times), *map(str, pids)]


def take(backend, *pids, times=1, every=False, timeout_s=mt.TIMEOUT_S):
    """The takes that were printed: the last one, or (every) all."""
    done = subprocess.run(command(backend, pids, times, every), capture_output=True, text=True,
                          timeout=timeout_s, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"take_stacks {backend}: {done.returncode}\n{done.stdout}{done.stderr}"
    return parse(done.stdout)


# ------------------------------------------------------------------------------ programs
class Target:
    """A program with known stacks: runs until it is told to end, or is killed with the test."""

    def __init__(self, name, *args, lines_until="ready"):
        self.job = mt.Job([need_program(name), *args], stdin=subprocess.PIPE)
        self.process, self.pid = self.job.process, self.job.process.pid
        self.spins = bool(args) and args[0] == "spin"
        self.expected, self.blocked = {}, {}
        guard = threading.Timer(mt.TIMEOUT_S, self.job.kill_all)
        guard.start()
        try:
            while (line := self.process.stdout.readline().decode().strip()) != lines_until:
                word, tid, rest = line.split(" ", 2) if line else ("nothing", "", "")
                assert word in ("expect", "blocked"), f"{name} says {word} {rest}"
                {"expect": self.expected, "blocked": self.blocked}[word][int(tid)] = rest
        finally:
            guard.cancel()
        self.settle()

    def settle(self):
        """Waits until each thread is where it said it would be: asleep, or well in its loop."""
        begin = {tid: cpu_ticks(self.pid, tid) for tid in self.expected}

        def is_there():
            return all(cpu_ticks(self.pid, tid) >= begin[tid] + 2 if self.spins else
                       thread_state(self.pid, tid) in "ST" for tid in self.expected)
        mt.wait_for(is_there, what="that all threads stay")

    def end(self, timeout_s=mt.TIMEOUT_S, codes=(0,)):
        """Lets it end by itself: what it printed since."""
        assert self.process.poll() is None, f"it has ended: {self.job.finish()}"
        self.process.stdin.close()
        self.process.stdin = None
        outcome = self.job.finish(timeout_s)
        assert outcome.code in codes, str(outcome)
        return outcome.stdout.decode()

    def check_end(self):
        assert self.end().splitlines()[-1] == "done"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.job.__exit__()


def stat_fields(pid, tid):
    """Of /proc/PID/task/TID/stat, from the state on, which is the third one (proc(5))."""
    return Path(f"/proc/{pid}/task/{tid}/stat").read_text().rpartition(")")[2].split()


def thread_state(pid, tid):
    return stat_fields(pid, tid)[0]


def cpu_ticks(pid, tid):
    return sum(map(int, stat_fields(pid, tid)[11:13]))


def tracer_of(pid):
    """0: nobody, or it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(re.search(r"^TracerPid:\s*(\d+)", status, re.M)[1])


def states(pid):
    found = ""
    for tid in os.listdir(f"/proc/{pid}/task") if os.path.exists(f"/proc/{pid}") else ():
        try:
            found += thread_state(pid, tid)
        except OSError:
            pass                # it has ended meanwhile
    return found


def check_free(pid):
    """No debugger holds it, and none of its threads is stopped, or it has ended."""
    mt.wait_for(lambda: tracer_of(pid) == 0, what=f"that nobody traces {pid}")
    mt.wait_for(lambda: not set(states(pid)) & set("Tt"),
                what=f"that {pid} is not stopped ({states(pid)})")


# ------------------------------------------------------------------------------ names
@functools.lru_cache(maxsize=None)
def addresses_of(module):
    """Name to addresses, of all symbols of a module and of its separate debug information."""
    notes = subprocess.run(["readelf", "-n", module], capture_output=True, text=True).stdout
    files, found = [module], {}
    if match := re.search(r"Build ID: (..)(\S+)", notes):
        files.append(f"/usr/lib/debug/.build-id/{match[1]}/{match[2]}.debug")
    for file in files:
        for which in ("-a", "-D"):
            names = subprocess.run(["nm", "--defined-only", which, file], capture_output=True,
                                   text=True).stdout
            for line in names.splitlines():
                address, _, name = line.split(" ", 2)
                found.setdefault(name.partition("@")[0], set()).add(int(address, 16))
    return found


def tight(name):
    """Compilers and debuggers differ in the blanks of templates."""
    return re.sub(r"(?<=[>,*&]) +| +(?=[>,*&])", "", name)


def same_name(a, b, module):
    """Equal, or one function by two names. (libc's read is also __read and __GI___libc_read; each
    tool chooses. gdb shortens main::{lambda(double)#1}::operator() to operator(), and prefixes a
    procedure that is contained in another one, travel::crest, where its symbol is crest.)"""
    a, b = tight(a), tight(b)
    if a == b:
        return True
    if not a or not b:
        return False
    if a.endswith("::" + b) or b.endswith("::" + a):
        return True
    known = addresses_of(module) if os.path.exists(module) else {}
    return bool(known.get(a, set()) & known.get(b, set()))


def same_module(a, b):
    return os.path.realpath(a) == os.path.realpath(b) or (a, b) == ("[vdso]", "[vdso]")


def same_frame(a, b):
    """By function, or where there is none by module and offset. gdb and lldb name the linker's stubs."""
    if bool(a.function) != bool(b.function):
        return is_stub(a, "lldb") and is_stub(b, "lldb") and same_module(a.module, b.module)
    if a.function:
        return same_name(a.function, b.function, a.module)
    return same_module(a.module, b.module) and a.offset == b.offset


# ------------------------------------------------------------------------------ expectations
def is_start(frame, entry):
    """Outside of main. ENTRY: where a program without names begins, its _start; else None."""
    if frame.function:
        return bool(START.fullmatch(frame.function))
    return frame.is_system or entry is not None and entry <= frame.offset < entry + 64


@functools.lru_cache(maxsize=None)
def entry_of(module):
    header = subprocess.run(["readelf", "-h", module], capture_output=True, text=True).stdout
    return int(re.search(r"Entry point address:\s*(\S+)", header)[1], 16)


def is_expected(frame, word, exactly):
    """Whether FRAME is what the program says, by the syntax of stacks.h. Only our own unwinder is
    held to the very same spelling (EXACTLY)."""
    if word.startswith("/"):
        module, _, offset = word.rpartition("+")
        return (not frame.function and same_module(frame.module, module)
                and (offset == "?" or frame.offset == int(offset, 16)))
    name, inlined, _ = word.partition(" (inlined)")
    return (not inlined or frame.inlined) and any(
        tight(frame.function) == tight(one) if exactly else same_name(frame.function, one, "")
        for one in name.split("/"))


@functools.lru_cache(maxsize=None)
def imports_of(module):
    names = subprocess.run(["nm", "-D", "--undefined-only", module], capture_output=True, text=True).stdout
    return {line.split()[-1].partition("@")[0] for line in names.splitlines()}


def is_stub(frame, backend=None):
    """Of the linker's: nameless, "getcpu@plt" for gdb; for lldb "getcpu", in a module that imports it."""
    return (not frame.function or frame.function.endswith("@plt")
            or backend == "lldb" and frame.function in imports_of(frame.module))


# By which functions of libc a thread is blocked in a call.
CALLS = {"futex": r"futex|pthread_cond_wait", "stdio": r"read", "stop": r"raise|kill|pause"}


def check_thread(thread, expected, blocked, backend, inner_allowed=False, static=False):
    """The outer end is main (outside of it only START); from there on inwards each function is the
    expected one; further in is nothing but the call by which it is blocked, in the system's
    libraries. INNER_ALLOWED: it is on its way into one or back, also in the linker's stub (PLT).
    STATIC: these are in the program."""
    words = expected.split(";")
    entry = entry_of(words[0].rpartition("+")[0]) if words[0].startswith("/") else None
    frames, n_start = thread.frames, 0
    while n_start < len(frames) and is_start(frames[n_start], entry):
        n_start += 1
    said = f"expected {words}\n{thread}"
    assert thread.cut == 0, f"it is cut\n{said}"
    assert backend != "unwind" or n_start > 0, f"nothing outside of main\n{said}"
    assert len(frames) >= n_start + len(words), f"too short\n{said}"
    for frame, word in zip(frames[n_start:], words):
        assert is_expected(frame, word, backend == "unwind"), f"{frame} is not {word}\n{said}"
    inner = frames[n_start + len(words):]
    assert all(f.is_system or static or inner_allowed and is_stub(f, backend) for f in inner), \
        f"inside of the last one\n{said}"
    if blocked:
        call = CALLS.get(blocked, blocked)
        assert any(re.search(call, f.function) or not f.function for f in inner), \
            f"no {blocked}\n{said}"
    elif not inner_allowed:
        assert not inner, f"inside of the last one\n{said}"


def check_take(sample, target, backend, **how):
    assert not sample.failed, str(sample)
    assert sorted(sample.threads) == sorted(target.expected), f"threads {target.expected}\n{sample}"
    for tid, expected in target.expected.items():
        check_thread(sample.threads[tid], expected, target.blocked.get(tid), backend, **how)


def check_equal(a, b):
    """Two takes of the same processes: the same threads, and in each the same functions in the same
    order. A debugger that ends with main is not held to what is outside of it."""
    assert not a.failed and not b.failed, f"{a}\n\n{b}"
    assert sorted(a.threads) == sorted(b.threads), f"{a}\n\n{b}"
    for tid, thread in a.threads.items():
        pair = [thread.frames, b.threads[tid].frames]
        depth = min(map(len, pair))
        rest = max(pair, key=len)[:-depth] if depth else max(pair, key=len)
        assert all(is_start(f, entry_of(f.module)) for f in rest), \
            f"not of one length\n{thread}\n{b.threads[tid]}"
        for one, other in zip(*(frames[-depth:] for frames in pair)):
            assert same_frame(one, other), f"{one} is not {other}\n{thread}\n{b.threads[tid]}"
