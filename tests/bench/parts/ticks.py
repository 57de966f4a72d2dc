"""Sampling: a tick of the probe, a node that is full of processes, deadlines."""
import re
import subprocess

from .base import MPIEXEC, run, say, verdict, watch


def bench_tick(f):
    for kind, n, ticks in (("made-up", 128, 400), ("sleeping", 128, 200), ("growing", 128, 200),
                           ("made-up", 10000, 40)):
        _, output = run([f.benches / "tick_bench", kind, n, ticks])
        for line in output.splitlines():
            of_each = re.search(r"([\d.]+) us a process;", line)
            say(f, "tick", line + (f" ({verdict(float(of_each[1]), 12, 'us')})" if of_each else ""))


def bench_idle(f):
    """128 processes that sleep, and 128 that grow, at 4 Hz; rank processes that do not sample."""
    for what, command in (("sleep", ["sleep", "32"]), ("grow", [f.benches / "tick_bench", "grow", "32"])):
        alone = [*MPIEXEC[f.name], "-n", "1", f.recorder, "-q", "--force", "-o", f.file,
                 "-n", "128", "--", *command]
        share, pss, _ = watch(list(map(str, alone)), 20, lambda found: found[0])
        say(f, f"a node of 128 that {what}, 4 Hz", f"{share:.2f} % of a core "
            f"({verdict(share, 0.6, '%')}), {pss:.1f} MiB PSS ({verdict(pss, 40, 'MiB')}): "
            "sampling rank, world host, starter")
    share, pss, n = watch(f.hosted(4, ["sleep", "32"]), 20, lambda found: found[1])
    # each has a starter beside it
    say(f, "another rank process", f"{share / 3:.3f} % of a core ({verdict(share / 3, 0.1, '%')}), "
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
