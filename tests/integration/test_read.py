"""memlog read at the command line: colours, pagers, JSON, output below the memory. No MPI here."""
import collections
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest
import memlog_testing as mt
from memlog_testing import memlog

h5py = pytest.importorskip("h5py")
SCHEMA = mt.TESTS.parent / "docs/read.schema.json"
ESCAPE = re.compile("\x1b\\[[0-9;]*m")


def make(path, *options):
    subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", path, *options], check=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("read")
    make(path / "run.h5", "--output", "some", "--stacks", "some", "--helpers")
    make(path / "hostile.h5", "--hostile", "--output", "hostile", "--stacks", "hostile")
    make(path / "many.h5", "--output", "many", "--seconds", "900")
    make(path / "bare.h5", "--nodes", "1", "--ranks-per-node", "1", "--seconds", "1", "--set",
         "time_origin=", "--set", "job_id=", "--drop", "node_samples", "--drop", "processes/peak_s",
         "--drop", "output")
    make(path / "leak.h5", "--shape", "one")
    make(path / "mpi.h5", "--mpi", "some")
    make(path / "mpi_hostile.h5", "--nodes", "1", "--mpi", "hostile")
    return path


class Terminal:
    """A command on a terminal of its own, typed to and looked at."""

    def __init__(self, folder, *command, rows=24, columns=80, **environment):
        env = dict(mt.base_environment(), **{"TZ": "UTC", "TERM": "xterm", **environment})
        for name in {"NO_COLOR", "LESS", "COLUMNS", "LINES"} - set(environment):
            env.pop(name, None)
        pid, self.fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(folder)
            os.execvpe(command[0], command, env)
        self.pid, self.bytes = pid, b""

    @property
    def seen(self):
        return self.bytes.decode(errors="replace")

    def wait_for(self, text=None):
        """Until TEXT was shown, or all of it."""
        deadline = time.monotonic() + mt.TIMEOUT_S
        while text is None or text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                piece = os.read(self.fd, 65536)
            except OSError:                         # EIO: nobody has it open any more
                piece = b""
            if not piece:
                assert text is None, self.seen
                break
            self.bytes += piece
        return self.seen

    def end(self):
        self.wait_for()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def on_terminal(folder, *arguments, **how):
    terminal = Terminal(folder, str(mt.MEMLOG), *arguments, **how)
    return terminal.end(), terminal.seen


def test_colour_only_on_a_terminal(folder):
    plain = memlog(folder, "read", "run.h5")
    code, shown = on_terminal(folder, "read", "run.h5", PAGER="", rows=34)
    assert code == 0 and "\x1b[31m" in shown and "\x1b" not in plain
    assert ESCAPE.sub("", shown).replace("\r\n", "\n") == plain


@pytest.mark.parametrize("how", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"option": "--no-color"}])
def test_no_colour(folder, how):
    option = [how.pop("option")] if "option" in how else []
    code, shown = on_terminal(folder, "read", *option, "run.h5", PAGER="", **how)
    assert code == 0 and "\x1b" not in shown and "100%" in shown


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_width_and_rows_of_the_terminal(folder, columns):
    shown = {}
    for rows in (10, 50, 500):
        code, text = on_terminal(folder, "read", "--no-color", "many.h5", PAGER="cat", rows=rows,
                                 columns=columns)
        assert code == 0 and max(len(line) for line in text.splitlines()) <= columns
        shown[rows] = sum(line.rstrip().endswith("%") for line in text.splitlines())
    assert 16 <= shown[10] <= 18 < 44 <= shown[50] <= 48 < shown[500] <= 62


def test_pager(folder):
    """less shows what it gets, and less than all of it may be looked at."""
    if subprocess.run(["which", "less"], capture_output=True).returncode:
        pytest.skip("less is not installed")
    terminal = Terminal(folder, str(mt.MEMLOG), "read", "--all", "--stdout", "many.h5", rows=10)
    terminal.wait_for("./solver -i core.i")
    assert "100%" not in terminal.seen
    os.write(terminal.fd, b"q")
    assert terminal.end() == 0
    assert "cannot be written" not in terminal.seen


def test_short_report_is_not_held_up(folder):
    """-F: less ends by itself; what it showed stays."""
    if subprocess.run(["which", "less"], capture_output=True).returncode:
        pytest.skip("less is not installed")
    code, shown = on_terminal(folder, "read", "bare.h5", rows=200)
    assert code == 0 and "\x1b[31m" in shown and "1 node" in shown


@pytest.mark.parametrize("pager, words", [("no-such-pager-anywhere", ["100%"]),
                                          ("head -n 2", ["run.h5"]), ("true", []),
                                          ("exit 3", []), ("sed s/solver/PAGED/", ["PAGED", "100%"])])
def test_other_pagers(folder, pager, words):
    code, shown = on_terminal(folder, "read", "--all", "run.h5", PAGER=pager)
    assert code == 0 and all(word in shown for word in words)
    assert ("100%" in shown) == ("100%" in words)


def test_without_less(folder, tmp_path):
    code, shown = on_terminal(folder, "read", "run.h5", PATH=str(tmp_path))
    assert code == 0 and "100%" in shown and "not found" not in shown


def test_json_is_not_paged(folder):
    code, shown = on_terminal(folder, "read", "--json", "run.h5", PAGER="sed s/solver/PAGED/")
    assert code == 0 and json.loads(shown)["run"]["command"] == "./solver -i core.i"


@pytest.mark.parametrize("name", ["run", "hostile", "many", "bare", "leak", "mpi", "mpi_hostile"])
@pytest.mark.parametrize("options", [[], ["--stdout", "--pstack", "--separate", "--mpi"]])
def test_json_is_as_its_schema_says(folder, name, options):
    jsonschema = pytest.importorskip("jsonschema")
    text = memlog(folder, "read", "--json", *options, f"{name}.h5")
    assert text.isascii()
    report = json.loads(text)
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(report)
    for part in ("output", "stacks", "mpi"):
        assert (part in report) == bool(options)
    assert ("memory" in report["nodes"][0]) == bool(options)


def test_mpi_of_a_damaged_run(folder):
    """More than can be added up, and names that try to act: shown, and nothing else."""
    text = memlog(folder, "read", "--mpi", "mpi_hostile.h5")
    assert "\x1b" not in text and re.search(r"^MPI_Send +40 ", text, re.M)
    assert str(2**63 - 1) in text


def test_schema_is_strict():
    """It names all that a report has, so that a name that goes is missed."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    pieces = [schema]
    while pieces:
        piece = pieces.pop()
        if isinstance(piece, dict):
            if "object" in str(piece.get("type", "")) and piece is not schema:
                optional = {"memory"} & set(piece["properties"])
                assert set(piece["required"]) == set(piece["properties"]) - optional
            pieces += piece.values()
        elif isinstance(piece, list):
            pieces += piece


def peaks_of_ranks(f):
    """Of each rank with the processes that it started, by adding up their rows over time."""
    ranks, parents = f["processes/rank"][:].tolist(), f["processes/parent"][:].tolist()
    changes = {}
    for process, parent in enumerate(parents):
        owner = process
        while owner >= 0 and ranks[owner] < 0:
            owner = parents[owner]
        first, n = (f[f"processes/{name}"][process] for name in ("first_row", "n_rows"))
        times, values = (f[f"samples/{name}"][first:first + n].tolist() for name in ("time_s", "rss_B"))
        if owner >= 0:
            changes.setdefault(ranks[owner], []).extend(
                (time, value - before) for time, value, before in zip(times, values, [0, *values]))
    peaks = {}
    for rank, steps in changes.items():
        total, peaks[rank] = 0, 0
        for time in sorted({t for t, _ in steps}):
            total += sum(step for t, step in steps if t == time)
            peaks[rank] = max(peaks[rank], total)
    return peaks


def test_json_says_what_the_file_says(folder):
    report = json.loads(memlog(folder, "read", "--json", "--stdout", "--pstack", "run.h5"))
    with h5py.File(folder / "run.h5") as f:
        peaks = peaks_of_ranks(f)
        assert -1 in f["processes/rank"][:], "a rank with a helper"
        lines = sorted(f["output/time_s"][:].tolist())
        n_stacks = len(f["stack_samples/time_s"])
    summary = report["summary"]
    assert summary["largest_rank"]["peak_B"] == max(peaks.values())
    assert summary["smallest_rank"]["rank"] == min(peaks, key=peaks.get)
    mean = sum(peaks.values()) / len(peaks)
    assert summary["imbalance"] == pytest.approx(max(peaks.values()) / mean - 1)
    assert {p["rank"]: p["peak_B"] for p in report["processes"] if p["rank"] is not None} == peaks
    assert max(row["memory_B"] for row in report["memory"]) == summary["peak_B"]
    assert [line["time_s"] for line in report["output"]] == pytest.approx(lines)
    assert len(report["stacks"]["samples"]) == n_stacks
    calls = report["stacks"]["calls"]
    names = {calls[i]["function"] for s in report["stacks"]["samples"] for i in s["calls"]}
    assert {"_start", "refine(Cell*, int)", "poll"} <= names


def test_growth(folder):
    """One rank grows by 1 MiB/s from 12 s on, until its MPI_Finalize; the others leave."""
    report = json.loads(memlog(folder, "read", "--json", "leak.h5"))
    growing = report["summary"]["growing_rank"]
    assert (growing["rank"], growing["node"]) == (1, "n01")
    assert growing["growth_B_per_s"] == pytest.approx(2**20, rel=0.01)
    assert growing["since_s"] == pytest.approx(12, abs=1)
    assert growing["full_in_s"] == report["nodes"][0]["full_in_s"] > 0
    assert report["nodes"][1]["full_in_s"] is None and report["nodes"][1]["growth_B_per_s"] is None
    assert report["summary"]["growth_B_per_s"] == growing["growth_B_per_s"]
    assert [p["growth_B_per_s"] for p in report["processes"] if p["rank"] != 1] == [0] * 7
    even = json.loads(memlog(folder, "read", "--json", "run.h5"))
    assert even["summary"]["growing_rank"] is None and even["summary"]["growth_B_per_s"] == 0
    assert [p["growth_B_per_s"] for p in even["processes"]] == [0] * 8 + [None], "a helper has none"


def test_growth_of_a_log(folder):
    """memory_logger.py knows nodes, no ranks."""
    make(folder / "all.h5", "--shape", "leak")
    (folder / "all.csv").write_text(memlog(folder, "export", "--moose-csv", "all.h5"))
    assert re.search(r"^growth +all of the node on n01 grows by .* since ", memlog(folder, "read", "all.csv"), re.M)


def night(folder, name, begin_s):
    """A log of memory_logger.py: two hours in steps of 15 min, 100 MiB more each."""
    rows = "".join(f"{begin_s + i * 900}.000000,{(i + 1) * 104857600},,,n1,{(i + 1) * 104857600}\n"
                   for i in range(9))
    (folder / name).write_text(rows)


def rows_of(text):
    return re.findall(r"^(2026-\d\d-\d\d \d\d:\d\d:\d\d)(\S*)( [+-]\d{4})? +(\S+)", text, re.M)


def test_clocks_that_are_set_back(folder):
    """On 2026-10-25 at 3:00 it is 2:00 again in Berlin: the hour before comes twice."""
    night(folder, "back.csv", 1792886400)       # 2:00 +0200

    def read(*options, **how):
        return memlog(folder, "read", *options, "back.csv", TZ="Europe/Berlin", **how)
    text = read()
    assert "started           2026-10-25 02:00:00 +0200" in text
    rows = rows_of(text)
    assert [(r[0][11:], r[2].strip()) for r in rows][:6] == [
        ("02:00:00", "+0200"), ("02:15:00", "+0200"), ("02:30:00", "+0200"), ("02:45:00", "+0200"),
        ("02:00:00", "+0100"), ("02:15:00", "+0100")]
    for given, elapsed in (("2026-10-25 02:30:00 +0200", "30:00"), ("2026-10-25T02:30:00+02:00", "30:00"),
                           ("2026-10-25 02:30:00 +0100", "1:30:00"), ("2026-10-25 01:30:00Z", "1:30:00"),
                           ("2026-10-25 01:30:00.000 Z", "1:30:00"), ("2026-10-25 03:00:00", "2:00:00")):
        assert rows_of(read("--since", given))[0][3].startswith(elapsed), given
    said = read("--since", "2026-10-25 02:30:00", code=2)
    assert "twice" in said and "'+0200' or '+0100'" in said, said
    assert said.count("\n") == 1
    assert "is no time" in read("--since", "2026-10-25 02:30:00 +2", code=2)


def test_clocks_that_are_set_on(folder):
    """On 2026-03-29 it is 3:00 after 1:59:59."""
    night(folder, "on.csv", 1774742400 - 900)   # 0:45 +0100

    def read(*options, **how):
        return memlog(folder, "read", *options, "on.csv", TZ="Europe/Berlin", **how)
    rows = rows_of(read())
    assert {r[2].strip() for r in rows} == {"+0100", "+0200"}
    assert "skipped" in read("--since", "2026-03-29 02:30:00", code=2)
    assert rows_of(read("--since", "2026-03-29 03:15:00"))[0][3].startswith("1:30:00")


def test_a_zone_that_stays_is_said_once(folder):
    night(folder, "day.csv", 1792886400 + 86400)
    text = memlog(folder, "read", "day.csv", TZ="Europe/Berlin")
    assert "started           2026-10-26 01:00:00 +0100" in text
    assert {r[2] for r in rows_of(text)} == {""}


def below(text, needle):
    """The row of memory that NEEDLE stands under."""
    lines = text[:text.index(needle)].splitlines()
    return next(line for line in reversed(lines) if line.startswith("2026"))


def test_output_stands_where_it_belongs(folder):
    text = memlog(folder, "read", "--stdout", "--all", "--every", "10s", "run.h5")
    for step, row in ((10, "05:40:00"), (40, "05:40:20"), (90, "05:40:50")):
        assert row in below(text, f"step {step},")
    assert "4 more lines" in memlog(folder, "read", "--stdout", "run.h5")
    assert "rank  node" not in text and "rank  node" in memlog(folder, "read", "run.h5")
    everything = memlog(folder, "read", "--stdout", "--all", "run.h5")
    assert everything.count("reads core.i") == 8 and "more line" not in everything
    chosen = memlog(folder, "read", "--stdout", "--all", "--rank", "7", "run.h5")
    assert chosen.count("reads core.i") == 1 and "stderr 7" in chosen and "step" not in chosen
    late = memlog(folder, "read", "--stdout", "--since", "0:35", "--until", "0:50", "run.h5")
    assert "step 60," in late and "step 50," not in late and "step 90," not in late


def test_output_and_stacks_together(folder):
    text = memlog(folder, "read", "--stdout", "--pstack", "run.h5")
    assert "stacks and output" in text and "step 40," in text and "Solver::run(int)" in text
    tree = memlog(folder, "read", "--stdout", "--tree", "run.h5")
    assert "step 40," in tree and "merged from the root" in tree


def stacks(folder, *options):
    return json.loads(memlog(folder, "read", "--json", "--pstack", *options, "run.h5"))["stacks"]["samples"]


def test_stacks_of_a_moment(folder):
    """--at: of each process those that were taken nearest to it, in all forms."""
    def at(when, *options):
        return memlog(folder, "read", "--pstack", "--at", when, *options, "run.h5")
    times = collections.defaultdict(list)
    for stack in stacks(folder):
        times[stack["process"]].append(stack["time_s"])
    peak = json.loads(memlog(folder, "read", "--json", "run.h5"))["summary"]["peak_s"]
    for when, wanted in (("peak", peak), ("end", 1e9), ("0:00", 0), ("40s", 40)):
        shown = stacks(folder, "--at", when)
        assert {s["process"] for s in shown} == set(times)
        for process, taken in times.items():
            ours = {s["time_s"] for s in shown if s["process"] == process}
            assert min(taken, key=lambda t: abs(t - wanted)) in ours and max(ours) - min(ours) < 0.3, when
    text = at("peak")
    assert "nearest to the peak at" in text and "memory of all processes" not in text and "heap" not in text
    assert all(f"rank {r}" in text for r in "01") and "nearest to the end, taken" in at("end")
    assert "merged from the root" in at("end", "--tree")


def test_threads(folder):
    """--main-threads: no others; --tree leaves out those of MPI's libraries, and says how many."""
    every, first = stacks(folder), stacks(folder, "--main-threads")
    assert 0 < len(first) < len(every) and len({(s["process"], s["time_s"]) for s in first}) == len(first)
    tree = memlog(folder, "read", "--tree", "run.h5")
    assert "threads that MPI's libraries made" in tree and "epoll_wait" not in tree
    everything = memlog(folder, "read", "--tree", "--all", "run.h5")
    assert "threads that MPI's libraries made" not in everything and "epoll_wait" in everything


def test_follow(tmp_path):
    """Lines while the run goes on, of what it has then; the report when it has ended."""
    file = tmp_path / "run.h5"
    with mt.Job([mt.MEMLOG_MPI, "-q", "-n", "2", "-r", "50ms", "-o", file, "--",
                 *mt.program(mt.BUILD, "grow"), "6", "64"]) as job:
        mt.wait_for_samples(file)
        text = memlog(tmp_path, "read", "--follow", "run.h5")
        assert job.finish().code == 0
    lines = text[:text.index("\nrun.h5\n")].splitlines()
    assert lines and all(re.match(r"0:\d\d\.\d  [012] ranks?  [\d.]+ [KMG]iB \(peak [\d.]+ [KMG]iB\)", line)
                         for line in lines), text
    assert len(set(lines)) == len(lines) and "exit code 0" in text
    assert memlog(tmp_path, "read", "--follow", "run.h5").startswith("run.h5\n")      # it has ended: at once
    assert "name the file" in memlog(tmp_path, "read", "--follow", "a.h5.0.journal", "a.h5.1.journal", code=2)


def test_every(folder):
    rows = [line for line in memlog(folder, "read", "--every", "2min", "many.h5").splitlines()
            if line.startswith("2026")]
    assert [row.split()[2] for row in rows] == [f"{m}:00.0" for m in range(0, 15, 2)]


@pytest.mark.parametrize("arguments, code, message", [
    (["--every", "never"], 2, "--every 'never'"), (["--every", "0"], 2, "--every '0'"),
    (["--every", "1ms", "--until", "9000s"], 0, ""),
    (["--rank", "1"], 2, "--rank goes with --stdout"),
])
def test_wrong_use(folder, arguments, code, message):
    assert message in memlog(folder, "read", *arguments, "run.h5", code=code)
