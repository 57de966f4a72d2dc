"""Threads that stay where they are, and what Python itself says of where that is.

For each thread a line "thread TID FUNCTION@LINE<FUNCTION@LINE<...", outermost first; then "ready".
`python_calls.py fork` says the same of a child; `mpi`: in rank 0 of an MPI program, quietly.
"""
import os
import sys
import threading
import time

over = []


class Solver:
    def __init__(self, level):
        self.level = level
        self.step(level)

    def step(self, level):
        def inner(value):
            return max([value], key=lambda v: self.stay())
        return self.step(level - 1) if level else inner(3)

    def stay(self):                     # computes
        total = 0
        while not over:
            total += 1


def numbers():
    yield from range(3)
    yield stay_asleep()


def chain():
    yield from numbers()


def stay_asleep():
    time.sleep(3600)


def in_a_generator():
    return sum(chain())


class Größe:
    def __getattr__(self, name):
        return threading.Event().wait()


def in_an_attribute():
    return getattr(Größe(), "missing")


def deep(n):
    return deep(n - 1) if n else stay_asleep()


def qualified(code):
    return getattr(code, "co_qualname", code.co_name)


def where(frame):
    calls = []
    while frame:
        calls.insert(0, f"{qualified(frame.f_code)}@{frame.f_lineno}")
        frame = frame.f_back
    return calls


def tell():
    """Of all threads, once each is in its place; the one that computes changes lines."""
    places = {"deep": "stay_asleep", "in_a_generator": "stay_asleep", "in_an_attribute": "wait",
              "compute": "stay"}
    threads = {t.ident: t for t in threading.enumerate() if t.name in places}
    while len(threads) < len(places) or any(
            sys._current_frames()[i].f_code.co_name != places[t.name] for i, t in threads.items()):
        time.sleep(0.01)
        threads = {t.ident: t for t in threading.enumerate() if t.name in places}
    for ident, thread in threads.items():
        print("thread", thread.native_id, "<".join(where(sys._current_frames()[ident])) + "<")
    print("ready", flush=True)


def compute():
    Solver(4)


def main():
    for body, args in ((deep, (300,)), (in_a_generator, ()), (in_an_attribute, ()), (compute, ())):
        threading.Thread(target=body, args=args, name=body.__name__, daemon=True).start()
    tell()


if sys.argv[1:] == ["fork"] and os.fork():
    os.wait()
elif sys.argv[1:] == ["mpi"]:
    from mpi4py import MPI
    if MPI.COMM_WORLD.rank == 0:
        threading.Timer(3, over.append, (True,)).start()
        Solver(4)
    MPI.COMM_WORLD.Barrier()
else:
    main()
    sys.stdin.read()
