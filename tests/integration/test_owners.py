"""Who owns the memory: the heap profile of a recording against programs of known allocation."""
import json
import math
import os
import re
import signal
import subprocess

import h5py
import jsonschema
import pytest
import memlog_testing as mt
from memlog_file import Recording
from owners_testing import HEAP, MIB, check, of, profile

DIFF_SCHEMA = mt.TESTS.parent / "docs/diff.schema.json"
SOURCE = (mt.TESTS / "programs/owners.c").read_text().splitlines()
LINE = 1 + next(i for i, line in enumerate(SOURCE) if "malloc(BLOCK)" in line)   # the one of fill


def has_owners(file, ranks, function="precondition", least_B=9 * MIB):
    """Whether the journals of a running job have LEAST_B of FUNCTION in each rank, by default what owners
    allocates last of what it keeps."""
    if not mt.has_samples(file):
        return False
    heap = profile(file, "--at", "end")
    return all(of(heap, function, rank)[0] > least_B for rank in range(ranks))


def finish(command, file, ranks, **kept):
    """Runs a program, which waits for a file, until the record has what it keeps."""
    go = file.with_name("go")
    with mt.Job([*command, go]) as job:
        mt.wait_for(lambda: has_owners(file, ranks, **kept), what="the owners in the journals")
        go.touch()
        outcome = job.finish()
    assert outcome.code == 0 and not outcome.orphans, str(outcome)


def record(flavour, file, ranks=2, options=HEAP):
    finish(mt.hosted_command(flavour, ranks, "owners", file=file, options=options), file, ranks)


def test_owners_at_the_peak(flavour, file):
    record(flavour, file, ranks=3)
    heap = profile(file)
    for rank in range(3):
        check(heap, "assemble", (rank + 1) * 20 * MIB, rank=rank)
        check(heap, "precondition", 10 * MIB, rank=rank)
        check(heap, "map_halo", 10 * MIB, rank=rank)
        assert of(heap, "iterate", rank=rank)[0] < MIB
    kinds = {s["kind"] for s in heap["sites"] if "map_halo" in s["functions"]}
    assert kinds == {"mapped"}
    found = next(s for s in heap["sites"] if "fill" in s["functions"])
    place = heap["calls"][found["calls"][0]]
    assert place["function"] == "fill" and place["file"].endswith("owners.c") and place["line"] == LINE


def test_at_the_end_and_in_all(flavour, file):
    record(flavour, file)
    heap = profile(file, "--at", "end")
    for rank in range(2):
        check(heap, "assemble", (rank + 1) * 10 * MIB, rank=rank)
    heap = profile(file, "--churn")
    check(heap, "iterate", 400 * MIB, what="allocated")
    check(heap, "assemble", 60 * MIB, what="allocated")


def test_leaks(flavour, file):
    """What each cycle leaves behind, neither what it frees nor what the first one made for all."""
    outcome = mt.run(mt.hosted_command(flavour, 2, "leaky", file=file, options=HEAP))
    assert outcome.code == 0, str(outcome)
    for options in (), ("--phase", "cycle"):
        heap = profile(file, "--leaks", *options)
        found_B, tolerance_B = of(heap, "refine")
        assert 0 < found_B < 2 * 12 * MIB + tolerance_B
        assert found_B > 0.9 * heap["total"]["live_B"]
        assert {s["rank"] for s in heap["sites"] if "refine" in s["functions"]} == {0, 1}
        assert not [s for s in heap["sites"] if {"work", "cache"} & set(s["functions"])]
    once = profile(file, "--leaks", "--phase", "set up")
    check(once, "cache", 2 * 10 * MIB)
    assert of(once, "scratch")[0] == 0


def test_memory_then(file):
    """What the ranks had at the peak is what the allocators held, maps, and some more."""
    record(mt.BUILD, file)
    heap = profile(file)
    memory = heap["budget"]
    assert memory["silent"] == 0 and memory["used_B"] <= memory["held_B"]
    blocks = [s for s in heap["sites"] if s["kind"] == "blocks"]
    error = math.sqrt(sum(s["live_error_B"] ** 2 for s in blocks))
    assert memory["used_B"] >= sum(s["live_B"] for s in blocks) - 5 * error
    assert memory["memory_B"] >= 80 * MIB
    assert profile(file, "--at", "end")["budget"] is None
    one = profile(file, "--rank", "1")["budget"]
    assert 0 < one["used_B"] < memory["used_B"]


def test_peak_in_a_phase(file):
    finish(mt.hosted_command(mt.BUILD, 2, "leaky", file=file, options=HEAP), file, 2,
           function="scratch", least_B=39 * MIB)
    check(profile(file, "--phase", "set up"), "scratch", 2 * 40 * MIB)
    assert of(profile(file, "--phase", "cycle"), "scratch")[0] == 0
    done = subprocess.run([mt.MEMLOG, "read", "--heap", "--phase", "nowhere", file],
                          capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert done.returncode == 1
    assert "no phase 'nowhere'" in done.stderr


def test_one_rank(file):
    record(mt.BUILD, file)
    heap = profile(file, "--rank", "1")
    assert {s["rank"] for s in heap["sites"]} == {1}
    check(heap, "assemble", 40 * MIB)


def test_tables_agree(file):
    """/heap is what /heap_samples says at the peak and at the end."""
    record(mt.BUILD, file)
    recording = Recording(file)
    last, peaks = {}, {}
    sites = {(r["process"], r["site"]): r for r in recording.rows("heap")}
    for row in recording.rows("heap_samples"):
        key = row["process"], row["site"]
        last[key] = row
        if row["time_s"] <= sites[key]["peak_s"]:
            peaks[key] = row
    assert set(last) == set(sites)
    for key, site in sites.items():
        assert site["end_B"] == last[key]["live_B"] and site["allocated_B"] == last[key]["allocated_B"]
        assert site["peak_B"] == (peaks[key]["live_B"] if key in peaks else 0)
        assert site["stack"] == last[key]["stack"] and site["kind"] == last[key]["kind"]
    # of a stack that had no names first only the one with names is left
    stacks = set(range(len(recording["stacks"]["parent"])))
    assert {s["stack"] for s in sites.values()} - {-1} <= stacks
    assert stacks == {s["stack"] for s in sites.values()} - {-1} | set(recording["stacks"]["parent"]) - {-1}
    assert set(recording["stacks"]["frame"]) == set(range(len(recording["frames"]["line"])))


def test_recipe(file):
    """The Python of docs/format.md gives what memlog read says."""
    pd, np = pytest.importorskip("pandas"), pytest.importorskip("numpy")
    text = (mt.TESTS.parent / "docs/format.md").read_text()
    stacks = text[text.index("## The stacks"):text.index("## The heap profile")]
    part = text[text.index("## The heap profile"):text.index("## MPI calls")]
    recipe, = re.findall(r"```python\n(.*?)```", part, re.S)
    record(mt.BUILD, file)
    heap = profile(file)
    with h5py.File(file) as f:
        names = {"f": f, "pd": pd, "np": np}
        exec(re.findall(r"```python\n(.*?)```", stacks, re.S)[0], names)
        exec(recipe, names)
        bytes_, errors = names["live"](heap["at_s"])
    for function in ("fill", "precondition"):
        sites = [s for s in heap["sites"] if s["functions"][0] == function]
        assert bytes_[function] == sum(s["live_B"] for s in sites)
        assert errors[function] == pytest.approx(
            2 * math.sqrt(sum(s["live_error_B"] ** 2 for s in sites)))


def test_compared(file):
    """memlog diff has the owners of memlog read, and finds those that have more."""
    more = file.with_name("more.h5")
    record(mt.BUILD, file)
    file.with_name("go").unlink()
    record(mt.BUILD, more, ranks=3)
    done = subprocess.run([mt.MEMLOG, "diff", "--json", file, more], capture_output=True, text=True,
                          timeout=mt.TIMEOUT_S)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    jsonschema.validate(report, json.loads(DIFF_SCHEMA.read_text()))
    rows = report["owners"]["rows"]
    for side, heap in ("old", profile(file)), ("new", profile(more)):
        assert sum(r["live_B"][side]["median"] for r in rows) == heap["total"]["live_B"]
    found = next(r for r in rows if r["name"].startswith("precondition at owners.c:"))
    assert found["live_B"]["old"]["low"] <= 20 * MIB <= found["live_B"]["old"]["high"]
    assert not found["small"] and not found["live_B"]["within_noise"]
    assert report["phases"] and report["mpi_calls"]


def test_killed(flavour, file):
    """All are killed at once: what was known a second before is in the journals, with its calls."""
    command = mt.hosted_command(flavour, 2, "owners", "never", file=file, options=HEAP)
    with mt.Job(command) as job:
        mt.wait_for(lambda: has_owners(file, 2), what="the owners in the journals")
        for pid in job.processes():
            mt.send(pid, signal.SIGSTOP)       # none sees another's end
        job.kill_all()
    out = file.with_name("recovered.h5")
    subprocess.run([mt.MEMLOG, "recover", *mt.journals_of(file), "-o", out], check=True,
                   capture_output=True, timeout=mt.TIMEOUT_S)
    check(profile(out, "--at", "end"), "assemble", 60 * MIB)


def test_a_short_program_is_named(file):
    """It has ended before anybody could ask it what its calls are."""
    outcome = mt.run_hosted(mt.BUILD, 1, "owners", file=file, options=HEAP)
    assert outcome.code == 0, str(outcome)
    heap = profile(file, "--at", "end")
    check(heap, "assemble", 10 * MIB)
    assert heap["unknown"]["live_B"] <= 0.05 * heap["total"]["live_B"]


def test_behind_a_shell(file):
    """The pages are for whichever process comes; execve begins anew."""
    program = " ".join(mt.program(mt.BUILD, "owners"))
    finish([*mt.mpiexec(mt.BUILD, 2), mt.MEMLOG_MPI, *HEAP, "-o", file, "--", "sh", "-c",
            f"true; exec {program} $0"], file, 2)
    check(profile(file), "assemble", 60 * MIB)


def test_around_a_launcher(file):
    finish([mt.MEMLOG_MPI, *HEAP, "-o", file, "--", *mt.mpiexec(mt.BUILD, 2),
            *mt.program(mt.BUILD, "owners")], file, 2)
    check(profile(file), "assemble", 60 * MIB)


def test_with_stacks_too(file):
    """One tree for both; neither takes the other's."""
    record(mt.BUILD, file, options=(*HEAP, "--pstack", "--stack-rate", "100ms"))
    check(profile(file), "assemble", 60 * MIB)
    recording = Recording(file)
    assert recording.rows("stack_samples")
    assert {r["trigger"] for r in recording.rows("stack_samples")} <= {1, 2, 4}
    stacks = {r["stack"] for r in recording.rows("heap_samples")} - {-1}
    assert stacks and max(stacks) < len(recording.rows("stacks"))


def test_not_asked_for(file):
    outcome = mt.run_hosted(mt.BUILD, 1, "hello", file=file)
    assert outcome.code == 0
    said = mt.memlog(file.parent, "read", "--heap", file.name)
    assert "no heap profile was recorded; memlog-mpi --heap takes one" in said.replace("\n  ", " ")


@pytest.mark.parametrize("options", [(), ("--heap",)], ids=["without", "with"])
def test_preloaded_first(file, options):
    """The user's own libraries stay, between ours."""
    own = "/usr/lib/x86_64-linux-gnu/libm.so.6"
    if not os.path.exists(own):
        pytest.skip(f"no {own}")
    outcome = mt.run([*mt.mpiexec(mt.BUILD, 1), mt.MEMLOG_MPI, "-q", *options, "-o", file, "--",
                      "sh", "-c", "echo $LD_PRELOAD"], env={"LD_PRELOAD": own})
    names = [os.path.basename(p) for p in outcome.stdout.decode().strip().split(":")]
    assert names[:-1] if not options else names[0] == "libmemlog_heap.so", names
    assert "libm.so.6" in names and (("libmemlog_heap.so" in names) == bool(options)), names


@pytest.mark.parametrize("options", [(), ("--heap",)], ids=["without", "with"])
def test_a_sanitizer_comes_first(file, options, tmp_path):
    """AddressSanitizer ends a program into which another library was loaded before its own."""
    program = tmp_path / "sanitized"
    made = subprocess.run(["gcc", "-fsanitize=address", "-x", "c", "-o", program, "-"],
                          input="int puts(const char *); int main(void) { puts(\"fine\"); return 7; }",
                          capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no program with AddressSanitizer: {made.stderr[-200:]}")
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "-n", "1", *options, "-o", file, "--", program])
    assert outcome.code == 7 and b"fine" in outcome.stdout, str(outcome)
    if options:
        said = mt.memlog(file.parent, "read", file.name)
        assert "a sanitizer has the program's allocator" in said.replace("\n" + 18 * " ", " ")
        said = mt.memlog(file.parent, "read", "--heap", file.name).replace("\n  ", " ")
        assert "the heap profile that was asked for is empty" in said and "takes one" not in said


def test_an_allocator_with_operators_of_its_own(file):
    """Its operator new would go by the library that stands before malloc alone."""
    own = next((p for p in ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
                            "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4")
                if os.path.exists(p)), None)
    if not own:
        pytest.skip("neither jemalloc nor tcmalloc is installed")
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "-n", "1", "--heap", "-o", file, "--", "sh", "-c",
                      "echo $LD_PRELOAD"], env={"LD_PRELOAD": own})
    first = outcome.stdout.decode().split(":")[0]
    assert os.path.basename(first) == "libmemlog_heap_new.so", str(outcome)


def test_text(file):
    """What people read: the head, the tree with its owners, lines, and what was allocated."""
    record(mt.BUILD, file)
    tree = mt.memlog(file.parent, "read", "--heap", file.name)
    assert "heap at the peak of the job" in tree and "assemble" in tree and "fill" in tree
    flat = mt.memlog(file.parent, "read", "--heap", "--flat", file.name)
    assert f"fill at owners.c:{LINE}" in flat and "precondition at owners.c:" in flat
    kinds = re.search(r"blocks ([\d.]+) MiB \(by the allocator [^)]* free\), mapped ([\d.]+) MiB",
                      " ".join(tree.split()))
    assert kinds and float(kinds[2]) >= 19, tree
    churn = mt.memlog(file.parent, "read", "--churn", file.name)
    assert "allocated in all, freed or not" in churn and "iterate at owners.c:" in churn
    early = mt.memlog(file.parent, "read", "--heap", "--at", "0.001s", file.name)
    assert "nothing that was allocated is known" in early
