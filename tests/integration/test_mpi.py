"""MPI calls of recorded runs: what the file says against what programs of both MPIs counted
themselves; phases, shares of time, other tools, programs that cannot have the hooks."""
import bisect
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
import memlog_testing as mt
from memlog_file import Recording, h5py

PAIRINGS = True

HOOKS = mt.BIN_DIR.parent / "lib/memlog-mpi"
NOT_MEASURED = -1
OFTEN = ["-r", "5ms", "--overhead", "50%"]  # programs that live for a moment
KINDS = {11: "begin", 12: "end", 13: "mark"}


def record(command, file, ranks=2, options=(), **how):
    """The recording of COMMAND, a list of words, under mpiexec of the build."""
    outcome = mt.run([*mt.mpiexec(mt.BUILD, ranks), mt.MEMLOG_MPI, *options, "-o", file, "--",
                      *command], **how)
    assert outcome.code == 0, outcome
    return outcome, Recording(file)


def program(flavour, name, *args):
    path = mt.PROGRAMS / flavour / name
    if not path.exists():
        pytest.skip(f"{path} was not built: no compiler for it")
    return [path, *args]


def counts(recording, rank, phase=None):
    """MPI function -> [calls, messages, bytes] of a rank."""
    names, sums = recording["mpi_calls"]["name"], {}
    for row in recording.rows("mpi"):
        if row["rank"] == rank and row["calls"] > 0 and phase in (None, row["phase"]):
            sum_ = sums.setdefault(names[row["call"]], [0, 0, 0])
            for i, what in enumerate(("calls", "messages", "sent_B")):
                sum_[i] += row[what]
    return sums


def told(outcome):
    return {rank: json.loads(next(l for l in lines if l.startswith("{")))
            for rank, lines in outcome.by_rank().items()}


def assert_exact(outcome, recording, ranks):
    said = told(outcome)
    assert sorted(said) == list(range(ranks)), outcome
    for rank, wanted in said.items():
        assert counts(recording, rank) == wanted


def notes(recording):
    return [e["text"] for e in recording.rows("events") if e["kind"] == 9]


def phase_events(recording, rank):
    process = recording.ranks()[rank]["process"]
    return [(KINDS[e["kind"]], e["text"], e["time_s"], e["value"])
            for e in recording.rows("events") if e["kind"] in KINDS and e["process"] == process]


# ------------------------------------------------------------------------------ counts
@pytest.mark.parametrize("name", ["hooks", "hooks_cxx", "hooks_f77", "hooks_f90", "hooks_f08"])
def test_counts(flavour, name, file, tmp_path):
    args = [tmp_path / "f"] if name in ("hooks", "hooks_cxx") else []
    outcome, recording = record(program(flavour, name, *args), file, ranks=3)
    assert_exact(outcome, recording, 3)
    assert not notes(recording)


def test_mpi4py(file):
    try:
        import mpi4py.MPI  # noqa: F401
    except Exception as error:  # pylint: disable=broad-except
        pytest.skip(f"mpi4py: {error}")
    outcome, recording = record(mt.program(mt.BUILD, "hooks_mpi4py.py"), file)
    for rank, wanted in told(outcome).items():
        measured = counts(recording, rank, "application")
        assert measured == wanted
    assert [e[:2] for e in phase_events(recording, 0)] == [
        ("begin", "MPI_Init"), ("end", "MPI_Init"), ("begin", "MPI_Finalize"), ("end", "MPI_Finalize")]


def test_threads(flavour, file):
    outcome, recording = record(program(flavour, "hooks_threads", "8"), file, ranks=1)
    assert_exact(outcome, recording, 1)


def test_behind_a_script(flavour, file, tmp_path):
    """A shell that starts tools and then the program: the rows are the program's process's."""
    script = mt.TESTS / "programs/hooks_helpers.sh"
    outcome, recording = record([script, *program(flavour, "hooks", tmp_path / "f")], file,
                                options=OFTEN)
    assert_exact(outcome, recording, 2)
    processes = recording.rows("processes")
    assert {processes[row["process"]]["name"] for row in recording.rows("mpi")} == {"hooks"}


@pytest.mark.parametrize("launch", [["-n", "3"], ["-n", "2", "--bind-to", "none"]])
def test_ranks_that_we_start(flavour, launch, file, tmp_path):
    """One rank process with several ranks: each has a page of its own."""
    ranks = int(launch[1])
    outcome = mt.run([mt.MEMLOG_MPI, *launch, "-o", file, "--",
                      *program(flavour, "hooks", tmp_path / "f")])
    assert outcome.code == 0, outcome
    assert_exact(outcome, Recording(file), ranks)


def test_around_a_launcher(flavour, file, tmp_path):
    """Nobody can say beforehand which process will be which rank: each finds itself a page."""
    outcome = mt.run([mt.MEMLOG_MPI, *OFTEN, "-o", file, "--", *mt.mpiexec(flavour, 3),
                      *program(flavour, "hooks", tmp_path / "f")])
    assert outcome.code == 0, outcome
    assert_exact(outcome, Recording(file), 3)


def test_launchers_one_after_the_other(file):
    """Jobs of both MPIs around which we are: each process has rows of its own."""
    script = "; ".join(" ".join(map(str, [*mt.mpiexec(of, 2), *program(of, "hooks_phases")]))
                       for of in ("openmpi", "mpich", "openmpi"))
    outcome = mt.run([mt.MEMLOG_MPI, "--launch", "once", *OFTEN, "-o", file, "--",
                      "sh", "-c", script])
    assert outcome.code == 0, outcome
    recording = Recording(file)
    init = recording["mpi_calls"]["name"].index("MPI_Init")
    rows = [row for row in recording.rows("mpi") if row["call"] == init and row["calls"] > 0]
    assert [row["calls"] for row in rows] == [1] * 6
    assert sorted(row["rank"] for row in rows) == [0, 0, 0, 1, 1, 1]
    assert len({row["process"] for row in rows}) == 6
    named = [e for e in recording.rows("events") if KINDS.get(e["kind"]) == "begin"]
    assert {e["process"] for e in named} == {row["process"] for row in rows}


def test_results_are_the_same(flavour, file, tmp_path):
    command = program(flavour, "collectives")
    with_hooks, recording = record(command, file, ranks=3)
    without, bare = record(command, tmp_path / "b.h5", ranks=3, options=["--no-hooks"])
    assert with_hooks.lines() == without.lines()
    assert recording["mpi"]["calls"] and not bare["mpi"]["calls"]


# ------------------------------------------------------------------------------ time and memory
def ticks_of(recording, rank, call):
    """(seconds since region `work` began, whether the samples of RANK show CALL) of each tick in it."""
    number = recording["mpi_calls"]["name"].index(call)
    times = {(e[0], e[1]): e[2] for e in phase_events(recording, rank)}
    begin, end = times["begin", "work"], times["end", "work"]
    rows = [s for s in recording.rows("samples") if s["rank"] == rank]
    stamps = [s["time_s"] for s in rows]
    ticks = sorted({s["time_s"] for s in recording.rows("node_samples") if begin < s["time_s"] < end})
    return [(t - begin, rows[bisect.bisect_right(stamps, t) - 1]["mpi_call"] == number) for t in ticks]


def test_share_of_time(flavour, file):
    """A rank that sits in MPI_Allreduce for 70 % of the time: totals say so, and so does each sample
    that is not taken within the time that a busy machine may keep the sampling rank from reading."""
    late = 0.015
    outcome, recording = record(program(flavour, "hooks_share"), file,
                                options=["-r", "7ms", "--overhead", "50%"])
    *lines, sums = outcome.by_rank()[0]
    inside, _ = map(float, sums.split(" of "))
    calls = [tuple(map(float, line.split(" to "))) for line in lines]
    right, wrong = {True: 0, False: 0}, {True: 0, False: 0}
    for time, shown in ticks_of(recording, 0, "MPI_Allreduce"):
        true = any(entered <= time < left for entered, left in calls)
        if not any(0 < edge - time < late for call in calls for edge in call):
            (right if true == shown else wrong)[true] += 1
    print(f"right {right}, wrong {wrong}")
    assert min(right.values()) >= 5 and sum(wrong.values()) * 20 < sum(right.values())
    allreduce = recording["mpi_calls"]["name"].index("MPI_Allreduce")
    row = next(r for r in recording.rows("mpi") if (r["rank"], r["call"]) == (0, allreduce))
    assert row["phase"] == "work"
    assert abs(row["time_s"] - inside) < 0.01 * inside
    assert row["longest_s"] < row["time_s"] and row["time_error_s"] == 0


def test_memory(flavour, file):
    """What MPI_Init took is apart; all growth together is the resident set at the end of MPI_Finalize, and what
    came after that."""
    _, recording = record(program(flavour, "hooks_share"), file)
    for rank in (0, 1):
        rows = [r for r in recording.rows("mpi") if r["rank"] == rank]
        by_phase = {}
        for r in rows:
            by_phase[r["phase"]] = by_phase.get(r["phase"], 0) + r["grown_B"]
        events = {e[:2]: e[3] for e in phase_events(recording, rank)}
        assert by_phase["MPI_Init"] == (events["end", "MPI_Init"] - events["begin", "MPI_Init"])
        assert by_phase["MPI_Init"] > 1 << 20
        after = by_phase.pop("after MPI", 0)
        assert sum(by_phase.values()) == events["end", "MPI_Finalize"] and abs(after) < 1 << 20


def test_recipe(flavour, file):
    """The Python of docs/format.md gives what it promises."""
    pd = pytest.importorskip("pandas", reason="pandas (python3-pandas) is not installed")
    _, recording = record(program(flavour, "hooks_share"), file, options=["-r", "20ms"])
    text = (mt.TESTS.parent / "docs/format.md").read_text()
    part = text[text.index("## MPI calls"):text.index("## The journal")]
    with h5py.File(file) as f:
        names = {"f": f, "pd": pd}
        exec(re.search(r"```python\n(.*?)```", part, re.S)[1], names)  # pylint: disable=exec-used
    wanted = {}
    for row in recording.rows("mpi"):
        if row["call"] > 0:
            name = recording["mpi_calls"]["name"][row["call"]]
            wanted[name] = wanted.get(name, 0) + row["time_s"]
    assert names["seconds"].to_dict() == pytest.approx(wanted)
    assert names["share"].sum() == pytest.approx(1) and "MPI_Allreduce" in names["share"]


# ------------------------------------------------------------------------------ phases
def test_phases(flavour, file):
    outcome, recording = record(program(flavour, "hooks_phases"), file)
    for rank in (0, 1):
        assert {phase: counts(recording, rank, phase).get("MPI_Barrier", [0])[0]
                for phase in ("application", "outer", "inner")} == {
                    "application": 16, "outer": 16, "inner": 7}
        events = phase_events(recording, rank)
        assert [e[:2] for e in events] == [
            ("begin", "read input"), ("end", "read input"), ("begin", "MPI_Init"),
            ("end", "MPI_Init"), ("begin", "outer"), ("begin", "inner"), ("mark", "half way"),
            ("end", "inner"), ("end", "outer"), ("mark", "MPI_Pcontrol"), ("mark", "MPI_Pcontrol"),
            ("begin", "MPI_Finalize"), ("end", "MPI_Finalize"), ("mark", "end")]
        assert all(e[3] > 0 if "MPI_" in e[1] and e[0] != "mark" else e[3] == NOT_MEASURED
                   for e in events)
        said = {}
        for line in outcome.by_rank()[rank]:
            what, begin, end = line.split()
            said[what] = (int(begin) / 1e9, int(end) / 1e9)
        at = {e[:2]: e[2] for e in events}
        zero, (early, late) = at["begin", "outer"], said["outer+"]
        rounding = 2e-6 + 100e-6 * (said["finalize"][1] - said["init"][0])  # and clocks that drift
        for what, event in [("init", ("begin", "MPI_Init")), ("init", ("end", "MPI_Init")),
                            ("inner+", ("begin", "inner")), ("inner-", ("end", "inner")),
                            ("outer-", ("end", "outer")), ("finalize", ("begin", "MPI_Finalize"))]:
            assert (said[what][0] - late - rounding <= at[event] - zero
                    <= said[what][1] - early + rounding), (what, event)


def test_events_are_in_order(flavour, file):
    _, recording = record(program(flavour, "hooks_phases"), file)
    times = recording["events"]["time_s"]
    assert len(times) >= 28 and times == sorted(times)


def test_plot(flavour, file, tmp_path):
    """The picture shows the phases that are long enough; of several runs none."""
    record(program(flavour, "hooks_share"), file)

    def script(*files):
        return subprocess.run([mt.MEMLOG, "plot", *files, "-o", "-"], check=True,
                              capture_output=True, text=True).stdout
    assert re.search(r'^TX\[\d+\] = "work"$', script(file), re.M)
    assert '"work"' not in script(file, file)


def test_read(flavour, file, tmp_path):
    """memlog read shows the functions, and with --mpi all of them and the phases."""
    outcome, _ = record(program(flavour, "hooks", tmp_path / "f"), file)
    wanted = {}
    for said in told(outcome).values():
        for name, (calls, _, _) in said.items():
            wanted[name] = wanted.get(name, 0) + calls

    def table(*options):
        out = subprocess.run([mt.MEMLOG, "read", *options, file], check=True, capture_output=True,
                             text=True, env={**os.environ, "COLUMNS": "160"}).stdout
        return out, {m[1]: int(m[2]) for m in re.finditer(r"^(MPI_\w+) +(\d+) +[\d.]+ (?:s|ms|us) +[\d.]+%",
                                                          out, re.M)}
    short, some = table()
    assert len(some) == 6 and all(wanted[k] == v for k, v in some.items())
    assert "--mpi shows all" in short
    long, everything = table("--mpi")
    assert everything == wanted
    assert re.search(r"^application +\d+ ", long, re.M) and re.search(r"^MPI_Finalize +2 ", long, re.M)
    report = json.loads(subprocess.run([mt.MEMLOG, "read", "--json", "--mpi", file], check=True,
                                       capture_output=True).stdout)["mpi"]
    assert {f["name"]: f["calls"] for f in report["functions"]} == wanted
    assert sum(p["calls"] for p in report["phases"]) == sum(wanted.values())


def test_read_without(file):
    record(program(mt.BUILD, "serial"), file, ranks=1)
    out = subprocess.run([mt.MEMLOG, "read", "--mpi", file], check=True, capture_output=True,
                         text=True).stdout
    assert "No MPI calls were recorded" in out
    assert Recording(file)["samples"]["mpi_call"].count(NOT_MEASURED) == len(
        Recording(file)["samples"]["mpi_call"])


# ------------------------------------------------------------------------------ LD_PRELOAD
def environment(file, options=(), **env):
    outcome, _ = record(["env"], file, ranks=1, options=options, env=env)
    return dict(l.split("=", 1) for l in outcome.stdout.decode().splitlines() if "=" in l)


def test_preloaded_last(file, tmp_path):
    """A program of which nobody knows the MPI gets both libraries, behind the user's own."""
    own = str(mt.PROGRAMS / mt.BUILD / "hooks_pmpi.so")
    found = environment(file, LD_PRELOAD=own)["LD_PRELOAD"].split(":")
    assert found[0] == own
    assert [os.path.basename(f) for f in found[1:]] == [
        f"libmemlog_hooks_{f}.so" for f in ("openmpi", "mpich")
        if (HOOKS / f"libmemlog_hooks_{f}.so").exists()]
    bare = environment(tmp_path / "b.h5", options=["--no-hooks"], LD_PRELOAD=own)
    assert bare["LD_PRELOAD"] == own and "MEMLOG_HOOKS" not in bare
    assert "LD_PRELOAD" not in environment(tmp_path / "c.h5", options=["--no-hooks"])


def test_tool_before_us(flavour, file, tmp_path):
    """The user's own tool works; phases only, and it is said. (A shell preloads it: memlog-mpi's own
    MPI may be another.)"""
    tool = mt.PROGRAMS / flavour / "hooks_tool.so"
    script = f'LD_PRELOAD="{tool}:$LD_PRELOAD" exec "$@"'
    outcome, recording = record(
        ["/bin/sh", "-c", script, "sh", *program(flavour, "hooks", tmp_path / "f")], file)
    for rank, lines in outcome.by_rank().items():
        assert lines[-1] == f"tool: {json.loads(lines[-2])['MPI_Allreduce'][0]}"
        assert counts(recording, rank) == {}
        assert [e[:2] for e in phase_events(recording, rank)] == [
            ("begin", "MPI_Init"), ("end", "MPI_Init"),
            ("begin", "MPI_Finalize"), ("end", "MPI_Finalize")]
    assert set(recording["samples"]["mpi_call"]) == {NOT_MEASURED}
    wanted = "hooks_tool.so wraps MPI before us: MPI calls are not counted, only phases are recorded"
    assert notes(recording) == [wanted] * 2
    assert outcome.stderr.decode().count(wanted) == 1


def test_tool_behind_us(flavour, file, tmp_path):
    """One that the program is linked with is called on, and the counts hold."""
    outcome, recording = record(program(flavour, "hooks_linked_tool", tmp_path / "f"), file)
    assert_exact(outcome, recording, 2)
    assert notes(recording) == ["hooks_tool.so wraps MPI too: its own MPI calls are not counted"] * 2


@pytest.fixture
def static(tmp_path):
    source, output = tmp_path / "s.c", tmp_path / "static"
    source.write_text('#include <stdio.h>\nint main(void) { return puts("ran") < 0; }\n')
    made = subprocess.run(["cc", "-static", "-o", output, source], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"nothing can be linked statically: {made.stderr[-200:]}")
    return output


def assert_told(outcome, recording, why):
    assert outcome.stdout == b"ran\n"
    line = f"the program {why}: its MPI calls are not recorded"
    assert outcome.stderr.decode().count(line) == 1, outcome
    assert notes(recording) == [line]


def test_static_program(static, file):
    assert_told(*record([static], file, ranks=1),
                "is static, of 32 bits, or has another C library")


def test_setuid_program(file, tmp_path):
    mine = tmp_path / "setuid"
    mine.write_bytes((mt.PROGRAMS / mt.BUILD / "serial").read_bytes())
    mine.chmod(0o4755)
    outcome, recording = record([mine], file, ranks=1)
    line = "the program is setuid, or has capabilities: its MPI calls are not recorded"
    assert notes(recording) == [line] and outcome.stderr.decode().count(line) == 1


def test_container(file, tmp_path):
    """Inside, the loader would complain of libraries that are not there."""
    script = tmp_path / "apptainer"
    script.write_text("#!/bin/sh\n: ${LD_PRELOAD+preloaded}\necho ran${LD_PRELOAD}\n")
    script.chmod(0o755)
    assert_told(*record([script], file, ranks=1),
                "starts a container, in which our libraries are not to be found")


# ------------------------------------------------------------------------------ the application first
@pytest.mark.parametrize("name", ["exit3", "abort7", "segfault"])
def test_ends_of_jobs(flavour, name, file, tmp_path):
    """The exit code is what it is without us; the phases up to the end are there."""
    codes = []
    for path, options in ((tmp_path / "bare.h5", ["--no-hooks"]), (file, [])):
        outcome = mt.run([*mt.mpiexec(mt.BUILD, 2), mt.MEMLOG_MPI, "-q", *options, "-o", path, "--",
                          *program(flavour, name)])
        codes.append(outcome.code)
    assert codes[0] == codes[1] != 0
    begun = {e["text"] for e in Recording(file).rows("events") if e["kind"] == 11}
    assert "MPI_Init" in begun


def test_killed_run(flavour, file):
    """Totals are written now and then, so that a run that is killed has some."""
    def of_both_ranks():
        """More calls than one rank makes."""
        text = subprocess.run([mt.MEMLOG, "read", "--mpi", "--json", file], capture_output=True, text=True).stdout
        functions = json.loads(text)["mpi"]["functions"] if text else []
        return any(f["name"] == "MPI_Allreduce" and f["calls"] > 50 for f in functions)
    with mt.Job(mt.hosted_command(flavour, 2, "hooks_share", "stay", file=file)) as job:
        mt.wait_for(of_both_ranks, what="totals of both ranks in the journal")
        os.kill(mt.sampling_ranks(job)[0], signal.SIGKILL)
        job.finish()
    out = file.with_name("recovered.h5")
    subprocess.run([mt.MEMLOG, "recover", *mt.journals_of(file), "-o", out], check=True)
    for rank in (0, 1):
        made = counts(Recording(out), rank)
        calls, _, sent_B = made["MPI_Allreduce"]
        assert made["MPI_Init"] == [1, 0, 0] and 0 < calls <= 50
        assert sent_B in (4 * calls, 4 * (calls - 1))  # a call that is under way has not sent yet


def test_without_the_libraries(file, tmp_path):
    """A memlog-mpi that was copied alone records without them, and says nothing."""
    alone = tmp_path / "bin/memlog-mpi"
    alone.parent.mkdir()
    shutil.copy(mt.MEMLOG_MPI, alone)
    outcome = mt.run([*mt.mpiexec(mt.BUILD, 1), alone, "-q", "-o", file, "--",
                      *mt.program(mt.BUILD, "hello")])
    assert outcome.code == 0 and outcome.stderr == b"", outcome
    assert Recording(file)["mpi"]["calls"] == []
