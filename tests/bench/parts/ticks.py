"""Sampling: a tick of the probe, a node that is full of processes, deadlines."""
import re
import subprocess
from statistics import median

from .base import MPIEXEC, Neighbours, run, say, spread, times, verdict, watch


TICK_GOAL_US = 12


def bench_tick(f):
    """Beside the bare reads of stat and statm, which cost more where others use the machine; of 128 made-up
    processes and of 10000 alone."""
    for kind in ("sleeping", "growing"):
        bare, ticks = [], []
        for _ in range(times(9)):
            _, output = run([f.benches / "tick_bench", kind, 128, 100])
            ticks.append(float(re.search(r"([\d.]+) us a process;", output)[1]))
            bare.append(float(re.search(r"take ([\d.]+) us a process", output)[1]))
        both = Neighbours(bare, ticks)
        say(f, f"tick, 128 that are {kind}", f"{both.text('us a process', 'bare reads')} "
            f"({verdict(both.with_us, TICK_GOAL_US, 'us')})")
    for n, ticks in ((128, 400), (10000, 40)):
        _, output = run([f.benches / "tick_bench", "made-up", n, ticks])
        of_each = float(re.search(r"([\d.]+) us a process;", output)[1])
        say(f, f"tick, {n} that are made up", f"{of_each:.2f} us a process ({verdict(of_each, TICK_GOAL_US, 'us')})")


def bench_idle(f):
    """128 processes that sleep, and 128 that grow, at 4 Hz; rank processes that do not sample. Without us
    there are none of these processes."""
    for what, command in (("sleep", ["sleep", "32"]), ("grow", [f.benches / "tick_bench", "grow", "32"])):
        alone = [*MPIEXEC[f.name], "-n", "1", f.recorder, "-q", "--force", "-o", f.file,
                 "-n", "128", "--", *command]
        shares, pss, _ = watch(list(map(str, alone)), 20, lambda found: found[0])
        say(f, f"a node of 128 that {what}, 4 Hz", f"{spread(shares)} % of a core "
            f"({verdict(median(shares), 0.6, '%')}), {pss:.1f} MiB PSS ({verdict(pss, 40, 'MiB')}): "
            "sampling rank, world host, starter")
    shares, pss, n = watch(f.hosted(4, ["sleep", "32"]), 20, lambda found: found[1])
    # each has a starter beside it
    of_each = [share / 3 for share in shares]
    say(f, "another rank process", f"{spread(of_each)} % of a core ({verdict(median(of_each), 0.1, '%')}), "
        f"{pss / 3:.1f} MiB PSS (mean of 3, {n} processes)")


def column(file, path):
    output = subprocess.run(["h5dump", "-y", "-w", "0", "-d", path, str(file)], text=True,
                            capture_output=True, check=True).stdout
    return [int(n) for n in re.findall(r"-?\d+", output[output.index("DATA {"):].split("}")[0])]


def bench_deadlines(f):
    run(f.hosted(4, [f.programs / "grow", "10"], "-r", "1ms", "--overhead", "100%"))
    ticks, missed = sum(column(f.file, "/nodes/ticks")), sum(column(f.file, "/nodes/missed"))
    share = 100 * missed / (ticks + missed)
    say(f, "1 kHz, 4 processes", f"{share:.2f} % missed of {ticks + missed} ({verdict(share, 1, '%')})")


def bench_heap_tick(f):
    for sites, percent in ((300, 0), (300, 5), (300, 100), (2000, 5)):
        _, output = run([f.benches / "heap_tick_bench", 128, sites, percent])
        say(f, "heap tick", f"{output.strip()} (goal 0.3 %)")


PARTS = {"tick": bench_tick, "idle": bench_idle, "deadlines": bench_deadlines,
         "heaptick": bench_heap_tick}
