"""The Python module: what it says is what memlog says. No MPI but that of the real run."""
import csv
import importlib
import io
import json
import subprocess
import sys

import numpy
import pytest
import memlog_testing as mt

h5py = pytest.importorskip("h5py")
SCRIPTS = mt.TESTS.parent / "scripts/python"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("module")
    runs = {"made": ["--output", "some", "--stacks", "some", "--helpers", "--nodes", "3"],
            "hostile": ["--hostile", "--output", "hostile", "--stacks", "hostile"],
            "bare": ["--drop", "output", "--drop", "node_samples", "--drop", "samples/tick"],
            "many": ["--output", "many", "--seconds", "900"]}
    for name, options in runs.items():
        subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", path / f"{name}.h5", *options],
                       check=True)
    real = mt.run([mt.MEMLOG_MPI, "-q", "-r", "20ms", "--pstack", "--stack-rate", "100ms", "-n", "2",
                   "-o", path / "real.h5", "--", *mt.program(mt.BUILD, "grow"), "1", "64"])
    assert real.code == 0, str(real)
    return path


@pytest.fixture(params=["pandas", "numpy"])
def memlog(request, monkeypatch):
    """The module, with pandas and without."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    sys.modules.pop("memlog", None)
    if request.param == "pandas":
        pytest.importorskip("pandas")
    else:
        monkeypatch.setitem(sys.modules, "pandas", None)
    yield importlib.import_module("memlog")
    sys.modules.pop("memlog", None)


@pytest.mark.parametrize("name", ["made", "hostile", "bare", "many", "real"])
def test_memory_is_that_of_export(folder, memlog, name):
    rows = list(csv.DictReader(io.StringIO(mt.memlog(folder, "export", "--wide", f"{name}.h5"))))
    table = memlog.open(folder / f"{name}.h5").memory(by="rank")
    assert numpy.allclose(numpy.asarray(table.index, float), [float(r["time_s"]) for r in rows], atol=2e-9)
    heads = {"no_rank_B" if rank == "no rank" else f"rank_{rank}_B": rank for rank in table}
    assert list(heads) == [h for h in rows[0] if h not in ("time_s", "total_B")]
    for head, rank in heads.items():
        values = [float(r[head]) if r[head] else float("nan") for r in rows]
        assert numpy.array_equal(numpy.asarray(table[rank], float), values, equal_nan=True), head


@pytest.mark.parametrize("name", ["made", "many", "real"])
def test_peak_is_that_of_the_report(folder, memlog, name):
    run = memlog.open(folder / f"{name}.h5")
    summary = json.loads(mt.memlog(folder, "read", "--json", f"{name}.h5"))["summary"]
    assert run.peak == (pytest.approx(summary["peak_s"]), summary["peak_B"])
    nodes = run.memory(by="node")
    assert len(list(nodes)) == len(run.table("nodes")["name"])
    processes = run.memory(by="process")
    assert len(list(processes)) == len(run.table("processes")["pid"])


def test_stacks_are_those_of_the_report(folder, memlog):
    for name in ("made", "real"):
        run = memlog.open(folder / f"{name}.h5")
        shown = json.loads(mt.memlog(folder, "read", "--json", "--pstack", "--at", "peak", f"{name}.h5"))["stacks"]
        ours = {(s.rank, s.thread, tuple(c.function for c in s.calls)) for s in run.stacks_at_peak()}
        theirs = {(s["rank"], s["thread"], tuple(shown["calls"][i]["function"] for i in s["calls"]))
                  for s in shown["samples"]}
        known = {(r, t, tuple(f for f in calls if "+0x" not in f)) for r, t, calls in theirs}
        assert theirs and known <= {(r, t, tuple(f for f in calls if f)) for r, t, calls in ours}
        assert len(run.stacks()) == len(run.table("stack_samples")["time_s"])


def test_what_is_shown(folder, memlog):
    run = memlog.open(folder / "hostile.h5")
    page = run._repr_html_()
    assert "<table>" in page and "<script" not in page and "memlog.Run" in repr(run)
    assert run.verdict == run.attributes.get("verdict", "")
    assert len(run.ranks["pid"]) == sum(r >= 0 for r in run.table("processes")["rank"])


def test_wrong_use(folder, memlog, tmp_path):
    run = memlog.open(folder / "made.h5")
    with pytest.raises(KeyError, match="has no table 'samlpes'"):
        run.table("samlpes")
    with pytest.raises(ValueError, match="write job, node, rank or process"):
        run.memory(by="core")
    with h5py.File(tmp_path / "other.h5", "w"):
        pass
    with pytest.raises(ValueError, match="no file of memlog-mpi"):
        memlog.open(tmp_path / "other.h5")


def test_notebook(folder, monkeypatch):
    """Each cell of the documentation's notebook runs."""
    pytest.importorskip("pandas")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    (folder / "run.h5").write_bytes((folder / "real.h5").read_bytes())
    monkeypatch.chdir(folder)
    names = {}
    for cell in json.loads((mt.TESTS.parent / "docs/notebook.ipynb").read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and ".plot(" not in source:      # matplotlib need not be here
            exec(compile(source, "notebook", "exec"), names)
    assert names["run"].peak[1] > 0
