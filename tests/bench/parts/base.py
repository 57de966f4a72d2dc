"""What the parts of scripts/bench share: builds, launchers, pairs of runs, lines that are printed, /proc."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
MPIEXEC = {"openmpi": ["mpiexec.openmpi"], "mpich": ["mpiexec.hydra"]}
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1",
               "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}


class Flavour:
    """A build, and a folder for what the parts make."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.build = PROJECT / "build" / name
        self.recorder, self.memlog = self.build / "bin/memlog-mpi", self.build / "bin/memlog"
        self.benches, self.units = self.build / "tests/bench", self.build / "tests/unit"
        self.take_stacks = self.build / "tests/support/take_stacks"
        self.programs = self.build / "tests/programs" / name
        self.file = folder / f"{name}.h5"

    def plain(self, ranks, command, mpi=None):
        return [*MPIEXEC[mpi or self.name], "-n", str(ranks), *map(str, command)]

    def hosted(self, ranks, command, *options):
        return [*MPIEXEC[self.name], "-n", str(ranks), str(self.recorder), "-q", "--force",
                "-o", str(self.file), *options, "--", *map(str, command)]


def run(command, environment=None):
    """(seconds, output); ends the bench where the command fails."""
    begin = time.monotonic()
    done = subprocess.run(list(map(str, command)), env=environment or ENVIRONMENT,
                          stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    seconds = time.monotonic() - begin
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout[-2000:]}")
    return seconds, done.stdout


def cpu_of(command):
    """CPU seconds of a command and all below it that somebody waited for."""
    before = os.times()
    run(command)
    after = os.times()
    return (after.children_user + after.children_system
            - before.children_user - before.children_system)


Cost = namedtuple("Cost", "seconds cpu_s mib")


def cost_of(command):
    """Also the resident set that it had at most, or what it started: of a small process of its own, since
    one begins with the peak of that from which it was forked."""
    begin = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-f", "%U %S %M", *map(str, command)], env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    seconds = time.monotonic() - begin
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    user, system, kib = map(float, done.stderr.split()[-3:])
    return Cost(seconds, user + system, kib / 1024)


most_times = None       # --times


def times(wanted):
    return min(wanted, most_times or wanted)


def spread(values):
    """"median (quartiles)"; of fewer than four values the ends are the quartiles."""
    low, *_, high = statistics.quantiles(values, n=4) if len(values) > 3 else (min(values), max(values))
    return f"{statistics.median(values):.3f} ({low:.3f} to {high:.3f})"


class Neighbours:
    """Values without and with us that were taken one after the other, and the ratios of each two."""

    def __init__(self, plain, hosted):
        self.plain, self.hosted = plain, hosted
        self.ratios = [b / a for a, b in zip(plain, hosted)]
        self.longer = statistics.median(b - a for a, b in zip(plain, hosted))

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def with_us(self):
        return statistics.median(self.hosted)

    def text(self, unit, beside=""):
        return (f"{statistics.median(self.plain):9.3f} {unit} {beside or 'without'}, "
                f"{self.with_us:9.3f} with, ratio {spread(self.ratios)}")


class Pairs(Neighbours):
    """Values of PAIRS runs of each of two, in turns."""

    def __init__(self, plain, hosted, pairs, value):
        values = [], []
        for i in range(times(pairs)):
            for which in (0, 1) if i % 2 == 0 else (1, 0):
                values[which].append(value((plain, hosted)[which]))
        super().__init__(*values)


def on_one_processor(commands, times, pattern):
    """{name: CPU times as PATTERN finds them in the output} of TIMES runs of COMMANDS, {name: command}, all
    at once on one processor: it goes from one to the other by the millisecond, so whatever slows the
    machine slows all alike. A hundredth shows, where pairs in turns differ by a tenth."""
    one, values = {max(os.sched_getaffinity(0))}, {name: [] for name in commands}
    for _ in range(times):
        running = {name: subprocess.Popen(list(map(str, command)), env=ENVIRONMENT, text=True,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                          stderr=subprocess.DEVNULL,
                                          preexec_fn=lambda: os.sched_setaffinity(0, one))
                   for name, command in commands.items()}
        outputs = {name: process.communicate()[0] for name, process in running.items()}
        for name, output in outputs.items():
            found = re.search(pattern, output)
            if not found:
                sys.exit(f"bench: {name}: no time in what it printed: {output[-500:]}")
            values[name].append(float(found[1]))
    return values


def seconds_of(command):
    return run(command)[0]


def figure_of(pattern):
    """The value of a run is what PATTERN finds in its output."""
    return lambda command: float(re.search(pattern, run(command)[1])[1])


def verdict(value, goal, unit):
    return f"goal {goal:g} {unit}: {'met' if value <= goal else 'NOT MET'}"


def say_machine():
    load = os.getloadavg()[0]
    busy = "" if load < 1 else ": others use it, so ratios and CPU times say more than times do"
    print(f"{os.cpu_count()} CPUs, load {load:.1f}{busy}", flush=True)


def say(flavour, what, text):
    print(f"{flavour.name:<8} {what:<34} {text}", flush=True)


def lammps(f, steps):
    """The words of LAMMPS; None: it is not here, which is said."""
    program = shutil.which("lmp")
    if not program:
        say(f, "LAMMPS", "not here (Debian lammps)")
        return None
    return [program, "-in", PROJECT / "tests/data/lj.in", "-var", "steps", str(steps),
            "-log", "none"]


# ------------------------------------------------------------------------------ /proc
def comm_and_parent(pid):
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.index("(") + 1:text.rindex(")")], int(text.rpartition(")")[2].split()[1])


def cpu_s(pids):
    """Of all their threads, to the nanosecond, where /proc/PID/stat counts 10 ms."""
    return sum(int(thread.read_text().split()[0]) for pid in pids
               for thread in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def pss_mib(pids):
    text = "".join(Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(map(int, re.findall(r"^Pss: +(\d+)", text, re.M))) / 1024


def ours_below(root):
    """(sampling ranks with their world hosts and starters, other rank processes) of the job that
    ROOT started."""
    everyone = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                everyone[int(entry)] = comm_and_parent(entry)
            except OSError:
                pass
    below, grown = {root}, True
    while grown:
        more = {pid for pid, (_, parent) in everyone.items() if parent in below} - below
        below, grown = below | more, bool(more)
    ours = {pid for pid in below if everyone[pid][0].startswith("memlog")}
    hosts = {pid for pid in ours if everyone[pid][0] == "memlog-host"}
    samplers = {everyone[pid][1] for pid in hosts}
    of_samplers = {pid for pid in ours if everyone[pid][1] in samplers} | samplers
    return of_samplers, ours - of_samplers


WINDOWS = 4


def watch(command, seconds, select):
    """CPU shares in WINDOWS, PSS and number of the processes that SELECT picks, of a job in its steady state."""
    job = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(8)
    pids, shares = select(ours_below(job.pid)), []
    for _ in range(WINDOWS):
        before, begin = cpu_s(pids), time.monotonic()
        time.sleep(seconds / WINDOWS)
        shares.append(100 * (cpu_s(pids) - before) / (time.monotonic() - begin))
    pss = pss_mib(pids)
    job.wait()
    return shares, pss, len(pids)
