#!/usr/bin/env python3
"""Makes up the HDF5 file of a run, as docs of the format say, without memlog-mpi.

    make_run.py run.h5 [--nodes N] [--ranks-per-node P] [--seconds S] [--period S] [options]

Everything is computed, nothing is random, so that reports of the file can be compared as text.
"""
import argparse
import math

import h5py
import numpy as np

MIB = 2**20
ORIGIN = 1795412400.0  # 2026-11-23 05:40:00 UTC
FEW = {"one": 1, "two": 2}


def options():
    p = argparse.ArgumentParser()
    p.add_argument("file")
    p.add_argument("--nodes", type=int, default=2)
    p.add_argument("--ranks-per-node", type=int, default=4)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--period", type=float, default=0.25)
    p.add_argument("--shape", choices=["steps", "leak", "spike", "one"], default="steps",
                   help="one: rank 1 leaks from 0.2 to 0.9, the others leave one after the other")
    p.add_argument("--scale", type=float, default=1, help="times 100 MiB a rank")
    p.add_argument("--helpers", action="store_true", help="a helper process below rank 1")
    p.add_argument("--no-job-samples", action="store_true")
    p.add_argument("--hostile", action="store_true", help="texts that try to act on what shows them")
    p.add_argument("--stacks", choices=["some", "hostile", "many", *FEW], help="stack samples")
    p.add_argument("--heap", choices=["some", "hostile", "empty"], help="who allocated what")
    p.add_argument("--gpu", choices=["some", "full"], help="two GPUs a node; full: at last")
    p.add_argument("--no-stacks", action="store_true", help="events that tell why there are none")
    p.add_argument("--mpi", choices=["some", "hostile"], help="MPI calls, and phases of rank 0")
    p.add_argument("--lost-node", type=int, metavar="NODE", help="its record breaks off at 0.7")
    p.add_argument("--out-of-memory", action="store_true",
                   help="rank 1 leaks until the kernel kills it at 0.95")
    p.add_argument("--output", choices=["some", "hostile", "many", "steps", "names", *FEW],
                   help="what ranks wrote")
    p.add_argument("--old", action="store_true", help="groups as HDF5 1.6 has them")
    p.add_argument("--set", action="append", default=[], metavar="ATTRIBUTE=VALUE")
    p.add_argument("--drop", action="append", default=[], metavar="TABLE[/COLUMN]")
    p.add_argument("--shorten", action="append", default=[], metavar="TABLE/COLUMN")
    p.add_argument("--retype", action="append", default=[], metavar="TABLE/COLUMN")
    p.add_argument("--break", dest="breaks", action="append", default=[], choices=list(BREAKS))
    return p.parse_args()


def replace(file, path, **how):
    del file[path]
    file.create_dataset(path, **how)


def store(path, row, value):
    def act(file):
        file[path][row] = value
    return act


def link_outside(file):
    del file["samples/rss_B"]
    file["samples/rss_B"] = h5py.ExternalLink("/etc/passwd", "/x")


# Files that no honest writer makes.
BREAKS = {
    "name-is-number": lambda f: replace(f, "nodes/name", data=np.zeros(len(f["nodes/node"]))),
    "variable-text": lambda f: replace(f, "nodes/name", data=["x"] * len(f["nodes/node"]),
                                       dtype=h5py.string_dtype()),
    "two-dimensions": lambda f: replace(f, "samples/rss_B", data=np.zeros((4, 4))),
    "huge": lambda f: replace(f, "samples/rss_B", shape=(2**50,), dtype="i8", chunks=(65536,),
                              compression=1),
    "huge-chunk": lambda f: replace(f, "samples/rss_B", shape=(4,), maxshape=(None,), dtype="i8",
                                    chunks=(2**28,), compression=1),
    "external": lambda f: replace(f, "samples/rss_B", shape=(64,), dtype="i1",
                                  external=[("/etc/passwd", 0, 64)]),
    "external-link": link_outside,
    "stray-process": store("samples/process", 7, 99),
    "stray-rows": store("processes/n_rows", 1, 2**62),
    "stray-frame": store("stacks/frame", 2, 1000),
    "parent-behind": store("stacks/parent", 2, 2),
    "parent-none": store("stacks/parent", 2, -2),
    "wrong-depth": store("stacks/depth", 2, 7),
    "stray-stack": store("stack_samples/stack", 3, 2**30),
    "stack-of-stray-process": store("stack_samples/process", 3, -1),
    "huge-rank": store("processes/rank", 1, 2**31 - 1),
}


def memory(o, rank, t):
    """Bytes of a rank at time t."""
    base = 100 * MIB * o.scale * (1 + 0.05 * (rank % 7))
    share = t / o.seconds
    if o.shape == "one" and rank == 1:
        return int((50 + max(0, t - 0.2 * o.seconds)) * MIB if share < 0.9 else 5 * MIB)
    if o.shape == "one":
        factor = 0.5
    elif o.shape == "leak":
        factor = 0.3 + 0.7 * share + (1.5 * share**2 if rank == 1 else 0)
    elif o.shape == "spike":
        factor = 3 if abs(t - 0.4 * o.seconds) < 0.6 * o.period else 0.5
    else:
        rise = min(1.0, share * 5)
        wave = min(share, 0.75) if o.out_of_memory else share
        factor = rise * (0.75 + 0.25 * math.tanh(8 * math.sin(wave * 6 * math.pi)))
    if o.out_of_memory and rank == 1:
        factor += 3 * share**4
    return int(base * factor) // 4096 * 4096


def text(values):
    raw = [v if isinstance(v, bytes) else v.encode() for v in values]
    return np.array(raw, dtype=f"S{max([len(r) for r in raw] + [0]) + 1}")


class Writer:
    def __init__(self, file, old):
        self.file, self.old = file, old

    def table(self, name, /, **columns):
        group = self.file.create_group(name, track_order=not self.old)
        for column, values in columns.items():
            values = np.asarray(values)
            if values.dtype.kind not in "Sf":
                values = values.astype("i8" if column.endswith(("_B", "row", "rows", "tick")) or
                                       column in ("ticks", "missed", "value", "major_faults", "calls",
                                                  "messages") or column.endswith("_blocks")
                                       else "i4")
            group.create_dataset(column, data=values)


class Stacks:
    """The tables frames, stacks and stack_samples: one prefix tree of all stacks."""

    def __init__(self):
        self.frames, self.stacks, self.samples = {}, {}, []

    def add(self, calls):
        """The row of the stack of CALLS, (function, file, line, module, offset, inlined) each,
        the root first."""
        row = -1
        for depth, call in enumerate(calls):
            frame = self.frames.setdefault(call, len(self.frames))
            row = self.stacks.setdefault((row, frame, depth), len(self.stacks))
        return row

    def sample(self, time, process, thread, calls, trigger=1, stopped=1e-4):
        self.samples.append((time, process, thread, self.add(calls), trigger, stopped, 2e-4))

    def write(self, writer):
        function, file, line, module, offset, inlined = zip(*self.frames) if self.frames else [()] * 6
        parent, frame, depth = zip(*self.stacks) if self.stacks else [()] * 3
        time, process, thread, stack, trigger, stopped, took = zip(*self.samples) if self.samples else [()] * 7
        writer.table("frames", function=text(function), file=text(file), line=line,
                     module=text(module), offset_B=offset, inlined=inlined)
        writer.table("stacks", parent=parent, frame=frame, depth=depth)
        writer.table("stack_samples", time_s=time, process=process, thread=thread, stack=stack,
                     trigger=trigger, stopped_s=stopped, took_s=took)


def call(function, line=-1, module="/opt/solver/bin/solver", file="/home/ada/solver/src/core.cpp",
         offset=-1, inlined=0):
    return (function, file if line > 0 else "", line, module, offset, inlined)


LIBC, LIBMPI = "/usr/lib/libc.so.6", "/usr/lib/libmpi.so.40"
ROOT = (call("_start"), call("__libc_start_main", module=LIBC), call("main", 40, file="main.cpp"))
SOLVE = ROOT + (call("Solver::run(int)", 118),)
ASSEMBLE = SOLVE + (
    call("assemble(Mesh const&)", 211),
    call("std::vector<Element, std::allocator<Element> >::push_back(Element const&)", 1285,
         file="/usr/include/c++/12/bits/stl_vector.h", inlined=1),
    call("operator new(unsigned long)", module="/usr/lib/libstdc++.so.6"),
    call("malloc", module=LIBC))
WAIT = SOLVE + (call("exchange(Halo&)", 77), call("MPI_Waitall", module=LIBMPI),
                call("", module=LIBMPI, offset=0x5d2c0), call("poll", module=LIBC))
PROGRESS = (call("clone", module=LIBC), call("", module="/usr/lib/libpmix.so.2", offset=0x9a3f0),
            call("epoll_wait", module=LIBC))
REFINE = SOLVE + tuple(call("refine(Cell*, int)", 301) for _ in range(200)) + ASSEMBLE[-2:]


def some_stacks(o, rows):
    """Few ranks: all solve, some wait, one refines and grows; each has a thread that waits."""
    stacks = Stacks()
    for i, time in enumerate(np.arange(0.1, 1, 0.2) * o.seconds + 0.01):
        for p, (rank, *_) in enumerate(rows):
            waits = (rank + i) % 7 in (4, 5, 6)
            line = (call("Solver::run(int)", 118 + i % 2),)
            work = (WAIT if waits else ASSEMBLE)
            stacks.sample(time + 1e-3 * (rank % 3), p, 4000 + p, ROOT + line + work[4:],
                          stopped=0 if waits else 1e-4)
            stacks.sample(time + 1e-3 * (rank % 3), p, 14000 + p, PROGRESS, stopped=0)
    p = min(1, len(rows) - 1)
    stacks.sample(0.35 * o.seconds, p, 4000 + p, REFINE, trigger=2)
    return stacks


HOSTILE_NAMES = [
    b"\x1b]0;owned\x07\x1b[31mred\x1b[0m", b"a;b;c\nroot;d 100\n", b"</script><script>alert(1)</script>",
    b"`touch PWNED`$(touch PWNED)", b"\"quoted\" 'too' \\back\\", b"\xff\xfe\xc3(bad utf-8)",
    b"\xe2\x80\xaeright-to-left\xe2\x80\xac", b"\x9b31mC1\x00hidden", b"%s%n%1000000d", b" ", b"\t\r\b",
    b"x" * 500, "\u65e5\u672c\u8a9e\U0001f600".encode(), b"-o /tmp/x", b"{\"name\": 1}, ", b"\xc2\x9b2J",
]


def few_stacks(o, rows):
    stacks = Stacks()
    for i in range(FEW[o.stacks]):
        stacks.sample((0.3 + 0.3 * i) * o.seconds, 0, 4000, ROOT + WAIT)
    return stacks


def hostile_stacks(o, rows):
    stacks = Stacks()
    everything = tuple((name, name, 7, b"/lib/" + name, -1, 0) for name in HOSTILE_NAMES)
    unknown = tuple((b"", b"", -1, b"/lib/" + name, 0x10 + i, i % 2)
                    for i, name in enumerate(HOSTILE_NAMES))
    for i, time in enumerate([1.01, 2.01, 3.01]):
        for p, (rank, *_) in enumerate(rows):
            calls = (everything, unknown, everything[rank % len(everything):])[i]
            stacks.sample(time, p, 4000 + p, calls, trigger=1 if i < 2 else 99)
    return stacks


def many_stacks(o, rows):
    """10 000 samples of all ranks in turn; mostly one function, others in every depth."""
    stacks = Stacks()
    for i in range(10000):
        p, turn = i % len(rows), i // len(rows)
        steps = [(p * 7 + turn * 13) % 97, (p // 8 + turn) % 5, turn % 3]
        calls = SOLVE + (call(f"phase_{steps[2]}()", 50),)
        if steps[0] < 60:
            calls += (call("pair_force(Atoms&)", 400 + steps[0]),)
        else:
            calls += tuple(call(f"level_{k}::part_{steps[k % 2] % (k + 2)}()", 10 * k)
                           for k in range(1, 4 + steps[1]))
        time = (turn + 0.5) * o.seconds * len(rows) / 10000 + 1e-4 * (p % 8)
        stacks.sample(min(time, o.seconds - 0.01), p, 4000 + p, calls,
                      trigger=2 if steps[0] == 96 else 1)
    return stacks


NEW = call("operator new(unsigned long)", module="/usr/lib/libstdc++.so.6")
READ = ROOT + (call("Solver::setup()", 61),)
# Calls (None: not known), kind, MiB of a rank by its share of the time, MiB allocated in all to one that lives.
OWNERS = [
    (ASSEMBLE[:-1], 1, lambda x: 12 + 48 * x, 3),
    (READ + (call("read_mesh(File&)", 9),), 1, lambda x: 30 if x < 0.35 else 6, 1),
    (SOLVE + (call("Matrix::reserve(int)", 512), NEW), 1, lambda x: 25 if x > 0.2 else 0, 1),
    (SOLVE + (call("Preconditioner::setup()", 87), NEW), 1, lambda x: 15 if x > 0.3 else 0, 1),
    (REFINE[:-1], 1, lambda x: max(0, 40 * (x - 0.5)), 8),
    (SOLVE + (call("exchange(Halo&)", 70), call("Halo::resize(int)", 33)), 2, lambda x: 12, 1),
    (SOLVE + (call("Checkpoint::write()", 20),), 1, lambda x: 40 if 0.6 < x < 0.65 else 0, 2),
    (READ + (call("Window::share()", 14),), 3, lambda x: 8, 1),
    (WAIT[:-1], 1, lambda x: 6, 20),
    (READ + (call("Table::load()", 5),), 1, lambda x: 4, 1),
    (SOLVE + (call("Cache::grow()", 40),), 1, lambda x: 3 * x, 50),
    (SOLVE + (call("Log::append(char const*)", 8),), 1, lambda x: 2 * x, 100),
    (None, 1, lambda x: 1, 1),
]


def hostile_owners():
    calls = [tuple((n, n, 7, b"/lib/" + n, -1, 0) for n in HOSTILE_NAMES[i:i + 3] or HOSTILE_NAMES[:1])
             for i in range(len(HOSTILE_NAMES))]
    return [(c[::-1], 1 + i % 4, lambda x, i=i: 1 + i * x, 1) for i, c in enumerate(calls)]


def write_heap(o, w, rows, stacks):
    """What lives of each site of each rank, at 48 times, a row on change; the ends and peaks of them."""
    owners = {"some": OWNERS, "hostile": hostile_owners(), "empty": []}[o.heap]
    error = lambda size: int(math.sqrt(size * 64 * 1024.0))
    samples, sites = [], []
    peak_x = 0.625
    for p, (rank, node, *_) in enumerate(rows):
        for site, (calls, kind, live, churn) in enumerate(owners if rank >= 0 else []):
            stack, last, most, peak, allocated = stacks.add(calls) if calls else -1, -1, 0, 0, 0
            for x in np.arange(1, 49) / 50:
                size = int(live(x) / 2 * MIB * o.scale * (1 + 0.05 * (rank % 7)))
                most = max(most, size)
                allocated = max(most, int(most * churn * x))
                if size != last and (size or last > 0):
                    samples.append((node, x * o.seconds, p, rank, site, stack, kind, size, size // 4096,
                                    error(size), allocated, allocated // 4096, error(allocated)))
                last, peak = size, size if x <= peak_x else peak
            if most:
                sites.append((p, rank, site, stack, kind, peak_x * o.seconds, peak, peak // 4096, error(peak),
                              last, last // 4096, error(last), allocated, allocated // 4096, error(allocated)))
    samples.sort(key=lambda s: s[:2])
    names = ("process", "rank", "site", "stack", "kind")
    sums = ("B", "blocks", "error_B")
    columns = names + ("peak_s",) + tuple(f"{a}_{b}" for a in ("peak", "end", "allocated") for b in sums)
    w.table("heap", **dict(zip(columns, zip(*sites) if sites else [()] * len(columns))))
    columns = ("node", "time_s") + names + tuple(f"{a}_{b}" for a in ("live", "allocated") for b in sums)
    table = dict(zip(columns, zip(*samples) if samples else [()] * len(columns)))
    del table["node"]
    w.table("heap_samples", **table)


def gpu_memory(o, rank, x):
    """Bytes of a rank on its GPU by its share of the time: fields, and a workspace that comes and goes."""
    fields = 60 * (x > 0.06) + 40 * (x > 0.16) + 80 * (x > 0.3)
    work = 50 * (1 + math.sin(6 * math.pi * x)) * (x > 0.35)
    grown = (640 if o.gpu == "full" else 160) * max(0, x - 0.4) * (rank == 1)
    return int((fields + 8 * (work // 8) + 8 * (grown // 8)) * (1 + 0.05 * (rank % 7)) * o.scale) * MIB


def write_gpus(o, w, rows):
    """Ranks take turns on the two GPUs of their node, which are looked at each second."""
    ticks = np.arange(0, o.seconds, max(1.0, o.period)) + 0.125
    devices, samples, kept, last = [(n, g) for n in range(o.nodes) for g in (0, 1)], [], [], {}
    for t in ticks:
        used = dict.fromkeys(devices, 0)
        for p, (rank, node, *_) in enumerate(rows):
            if rank >= 0:
                now = gpu_memory(o, rank, t / o.seconds)
                used[node, rank % 2] += now
                if now != last.get(p, 0):
                    kept.append((node, t, p, rank % 2, now, now // 16))
                last[p] = now
        for device in devices:
            now = used[device] + 16 * MIB
            if now != last.get(device):
                samples.append((t, *device, now, 40 + 10 * device[1]))
            last[device] = now
    kept.sort(key=lambda k: k[:2])
    samples.sort(key=lambda s: s[1])
    memory = int(max(s[3] for s in samples) * (1.02 if o.gpu == "full" else 1.6))
    n = len(devices)
    w.table("gpus", node=[d[0] for d in devices], gpu=[d[1] for d in devices],
            name=text(["Made-up GPU"] * n), uuid=text([f"GPU-{d[0]}-{d[1]}" for d in devices]),
            memory_B=[memory] * n, driver=text(["madeup"] * n),
            pci=text([f"0000:{d[1] + 1:02x}:00.0" for d in devices]), numa_node=[d[1] for d in devices])
    names = ("time_s", "node", "gpu", "used_B", "utilisation")
    w.table("gpu_samples", **dict(zip(names, zip(*samples))))
    names = ("time_s", "process", "gpu", "used_B", "host_B")
    w.table("gpu_process_samples", **dict(zip(names, list(zip(*kept))[1:])))


SAID = ["Mesh: reading core_3d_12M.e (serial)", "Distributing mesh to the ranks, METIS k-way",
        "Time Step 1, time = 0.1, dt = 0.1", " 4 Nonlinear |R| = 8.113204e-09  Solve Converged!",
        "Time Step 3, time = 0.4, dt = 0.2", "*** Warning *** KSP diverged, cutting dt to 0.05",
        "Time Step 5, time = 0.5, dt = 0.05", "Writing checkpoint 0005.rd (2.1 GiB)",
        "Time Step 6, time = 0.7; $PATH `id` {a}_b^c \"q\""]


def written(o, rows):
    """Time, rank, stream, continued, text of what ranks wrote, node by node as the recorder has it."""
    ranks = [rank for rank, *_ in rows if rank >= 0]
    lines = []
    if o.output == "some":
        for rank in ranks:
            lines += [(0.02 * o.seconds + 1e-3 * rank, rank, 1, 0, f"rank {rank} reads core.i")]
        lines += [(s * o.seconds, 0, 1, 0, f" step {round(100 * s)}, residual {10 ** (-8 * s):.3e}")
                  for s in np.arange(0.1, 1, 0.1)]
        lines += [(0.5 * o.seconds, 0, 1, 0, ""),
                  (0.5 * o.seconds + 0.01, 0, 1, 0, "a long line that goes on " * 20),
                  (0.5 * o.seconds + 0.01, 0, 1, 1, "and still goes on"),
                  (0.7 * o.seconds, ranks[-1], 2, 0, "warning: \u0394t is small")]
    elif o.output == "hostile":
        lines += [(1 + i, ranks[i % len(ranks)], i % 4, i % 3, name)
                  for i, name in enumerate(HOSTILE_NAMES)]
    elif o.output == "many":
        lines += [(i * o.seconds / 50000, ranks[i % len(ranks)], 1, 0, f"line {i}")
                  for i in range(50000)]
    elif o.output:
        texts = SAID[:FEW[o.output]] if o.output in FEW else {"steps": SAID, "names": HOSTILE_NAMES}[o.output]
        lines += [((i + 0.5) / len(texts) * 0.94 * o.seconds, 0, 1, 0, line)
                  for i, line in enumerate(texts)]
    node = dict((rank, node) for rank, node, *_ in rows)
    return sorted(lines, key=lambda line: (node[line[1]], line[0]))


def processes(o):
    """Rank, node, parent, name of each process."""
    n = o.nodes * o.ranks_per_node
    rows = [(r, r // o.ranks_per_node, -1, "solver") for r in range(n)]
    if o.helpers:
        rows.append((-1, 0, 1, "partmesh"))
    return rows


def happened(o):
    """Time, node, process, kind, value, text of each event."""
    events = []
    if o.lost_node is not None:
        events.append((0.702 * o.seconds, o.lost_node, -1, 8, 0, "it does not answer"))
    if o.no_stacks:
        overdue = "the stack server did not answer in time"
        events += [(i + 1.0, 0, -1, 10, i + 1, overdue) for i in range(3)]
        events.append((4.0, 0, -1, 10, 4, "the stack server died"))
        events.append((4.0, 0, -1, 9, 0, "the stack server died once and did not answer in time 3 "
                       "times; sampling goes on without stacks"))
    if o.mpi:
        events += [(0.1 * o.seconds, 0, 0, 11, -1, "work"), (0.9 * o.seconds, 0, 0, 12, -1, "work")]
    if o.shape == "one":
        events.append((0.9 * o.seconds, 0, 1, 11, -1, "MPI_Finalize"))
    if o.out_of_memory:
        events.append((0.95 * o.seconds, 0, 1, 2, 9, "ended by a signal"))
        events += [(0.951 * o.seconds, i, -1, 5, 0, "") for i in range(o.nodes)]
    return events


def write_mpi(o, w, rows, hostile):
    """What each rank did in MPI; the hostile ranks more than can be added up."""
    bad = o.mpi == "hostile"
    w.table("mpi_calls", name=text(["", "MPI_Init", hostile if bad else "MPI_Allreduce", "MPI_Send"]),
            kind=text(["", "setup", "collective", "p2p"]))
    most = 2**63 - 1 if bad else 4000
    # phase, call, calls, time_s, longest_s, messages, sent_B, grown_B
    done = [("MPI_Init", 1, 1, 0.25, 0.25, 0, 0, 8 * MIB), ("work", 0, -1, -1, -1, -1, -1, 64 * MIB),
            (hostile if bad else "work", 2, most, 1.5, 0.125, 0, most, most),
            ("work", 3, 10, math.inf if bad else 0.5, 0.0625, 10, 80, -MIB)]
    ranks = [(p, rank) for p, (rank, *_) in enumerate(rows) if rank >= 0]
    phase, call, calls, time, longest, messages, sent, grown = zip(*(done * len(ranks)))
    w.table("mpi", process=np.repeat([p for p, _ in ranks], len(done)),
            rank=np.repeat([rank for _, rank in ranks], len(done)), phase=text(phase),
            call=call, calls=calls,
            time_s=np.array(time, dtype=float), time_error_s=[0.0] * len(call),
            longest_s=np.array(longest, dtype=float), messages=messages, sent_B=sent, grown_B=grown)


def write(o, file):
    w = Writer(file, o.old)
    rows = processes(o)
    hostile = b"\x1b]0;x\x07\x1b[31m\xe2\x80\xaen\"; system(\"touch PWNED\")`touch PWNED`\xff"
    ticks = np.arange(0, round(o.seconds / o.period)) * o.period + min(0.125, o.period / 2)
    n_ticks = len(ticks)
    names = [f"n{i + 1:02d}" for i in range(o.nodes)]
    if o.hostile:
        names[0] = hostile
        rows[0] = (0, 0, -1, hostile)
    table = np.array([[memory(o, r if r >= 0 else 0, t) // (1 if r >= 0 else 8) for t in ticks]
                      for r, *_ in rows])
    until = np.full(len(rows), o.seconds)  # when the record of each process ends
    for p, (rank, node, *_) in enumerate(rows):
        if node == o.lost_node:
            until[p] = 0.7 * o.seconds
        elif o.out_of_memory:
            until[p] = 0.95 * o.seconds
        elif o.shape == "one" and rank != 1:
            until[p] = (0.5 + 0.35 * p / len(rows)) * o.seconds
    starts, samples, first = [], {"time_s": [], "process": [], "rank": [], "tick": [], "rss_B": []}, 0
    for p, (rank, *_) in enumerate(rows):
        changed = np.flatnonzero((np.diff(table[p], prepend=-1) != 0) & (ticks <= until[p]))
        starts.append((first, len(changed)))
        first += len(changed)
        for name, values in (("time_s", ticks[changed]), ("process", np.full(len(changed), p)),
                             ("rank", np.full(len(changed), rank)), ("tick", changed),
                             ("rss_B", table[p][changed])):
            samples[name].append(values)
    node_of = np.array([node for _, node, *_ in rows])
    by_node = np.array([table[node_of == i].sum(axis=0) for i in range(o.nodes)])
    limit = int(by_node.max() * 1.25)
    if o.out_of_memory:
        limit = int(by_node[0][ticks <= 0.95 * o.seconds].max() * 1.01)
    nodes = range(o.nodes)
    w.table("nodes", node=nodes, name=text(names), memory_B=[4 * limit] * o.nodes,
            swap_B=[0] * o.nodes, cgroup_limit_B=[limit] * o.nodes, cpus=[8] * o.nodes,
            clock_offset_s=[0.001 * i for i in nodes], clock_error_s=[1e-5] * o.nodes,
            ticks=[n_ticks] * o.nodes, missed=list(nodes), cpu_s=[0.5] * o.nodes,
            ended=[1 if i == o.lost_node else 0 if i < 2 or o.lost_node is not None else i % 3
                   for i in nodes])
    failed = o.shape == "leak"
    w.table("processes", process=range(len(rows)), rank=[r for r, *_ in rows], node=node_of,
            pid=[4000 + i for i in range(len(rows))], parent=[p for _, _, p, _ in rows],
            start_s=[0.0] * len(rows),
            end_s=[-1.0 if node == o.lost_node else u for u, (_, node, *_) in zip(until, rows)],
            exit_code=[-1 if failed and r == 1 else 0 for r, *_ in rows],
            signal=[9 if failed and r == 1 else 0 for r, *_ in rows],
            first_row=[a for a, _ in starts], n_rows=[n for _, n in starts],
            peak_rss_B=table.max(axis=1), peak_s=ticks[table.argmax(axis=1)],
            name=text([name for *_, name in rows]))
    w.table("samples", **{k: np.concatenate(v) for k, v in samples.items()})
    seen = np.array([ticks <= (0.7 if i == o.lost_node else 0.95 if o.out_of_memory else 1)
                     * o.seconds for i in nodes]).ravel()
    w.table("node_samples", time_s=np.tile(ticks, o.nodes)[seen],
            node=np.repeat(nodes, n_ticks)[seen], tick=np.tile(np.arange(n_ticks), o.nodes)[seen],
            processes=np.repeat([(node_of == i).sum() for i in nodes], n_ticks)[seen],
            rss_B=by_node.ravel()[seen], available_B=(4 * limit - by_node).ravel()[seen],
            cgroup_B=by_node.ravel()[seen])
    each = np.arange(0, 0 if o.no_job_samples else n_ticks, max(1, round(1 / o.period)))
    w.table("job_samples", time_s=ticks[each], ranks=[len(rows)] * len(each),
            rss_B=table.sum(axis=0)[each])
    events = list(zip(*happened(o))) or [[]] * 6
    w.table("events", time_s=np.array(events[0], dtype=float), node=events[1], process=events[2],
            kind=events[3], value=events[4], text=text(events[5]))
    time, rank, stream, continued, lines = zip(*written(o, rows)) if o.output else [()] * 5
    w.table("output", time_s=np.array(time, dtype=float), rank=rank, stream=stream,
            continued=continued, text=text(lines))
    if o.mpi:
        write_mpi(o, w, rows, hostile)
    if o.gpu:
        write_gpus(o, w, rows)
    stacks = None
    if o.stacks:
        makers = {"some": some_stacks, "hostile": hostile_stacks, "many": many_stacks,
                  **dict.fromkeys(FEW, few_stacks)}
        stacks = makers[o.stacks](o, rows)
    if o.heap:
        stacks = stacks or Stacks()
        write_heap(o, w, rows, stacks)
    if stacks:
        stacks.write(w)
    attributes = {
        "format": "memlog", "format_version": "1.0", "title": "a made-up run",
        "creator": "make_run.py", "time_origin": ORIGIN, "complete": 1, "recovered": 0,
        "command": hostile if o.hostile else "./solver -i core.i", "directory": "/scratch/core",
        "job_id": "1234.pbs", "mpi": "Open MPI 4.1.4", "exit_code": 137 if failed else 0,
        "verdict": "rank 1 was killed by SIGKILL" if failed else "all ranks ended well",
    }
    for pair in o.set:
        name, value = pair.split("=", 1)
        attributes[name] = int(value) if value.lstrip("-").isdigit() else value
    for name, value in attributes.items():
        if value == "":
            continue
        if isinstance(value, (str, bytes)):
            value = np.bytes_(value)
        file.attrs[name] = value


def spoil(o, file):
    for path in o.drop:
        del file[path]
    for path in o.shorten:
        values = file[path][:-1]
        del file[path]
        file[path] = values
    for path in o.retype:
        n = len(file[path])
        del file[path]
        file[path] = np.array([b"x"] * n)


    for name in o.breaks:
        BREAKS[name](file)


def main():
    o = options()
    with h5py.File(o.file, "w", track_order=not o.old) as file:
        write(o, file)
        spoil(o, file)


main()
