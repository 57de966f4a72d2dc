"""One process of a run dies or stops at a random moment: what is to become of the run, drawing, and
what holds whoever it was.

ROWS is the table of docs/architecture.md ("Who dies when"), and test_kill.py compares the two.
A draw is known by its seed and number: MEMLOG_KILL_SEED repeats a sequence. MEMLOG_KILLS: how many.
MEMLOG_KILL_ONLY: of these only, WHO/SIGNAL/PHASE. Each draw adds a line to the file MEMLOG_KILL_LOG,
if that is set.
"""
import bisect
import dataclasses
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import memlog_testing as mt
from memlog_file import Recording

KILLS = int(os.environ.get("MEMLOG_KILLS", "60" if mt.LONG else "12"))
SEED = (os.environ.get("MEMLOG_KILL_SEED")            # workers of xdist draw from one sequence
        or os.environ.get("PYTEST_XDIST_TESTRUNUID", "")[:8] or f"{random.getrandbits(32):08x}")
# From the signal to the last process. Beside ranks that spin, what needs a second of CPU (gdb, which
# holds what it looks at while it reads symbols; MPI_Init on three hosts) waits minutes for it.
END_S = 600
# Open MPI's handler of a SEGV takes the stack with malloc: where that was interrupted, it waits for ever.
CRASH_S = 20
# The handlers of SEGV of Open MPI and UCX load libraries: ld.so, interrupted while it unloads some at the
# end of a rank, ends the rank with 127.
LOADER_ENDS = "Inconsistency detected by ld.so"
PHASE_S = 300                                  # to a phase: gdb reads its symbols meanwhile, others compute
SCAN_S = 0.03                                  # from one look at all processes to the next
PERIOD_S = 0.05
RAMP_S = 2.5
RATE_MIB = 4
MIB = 1 << 20
LATE_S = 0.5                                   # a busy machine may be late by this much
AROUND_B = 4 * MIB                             # what a rank's memory does beside the ramp

PHASES = ("init", "start", "running", "end", "writing", "leaving")
ALL = " ".join(PHASES)


# ------------------------------------------------------------------------------ the table
@dataclasses.dataclass(frozen=True)
class Row:
    """Exit codes: a number; S: what mpiexec makes of a child that the signal killed; D: of a process that the signal killed, as a shell shows it; any."""
    who: str
    signals: str
    phases: str
    openmpi: str
    mpich: str
    record: str                 # any of: file journals none
    what: str
    waits: bool = False         # it goes on when the process is continued

    def codes(self, flavour, number):
        """As a set, which holds "any" where each will do."""
        by_mpiexec = 128 if flavour == "openmpi" else 0
        known = {"S": by_mpiexec + number, "D": 128 + number, "any": "any"}
        return {known[c] if c in known else int(c) for c in getattr(self, flavour).split()}

    def markdown(self):
        def spell(codes, **known):
            return " or ".join(known.get(c, c) for c in codes.split())
        codes = [spell(self.openmpi, S="128+S", D="128+S"),
                 spell(self.mpich, D="128+S")]
        cells = [self.who, self.signals.replace(" ", ", "),
                 "always" if self.phases == ALL else self.phases.replace(" ", ", "),
                 " / ".join(dict.fromkeys(codes)), self.record.replace(" ", " or "), self.what]
        return f"| {' | '.join(cells)} |"


HELPERS = "starter, world host, stack server"
ROWS = [
    Row("rank process", "KILL SEGV", "init", "S", "S", "none",
        "mpiexec ends the job; no rank has started"),
    Row("rank process", "KILL SEGV", "start running end", "S", "S", "file journals",
        "its ranks go with it, all others are ended; the file, if mpiexec gives the time"),
    Row("rank process", "KILL SEGV", "writing leaving", "S 0", "S 0", "file journals",
        "mpiexec ends the job; the file, if mpiexec gives the time"),
    Row("sampling rank", "KILL SEGV", "init", "S", "S", "none",
        "mpiexec ends the job; no rank has started"),
    Row("sampling rank", "KILL SEGV", "start running end", "S 70", "S 70", "journals none",
        "all ranks end at once"),
    Row("sampling rank", "KILL SEGV", "writing", "S 70 0", "S 70 0", "file journals",
        "the draft stays too, and the recovery removes it"),
    Row("sampling rank", "KILL SEGV", "leaving", "S 0", "S 0", "file",
        "the exit code of its rank may be lost"),
    Row("rank process, sampling rank", "TERM", "init", "S", "S", "file none",
        "as in the next row; but at its very first moment it ends at once, and the job with it"),
    Row("rank process, sampling rank", "TERM", "start running", "S", "S", "file",
        "passed on to its ranks, at the latest when they start; all others are ended"),
    Row("rank process, sampling rank", "TERM", "end writing leaving", "0 S", "0 S", "file",
        "nothing: the ranks have ended"),
    Row("rank process, sampling rank", "STOP", ALL, "0", "0", "file",
        "waits until it is continued; the application goes on, its samples miss while the sampling "
        "rank is stopped", waits=True),
    Row(HELPERS, "SEGV TERM", ALL, "0", "0", "file", "sent by somebody: blocked"),
    Row("starter", "KILL", "init start", "70 0", "70 0", "file none",
        "what runs goes on; a rank that cannot be started ends the job"),
    Row("starter", "KILL", "running end writing leaving", "0", "0", "file", "nothing"),
    Row("starter", "STOP", ALL, "0", "0", "file",
        "its rank process continues it at once, or ends with it"),
    Row("world host", "KILL", "start running", "70", "70", "file", "all ranks end"),
    Row("world host", "KILL", "end writing leaving", "70 0", "70 0", "file",
        "all ranks end, if one is left"),
    Row("world host", "STOP", "start running end", "0", "0", "file",
        "the sampling rank continues it at once"),
    Row("world host", "STOP", "writing leaving", "0", "0", "file", "killed after 1 s"),
    Row("stack server", "KILL STOP", ALL.replace("init ", ""), "0", "0", "file",
        "its targets are released, another one is started"),
    Row("debugger", "KILL STOP SEGV TERM", "start running end", "0", "0", "file",
        "its targets are released, another one is started"),
    Row("application rank", "KILL SEGV TERM", "start", "S 0", "S 0 15", "file",
        "all others are ended, or fail in MPI_Init by themselves, which MPICH's do with 15"),
    Row("application rank", "KILL SEGV TERM", "running end", "S 0", "S 0", "file",
        "all others are ended"),
    Row("application rank", "STOP", "start running end", "0", "0", "file",
        "waits until it is continued; its samples say so", waits=True),
    Row("mpiexec", "KILL SEGV", ALL, "D", "D", "file journals none",
        "the rank processes see it and end their ranks"),
    Row("mpiexec", "TERM", ALL, "1 0", "any", "file journals none", "as without us"),
    Row("mpiexec", "STOP", ALL, "0", "0", "file", "waits until it is continued", waits=True),
]


def rows_of(who):
    return [row for row in ROWS if who in row.who.split(", ")]


ROLES = ("rank process", "sampling rank", "starter", "world host", "stack server", "debugger",
         "application rank", "mpiexec")


@dataclasses.dataclass(frozen=True)
class Draw:
    number: int
    who: str
    signal: str
    phase: str
    flavour: str                # of the application
    row: Row
    moments: random.Random = dataclasses.field(compare=False, repr=False)

    def __str__(self):
        return (f"seed {SEED} draw {self.number}: {self.signal} to the {self.who}, {self.phase}, "
                f"{mt.BUILD} records {self.flavour}")

    def fates(self):
        """The row, and those of the phases that follow: the moment may be later than meant."""
        late = PHASES[PHASES.index(self.phase):]
        if self.phase == "running":            # there is plenty of time left
            late = ("running",)
        return [row for row in rows_of(self.who)
                if self.signal in row.signals.split() and set(late) & set(row.phases.split())]


def draw(number):
    """Each role is as likely as the others. MEMLOG_KILL_ONLY narrows it: WHO/SIGNAL/PHASE."""
    moments = random.Random(f"{SEED} {number}")
    only = dict(zip(("who", "signal", "phase"), os.environ.get("MEMLOG_KILL_ONLY", "").split("/")))
    every = [Draw(number, who, kind, phase, flavour, row, moments)
             for who in ROLES for row in rows_of(who) for kind in row.signals.split()
             for phase in row.phases.split() for flavour in mt.FLAVOURS]
    every = [d for d in every if all(word in ("", getattr(d, name)) for name, word in only.items())]
    assert every, f"the table has no {only}"
    who = moments.choice(sorted({d.who for d in every}))
    return moments.choice([d for d in every if d.who == who])


# ------------------------------------------------------------------------------ a run
def environ_of(pid):
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def parent_of(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def children_of(pids):
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and parent_of(p) in pids]


def is_alive(pid):
    try:
        return mt.read_state(pid) not in "ZX"
    except OSError:
        return False


def is_first_of_node(pid):
    """Whether mpiexec made it the first process of its node."""
    return bool({b"OMPI_COMM_WORLD_LOCAL_RANK=0", b"MPI_LOCALRANKID=0"} & set(environ_of(pid)))


class Run:
    """A recording of `ramp`, on this host. Subclasses say how it is started elsewhere."""
    n_ranks = 3
    also = frozenset()          # codes that mpiexec has for a failure of any kind

    def __init__(self, drawn):
        self.draw = drawn
        self.root = self.make_root()
        self.record, self.tmp = self.root / "record", self.root / "tmp"
        for folder in (self.record, self.tmp):
            folder.mkdir()
        self.file = self.record / "run.h5"
        self.job = self.start()

    def make_root(self):
        return Path(tempfile.mkdtemp(prefix="kill."))      # Open MPI's sockets want short names

    def options(self):
        stacks = {"stack server": ["--pstack", "--stack-rate", "100ms", "--overhead", "100%"],
                  "debugger": ["--debugger", "gdb", "--stack-rate", "300ms", "--overhead", "100%"]}
        return ["-r", f"{PERIOD_S}s", *stacks.get(self.draw.who, [])]

    def command(self, launcher):
        seconds = RAMP_S * (2 if self.draw.who == "debugger" else 1)
        words = [*launcher, mt.MEMLOG_MPI, *self.options(), "-o", self.file, "--",
                 *mt.program(self.draw.flavour, "ramp"), seconds, RATE_MIB, 0, self.root / "history"]
        return ["sh", "-c", 'exec "$@" >"$0.out" 2>"$0.err"', self.root / "said", *words]

    def start(self):
        return mt.Job(self.command(mt.mpiexec(mt.BUILD, self.n_ranks)),
                      env={"TMPDIR": str(self.tmp)})

    def record_again(self):
        """A run that clears what one before it left in TMPDIR."""
        done = subprocess.run([mt.MEMLOG_MPI, "-q", "-o", self.root / "again.h5", "--", "true"],
                              env={**mt.base_environment(), "TMPDIR": str(self.tmp)},
                              capture_output=True, text=True, timeout=mt.TIMEOUT_S)
        assert done.returncode == 0, done.stderr

    def processes(self):
        return self.job.processes()

    def is_over(self):
        return self.job.process.poll() is not None

    def exit_code(self):
        code = self.job.process.returncode
        return code if code >= 0 else 128 - code

    def close(self):
        self.job.__exit__()
        shutil.rmtree(self.root, ignore_errors=True)

    def left_in_tmp(self):
        return sorted(p.name for p in self.tmp.iterdir())

    # ---------------------------------------------------------------- who is who
    def find(self, who):
        pids = self.processes()
        ours = [p for p in pids if mt.comm_of(p) == "memlog-mpi"
                and not mt.comm_of(parent_of(p)).startswith("memlog-")]
        names = {"starter": "memlog-start", "world host": "memlog-host",
                 "stack server": "memlog-stacks", "application rank": "ramp"}
        if who == "debugger":                  # its environment is not the run's
            return children_of(self.find("stack server"))
        if who == "mpiexec":
            return [p for p in pids if mt.comm_of(p).startswith("mpiexec")]
        if who in names:
            # A starter's child has its name until it executes the rank.
            return [p for p in pids if mt.comm_of(p) == names[who] != mt.comm_of(parent_of(p))]
        return [p for p in ours if is_first_of_node(p) == (who == "sampling rank")]

    def said(self, stream):
        try:
            return self.root.joinpath(f"said.{stream}").read_text(errors="replace")
        except OSError:
            return ""

    def history(self, rank):
        """What a rank had: (time, bytes), in order. A line that its end cut short is none."""
        lines = self.root.joinpath(f"history.{rank}").read_text().splitlines(keepends=True)
        return [(float(at), int(grown_B)) for at, grown_B in
                (line.split() for line in lines if line.endswith("\n"))]

    def journals(self):
        return mt.journals_of(self.file)

    def drafts(self):
        return [p for p in self.record.iterdir() if p.name.startswith(".run.h5.")]

    # ---------------------------------------------------------------- when
    def await_phase(self, phase):
        """Returns when it begins."""
        if phase == "init":
            self.wait(lambda: self.find("rank process") + self.find("sampling rank"), SCAN_S)
        elif phase == "start":
            self.wait(self.journals)
        elif phase == "running":
            self.wait(lambda: self.said("out").count("ramps from") == self.n_ranks)
        else:
            ranks = self.find("application rank")
            over = {"end": lambda: not all(map(is_alive, ranks)), "writing": self.drafts,
                    "leaving": self.file.exists}[phase]
            self.wait(over, 0.0005)

    def wait(self, condition, pause_s=0.005):
        end = time.monotonic() + PHASE_S
        while not condition() and not self.is_over():
            assert time.monotonic() < end, f"it does not come to be {self.draw.phase}"
            time.sleep(pause_s)


LATEST_S = {"init": 0.25, "start": 0.3, "running": 1.0, "end": 0.05, "writing": 0.02,
            "leaving": 0.02}


def pick(run):
    """Waits for the random moment and who is to get the signal: its PID, 0 if it is gone."""
    drawn, victims = run.draw, []
    late = PHASES.index(drawn.phase) > PHASES.index("running")
    if late:
        run.await_phase("running")
        victims = wait_for_victims(run)
    run.await_phase(drawn.phase)
    time.sleep(drawn.moments.uniform(0, LATEST_S[drawn.phase]))
    if not late:
        victims = wait_for_victims(run)
    alive = [v for v in sorted(victims) if is_alive(v)]
    return drawn.moments.choice(alive) if alive else 0


def wait_for_victims(run):
    run.wait(lambda: run.find(run.draw.who), SCAN_S)
    return run.find(run.draw.who)


@dataclasses.dataclass
class Story:
    """What happened to a run."""
    victim: int                 # 0: it had ended already
    sent_at: float              # wall clock
    continued_at: float = 0
    code: int = -1
    seconds: float = 0          # from the signal, or from its continuation, to the last process
    lost_s: float = -1          # from the last sample to the signal, or to the end of the ranks


def where_is(pid):
    """Where a process hangs that did not end of its signal."""
    if not pid or not is_alive(pid):
        return "the victim is gone"
    done = subprocess.run(["gdb", "-batch", "-p", str(pid), "-ex", "thread apply all bt 20"],
                          capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    return f"the victim: {done.stdout}"


def strike(run):
    drawn = run.draw
    victim = pick(run)
    story = Story(victim, time.time())
    if victim:
        mt.send(victim, getattr(signal, f"SIG{drawn.signal}"))
        if drawn.signal == "STOP" and any(row.waits for row in drawn.fates()):
            time.sleep(drawn.moments.uniform(0.3, RAMP_S + 1))
            mt.send(victim, signal.SIGCONT)
            story.continued_at = time.time()
    begin = time.monotonic()
    while not run.is_over() or run.processes():
        if (drawn.who, drawn.signal) == ("mpiexec", "SEGV") and time.monotonic() > begin + CRASH_S \
                and is_alive(victim):
            mt.send(victim, signal.SIGKILL)
            run.also = run.also | {128 + signal.SIGKILL}
        if time.monotonic() > begin + END_S:
            left = [f"{mt.describe(p)[:60]} {mt.comm_of(p)} {mt.read_state(p)}"
                    for p in run.processes()]
            raise AssertionError(f"no end within {END_S} s, left were {left}; {where_is(victim)}")
        time.sleep(SCAN_S)
    story.code, story.seconds = run.exit_code(), time.monotonic() - begin
    return story


# ------------------------------------------------------------------------------ what must hold
def allowed(run, story):
    """(exit codes, records) that the table allows."""
    number = getattr(signal, f"SIG{run.draw.signal}")
    if not story.victim:
        return {0}, {"file"}
    rows = run.draw.fates()
    return (set().union(*(row.codes(mt.BUILD, number) for row in rows)),
            set().union(*(row.record.split() for row in rows)))


def check(run, story):
    codes, records = allowed(run, story)
    record = "file" if run.file.exists() else "journals" if run.journals() else "none"
    if codes - {0}:
        codes = codes | run.also
    if story.victim and run.draw.who == "application rank" and LOADER_ENDS in run.said("err"):
        codes = codes | {127}
    assert "any" in codes or story.code in codes, f"exit code {story.code}, not of {codes}"
    assert record in records, f"{record}, not {records}"
    recording = read_record(run, record)
    if recording:
        check_rows(run, story, recording)
    check_nothing_left(run, story)
    return record


def read_record(run, record):
    """FILE, or what memlog recover makes of the journals; None where no tick was taken."""
    if record == "none":
        return None
    if record == "file" and not (run.drafts() and run.journals()):
        recording = Recording(run.file)
        assert recording.attributes["complete"] == 1
        return recording
    path = run.file if record == "journals" else run.record / "again.h5"
    mt.wait_for(lambda: recovers(run, path), what="the run's end")
    recording = Recording(path)
    return recording if recording["node_samples"]["tick"] else None


def recovers(run, path):
    """False: the run goes on. A process that is ending has no environment any more, by which it would
    be found, and its files still."""
    done = subprocess.run([mt.MEMLOG, "recover", *run.journals(), "-o", path], capture_output=True,
                          text=True, timeout=mt.TIMEOUT_S)
    assert done.returncode == 0 or "its run goes on" in done.stderr, done.stderr
    return done.returncode == 0


def check_nothing_left(run, story):
    """After a recovery, if one was needed. Who was killed when FILE was there already leaves the
    folder of its draft, until the next recording of FILE."""
    killed = story.victim and run.draw.who in ("rank process", "sampling rank", "mpiexec")
    beside = [p.name for p in run.record.iterdir() if not p.name.endswith((".h5", ".journal"))
              and not (killed and p in run.drafts())]
    assert not beside, f"left beside FILE: {beside}"
    if killed and any(n.startswith("memlog") for n in run.left_in_tmp()):
        run.record_again()                     # the world host was not there yet to remove it
    in_tmp = [n for n in run.left_in_tmp()
              if run.draw.who != "mpiexec" or n.startswith("memlog")]
    assert not in_tmp, f"left in TMPDIR: {in_tmp}"


def said_at(recording, rank, words):
    """When, on the wall clock, a rank wrote a line that begins so; and the line."""
    for row in recording.rows("output"):
        if row["rank"] == rank and f": {words}" in row["text"]:
            return recording.attributes["time_origin"] + row["time_s"], row["text"]
    return None, ""


def check_rows(run, story, recording):
    origin = recording.attributes["time_origin"]
    until = story.sent_at
    for rank in recording.ranks():
        begin, line = said_at(recording, rank, "ramps from")
        if begin is None:
            continue
        end = said_at(recording, rank, "ramped")[0] or float("inf")
        base_B = int(re.search(r"ramps from (\d+)", line)[1])
        rows = [(origin + r["time_s"], r["rss_anon_B"] - base_B) for r in recording.rows("samples")
                if r["rank"] == rank]
        # its lines may be seen late, and MPI_Finalize has memory of its own
        check_ramp(run, rank, [r for r in rows if begin + LATE_S < r[0] < end - LATE_S])
        until = min(until, end)
    lost = until - (origin + recording["node_samples"]["time_s"][-1])
    story.lost_s = max(lost, 0)
    assert lost < 2 * PERIOD_S + LATE_S, f"no sample in the last {lost:.3f} s before the signal"


def check_ramp(run, rank, rows):
    """Each row (time, bytes) lies between what the rank had shortly before and shortly after."""
    steps = run.history(rank) or [(0, 0)]
    times = [at for at, _ in steps]
    for at, grown_B in rows:
        before = bisect.bisect_right(times, at - LATE_S)
        least_B = steps[before - 1][1] if before else 0
        after = bisect.bisect_left(times, at + LATE_S)
        last_at, last_B = steps[min(after, len(steps) - 1)]
        if after == len(steps):                # the step that its end cut short
            last_B += RATE_MIB * MIB * (rank + 1) * (at + LATE_S - last_at)
        assert grown_B < last_B + AROUND_B, f"rank {rank}: {grown_B - last_B:.0f} B too much"
        assert grown_B > least_B - AROUND_B, f"rank {rank}: {least_B - grown_B:.0f} B too little"


def log(words):
    print(words)
    if path := os.environ.get("MEMLOG_KILL_LOG"):
        with open(path, "a", encoding="utf-8") as f:
            f.write(words + "\n")


def run_draw(drawn, make_run=Run):
    print(drawn)
    run = make_run(drawn)
    story, failed = None, None
    try:
        story = strike(run)
        record = check(run, story)
        lost = f", {story.lost_s * 1e3:.0f} ms lost" if story.lost_s >= 0 else ""
        log(f"ok: {drawn}: {'' if story.victim else 'too late, '}exit code {story.code}, {record}, "
            f"over after {story.seconds:.2f} s{lost}")
    except AssertionError as error:
        failed = (f"{drawn}: {error}\n{story}\n--- stdout\n{run.said('out')[-2000:]}\n--- stderr\n"
                  f"{run.said('err')[-3000:]}")
        log(f"FAILED: {drawn}: {str(error).splitlines()[0]}")
    finally:
        run.close()
    assert not failed, failed
