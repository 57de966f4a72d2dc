"""Each byte once: kinds of memory that are easily counted wrongly, against the pages themselves."""
import fcntl
import json
import os
import struct
import tempfile
from pathlib import Path

import pytest
import memlog_testing as mt
from memlog_file import Recording

MIB = 1 << 20
PAGE = 4096
PRESENT = 1 << 63
FRAME = (1 << 55) - 1


def frames_of(pid):
    """The numbers of the page frames that PID has mapped (Documentation/admin-guide/mm/pagemap)."""
    frames = set()
    with open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            if end < 1 << 47:
                pagemap.seek(begin // PAGE * 8)
                entries = pagemap.read((end - begin) // PAGE * 8)
                frames.update(e & FRAME for (e,) in struct.iter_unpack("<Q", entries) if e & PRESENT)
    return frames


def true_B(pids):
    """Memory of the processes, each page once, for who may see page frames (root)."""
    frames = set()
    for pid in pids:
        frames |= frames_of(pid)
    return len(frames) * PAGE if frames - {0} else None


def pids_of(job):
    return [pid for pid in job.processes() if mt.comm_of(pid) == "memory_kinds"]


def summary(file):
    done = mt.subprocess.run([mt.MEMLOG, "read", "--json", file], capture_output=True)
    return json.loads(done.stdout)["summary"] if done.returncode == 0 else None


@pytest.fixture
def hugepages():
    """100 MiB of huge pages may be had beyond the pool, while the test runs."""
    path = Path("/proc/sys/vm/nr_overcommit_hugepages")
    if os.geteuid() != 0 or not path.exists():
        pytest.skip("huge pages want root and CONFIG_HUGETLBFS")
    turn = open(Path(tempfile.gettempdir()) / "memlog-test-hugepages.lock", "w")
    fcntl.flock(turn, fcntl.LOCK_EX)                # tests of the other MPI may run beside us
    before = path.read_text()
    path.write_text("60")
    probe = mt.subprocess.run(["/usr/bin/python3", "-c", "import mmap; m = mmap.mmap(-1, 60 << 20, flags="
                               "mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); m[::4096] = b'x' * 15360"],
                              stderr=mt.subprocess.DEVNULL)
    if probe.returncode != 0:
        path.write_text(before)
        pytest.skip("the machine's memory has no 30 huge pages in a piece")
    yield
    path.write_text(before)
    turn.close()


def record(mode, ranks, size, file, tmp_path, options=("-r", "50ms"), before=()):
    """What memlog read --json says of a run that nothing is waited for in."""
    (tmp_path / "stop").touch()
    program = [*before, mt.PROGRAMS / mt.BUILD / "memory_kinds", mode, size, tmp_path / "stop"]
    outcome = mt.run([*mt.mpiexec(mt.BUILD, ranks), mt.MEMLOG_MPI, "-q", *options, "-o", file, "--",
                      *program])
    assert outcome.code == 0, outcome
    done = mt.subprocess.run([mt.MEMLOG, "read", "--json", file], capture_output=True, check=True)
    return json.loads(done.stdout)


def measure(mode, ranks, size, file, tmp_path, taken):
    """The largest memory that is recorded while MODE holds what it took, TAKEN bytes beside what a
    rank has anyway, and the true one then, as near to each other as is promised: a twentieth, and
    some MiB for libraries that others have too. Soon on a quiet machine."""
    stop = tmp_path / "stop"
    command = mt.hosted_command(mt.BUILD, ranks, "memory_kinds", mode, size, stop, file=file,
                                options=("-q", "-r", "50ms"))
    with mt.Job(command) as job:
        def settled():
            assert job.process.poll() is None, job.finish()
            found = summary(file)
            peak = found and found["peak_B"] or 0
            true = true_B(pids_of(job)) or taken + 16 * MIB
            near = abs(peak - true) < max(20 * MIB, true / 20 + 10 * MIB)
            return peak >= 0.95 * taken and near and (peak, true)
        try:
            peak, true = mt.wait_for(settled, 50, "the true sum")
        finally:
            stop.touch()
        outcome = job.finish()
    assert outcome.code == 0 and not outcome.orphans, outcome
    return peak, true


CASES = {"window": (4, 100, 100), "sysv": (4, 100, 100), "filemap": (4, 100, 100),
         "fork": (2, 100, 200), "fork_write": (2, 100, 400)}


@pytest.mark.parametrize("mode", CASES)
def test_each_page_once(mode, file, tmp_path):
    ranks, size, taken = CASES[mode]
    recorded, true = measure(mode, ranks, size, file, tmp_path, taken * MIB)
    rows = Recording(file).rows("node_samples")
    print(f"{mode}: recorded {recorded / MIB:.0f} MiB, true {true / MIB:.0f}, "
          f"resident sets {max(r['rss_B'] for r in rows) / MIB:.0f}")
    assert max(r["memory_B"] for r in rows) < true + 5 * MIB, "no tick says more than there is"
    if mode in ("window", "sysv", "filemap"):
        found = summary(file)
        assert found["own_imbalance"] < 1, "who has touched a page first makes no difference"
        assert found["largest_rank"]["own_B"] < 20 * MIB < found["largest_rank"]["peak_B"]


def test_huge_pages(file, tmp_path, hugepages):
    recorded, _ = measure("hugetlb", 2, 30, file, tmp_path, 60 * MIB)
    assert 60 * MIB < recorded < 100 * MIB, "the ranks of MPICH have more of their own"
    ranks = Recording(file).ranks()
    assert all(30 * MIB < r["peak_memory_B"] < 50 * MIB for r in ranks.values())
    assert all(r["peak_rss_B"] < 30 * MIB for r in ranks.values())


def test_last_moment(file, tmp_path):
    """What a rank takes after its last sample, the kernel tells who waits for it."""
    report = record("last", 4, 60, file, tmp_path, ("-r", "30s"))
    peaks = {p["rank"]: p for p in report["processes"]}
    assert 60 * MIB < peaks[3]["peak_B"] < 80 * MIB, "the ranks of MPICH have 16 of their own"
    assert all(peaks[rank]["peak_B"] < 20 * MIB for rank in range(3))
    assert report["summary"]["peak_hidden_B"] > 0


def test_wrapper(file, tmp_path):
    """A rank is a shell that runs the program: its memory is that of all its processes."""
    report = record("leave", 2, 60, file, tmp_path, before=("bash", "-c", '"$@"; true', "bash"))
    ranks = [p for p in report["processes"] if p["rank"] is not None]
    assert len(ranks) == 2
    for rank in ranks:
        helpers = [p for p in report["processes"] if p["parent"] == rank["process"]]
        assert helpers and rank["peak_B"] > 60 * MIB >= rank["peak_rss_B"]
        assert (rank["name"], rank["program"]) == ("bash", "memory_kinds")
    assert report["summary"]["largest_rank"]["peak_B"] > 60 * MIB
    family = [r["of_rank"] for r in Recording(file).rows("processes")]
    assert sorted(set(family)) == [0, 1] and len(family) >= 4


def test_ranks_that_leave(file, tmp_path):
    """They count until a tick found them gone, not until the word of their end has come."""
    report = record("leave", 16, 8, file, tmp_path)
    samples = Recording(file).rows("node_samples")
    assert report["summary"]["peak_B"] <= 1.02 * max(r["memory_B"] for r in samples)
    processes = Recording(file).rows("processes")
    assert len({r["end_s"] for r in processes}) > 1
    times = Recording(file)["samples"]["time_s"]
    all_there = max(times[r["first_row"]] for r in processes)
    for row in samples:
        left = sum(row["time_s"] + 1e-5 < r["end_s"] for r in processes)
        assert left <= row["processes"] or row["time_s"] < all_there, (row, processes)


def apart_B(file):
    """How far the largest rank is from the smallest, whatever memory MPI itself has."""
    ranks = [(summary(file) or {}).get(name) for name in ("largest_rank", "smallest_rank")]
    return ranks[0]["own_B"] - ranks[1]["own_B"] if all(ranks) else 0


def test_leak(file, tmp_path):
    """One rank of many takes a MiB a second; the others leave one after the other."""
    stop = tmp_path / "stop"
    command = mt.hosted_command(mt.BUILD, 8, "memory_kinds", "leak", 1, stop, file=file,
                                options=("-q", "-r", "50ms"))
    with mt.Job(command) as job:
        mt.wait_for(lambda: apart_B(file) > 4 * MIB, 60, "a rank that has grown")
        stop.touch()
        outcome = job.finish()
    assert outcome.code == 0 and not outcome.orphans, outcome
    done = mt.subprocess.run([mt.MEMLOG, "read", "--json", file], capture_output=True, check=True)
    report = json.loads(done.stdout)
    growing = report["summary"]["growing_rank"]
    assert growing["rank"] == 4 and growing["growth_B_per_s"] == pytest.approx(MIB, rel=0.1)
    assert report["summary"]["growth_B_per_s"] == pytest.approx(MIB, rel=0.1)
    assert all(p["growth_B_per_s"] == 0 for p in report["processes"] if p["rank"] != 4), report
    rank = Recording(file).ranks()[4]
    begun = max(e["time_s"] for e in Recording(file).rows("events")
                if e["process"] == growing["process"] and e["text"] == "MPI_Init")
    assert rank["start_s"] <= growing["since_s"] < begun + (rank["end_s"] - begun) / 3
