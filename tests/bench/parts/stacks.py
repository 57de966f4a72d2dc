"""Stacks: one sample by each backend, what a program loses, idle, the walker of the heap's library."""
import os
import re
import shutil
import signal
import statistics
import subprocess
import threading
import time
from pathlib import Path

from .base import ENVIRONMENT, cpu_s, lammps, run, say, spread, verdict, watch


def bench_walk(f):
    walks = f.benches / "heap_walk_bench"
    if walks.exists():
        for line in run([walks])[1].splitlines():
            say(f, "walk", line)


def bench_pstack(f):
    """What stacks cost where nothing happens: 4 processes that sleep, at 1 Hz and as it is by itself."""
    sleep = ["sleep", "32"]
    without, _, _ = watch(f.hosted(4, sleep), 20, lambda found: found[0])
    for options in (("--pstack",), ("--pstack", "--stack-rate", "1s")):
        shares, pss, _ = watch(f.hosted(4, sleep, *options), 20, lambda found: found[0])
        say(f, f"idle, {' '.join(options)}", f"{spread(without)} % of a core without, {spread(shares)} with, "
            f"ratio {statistics.median(shares) / statistics.median(without):.2f}, {pss:.1f} MiB PSS (4 processes that sleep; with the stack server)")


def state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def spawned(command, pid):
    """(latency, stop) of a tool that is started for one sample, in ms: the stop as /proc tells it
    every 0.2 ms."""
    begin = time.monotonic()
    tool = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    first = last = None
    while tool.poll() is None:
        if state(pid) == "t":
            last = time.monotonic()
            first = first or last
        time.sleep(0.0002)
    return 1e3 * (time.monotonic() - begin), 1e3 * (last - first) if first else 0.0


def bench_takes(f, pid):
    """Latency and stop of one sample of a process: our backends beside what is started anew."""
    what = f"stacks, LAMMPS, {len(os.listdir(f'/proc/{pid}/task'))} threads"
    for name, times in (("unwind", 1000), ("lldb", 10), ("gdb", 10)):
        done = subprocess.run([str(f.take_stacks), name, str(times), str(pid)], text=True,
                              capture_output=True, timeout=300)
        found = re.search(r"medians took_us=([\d.]+) stopped_us=([\d.]+)", done.stdout)
        if not found:
            say(f, what, f"{name}: {done.stderr.strip()}")
            continue
        took, stopped = float(found[1]) / 1e3, float(found[2]) / 1e3
        goal = f" ({verdict(stopped, 0.1, 'ms')})" if name == "unwind" else ""
        say(f, what, f"{name:<22} {took:9.3f} ms, stopped {stopped:8.3f} ms{goal}")
    tools = {"gdb started anew": ["gdb", "-nx", "-batch", "-p", str(pid), "-ex",
                                  "thread apply all bt"],
             "eu-stack started anew": ["eu-stack", "-p", str(pid)]}
    for name, command in tools.items():
        if not shutil.which(command[0]):
            say(f, what, f"{name}: not here")
            continue
        latency, stop = map(statistics.median, zip(*(spawned(command, pid) for _ in range(5))))
        say(f, what, f"{name:<22} {latency:9.3f} ms, stopped {stop:8.3f} ms")


def bench_stacks(f):
    command = lammps(f, 1000000)
    if not command:
        return
    with subprocess.Popen(list(map(str, command)), env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        time.sleep(3)
        bench_takes(f, job.pid)
        job.kill()
    for ranks, rate in ((1, 10), (4, 40), (4, 10)):
        bench_cost(f, ranks, rate)


def process_named(name):
    found = [int(comm.parent.name) for comm in Path("/proc").glob("[0-9]*/comm")
             if comm.read_text().strip() == name]
    return max(found, default=None)


def steps_in_windows(f, ranks, rate_ms, windows):
    """(steps/s, CPU of the stack server) of half-second windows of one LAMMPS run. In each second
    window the server is stopped, so that no stacks are taken: neighbours tell what stacks cost,
    where two runs differ by more than that."""
    steps = []
    command = f.hosted(ranks, ["stdbuf", "-oL", *lammps(f, 10**7), "-var", "every", 5], "--pstack",
                       "--stack-rate", f"{rate_ms}ms", "--stack-growth", "0", "--overhead", "100%")
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as job:

        def listen():
            for line in job.stdout:
                if line.split()[:1] and line.split()[0].isdigit():
                    steps.append((time.monotonic(), int(line.split()[0])))

        listener = threading.Thread(target=listen)
        listener.start()
        time.sleep(4)
        server, spans = process_named("memlog-stacks"), []
        for i in range(windows):
            os.kill(server, signal.SIGSTOP if i % 2 else signal.SIGCONT)
            begin, cpu = time.monotonic(), cpu_s([server])
            time.sleep(0.5)
            spans.append((begin, time.monotonic(), cpu_s([server]) - cpu))
        os.kill(server, signal.SIGCONT)
        job.terminate()
        listener.join()
    for begin, end, cpu in spans:
        inside = [step for step in steps if begin + 0.02 <= step[0] <= end]
        rate = None             # the server was stopped just as it held a rank
        if len(inside) > 5:
            (first_s, first), (last_s, last) = inside[0], inside[-1]
            rate = (last - first) / (last_s - first_s)
        yield rate, cpu / (end - begin)


def bench_cost(f, ranks, rate_ms):
    rates, cpus = zip(*steps_in_windows(f, ranks, rate_ms, 81))
    ratios = [(before + after) / 2 / with_stacks
              for before, with_stacks, after in zip(rates[1::2], rates[2::2], rates[3::2])
              if before and with_stacks and after]
    say(f, f"LAMMPS, {ranks} rank(s), each {rate_ms} ms",
        f"time with stacks to without, ratio {spread(ratios)}, "
        f"{1e3 * statistics.median(cpus[::2]):.1f} ms CPU a second, {os.cpu_count()} CPUs")


PARTS = {"walk": bench_walk, "stacks": bench_stacks, "pstack": bench_pstack}
