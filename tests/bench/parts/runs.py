"""Whole runs beside plain ones: start, end, many ranks, several hosts, what the program itself feels."""
import os
import sys
import time

from .base import MPIEXEC, PROJECT, Pairs, cpu_of, figure_of, lammps, run, say
from .base import seconds_of, verdict


def bench_start(f):
    hello = [f.programs / "hello"]
    pairs = Pairs(f.plain(4, hello), f.hosted(4, hello), 9, seconds_of)
    say(f, "start to end, 4 x hello", pairs.text("s"))
    say(f, "", f"{pairs.longer:9.3f} s longer ({verdict(pairs.longer, 0.5, 's')})")


def bench_end(f):
    """From where the last rank is done to where mpiexec is: `date` is what all ranks run last."""
    def tail(command):
        _, output = run(command)
        return time.time() - max(float(line) for line in output.split())

    def pairs_of(ranks, *options):
        last = ["sh", "-c", "sleep 1; date +%s.%N"]
        return Pairs(f.plain(ranks, last), f.hosted(ranks, last, *options), 9, tail)

    for what, ranks, options in (("4 ranks", 4, ()), ("4 ranks, --pstack", 4, ("--pstack",)),
                                 ("16 ranks", 16, ())):
        pairs = pairs_of(ranks, *options)
        say(f, f"end of a run, {what}", f"{pairs.text('s')}; {pairs.longer:.3f} s longer")


def bench_many(f):
    """CPU time of a node that is full, from start to end."""
    hello = [f.programs / "hello"]
    for ranks in (16, 64, 128):
        own = [*MPIEXEC[f.name], "-n", "1", f.recorder, "-q", "--force", "-o", f.file, "-n", ranks,
               "--", *hello]
        for what, command in (("one process a node", own), ("a process a rank", f.hosted(ranks, hello))):
            pairs = Pairs(f.plain(ranks, hello), command, 3, cpu_of)
            goal = f"; {verdict(pairs.ratio, 1.3, 'times')}" if command is own else ""
            say(f, f"CPU, {ranks} x hello", f"{pairs.text('s')}{goal}; {what}")


def bench_lammps(f):
    command = lammps(f, 4000)
    ranks = min(2, os.cpu_count())
    if command:
        # Debian's is built with Open MPI, whatever hosts it.
        pairs = Pairs(f.plain(ranks, command, "openmpi"), f.hosted(ranks, command), 9,
                      figure_of(r"Loop time of ([\d.]+)"))
        say(f, f"LAMMPS, {ranks} ranks, loop time", pairs.text("s"))


def bench_pingpong(f):
    command = [f.programs / "pingpong"]
    say(f, "ping-pong, 8 bytes", Pairs(f.plain(2, command), f.hosted(2, command), 7,
                                       figure_of(r"8 bytes ([\d.]+) us")).text("us"))


def bench_hosts(f):
    """A rank on each of 1 to 32 hosts that are namespaces of this machine."""
    sys.path[:0] = [str(PROJECT / "tests/cluster"), str(PROJECT / "tests/integration")]
    import bed as beds
    import memlog_testing as mt
    mt.BUILD, mt.MEMLOG_MPI, mt.PROGRAMS = f.name, f.recorder, f.build / "tests/programs"
    mt.BIN_DIR = f.build / "bin"
    reason = beds.check()
    if reason:
        say(f, "hosts", f"none can be made here: {reason}")
        return
    for n in (1, 2, 4, 8, 16, 32):
        bed = beds.Bed(n=n)

        def seconds(hosted):
            begin = time.monotonic()
            each = dict.fromkeys(bed.hosts, 1)
            done = (bed.run_hosted(f.name, n, "hello", file="run.h5", layout=each,
                                   options=("-q", "--force"))
                    if hosted else bed.run_plain(f.name, n, "hello", layout=each))
            if done.code:
                sys.exit(f"bench: {done}")
            return time.monotonic() - begin

        pairs = Pairs(False, True, 5 if n < 16 else 3, seconds)
        say(f, f"{n} hosts, a rank each", f"{pairs.text('s')}; {pairs.longer:.3f} s longer")
        bed.close()


PARTS = {"start": bench_start, "end": bench_end, "many": bench_many, "lammps": bench_lammps,
         "pingpong": bench_pingpong, "hosts": bench_hosts}
