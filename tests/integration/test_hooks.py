"""The preloaded MPI hooks, without the recorder: what they counted against what programs of both
MPIs, in every language, counted themselves; phases; threads; other tools; programs without MPI."""
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
import memlog_testing as mt

PAGES = mt.BIN_DIR.parent / "tests/support/hook_pages"
HOOKS = mt.BIN_DIR.parent / "lib/memlog-mpi"
OURS = "libmemlog_hooks_"
FLAGS = {"chained": 1, "beneath": 2}
APPLICATION = "application"


def library(flavour):
    return HOOKS / f"libmemlog_hooks_{flavour}.so"


class Page:
    """What the page of a rank held at the end."""

    def __init__(self, path):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        self.claim = rows[0]
        self.events = [r for r in rows if "event" in r]
        self.totals = [r for r in rows if "call" in r]
        self.lost = next(r["events_lost"] for r in rows if "events_lost" in r)

    def counts(self, phase=None):
        sums = {}
        for row in self.totals:
            if phase in (None, row["phase"]):
                sum_ = sums.setdefault(row["call"], [0, 0, 0])
                for i, what in enumerate(("calls", "messages", "bytes")):
                    sum_[i] += row[what]
        return sums

    def kinds(self):
        return [e["event"] for e in self.events]


class Run:
    def __init__(self, outcome, pages):
        self.outcome, self.pages = outcome, pages

    def told(self):
        """Of each rank, the counts of the program itself."""
        return {rank: json.loads(lines[-1]) for rank, lines in self.outcome.by_rank().items()}


def run(flavour, ranks, command, tmp_path, hooks=HOOKS, launcher=None, **how):
    out = tmp_path / "page"
    launcher = mt.mpiexec(flavour, ranks) if launcher is None else launcher
    outcome = mt.run([*launcher, PAGES, hooks, out, *command], **how)
    assert outcome.code == 0, outcome
    return Run(outcome, [Page(Path(f"{out}.{r}")) for r in range(ranks)])


def program(flavour, name, *args):
    path = mt.PROGRAMS / flavour / name
    if not path.exists():
        pytest.skip(f"{path} was not built: no compiler for it")
    return [path, *args]


def assert_exact(done, ranks, without=()):
    told = done.told()
    assert sorted(told) == list(range(ranks)), done.outcome
    for rank, counts in told.items():
        measured = {k: v for k, v in done.pages[rank].counts().items() if k not in without}
        assert measured == counts
        assert done.pages[rank].claim["flags"] == 0


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_c(flavour, ranks, tmp_path):
    done = run(flavour, ranks, program(flavour, "hooks", tmp_path / "file"), tmp_path)
    assert_exact(done, ranks)


@pytest.mark.parametrize("name", ["hooks_cxx", "hooks_f77", "hooks_f90", "hooks_f08"])
def test_languages(flavour, name, tmp_path):
    args = [tmp_path / "file"] if name == "hooks_cxx" else []
    done = run(flavour, 2, program(flavour, name, *args), tmp_path)
    assert_exact(done, 2)


def test_fortran_regions(flavour, tmp_path):
    for name in ("hooks_f90", "hooks_f08"):
        page = run(flavour, 2, program(flavour, name), tmp_path).pages[0]
        assert page.counts("ring") == {"MPI_Irecv": [40, 0, 0], "MPI_Send": [40, 40, 160],
                                       "MPI_Wait": [40, 0, 0], "MPI_Iprobe": [40, 0, 0]}
        assert [e["text"] for e in page.events if e["event"] == "mark"] == ["sums are done"]


def test_fortran_control_is_a_mark(flavour, tmp_path):
    page = run(flavour, 1, program(flavour, "hooks_f77"), tmp_path).pages[0]
    assert "region_begin" not in page.kinds()
    assert [e["text"] for e in page.events if e["event"] == "mark"] == ["MPI_Pcontrol"]


def test_mpi4py(flavour, tmp_path):
    script = mt.program(flavour, "hooks_mpi4py.py")
    linked = subprocess.run([script[0], "-c", "from mpi4py import MPI; print(MPI.get_vendor()[0])"],
                            env=mt.base_environment(), capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    wanted = {"openmpi": "Open MPI", "mpich": "MPICH"}[flavour]
    if linked.stdout.strip() != wanted:
        pytest.skip(f"mpi4py is built for {linked.stdout.strip() or 'nothing here'}, not {wanted}")
    done = run(flavour, 2, script, tmp_path)
    assert_exact(done, 2, without=("MPI_Init_thread", "MPI_Finalize"))
    assert done.pages[0].kinds() == ["init_begin", "init_end", "finalize_begin", "finalize_end"]
    assert done.pages[0].counts("MPI_Init") == {"MPI_Init_thread": [1, 0, 0]}


def test_mpi_that_is_loaded_later(flavour, tmp_path):
    """By a program that is none of MPI, with RTLD_LOCAL: so both hooks are preloaded."""
    plugin = program(flavour, "hooks_plugin.so")[0]
    done = run(flavour, 2, program(flavour, "hooks_dlopen", plugin, tmp_path / "file"), tmp_path)
    assert_exact(done, 2)


def test_hooks_of_both_in_either_order(flavour, tmp_path):
    """A program that is linked with its MPI, behind a shell that has none."""
    command = ["/bin/sh", "-c", '"$@"', "sh", *program(flavour, "hooks", tmp_path / "file")]
    assert_exact(run(flavour, 2, command, tmp_path), 2)


def test_wrong_hooks_stand_aside(flavour, tmp_path):
    """Open MPI's can stand before any MPI; MPICH's are never preloaded alone without a reason."""
    if flavour != "mpich":
        pytest.skip("MPICH's hooks are not preloaded into a program that is linked with Open MPI")
    env = {"LD_PRELOAD": str(library("openmpi"))}
    done = run(flavour, 2, program(flavour, "hooks", tmp_path / "file"), tmp_path, hooks="", env=env)
    assert sorted(done.told()) == [0, 1]
    assert done.pages[0].claim["pid"] == 0 and not done.pages[0].totals


def test_results_are_the_same(flavour, tmp_path):
    command = program(flavour, "collectives")
    assert (run(flavour, 3, command, tmp_path).outcome.lines()
            == run(flavour, 3, command, tmp_path, hooks="").outcome.lines())


@pytest.mark.parametrize("threads", [8, 70])
def test_threads(flavour, threads, tmp_path):
    """More than there are slots, too; later threads take the slots of those that ended."""
    done = run(flavour, 1, program(flavour, "hooks_threads", str(threads)), tmp_path,
               timeout_s=240)
    assert_exact(done, 1)


# ------------------------------------------------------------------------------ phases
def test_phases(flavour, tmp_path):
    done = run(flavour, 2, program(flavour, "hooks_phases"), tmp_path)
    for rank, page in enumerate(done.pages):
        barriers = {row["phase"]: row["calls"] for row in page.totals
                    if row["call"] == "MPI_Barrier"}
        assert barriers == {APPLICATION: 3 + 13, "outer": 5 + 11, "inner": 7}
        assert [(e["event"], e["text"]) for e in page.events] == [
            ("region_begin", "read input"), ("region_end", "read input"),
            ("init_begin", "MPI_Init"), ("init_end", "MPI_Init"), ("region_begin", "outer"),
            ("region_begin", "inner"), ("mark", "half way"), ("region_end", "inner"),
            ("region_end", "outer"), ("mark", "MPI_Pcontrol"), ("mark", "MPI_Pcontrol"),
            ("finalize_begin", "MPI_Finalize"), ("finalize_end", "MPI_Finalize"), ("mark", "end")]
        times = {}
        for line in done.outcome.by_rank()[rank]:
            what, begin, end = line.split()
            times[what] = (int(begin), int(end))
        by_name = {(e["event"], e["text"]): e["ns"] for e in page.events}
        for what, event in [("init", ("init_begin", "MPI_Init")), ("init", ("init_end", "MPI_Init")),
                            ("outer+", ("region_begin", "outer")),
                            ("inner+", ("region_begin", "inner")),
                            ("inner-", ("region_end", "inner")),
                            ("outer-", ("region_end", "outer")),
                            ("finalize", ("finalize_begin", "MPI_Finalize")),
                            ("finalize", ("finalize_end", "MPI_Finalize"))]:
            begin, end = times[what]
            assert begin <= by_name[event] <= end, (what, event)


def test_memory_of_init(flavour, tmp_path):
    page = run(flavour, 1, program(flavour, "hooks_phases"), tmp_path).pages[0]
    rss = {e["event"]: e["rss_B"] for e in page.events}
    assert 0 < rss["init_begin"] < rss["init_end"]
    assert rss["region_begin"] == -1


def test_without_us_regions_do_nothing(flavour):
    outcome = mt.run(mt.mpiexec(flavour, 1) + program(flavour, "hooks_phases"))
    assert outcome.code == 0 and "finalize" in outcome.stdout.decode()


def test_time(flavour, tmp_path):
    """The time in a function is what the program says that it was."""
    done = run(flavour, 2, program(flavour, "hooks_share"), tmp_path)
    inside, _ = map(float, re.fullmatch(r"(\S+) of (\S+)", done.outcome.by_rank()[0][-1]).groups())
    row = next(r for r in done.pages[0].totals if r["call"] == "MPI_Allreduce")
    assert row["phase"] == "work"
    assert abs(row["ns"] / 1e9 - inside) < 0.01 * inside


# ------------------------------------------------------------------------------ other tools
def test_tool_behind_us(flavour, tmp_path):
    """A tool that the program is linked with is called on; what it calls itself is nested, and not
    counted."""
    done = run(flavour, 2, program(flavour, "hooks_linked_tool", tmp_path / "file"), tmp_path)
    for rank, lines in done.outcome.by_rank().items():
        counts = json.loads(lines[-2])
        assert lines[-1] == f"tool: {counts['MPI_Allreduce'][0]}"
        assert done.pages[rank].counts() == counts
        assert done.pages[rank].claim["flags"] == FLAGS["chained"]
        assert done.pages[rank].claim["tool"] == "hooks_tool.so"


@pytest.mark.parametrize("preloaded", [True, False])
def test_tool_before_us(flavour, preloaded, tmp_path):
    """Preloaded by the user, or in the executable itself: it works; its own calls cannot be told
    from the application's, so there are only phases, and it is said."""
    tool = mt.PROGRAMS / flavour / "hooks_tool.so"
    name = "hooks" if preloaded else "hooks_with_tool"
    done = run(flavour, 2, program(flavour, name, tmp_path / "file"), tmp_path,
               env={"LD_PRELOAD": str(tool)} if preloaded else {})
    for rank, lines in done.outcome.by_rank().items():
        counts, page = json.loads(lines[-2]), done.pages[rank]
        assert lines[-1] == f"tool: {counts['MPI_Allreduce'][0]}"
        assert page.totals == []
        assert page.kinds() == ["init_begin", "init_end", "finalize_begin", "finalize_end"]
        assert page.claim["flags"] & FLAGS["beneath"]
        assert page.claim["tool"] == (tool.name if preloaded else name)


def test_tool_of_pmpi(flavour, tmp_path):
    """A library that defines PMPI itself is one more that is called on."""
    env = {"LD_PRELOAD": str(mt.PROGRAMS / flavour / "hooks_pmpi.so")}
    done = run(flavour, 2, program(flavour, "hooks", tmp_path / "file"), tmp_path, env=env)
    for rank, counts in done.told().items():
        assert done.pages[rank].counts() == counts


# ------------------------------------------------------------------------------ processes
def test_helpers_do_not_disturb(flavour, tmp_path):
    """A script that runs tools before, beside and after the program: its MPI process has the page."""
    command = [mt.TESTS / "programs/hooks_helpers.sh", *program(flavour, "hooks", tmp_path / "file")]
    done = run(flavour, 2, command, tmp_path)
    assert_exact(done, 2)
    assert done.pages[0].claim["pid"] not in (0, done.pages[0].claim["started"])


def test_programs_one_after_the_other(flavour, tmp_path):
    """The page goes on to the next when its process has ended; totals add up. Without mpiexec, under
    which only one process can be a rank."""
    words = " ".join(map(str, program(flavour, "hooks_phases")))
    done = run(flavour, 1, ["/bin/sh", "-c", f"{words}; {words}; :"], tmp_path, launcher=[])
    page = done.pages[0]
    assert page.counts("inner") == {"MPI_Barrier": [14, 0, 0]}
    assert page.kinds().count("init_end") == 2


def preloaded(script, hooks, **env):
    env = {**mt.base_environment(), "LD_PRELOAD": ":".join(map(str, hooks)), **env}
    return subprocess.run(["/bin/sh", "-c", script], env=env, capture_output=True, text=True,
                          timeout=mt.TIMEOUT_S)


def test_other_programs_see_nothing(flavour):
    """No output, no descriptor, no signal changed, the environment as it was."""
    script = "cat /proc/self/status | grep -E '^Sig(Blk|Ign|Cgt)|^NoNewPrivs'; ls /proc/self/fd | wc -l"
    plain, hooked = preloaded(script, []), preloaded(script, [library(flavour)])
    assert (plain.stdout, plain.stderr) == (hooked.stdout, hooked.stderr)
    done = preloaded("env", [library(flavour)], MEMLOG_HOOKS="/proc/1/fd/0")
    assert f"LD_PRELOAD={library(flavour)}\n" in done.stdout
    assert "MEMLOG_HOOKS=/proc/1/fd/0\n" in done.stdout and not done.stderr


@pytest.mark.parametrize("page", ["", "/proc/self/fd/0", "/proc/self/exe", "/etc/passwd", "/dev/tty",
                                  "/proc/1/fd/99", "x" * 5000, "/proc/../tmp/nothing"])
def test_no_page_no_hooks(flavour, page, tmp_path):
    env = {"MEMLOG_HOOKS": page, "LD_PRELOAD": str(library(flavour))}
    outcome = mt.run(mt.mpiexec(flavour, 1) + program(flavour, "hooks", tmp_path / "file"), env=env)
    assert outcome.code == 0 and len(outcome.by_rank()[0]) == 1, outcome


def test_exported_symbols(flavour):
    lines = subprocess.run(["nm", "-D", "--defined-only", library(flavour)], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    names = {line.split()[-1] for line in lines}
    own = {"memlog_hook_region_begin", "memlog_hook_region_end", "memlog_hook_mark",
           "execl", "execle", "execlp", "execv", "execve", "execvp"}
    assert own < names
    table = (mt.TESTS.parent / "mpi_hooks/table.def").read_text()
    meant = set(re.findall(r"^(?:OWN|CALL|BIG)\((\w+)", table, re.M))
    for name in names - own:
        assert re.fullmatch(r"P?MPI_(\w+?)(_c)?", name), name
        assert re.fullmatch(r"P?MPI_(\w+?)(?:_c)?", name)[1] in meant, name
        assert {name, name[1:] if name.startswith("P") else "P" + name} <= names
    mpi = subprocess.run(["nm", "-D", "--undefined-only", library(flavour)], check=True,
                         capture_output=True, text=True).stdout
    assert "MPI_" not in mpi and "ompi_" not in mpi


def test_fork_without_exec(flavour, tmp_path):
    """A child that only forked writes nothing into its parent's page."""
    page = run(flavour, 1, program(flavour, "hooks_fork"), tmp_path).pages[0]
    assert [e["text"] for e in page.events if e["event"] == "mark"] == ["parent"]


def test_exceptions(flavour, tmp_path):
    """What C++ throws out of a call ends the call."""
    page = run(flavour, 1, program(flavour, "hooks_throw"), tmp_path).pages[0]
    assert page.counts(APPLICATION) == {"MPI_Send": [5, 0, 0], "MPI_Barrier": [3, 0, 0]}


def test_valgrind(flavour, tmp_path):
    """Nothing that valgrind finds wrong happens in the library, nor on its behalf."""
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    report = tmp_path / "valgrind.xml"
    command = ["valgrind", "-q", "--leak-check=full", "--errors-for-leak-kinds=definite",
               "--xml=yes", f"--xml-file={report}", *program(flavour, "hooks_threads", "3")]
    done = run(flavour, 1, command, tmp_path, timeout_s=300)
    assert_exact(done, 1)
    errors = ElementTree.parse(report).getroot().findall("error")
    innermost = [next((o.text for o in e.iter("obj") if "vgpreload" not in o.text), "")
                 for e in errors]
    ours = [e for e, file in zip(errors, innermost) if OURS in file]
    assert not ours, [ElementTree.tostring(e, encoding="unicode") for e in ours[:3]]
