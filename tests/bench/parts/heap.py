"""The heap profiler, beside others."""
import shutil
from pathlib import Path

from .base import Pairs, figure_of, lammps, say


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
        ("gperftools' heap profile", gperftools and ["env", f"LD_PRELOAD={gperftools}",
                                                     f"HEAPPROFILE={folder / 'gperf'}"]),
        # beside itself without profiling
        ("jemalloc", jemalloc and ["env", f"LD_PRELOAD={jemalloc}"]),
        ("jemalloc's heap profile", jemalloc and [
            "env", f"LD_PRELOAD={jemalloc}",
            f"MALLOC_CONF=prof:true,lg_prof_sample:19,prof_final:true,prof_prefix:{folder / 'je'}"]),
    ]


def bench_heap(f):
    parts = [("malloc and free", "ns", [f.benches / "heap_bench"], r"([\d.]+) ns"),
             ("malloc and free, 2 threads", "ns", [f.benches / "heap_bench", 20000000, 2], r"([\d.]+) ns"),
             ("C++ that allocates", "s", [f.benches / "heap_cxx"], r"([\d.]+) s\n")]
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


PARTS = {"heap": bench_heap}
