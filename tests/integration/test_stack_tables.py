"""The tables of stacks open in h5py, pandas, Octave and R, in a run with stacks and in one without
(where they are empty), and the recipes of docs/format.md give what they promise."""
import re
import shutil
import subprocess
from collections import Counter

import pytest
import memlog_testing as mt
from memlog_file import Recording, h5py

NODES, PROCESSES, TICKS, STACKS = 3, 2, 40, 60
MAKER = mt.PROGRAMS.parent / "unit" / "journal_maker"
TABLES = {"frames": "function file line module offset_B inlined",
          "stacks": "parent frame depth",
          "stack_samples": "time_s process thread stack trigger stopped_s took_s"}


@pytest.fixture(scope="module", params=[STACKS, 0], ids=["stacks", "none"])
def recording(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks")
    numbers = [str(n) for n in (NODES, PROCESSES, TICKS, request.param)]
    subprocess.run([MAKER, "run.h5", *numbers], cwd=folder, check=True, timeout=mt.TIMEOUT_S)
    subprocess.run([mt.MEMLOG, "recover", *sorted(p.name for p in folder.glob("*.journal")),
                    "-o", "run.h5"], cwd=folder, check=True, timeout=mt.TIMEOUT_S, capture_output=True)
    made = Recording(folder / "run.h5")
    made.has_stacks = request.param > 0
    return made


def test_columns(recording):
    for table, columns in TABLES.items():
        assert list(recording[table]) == columns.split()
    with h5py.File(recording.path) as f:
        assert {"stacks", "stacks_failed", "stacks_cpu_s", "debugger_restarts"} <= set(f["nodes"])
        assert f["stack_samples/trigger"].attrs["flag_meanings"] == \
            b"interval growth signal low_memory"
        assert (f["frames/offset_B"].dtype == "int64") == recording.has_stacks
        names = list(f)
    assert set(TABLES) <= set(names)


def test_rows_belong_together(recording):
    rows = recording.rows("stack_samples")
    assert len(rows) == (NODES * PROCESSES * TICKS if recording.has_stacks else 0)
    processes = recording.rows("processes")
    order = [(processes[r["process"]]["node"], r["time_s"]) for r in rows]
    assert order == sorted(order)
    assert [r["stacks"] for r in recording.rows("nodes")] == [len(rows) // NODES] * NODES
    for i, stack in enumerate(recording.rows("stacks")):
        assert stack["parent"] < i and stack["frame"] < len(recording["frames"]["line"])


def documented_recipes():
    """The Python blocks of the part "The stacks", as they stand there."""
    text = (mt.TESTS.parent / "docs/format.md").read_text()
    part = text[text.index("## The stacks"):text.index("## The heap profile")]
    blocks = re.findall(r"```python\n(.*?)```", part, re.S)
    assert len(blocks) == 2
    return "\n".join(blocks)


def lines_to_root(recording, stack):
    rows, frames = recording.rows("stacks"), recording.rows("frames")
    while stack >= 0:
        frame = frames[rows[stack]["frame"]]
        yield stack, frame["function"] or f"{frame['module']}+{hex(frame['offset_B'])}"
        stack = rows[stack]["parent"]


def test_recipes(recording):
    np = pytest.importorskip("numpy", reason="numpy is not installed")
    with h5py.File(recording.path) as f:
        names = {"f": f, "h5py": h5py, "np": np, "Counter": Counter}
        exec(documented_recipes(), names)
    functions, branches = Counter(), Counter()
    for sample in recording.rows("stack_samples"):
        way = list(lines_to_root(recording, sample["stack"]))
        assert names["path"](sample["stack"]) == [name for _, name in reversed(way)]
        functions.update({name for _, name in way})
        branches.update(row for row, _ in way)
    assert names["samples"] == functions
    assert {row: n for row, n in enumerate(names["branch"]) if n} == branches
    assert bool(functions) == recording.has_stacks


def expected(recording):
    samples, frames = recording["stack_samples"], recording["frames"]
    return [len(samples["stack"]), sum(samples["stack"]), len(frames["line"]),
            sum(frames["offset_B"])]


def test_pandas(recording):
    pd = pytest.importorskip("pandas", reason="pandas (python3-pandas) is not installed")
    with h5py.File(recording.path) as f:
        samples, frames = (pd.DataFrame({k: v[:] for k, v in f[t].items()})
                           for t in ("stack_samples", "frames"))
    assert [len(samples), samples['stack'].sum(), len(frames), frames.offset_B.sum()] \
        == expected(recording)


def test_octave(recording):
    program = shutil.which("octave-cli")
    if not program:
        pytest.skip("octave is not installed")
    code = ("s = load('-hdf5', 'run.h5'); t = s.stack_samples; f = s.frames; "
            "printf('%d %d %d %d', numel(t.stack), sum(double(t.stack)), numel(f.line), "
            "sum(double(f.offset_B)))")
    out = subprocess.run([program, "--norc", "--eval", code], cwd=recording.path.parent,
                         timeout=mt.TIMEOUT_S, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert [int(n) for n in out.stdout.split()] == expected(recording)


def test_r(recording):
    if not shutil.which("Rscript"):
        pytest.skip("R is not installed")
    if subprocess.run(["Rscript", "-e", "library(rhdf5)"], capture_output=True).returncode:
        pytest.skip("R's rhdf5 is not installed")
    code = ("r <- function(t) as.data.frame(rhdf5::h5read('run.h5', t, bit64conversion = "
            "'double')); t <- r('stack_samples'); f <- r('frames'); n <- r('nodes'); "
            "cat(nrow(t), sum(t$stack), nrow(f), sum(f$offset_B))")
    out = subprocess.run(["Rscript", "--vanilla", "-e", code], cwd=recording.path.parent,
                         capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert out.returncode == 0, out.stderr
    assert [int(n) for n in out.stdout.split()] == expected(recording)


def test_memlog_read(recording):
    out = subprocess.run([mt.MEMLOG, "read", "run.h5"], cwd=recording.path.parent,
                         capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert out.returncode == 0, out.stderr
    assert "n0app" in out.stdout
