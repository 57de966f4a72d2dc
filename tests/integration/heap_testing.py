"""Programs of known allocations under the preloaded heap profiler: what its pages hold beside what
the programs tell of themselves."""
import bisect
import collections
import json
import math
import subprocess

import memlog_testing as mt

SHOW = mt.BIN_DIR.parent / "tests/support/heap_show"
LIBRARIES = mt.BIN_DIR.parent / "lib/memlog-mpi"
LIBRARY, LIBRARY_NEW = (LIBRARIES / f"libmemlog_heap{end}.so" for end in ("", "_new"))
HEAP = mt.PROGRAMS / "heap"
MEAN_B = 32768
FLAGS = {"own_allocator": 1, "stepped_back": 2, "bypassed": 4, "new_bypassed": 8}
SIGMAS = 5                                  # errors beyond come once in a million


class Page:
    """What one process has left."""

    def __init__(self, head):
        self.head, self.modules, self.stacks = head, [], []

    def sums(self, owner, names):
        """(live, allocated) in bytes and blocks of the stacks whose innermost function of the
        program is OWNER; None: of all."""
        sums = collections.Counter()
        for stack in self.stacks:
            if owner in (None, names.owner(stack)):
                for what in ("live_B", "live_blocks", "allocated_B", "allocated_blocks"):
                    sums[what] += stack[what]
        return sums

    def variance(self, owner, names, state):
        """That the page tells of OWNER's bytes."""
        return sum(stack[f"{state}_variance"] for stack in self.stacks
                   if names.owner(stack) == owner)

    def kinds(self, what="live_B"):
        sums = collections.Counter()
        for stack in self.stacks:
            sums[stack["kind"]] += stack[what]
        return sums


class functions:
    """Those of a program that lies where it was linked."""

    def __init__(self, program):
        text = subprocess.run(["nm", "-C", program], capture_output=True, text=True,
                              check=True).stdout
        rows = [line.split(maxsplit=2) for line in text.splitlines()]
        self.names = sorted((int(row[0], 16), row[2]) for row in rows
                            if len(row) == 3 and row[1] in "tT")
        self.addresses = [address for address, _ in self.names]

    def name(self, pc):
        i = bisect.bisect_left(self.addresses, pc) if pc < 1 << 28 else 0
        name = self.names[i - 1][1] if i else ""
        return name.partition("(")[0].partition("[")[0].replace("__owners_MOD_", "")

    def call_of(self, stack):
        """(owner, program counter) of the innermost function of the program that is an owner."""
        return next(((name, pc) for pc in stack["pcs"] if (name := self.name(pc)).startswith("own_")),
                    ("", 0))

    def owner(self, stack):
        return self.call_of(stack)[0]


def show(out, command, library=LIBRARY, mean_B=MEAN_B, share=1):
    """COMMAND below LIBRARY, with what its pages hold in OUT at the end."""
    return [SHOW, library or "", out, str(mean_B), str(share), *command]


def preloading(library, env=None):
    return {**(env or mt.base_environment()), "LD_PRELOAD": str(library)}


def read_pages(out):
    """By pid."""
    pages = {}
    for row in map(json.loads, out.read_text().splitlines()):
        if "image" in row:
            pages[row["pid"]] = Page(row)
        elif "modules" in row:
            pages[row["pid"]].modules = row["modules"]
        else:
            pages[row["pid"]].stacks.append(row)
    return pages


def run(tmp_path, command, preload=None, env=None, timeout_s=mt.TIMEOUT_S, **how):
    """(outcome, pages by pid)"""
    out = tmp_path / "pages"
    outcome = mt.run(show(out, command, **how), timeout_s,
                     env=preloading(preload, env) if preload else env)
    return outcome, read_pages(out)


def lines_told(stdout):
    return [json.loads(line) for line in stdout.decode().splitlines() if line.startswith("{")]


def deviation(size, n, mean_B):
    """Of the estimate of N blocks of SIZE bytes, in bytes."""
    hit = -math.expm1(-size / mean_B)
    return size * math.sqrt(n * (1 - hit) / hit)


def errors(told, page, names):
    """By owner and state: (truth, estimate - truth, its standard deviation), of bytes."""
    mean_B, found = page.head["mean_B"], {}
    for owner in {row["owner"] for row in told}:
        sums, rows = page.sums(owner, names), [row for row in told if row["owner"] == owner]
        for state in ("live", "allocated"):
            truth = sum(row["size"] * row[state] for row in rows)
            variance = sum(deviation(row["size"], row[state], mean_B) ** 2 for row in rows)
            found[owner, state] = (truth, sums[f"{state}_B"] - truth, math.sqrt(variance))
    return found


def sigmas_of(truth, error, deviation_B):
    """ERROR in standard deviations; what is counted exactly may be rounded."""
    rounding = 1e-6 * truth + 1
    return math.copysign(max(0, abs(error) - rounding) / math.sqrt(deviation_B ** 2 + 1), error)
