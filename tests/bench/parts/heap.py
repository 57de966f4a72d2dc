"""The heap profiler, beside others."""
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from .base import PROJECT, Pairs, figure_of, lammps, on_one_processor, say, verdict

TIMES = 10
GPERFTOOLS = "gperftools' heap profile"      # a hundred times slower: not beside others


def library(name):
    return next(Path("/usr/lib").glob(f"*/{name}"), None)


def heap_tools(f):
    """(name, how a command is started) of us and of others; None: it is not here."""
    build, folder = f.build, f.folder
    gperftools, jemalloc = library("libtcmalloc.so.4"), library("libjemalloc.so.2")
    return [
        ("ours", [build / "tests/support/heap_show", build / "lib/memlog-mpi/libmemlog_heap.so",
                  folder / "pages", 512 << 10, 0.01]),
        # what is before malloc and does nothing
        ("forwarding only", ["env", f"LD_PRELOAD={build / 'tests/bench/heap_forward.so'}"]),
        ("heaptrack", shutil.which("heaptrack") and ["heaptrack", "-o", folder / "track"]),
        (GPERFTOOLS, gperftools and ["env", f"LD_PRELOAD={gperftools}",
                                     f"HEAPPROFILE={folder / 'gperf'}"]),
        # beside itself without profiling
        ("jemalloc", jemalloc and ["env", f"LD_PRELOAD={jemalloc}"]),
        ("jemalloc's heap profile", jemalloc and [
            "env", f"LD_PRELOAD={jemalloc}",
            f"MALLOC_CONF=prof:true,lg_prof_sample:19,prof_final:true,prof_prefix:{folder / 'je'}"]),
    ]


def has_memray():
    return subprocess.run([sys.executable, "-c", "import memray"], capture_output=True).returncode == 0


def say_together(f, what, commands):
    """COMMANDS: {name: command}, "plain" among them."""
    values = on_one_processor(commands, TIMES, r"([\d.]+) s\n")
    say(f, f"{what}, plain", f"{statistics.median(values['plain']):.3f} s of CPU")
    for name in commands.keys() - {"plain"}:
        ratios = [a / b for a, b in zip(values[name], values["plain"])]
        mean, error = statistics.mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
        say(f, f"{what}, {name}", f"ratio {mean:.4f} +- {error:.4f}"
            + (f"; {verdict(mean, 1.01, 'times plain')}" if name == "ours" else ""))


def bench_heap_programs(f):
    cxx, tools = f.benches / "heap_cxx", {name: start for name, start in heap_tools(f) if start}
    slow = tools.pop(GPERFTOOLS, None)
    say_together(f, "C++ that allocates", {"plain": [cxx, 100], **{name: [*start, cxx, 100]
                                                                  for name, start in tools.items()}})
    if slow:
        pairs = Pairs([cxx], [*slow, cxx], 1, figure_of(r"([\d.]+) s\n"))
        say(f, f"C++ that allocates, {GPERFTOOLS}", pairs.text("s"))
    python = [PROJECT / "tests/bench/heap_python.py"]
    commands = {"plain": [sys.executable, *python], "ours": [*tools["ours"], sys.executable, *python]}
    if has_memray():
        commands["memray, native"] = [sys.executable, "-m", "memray", "run", "--native", "-q", "-f",
                                      "-o", f.folder / "memray", *python]
    else:
        say(f, "memray", "is not here (Debian 13: python3-memray)")
    say_together(f, "Python that allocates", commands)


def bench_heap(f):
    parts = [("malloc and free", "ns", [f.benches / "heap_bench"], r"([\d.]+) ns"),
             ("malloc and free, 2 threads", "ns", [f.benches / "heap_bench", 20000000, 2], r"([\d.]+) ns")]
    lmp = lammps(f, 1000)
    parts += [("LAMMPS, loop time", "s", lmp, r"Loop time of ([\d.]+)")] if lmp else []
    for name, start in heap_tools(f):
        if not start:
            say(f, name, "is not here")
            continue
        for what, unit, command, pattern in parts:
            if name.startswith(("heaptrack", "gperftools")) and unit == "ns":
                continue                    # they write down each
            pairs = Pairs(command, [*start, *command], 9 if name in ("ours", "forwarding only") else 3,
                          figure_of(pattern))
            say(f, f"{what}, {name}", pairs.text(unit))


PARTS = {"heap": bench_heap, "heap-programs": bench_heap_programs}
