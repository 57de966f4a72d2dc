"""The MPI hooks: what a wrapped call costs."""
import re

from .base import MPIEXEC, run, say, verdict


def least_ns(command, times):
    """What each line of hooks_bench says: (wrapped calls, least ns of all runs)."""
    found = {}
    for _ in range(times):
        for what, wrapped, ns in re.findall(r"^(.+?) +(\d) wrapped calls, ns: ([\d.]+)$",
                                            run(command)[1], re.M):
            before = found.get(what, (0, float("inf")))[1]
            found[what] = int(wrapped), min(before, float(ns))
    return found


def bench_hooks(f):
    for mpi in MPIEXEC:
        program = f.benches / f"hooks_bench_{mpi}"
        for ranks in (1, 2) if program.exists() else ():
            without = least_ns(f.hosted(ranks, [program], "--no-hooks"), 3)
            with_us = least_ns(f.hosted(ranks, [program]), 3)
            for what, (wrapped, ns) in without.items():
                more = (with_us[what][1] - ns) / max(wrapped, 1)
                say(f, f"{mpi}: {what}", f"{ns:8.2f} ns without, {with_us[what][1]:8.2f} with, "
                    f"{more:6.2f} more " + (f"a call ({verdict(more, 10, 'ns')})" if wrapped else "(not wrapped)"))


PARTS = {"hooks": bench_hooks}
