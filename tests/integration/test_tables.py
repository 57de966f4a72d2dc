"""memlog export --csv, --json and --moose-csv, and logs of memory_logger.py as input, of made-up
and of real runs; wrong input of every kind. No MPI but that of the real run."""
import csv
import gzip
import io
import json
import math
import os
import re
import stat
import subprocess
import sys

import pytest
import memlog_testing as mt
from memlog_testing import memlog

h5py = pytest.importorskip("h5py")
MOOSE = dict(delimiter=",", quotechar="|", escapechar="\\", quoting=csv.QUOTE_MINIMAL)
SCHEMA = mt.TESTS.parent / "docs/read.schema.json"
IDS = {"process", "rank", "node", "parent", "frame", "stack"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables")
    runs = {"made": ["--output", "some", "--stacks", "some", "--helpers", "--nodes", "3"],
            "hostile": ["--hostile", "--output", "hostile", "--stacks", "hostile"],
            "many": ["--output", "many"], "bare": ["--drop", "output", "--drop", "samples/tick"],
            "newer": ["--set", "format_version=2.0"], "other": ["--set", "format=netcdf"],
            "unfinished": ["--set", "complete=0"], "short": ["--drop", "samples/rss_B"]}
    for name, options in runs.items():
        subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", path / f"{name}.h5",
                        *options], check=True)
    real = mt.run([mt.MEMLOG_MPI, "-q", "-r", "20ms", "--pstack", "--stack-rate", "100ms", "-n", "2",
                   "-o", path / "real.h5", "--", *mt.program(mt.BUILD, "grow"), "1.5", "64"])
    assert real.code == 0, str(real)
    return path


def columns_of(file, table):
    """Name and values of each column, as an export ought to have them."""
    found = {}
    for name, data in file[table].items():
        values = data[:].tolist()
        codes = [int(v) for v in data.attrs.get("flag_values", [])]
        words = data.attrs.get("flag_meanings", b"")
        words = (words.decode() if isinstance(words, bytes) else words).split()
        if codes:
            values = [dict(zip(codes, words)).get(v) if v != -1 else None for v in values]
        elif data.dtype.kind == "S":
            values = [v.decode(errors="replace") for v in values]
        elif name not in IDS:
            values = [None if v == -1 else v for v in values]
        found[name] = values
    return found


def equal(a, b):
    return a == b or (isinstance(a, float) and math.isclose(a, b, rel_tol=5e-9, abs_tol=2e-9))    # nine digits


@pytest.mark.parametrize("name", ["made", "bare", "real"])
def test_csv_is_the_table_of_samples(folder, name):
    rows = list(csv.DictReader(io.StringIO(memlog(folder, "export", "--csv", f"{name}.h5"))))
    with h5py.File(folder / f"{name}.h5") as f:
        truth = columns_of(f, "samples")
        nodes = [n.decode() for n in f["nodes/name"][:]]
        names = [n.decode() for n in f["processes/name"][:]]
        node_of = f["processes/node"][:].tolist()
    assert len(rows) == len(truth["time_s"]) > 0
    assert list(rows[0])[:5] == ["time_s", "process", "rank", "tick", "memory_B"]
    assert set(truth) <= set(rows[0])
    for column, values in truth.items():
        for row, value in zip(rows, values):
            shown = row[column]
            if value is None:
                assert shown == ""
            elif column == "state" and name != "real":
                continue                            # made up without its codes
            else:
                assert equal(type(value)(shown), value), (column, shown, value)
    for row, process in zip(rows, truth["process"]):
        assert row["node_name"] == nodes[node_of[process]] and row["process_name"] == names[process]


def test_csv_in_pandas(folder):
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(io.StringIO(memlog(folder, "export", "--csv", "made.h5")))
    with h5py.File(folder / "made.h5") as f:
        assert table.groupby("rank").rss_B.max()[3] == f["processes/peak_rss_B"][3]
    assert table.pss_B.isna().all()


def test_csv_of_hostile_names(folder):
    text = memlog(folder, "export", "--csv", "hostile.h5", "--until", "1s")
    assert {len(row) for row in csv.reader(io.StringIO(text), strict=True)} == {27}


@pytest.mark.parametrize("name", ["=1+2", "+1", "-bash", "@x", "\t=1", "solver"])
def test_no_formula_in_csv(folder, tmp_path, name):
    (tmp_path / "run.h5").write_bytes((folder / "made.h5").read_bytes())
    with h5py.File(tmp_path / "run.h5", "r+") as f:
        f["processes/name"][0] = name.encode()
    rows = csv.DictReader(io.StringIO(memlog(tmp_path, "export", "--csv", "run.h5")))
    assert next(rows)["process_name"] == (name if name == "solver" else "'" + name)


@pytest.mark.parametrize("name", ["made", "hostile", "many", "bare", "real"])
def test_json_is_the_file(folder, name):
    text = memlog(folder, "export", "--json", f"{name}.h5")
    assert text.isascii()
    export = json.loads(text)
    assert (export["format"], export["version"]) == ("memlog-export", 1)
    with h5py.File(folder / f"{name}.h5") as f:
        assert export["attributes"]["exit_code"] == f.attrs["exit_code"]
        for table in f:
            truth = columns_of(f, table)
            rows = len(next(iter(truth.values())))
            assert {len(values) for values in export[table].values()} == {rows}, table
            for column, values in truth.items():
                if column in ("ended", "state", "stream", "kind", "trigger") \
                        and name != "real":
                    continue                        # made up without their codes
                if name == "hostile" and column in ("text", "function", "file", "module", "name"):
                    continue                        # Python replaces more of bad UTF-8 at once
                assert all(map(equal, export[table][column], values)), (table, column)


def test_choice(folder):
    def rows(*options):
        return list(csv.DictReader(io.StringIO(memlog(folder, "export", "--csv", "made.h5",
                                                      *options))))
    some = rows("--rank", "1,3", "--since", "10s", "--until", "20s")
    assert {row["rank"] for row in some} == {"1", "3", "-1"}        # the helper is rank 1's
    assert all(10 <= float(row["time_s"]) <= 20 for row in some) and len(some) > 30
    export = json.loads(memlog(folder, "export", "--json", "made.h5", "--rank", "1", "--since",
                               "10s", "--until", "20s"))
    assert set(export["samples"]["process"]) == {1, 12}
    assert set(export["output"]["rank"]) == set() and len(export["processes"]["rank"]) == 13
    assert all(10 <= t <= 20 for t in export["job_samples"]["time_s"])


def wide(folder, name, *options):
    text = memlog(folder, "export", "--wide", name, *options)
    return [{k: float(v) if v else None for k, v in row.items()} for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize("name", ["made", "many", "real"])
def test_wide_has_a_column_a_rank(folder, name):
    """Each cell is what its rank had then; the sum's largest is what the report calls the peak."""
    rows = wide(folder, f"{name}.h5")
    with h5py.File(folder / f"{name}.h5") as f:
        times, process = f["samples/time_s"][:].tolist(), f["samples/process"][:].tolist()
        values = f["samples/memory_B" if "memory_B" in f["samples"] else "samples/rss_B"][:].tolist()
        ranks, parents = f["processes/rank"][:].tolist(), f["processes/parent"][:].tolist()
    heads = [h for h in rows[0] if h not in ("time_s", "total_B", "no_rank_B")]
    assert heads == [f"rank_{r}_B" for r in sorted(r for r in ranks if r >= 0)]
    lines = {round(row["time_s"], 6): row for row in rows}
    assert [row["time_s"] for row in rows] == sorted(row["time_s"] for row in rows)
    alone = {i for i, r in enumerate(ranks) if r >= 0 and i not in parents}
    assert alone
    for time, i, value in zip(times, process, values):
        if i in alone:
            assert lines[round(time, 6)][f"rank_{ranks[i]}_B"] == value
    for row in rows:
        assert row["total_B"] == sum(v or 0 for k, v in row.items() if k not in ("time_s", "total_B"))
    report = json.loads(memlog(folder, "read", "--json", f"{name}.h5"))["summary"]
    assert max(row["total_B"] for row in rows) == report["peak_B"]


def test_wide_of_a_part(folder):
    every, some = wide(folder, "made.h5"), wide(folder, "made.h5", "--rank", "1,3", "--since", "10s",
                                                "--until", "20s")
    assert list(some[0]) == ["time_s", "rank_1_B", "rank_3_B", "total_B"]
    assert all(10 <= row["time_s"] <= 20 for row in some) and len(some) > 10
    at = {row["time_s"]: row for row in every}
    assert all(at[row["time_s"]][head] == row[head] for row in some for head in ("rank_1_B", "rank_3_B"))


@pytest.mark.parametrize("name", ["made", "real"])
def test_wide_is_filled_in(folder, name):
    """Before a rank's first sample and after its end cells are empty, all others not."""
    rows = wide(folder, f"{name}.h5")
    for head in rows[0]:
        known = [row[head] is not None for row in rows]
        first, last = known.index(True), len(known) - known[::-1].index(True)
        assert all(known[first:last]), head


@pytest.mark.parametrize("name", ["made", "hostile", "many", "real"])
def test_perfetto(folder, name):
    """Each sample, stack and line of output is in the trace once, with its process."""
    trace = json.loads(memlog(folder, "export", "--perfetto", f"{name}.h5"))["traceEvents"]
    with h5py.File(folder / f"{name}.h5") as f:
        n_processes, ranks = len(f["processes/rank"]), f["processes/rank"][:].tolist()
        columns = f["samples"]
        values = columns["memory_B" if "memory_B" in columns else "rss_B"][:]
        samples = sorted((p + 1, t * 1e6, v / 2**20) for p, t, v in
                         zip(columns["process"][:].tolist(), columns["time_s"][:].tolist(), values.tolist())
                         if v >= 0)
        n_stacks = len(f["stack_samples/time_s"]) if "stack_samples" in f else 0
        n_lines = sum(r in ranks for r in f["output/rank"][:].tolist()) if "output" in f else 0
    named = {e["pid"] for e in trace if e["name"] == "process_name"}
    assert set(range(1, n_processes + 1)) < named and all(e["pid"] in named for e in trace)
    seen = sorted((e["pid"], e["ts"], e["args"]["MiB"]) for e in trace
                  if e["ph"] == "C" and e["pid"] <= n_processes)
    assert len(seen) == len(samples)
    assert all(a == pytest.approx(b, abs=1e-2) for a, b in zip(seen, samples))
    count = lambda *kinds: sum(e.get("cat") in kinds for e in trace)
    assert count("stack") == n_stacks and count("stdout", "stderr") == n_lines
    open_phases = {}
    for e in sorted((e for e in trace if e.get("cat") == "phase"), key=lambda e: (e["ts"], e["ph"] == "b")):
        key = e["pid"], e["id2"]["local"]
        open_phases[key] = open_phases.get(key, 0) + (1 if e["ph"] == "b" else -1)
    if name == "real":
        assert open_phases and set(open_phases.values()) == {0}
        assert any(e["ph"] == "X" and e["dur"] >= 0 for e in trace) or not count("mpi")


def log_of(folder, name, *options):
    text = memlog(folder, "export", "--moose-csv", name, *options)
    return list(csv.reader(io.StringIO(text, newline=""), **MOOSE))


@pytest.mark.parametrize("name", ["made", "hostile", "many", "bare", "real"])
def test_moose_csv_as_its_users_read_it(folder, name):
    """memory_logger.py: float(row[0]), int(row[1]), text, stack, host, int(row[5])."""
    rows = log_of(folder, f"{name}.h5")
    with h5py.File(folder / f"{name}.h5") as f:
        samples = sorted(zip(f["node_samples/time_s"][:], f["node_samples/node"][:],
                             f["node_samples"].get("memory_B", f["node_samples/rss_B"])[:]),
                         key=lambda s: s[0])
        origin = f.attrs["time_origin"]
        lines = [line.decode(errors="replace") for line in f["output/text"][:]] \
            if "output" in f else []
        n_stacks = len(f["stack_samples"]["time_s"]) if "stack_samples" in f else 0
    assert {len(row) for row in rows} == {6}
    assert max(len(field) for row in rows for field in row) < 131072
    times = [float(row[0]) for row in rows]
    assert times == sorted(times) and times[0] == pytest.approx(origin + samples[0][0], abs=2e-6)
    nodes = {}
    for row in rows:
        nodes[row[4]] = int(row[5])
        assert int(row[1]) == sum(nodes.values())
    assert len(rows) >= len(samples)
    peak = max(int(row[5]) for row in rows)
    assert peak == max(s[2] for s in samples) // 1024
    said = "".join(row[2] for row in rows)
    assert said.count("\n") >= len(lines) - 10
    if name in ("made", "many", "real"):
        assert sorted(said.split("\n")) == sorted(lines + [""]) or name == "made"
    assert any(row[3].startswith("#0 ") for row in rows) == (n_stacks > 0)
    assert not any(c in said for c in "\x1b\x00\x08")


def test_logs_are_read_as_runs(folder):
    """What --moose-csv writes is read back: the same totals, output and stacks."""
    for name in ("made", "hostile", "real"):
        memlog(folder, "export", "--moose-csv", f"{name}.h5", "-o", f"{name}.log")
        before = json.loads(memlog(folder, "read", "--json", f"{name}.h5"))
        after = json.loads(memlog(folder, "read", "--json", "--stdout", "--pstack", f"{name}.log"))
        assert len(after["nodes"]) == len(before["nodes"])
        for a, b in zip(after["nodes"], before["nodes"]):
            assert a["peak_B"] == pytest.approx(b["peak_B"], abs=1024)
        assert after["run"]["ranks"] == 0 and after["stacks"]["samples"]
        again = log_of(folder, f"{name}.log")
        first = log_of(folder, f"{name}.h5")
        assert len(again) == len(first)
        for a, b in zip(again, first):
            assert a[1:3] + a[4:] == b[1:3] + b[4:]
            assert float(a[0]) == pytest.approx(float(b[0]), abs=2e-6)
        if name != "hostile":                       # names with blanks and brackets are cut there
            assert [row[3] for row in again if row[3]] == [row[3] for row in first if row[3]]


OLD_LOG = ('1417035512.347000,2000,|Framework Information:\nMOOSE version: |,,node01,2000\r\n'
           '1417035512.600000,6000,,,node02,4000\r\n'
           '1417035512.850000,7000,|Time Step 1, dt = 1\n|,'
           '|#0  0x00007ffff in poll () from /lib64/libc.so.6\n'
           '#1  0x0000555 in Problem::solve (this=0x55) at /src/Problem.C:1203\n'
           '#2  main (argc=3, argv=0x7) at main.C:50\n|,node01,3000\r\n'
           '1417035513.100000,3000,,,node02,0\r\n')


def test_an_old_log(tmp_path):
    """One that the Python tool wrote."""
    (tmp_path / "old.log").write_text(OLD_LOG, newline="")
    report = json.loads(memlog(tmp_path, "read", "--json", "--all", "--stdout", "--pstack",
                               "old.log"))
    assert [row["memory_B"] // 1024 for row in report["memory"]] == [2000, 6000, 7000, 3000]
    assert report["run"]["started"] == "2014-11-26T20:58:32.347Z"
    assert report["summary"]["peak_B"] == 7000 * 1024
    assert [line["text"] for line in report["output"]] == [
        "Framework Information:", "MOOSE version: ", "Time Step 1, dt = 1"]
    calls = report["stacks"]["calls"]
    stack = [calls[i] for i in report["stacks"]["samples"][0]["calls"]]
    assert [call["function"] for call in stack] == ["poll", "Problem::solve", "main"]
    assert (stack[1]["file"], stack[1]["line"]) == ("/src/Problem.C", 1203)
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(report)
    text = memlog(tmp_path, "read", "--stdout", "--pstack", "--separate", "old.log")
    assert "2 nodes" in text and "Problem::solve" in text and "Time Step 1" in text
    text = memlog(tmp_path, "read", "old.log")
    assert "complete" not in text and re.search(r"^node01 +- .* unknown$", text, re.M)
    assert {node["record"] for node in report["nodes"]} == {"unknown"}
    assert "0 ranks" not in memlog(tmp_path, "plot", "old.log", "-o", "-")
    assert "it was recorded by nodes, without ranks" in \
        memlog(tmp_path, "plot", "old.log", "--rank", "0", "-o", "-", code=1)
    assert "<svg" in memlog(tmp_path, "plot", "old.log", "-o", "x.svg") \
        + (tmp_path / "x.svg").read_text()
    assert {p.name for p in tmp_path.iterdir()} == {"old.log", "x.svg"}


def test_a_log_that_breaks_off(tmp_path):
    (tmp_path / "cut.log").write_text(OLD_LOG[:-20], newline="")
    done = subprocess.run([mt.MEMLOG, "read", "--json", "cut.log"], cwd=tmp_path,
                          capture_output=True, text=True, env=mt.base_environment())
    assert done.returncode == 0 and "its last line is not whole" in done.stderr
    assert json.loads(done.stdout)["summary"]["peak_B"] == 7000 * 1024


@pytest.fixture(scope="module")
def wrong(folder):
    (folder / "empty.h5").write_bytes(b"")
    (folder / "text.h5").write_text("This is no run.\n")
    (folder / "bad.log").write_text(OLD_LOG + "1417035514.0,12,,,\r\n" + OLD_LOG)
    (folder / "cut.h5").write_bytes((folder / "made.h5").read_bytes()[:30000])
    (folder / "damaged.h5").write_bytes((folder / "made.h5").read_bytes()[:8] + b"\xff" * 60000)
    (folder / "folder.h5").mkdir()
    (folder / "loop.h5").symlink_to("loop.h5")
    os.mkfifo(folder / "fifo.h5")
    with h5py.File(folder / "foreign.h5", "w") as f:
        f["x"] = [1, 2, 3]
    return folder


WRONG = {"text.h5": "not an HDF5 file", "empty.h5": "empty", "foreign.h5": "not one of memlog-mpi",
         "other.h5": "not one of memlog-mpi", "newer.h5": "newer than this memlog",
         "unfinished.h5": "not complete", "short.h5": "column samples/rss_B is missing",
         "cut.h5": "truncated", "damaged.h5": "damaged", "folder.h5": "a directory",
         "fifo.h5": "not a file", "gone.h5": "not there", "loop.h5": "Too many levels",
         "bad.log": "bad.log: not a log of memory_logger.py: line 10: 5 fields"}
COMMANDS = {"read": ["read"], "json": ["read", "--json"], "plot": ["plot", "-o", "out.svg"],
            "csv": ["export", "--csv"], "tables": ["export", "--json", "-o", "out"],
            "moose": ["export", "--moose-csv", "-o", "out"], "folded": ["export", "--folded"]}


SEEN_OTHERWISE = {("plot", "short.h5"): "column rss_B was not recorded"}
INPUTS = [(command, name) for command in COMMANDS for name in WRONG
          if name != "short.h5" or command not in ("moose", "folded")]  # they need no such column


@pytest.mark.parametrize("command, name", INPUTS)
def test_wrong_input(wrong, command, name):
    before = sorted(wrong.iterdir())
    text = memlog(wrong, *COMMANDS[command], name, code=1)
    seen = SEEN_OTHERWISE.get((command, name), WRONG[name])
    assert seen in text and name in text and text.count("\n") == 1, text
    assert text.startswith("memlog: ") and sorted(wrong.iterdir()) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_hdf5_does_not_survive(tmp_path, command):
    """HDF5 1.10.8 reads where there is no memory; found by run_fuzz."""
    (tmp_path / "x.h5").write_bytes(gzip.decompress(
        (mt.TESTS / "data/damaged.h5.gz").read_bytes()))
    text = memlog(tmp_path, *COMMANDS[command], "x.h5", code=1)
    assert text.startswith("memlog: ") and text.count("\n") == 1, text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(folder):
    path = folder / "secret.h5"
    path.write_bytes((folder / "made.h5").read_bytes())
    path.chmod(0)
    assert "secret.h5: Permission denied" in memlog(folder, "read", "secret.h5", code=1)


def test_journals_in_a_folder_that_may_not_be_written(tmp_path):
    """Of a job that died; nothing is left beside them."""
    maker = mt.BIN_DIR.parent / "tests/unit/journal_maker"
    if not maker.exists():
        pytest.skip("journal_maker is not built")
    subprocess.run([maker, tmp_path / "run.h5", "2", "3", "20", "0"], check=True, stdout=subprocess.DEVNULL)
    journals = sorted(p.name for p in tmp_path.iterdir())
    os.chmod(tmp_path, stat.S_IRUSR | stat.S_IXUSR)
    try:
        report = json.loads(memlog(tmp_path, "read", "--json", "--stdout", *journals))
    finally:
        os.chmod(tmp_path, stat.S_IRWXU)
    assert report["run"]["recovered"] and report["summary"]["peak_B"] > 0
    assert sorted(p.name for p in tmp_path.iterdir()) == journals
