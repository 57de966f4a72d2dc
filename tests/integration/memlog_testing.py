"""What the tests share: where the programs are, and how to run them plain and hosted.

The environment says what is under test (CTest sets it):
  MEMLOG_BIN_DIR   the folder with memlog-mpi and memlog
  MEMLOG_FLAVOUR   openmpi or mpich: the MPI of that memlog-mpi, hence of the outer mpiexec
  MEMLOG_PROGRAMS  the folder with the test programs, openmpi/NAME and mpich/NAME
  MEMLOG_OWN       1: applications of the other MPI only where pairings are what is tested
  MEMLOG_LONG      1: what is done at random moments is done many times (scripts/check --long)
"""
import dataclasses
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
BIN_DIR = Path(os.environ.get("MEMLOG_BIN_DIR", TESTS.parent / "build/openmpi/bin")).resolve()
BUILD = os.environ.get("MEMLOG_FLAVOUR", "openmpi")
PROGRAMS = Path(os.environ.get("MEMLOG_PROGRAMS", BIN_DIR.parent / "tests/programs")).resolve()
MPIEXEC = {"openmpi": os.environ.get("MEMLOG_MPIEXEC_OPENMPI", "mpiexec.openmpi"),
           "mpich": os.environ.get("MEMLOG_MPIEXEC_MPICH", "mpiexec.hydra")}
FLAVOURS = [f for f in ("openmpi", "mpich")
            if (PROGRAMS / f / "hello").exists() and shutil.which(MPIEXEC[f])]
MEMLOG_MPI, MEMLOG = BIN_DIR / "memlog-mpi", BIN_DIR / "memlog"
TIMEOUT_S = 180                                # of whatever should have ended long before
OWN = os.environ.get("MEMLOG_OWN") == "1"
LONG = os.environ.get("MEMLOG_LONG") == "1"
MARK = "TEST_MARK"

LAUNCHER_VARIABLES = re.compile(r"(OMPI|PMIX|PMI|ORTE|PRTE|MPIR|HYDI|HYDRA|MEMLOG)_|MPI_LOCAL")


def some(cases, every):
    """All CASES where long tests are wanted, else each EVERY-th."""
    cases = list(cases)
    return cases if LONG else cases[::every]


def base_environment():
    """Ours, without what an outer launcher left in it; Open MPI may run as root and with more
    ranks than cores."""
    env = {k: v for k, v in os.environ.items() if not LAUNCHER_VARIABLES.match(k)}
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1",                       # Open MPI 4
               PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe",       # and 5
               # Open MPI 5.0 else loses itself, in spawn for one, between addresses of both
               # families (upstream issue 14079).
               OMPI_MCA_btl_tcp_disable_family="6", LC_ALL="C.UTF-8",
               HWLOC_COMPONENTS="-gl")         # an X server of another test may end at any time
    return env


def program(flavour, name):
    """A test program's path: built by CMake, or a script beside its source."""
    if name.endswith(".py"):
        return [sys.executable, str(TESTS / "programs" / name)]
    return [str(PROGRAMS / flavour / name)]


@functools.cache
def launcher_is_prrte(flavour):
    """PRRTE starts the ranks of Open MPI 5."""
    if flavour != "openmpi" or not shutil.which(MPIEXEC[flavour]):
        return False
    said = subprocess.run([MPIEXEC[flavour], "--version"], capture_output=True, text=True).stdout
    return bool(re.search(r"\(Open MPI\) ([5-9]|\d\d)\.", said))


def mpiexec(flavour, ranks):
    """Of the part of a line that it has read, PRRTE 3.0 makes the beginning of whatever it reads
    next, of the other stream or of another rank (upstream issue 3858), but where it is told to pass
    on what comes. Settings in the environment it takes from what it starts, an mpiexec for one."""
    prrte = ["--map-by", ":oversubscribe", "--output", ":raw"]
    options = prrte if launcher_is_prrte(flavour) else []
    return [MPIEXEC[flavour], *options, "-n", str(ranks)]


# ------------------------------------------------------------------------------ processes
def marked_processes(mark):
    """The PIDs of all live processes whose environment holds the mark of a job."""
    word, found = f"{MARK}={mark}".encode(), []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if (word in Path("/proc", entry, "environ").read_bytes()
                    and read_state(entry) not in "ZX"):
                found.append(int(entry))
        except OSError:
            pass                                    # gone, or another user's
    return found


def read_state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def describe(pid):
    try:
        return f"{pid} " + Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return f"{pid} (gone)"


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_for(condition, timeout_s=60, what="the condition"):
    """Polls until condition() is true and returns its value; fails after timeout_s."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come about in {timeout_s} s"
        time.sleep(0.01)


# ------------------------------------------------------------------------------ outcomes
@dataclasses.dataclass
class Outcome:
    command: list
    code: int                   # as a shell shows it: 128 + S after a signal S
    stdout: bytes
    stderr: bytes
    seconds: float
    orphans: list               # processes of the job that were left, described

    def lines(self):
        """What the ranks said, as a multiset, without what the launchers add."""
        return Counter(l for l in self.stdout.split(b"\n") if l.startswith((b"rank ", b"serial:")))

    def by_rank(self):
        """The ranks' lines, in the order of each."""
        ranks = {}
        for line in self.stdout.split(b"\n"):
            match = re.match(rb"rank (\d+): (.*)", line)
            if match:
                ranks.setdefault(int(match[1]), []).append(match[2].decode(errors="replace"))
        return ranks

    def __str__(self):
        def show(stream):
            return stream[-3000:].decode(errors="replace")
        return (f"{' '.join(map(str, self.command))}\n  exit code {self.code}, {self.seconds:.2f} s"
                f"\n--- stdout\n{show(self.stdout)}\n--- stderr\n{show(self.stderr)}\n---")


class Job:
    """A running command in a session of its own, with a mark in its environment."""

    def __init__(self, command, *, cwd=None, env=None, stdin=None, stdout=subprocess.PIPE,
                 stderr=subprocess.PIPE, preexec_fn=None):
        self.command, self.mark, self.begin = command, uuid.uuid4().hex, time.monotonic()
        environment = {**base_environment(), **(env or {}), MARK: self.mark}
        self.input = stdin if isinstance(stdin, bytes) else None
        self.process = subprocess.Popen(
            [str(a) for a in command], cwd=cwd, env=environment, start_new_session=True,
            stdin=subprocess.PIPE if self.input is not None else stdin or subprocess.DEVNULL,
            stdout=stdout, stderr=stderr, preexec_fn=preexec_fn)

    def processes(self):
        return marked_processes(self.mark)

    def kill_all(self):
        while pids := self.processes():
            for pid in pids:
                send(pid, signal.SIGKILL)
            time.sleep(0.01)

    def finish(self, timeout_s=TIMEOUT_S, grace_s=60):
        """Waits for the end and for all processes to go; kills, and fails, if that takes long."""
        try:
            stdout, stderr = self.process.communicate(self.input, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            left = [describe(p) for p in self.processes()]
            self.kill_all()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"no end within {timeout_s} s, left were {left}\n" + str(Outcome(
                self.command, None, stdout or b"", stderr or b"", timeout_s, left))) from None
        end = time.monotonic()
        while self.processes() and time.monotonic() < end + grace_s:
            time.sleep(0.02)
        orphans = [describe(p) for p in self.processes()]
        self.kill_all()
        code = self.process.returncode
        return Outcome(self.command, code if code >= 0 else 128 - code, stdout or b"",
                       stderr or b"", end - self.begin, orphans)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill_all()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def run(command, timeout_s=TIMEOUT_S, **how):
    with Job(command, **how) as job:
        outcome = job.finish(timeout_s)
    assert not outcome.orphans, f"left behind: {outcome.orphans}\n{outcome}"
    return outcome


def memlog(folder, *arguments, code=0, **environment):
    """What memlog prints in FOLDER: to stdout, or to stderr where CODE is not 0."""
    env = {**base_environment(), "TZ": "UTC", **environment}
    done = subprocess.run([MEMLOG, *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=TIMEOUT_S)
    assert done.returncode == code, done.stderr
    return done.stdout.decode() if code == 0 else done.stderr.decode()


def plain_command(flavour, ranks, name, *args):
    return mpiexec(flavour, ranks) + program(flavour, name) + list(args)


def hosted_command(flavour, ranks, name, *args, file, options=("-q",)):
    """The headline form: mpiexec of the build, the program of FLAVOUR."""
    return (mpiexec(BUILD, ranks) + [MEMLOG_MPI, *options, "-o", file, "--"]
            + program(flavour, name) + list(args))


def run_plain(flavour, ranks, name, *args, **how):
    return run(plain_command(flavour, ranks, name, *args), **how)


def run_hosted(flavour, ranks, name, *args, file, options=("-q",), **how):
    return run(hosted_command(flavour, ranks, name, *args, file=file, options=options), **how)


# ------------------------------------------------------------------------------ roles
def comm_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def open_files(pid):
    try:
        return [os.readlink(f.path) for f in os.scandir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def sampling_ranks(job):
    """They are the ones that hold a journal open."""
    return [p for p in job.processes() if comm_of(p).startswith("memlog-mpi")
            and any(f.endswith(".journal") for f in open_files(p))]


def world_hosts(job):
    return [p for p in job.processes() if comm_of(p) == "memlog-host"]


def application_ranks(job, name):
    return [p for p in job.processes() if comm_of(p) == name[:15]]


def journals_of(file):
    return sorted(Path(file).parent.glob(Path(file).name + ".*.journal"))


def has_samples(file):
    """Whether the journals of a running job hold a tick of each node and a rank's memory."""
    read = subprocess.run([MEMLOG, "read", "--json", file], capture_output=True, text=True)
    if read.returncode:
        return False
    report = json.loads(read.stdout)
    return all(n["ticks"] for n in report["nodes"]) and report["summary"]["largest_rank"]


def wait_for_samples(file):
    wait_for(lambda: has_samples(file), what="samples in the journals")


def pytest_sessionfinish(session, exitstatus):
    """A hook that the conftest files share: 77, CTest's skip, where nothing ran at all."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:                            # a worker of xdist: another one reports
        return
    if exitstatus == 0 and reporter.stats.get("skipped") and not reporter.stats.get("passed"):
        session.exitstatus = 77
