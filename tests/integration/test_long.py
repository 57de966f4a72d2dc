"""Runs of many rows: what memlog needs of memory does not grow with them. No MPI here."""
import csv
import json
import subprocess
import sys

import pytest
import memlog_testing as mt
from memlog_testing import memlog

h5py = pytest.importorskip("h5py")
MIB = 2**20
MAKER = mt.BIN_DIR.parent / "tests/unit/journal_maker"


# A process begins with the peak of the one that it was forked from, so that must be a small one.
WEIGH = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


# What passes each sample on, or sums up over all.
FORMS = [("read",), ("read", "--ranks"), ("read", "--every", "10min"), ("check",), ("diff", "long.h5"),
         *(("export", f"--{name}") for name in ("csv", "wide", "json", "openmetrics", "perfetto", "moose-csv"))]


def peak_B(folder, *arguments):
    """The resident set that memlog had at most."""
    done = subprocess.run([sys.executable, "-S", "-E", "-c", WEIGH, mt.MEMLOG, *arguments], cwd=folder,
                          env=mt.base_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1]) * 1024


def test_memory_over_time_is_summed_up_in_windows(tmp_path):
    """More rows than one window has: each instant is told once, with the sum of all processes."""
    processes = 13
    subprocess.run([sys.executable, mt.TESTS / "bench/make_long_run.py", tmp_path / "long.h5", "2.2e6",
                    str(processes)], check=True)
    assert peak_B(tmp_path, "read", "--json", "long.h5") < 64 * MIB
    told = json.loads(memlog(tmp_path, "read", "--json", "--all", "long.h5"))["memory"]
    with h5py.File(tmp_path / "long.h5") as file:
        sums = file["samples/rss_B"][:].reshape(processes, -1).sum(axis=0)
        times = file["samples/time_s"][:].reshape(processes, -1)[0]
    assert len(sums) * processes > 2**21
    assert [row["memory_B"] for row in told] == sums.tolist()
    assert [row["time_s"] for row in told] == times.tolist()
    for form in FORMS:
        assert peak_B(tmp_path, *form, "long.h5") < 64 * MIB, form
    memlog(tmp_path, "export", "--wide", "long.h5", "-o", "wide.csv")
    with open(tmp_path / "wide.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time_s", *(f"rank_{i}_B" for i in range(processes)), "total_B"]
    assert [int(row[-1]) for row in rows[1:]] == sums.tolist()
    assert all(sum(map(int, row[1:-1])) == int(row[-1]) for row in rows[1::997])


def test_recovery_streams(tmp_path):
    """Samples do not fit into what waits in memory; the file is the same as that of a run which was
    short enough, as far as that went, and nothing stays behind."""
    for name, ticks in (("long", 30000), ("short", 300)):
        subprocess.run([MAKER, tmp_path / f"{name}.h5", "1", "40", str(ticks), "0"], check=True)
    assert (tmp_path / "long.h5.n0.journal").stat().st_size > 60 * MIB
    assert peak_B(tmp_path, "recover", "long.h5.n0.journal", "-o", "long.h5") < 80 * MIB
    memlog(tmp_path, "recover", "short.h5.n0.journal", "-o", "short.h5")
    memlog(tmp_path, "check", "long.h5")
    with h5py.File(tmp_path / "long.h5") as long, h5py.File(tmp_path / "short.h5") as short:
        assert long["processes/n_rows"][:].tolist() == [30000] * 40
        for column in ("process", "time_s", "tick", "rss_B", "cpu_s", "threads"):
            expected = short[f"samples/{column}"][:].reshape(40, -1)
            assert (long[f"samples/{column}"][:].reshape(40, -1)[:, :300] == expected).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "long.h5", "long.h5.n0.journal", "short.h5", "short.h5.n0.journal"]
