"""What the parts of scripts/bench share: builds, launchers, pairs of runs, lines that are printed, /proc."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
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


class Pairs:
    """Values of PAIRS runs of each of two, in turns, and the ratios of neighbours."""

    def __init__(self, plain, hosted, pairs, value):
        self.plain, self.hosted = [], []
        for i in range(pairs):
            for command in (plain, hosted) if i % 2 == 0 else (hosted, plain):
                (self.plain if command is plain else self.hosted).append(value(command))
        self.ratios = [b / a for a, b in zip(self.plain, self.hosted)]
        self.longer = statistics.median(b - a for a, b in zip(self.plain, self.hosted))

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    def text(self, unit):
        quartiles = (statistics.quantiles(self.ratios, n=4) if len(self.ratios) > 3
                     else [min(self.ratios), 0, max(self.ratios)])
        return (f"{statistics.median(self.plain):9.3f} {unit} without, "
                f"{statistics.median(self.hosted):9.3f} with, ratio {self.ratio:.3f} "
                f"({quartiles[0]:.3f} to {quartiles[-1]:.3f})")


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


def watch(command, seconds, select):
    """CPU share and PSS of the processes that SELECT picks, of a job in its steady state."""
    job = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(8)
    pids = select(ours_below(job.pid))
    before, begin = cpu_s(pids), time.monotonic()
    time.sleep(seconds)
    share = 100 * (cpu_s(pids) - before) / (time.monotonic() - begin)
    pss = pss_mib(pids)
    job.wait()
    return share, pss, len(pids)
