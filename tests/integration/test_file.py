"""The file is as its format says, and opens with the right numbers in h5py with pandas, PyTables,
Octave, R and h5dump, by the reading lines that the documentation gives."""
import json
import re
import shutil
import subprocess
import sys

import pytest
import memlog_testing as mt
from memlog_file import Recording, h5py

COLUMNS = {
    "nodes": "node name memory_B swap_B cgroup_limit_B cpus clock_offset_s clock_error_s ticks "
             "missed cpu_s stacks stacks_failed stacks_cpu_s debugger_restarts ended",
    "processes": "process rank node pid parent of_rank start_s end_s exit_code signal first_row n_rows "
                 "peak_memory_B peak_memory_s peak_rss_B peak_s name command",
    "samples": "time_s process rank tick memory_B rss_B rss_anon_B rss_file_B rss_shmem_B hugetlb_B "
               "pss_B swap_B vsize_B peak_rss_B cpu_s threads major_faults state mpi_call heap_used_B heap_held_B "
               "read_B written_B",
    "node_samples": "time_s node tick processes memory_B memory_error_B rss_B pss_B "
                    "available_B swap_free_B stalled_s swap_in_B swap_out_B cgroup_B cgroup_file_B "
                    "cgroup_shmem_B cgroup_kernel_B left_B limit_B limit sampler_cpu_s cpu_Hz",
    "job_samples": "time_s ranks memory_B memory_error_B rss_B pss_B largest_rank "
                   "largest_memory_B largest_rss_B least_available_B least_node gpu_B",
    "events": "time_s node process kind value text",
    "output": "time_s rank stream continued text",
    "frames": "function file line module offset_B inlined",
    "stacks": "parent frame depth",
    "stack_samples": "time_s process thread stack trigger stopped_s took_s",
    "mpi": "process rank phase call calls time_s time_error_s longest_s messages sent_B grown_B",
    "mpi_calls": "name kind",
    "heap": "process rank site stack kind peak_s peak_B peak_blocks peak_error_B end_B end_blocks end_error_B"
            " allocated_B allocated_blocks allocated_error_B",
    "heap_samples": "time_s process rank site stack kind live_B live_blocks live_error_B allocated_B"
                    " allocated_blocks allocated_error_B",
    "gpus": "node gpu name uuid memory_B driver pci numa_node minor reserved_B gpu_instance",
    "gpu_samples": "time_s node gpu used_B utilisation ecc_errors",
    "gpu_process_samples": "time_s process gpu used_B host_B",
    "gpu_choices": "time_s process gpu variable value",
}
ATTRIBUTES = ("format format_version title creator created time_origin time_origin_iso complete "
              "recovered command directory mpi exit_code verdict").split()

# The documented lines, as they stand; each is run in the folder of run.h5
PANDAS = """\
f = h5py.File('run.h5'); df = pd.DataFrame({k: v[:] for k, v in f['samples'].items()})
i = list(f['processes/rank'][:]).index(3); a, n = f['processes/first_row'][i], \
f['processes/n_rows'][i]; m = f['samples/memory_B'][a:a + n]
"""
OCTAVE = "s = load('-hdf5', 'run.h5', 'samples').samples; plot(s.time_s, s.memory_B)"
R = "df <- as.data.frame(rhdf5::h5read('run.h5', 'samples', bit64conversion = 'double'))"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Four ranks, with helpers, output and some time: enough rows of every kind."""
    file = tmp_path_factory.mktemp("file") / "run.h5"
    outcome = mt.run(mt.mpiexec(mt.BUILD, 4)
                     + [mt.MEMLOG_MPI, "-q", "-r", "20ms", "-o", file, "--"]
                     + mt.program(mt.BUILD, "grow") + ["1.5", "256"])
    assert outcome.code == 0, str(outcome)
    return Recording(file)


@pytest.fixture
def beside(recording, monkeypatch):
    monkeypatch.chdir(recording.path.parent)


# ---------------------------------------------------------------- the schema
@pytest.mark.parametrize("table", COLUMNS)
def test_columns(recording, table):
    columns = recording[table]
    assert set(COLUMNS[table].split()) == set(columns)
    assert len({len(v) for v in columns.values()}) == 1, "columns of unequal length"


def test_every_column_is_described(recording):
    """1-D; signed, float or fixed-width text, as R and Octave want it; in our order."""
    with h5py.File(recording.path) as f:
        for name, group in f.items():
            for key, dataset in group.items():
                where = f"{name}/{key}"
                assert dataset.ndim == 1 and dataset.dtype.kind in "ifS", where
                assert "units" in dataset.attrs and "description" in dataset.attrs, where
                if "flag_values" in dataset.attrs:
                    meanings = dataset.attrs["flag_meanings"]
                    words = meanings.decode() if isinstance(meanings, bytes) else meanings
                    assert len(dataset.attrs["flag_values"]) == len(words.split()), where
            if name in COLUMNS:
                keys = list(group.keys())
                order = [keys.index(c) for c in COLUMNS[name].split()[:4]]
                assert order == sorted(order), f"{name}: {keys} is not in our order"
        for coded in ("samples/state", "events/kind", "output/stream", "nodes/ended",
                      "stack_samples/trigger"):
            assert "flag_values" in f[coded].attrs, coded


def test_attributes(recording):
    attributes = recording.attributes
    assert not [a for a in ATTRIBUTES if a not in attributes]
    assert attributes["format"] == "memlog" and attributes["format_version"] == "1.4"
    assert attributes["complete"] == 1 and attributes["recovered"] == 0
    assert attributes["exit_code"] == 0 and "grow" in attributes["command"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", attributes["time_origin_iso"])


def test_rows_belong_together(recording):
    """Rows by process and by time inside; first_row and n_rows; peaks; ticks that join."""
    samples, processes = recording["samples"], recording.rows("processes")
    assert [p["process"] for p in processes] == list(range(len(processes)))
    expected_row = 0
    for p in processes:
        rows = slice(p["first_row"], p["first_row"] + p["n_rows"])
        assert p["first_row"] == expected_row
        expected_row += p["n_rows"]
        assert set(samples["process"][rows]) <= {p["process"]}
        assert set(samples["rank"][rows]) <= {p["rank"]}
        times = samples["time_s"][rows]
        assert times == sorted(times)
        assert p["peak_rss_B"] >= max(samples["rss_B"][rows], default=0)
        assert -1 <= p["parent"] < len(processes)
    assert expected_row == len(samples["time_s"])
    assert sorted(recording.ranks()) == [0, 1, 2, 3]
    assert set(samples["tick"]) <= set(recording["node_samples"]["tick"])
    assert all(float(t * 2 ** 20).is_integer() for t in samples["time_s"])


def test_bytes_written(recording):
    """As the kernel counts them: at least what was written to stdout, and what the loader read."""
    samples = recording.rows("samples")
    for process, row in {row["process"]: row for row in samples if row["rank"] >= 0}.items():
        assert row["read_B"] > 1000 and row["written_B"] >= len("rank 0: growing"), (process, row)


def test_rows_only_where_something_changed(recording):
    samples = recording.rows("samples")
    by_process = {}
    for row in samples:
        key = tuple(v for k, v in row.items() if k not in ("time_s", "tick"))
        last = by_process.get(row["process"])
        if last:
            assert key != last[0] or row["time_s"] - last[1] > 9, row
        by_process[row["process"]] = (key, row["time_s"])


def test_growth_is_seen(recording):
    """75 steps of 256 KiB a rank."""
    for rank in range(4):
        rss = [r["rss_B"] for r in recording.rows("samples") if r["rank"] == rank]
        assert rss[-1] - rss[0] > 75 * 256 * 1024 * 0.7 and len(rss) > 10


# ---------------------------------------------------------------- the readers
def expected_sums(recording):
    samples = recording["samples"]
    return {"rows": len(samples["rss_B"]), "rss": sum(samples["rss_B"]),
            "time": sum(samples["time_s"])}


def check(recording, reader, rows, rss, time):
    wanted = expected_sums(recording)
    assert int(rows) == wanted["rows"], reader
    assert float(rss) == float(wanted["rss"]), reader
    assert abs(float(time) - wanted["time"]) < 1e-6 * max(1, wanted["time"]), reader


def test_pandas(recording, beside):
    pd = pytest.importorskip("pandas", reason="pandas (python3-pandas) is not installed")
    names = {"h5py": h5py, "pd": pd}
    exec(PANDAS, names)
    df = names["df"]
    check(recording, "pandas", len(df), df.rss_B.sum(), df.time_s.sum())
    assert list(names["m"]) == [r["memory_B"] for r in recording.rows("samples") if r["rank"] == 3]


def test_pytables(recording):
    pytest.importorskip("tables", reason="PyTables (python3-tables) is not installed")
    # a process of its own: PyTables and h5py may be linked with different HDF5 libraries
    code = ("import tables, json; f = tables.open_file('run.h5'); s = f.root.samples; "
            "print(json.dumps([len(s.rss_B[:]), int(s.rss_B[:].sum()), s.time_s[:].sum()]))")
    out = subprocess.run([sys.executable, "-c", code], cwd=recording.path.parent, timeout=mt.TIMEOUT_S,
                         capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    check(recording, "PyTables", *json.loads(out.stdout))


def octave(code, folder):
    """What Octave prints. plot() is replaced by one that checks its arguments: drawing needs
    fonts and a toolkit, which is no matter of ours."""
    program = shutil.which("octave-cli")
    if not program:
        pytest.skip("octave is not installed")
    (folder / "plot.m").write_text("function plot(x, y) assert(size_equal(x, y)); end\n")
    out = subprocess.run([program, "--norc", "--eval", code], timeout=mt.TIMEOUT_S, text=True, cwd=folder,
                         capture_output=True)
    assert out.returncode == 0, out.stderr
    return out.stdout.split()


def test_octave(recording):
    code = OCTAVE + "; printf('%d %.0f %.9f', numel(s.rss_B), sum(double(s.rss_B)), sum(s.time_s))"
    check(recording, "Octave", *octave(code, recording.path.parent))


def test_octave_loads_the_whole_file(recording):
    code = "s = load('-hdf5', 'run.h5'); printf('%s ', fieldnames(s){:})"
    assert set(COLUMNS) <= set(octave(code, recording.path.parent))


def test_r(recording):
    if not shutil.which("Rscript"):
        pytest.skip("R is not installed")
    if subprocess.run(["Rscript", "-e", "library(rhdf5)"], capture_output=True).returncode:
        pytest.skip("R's rhdf5 is not installed")
    code = R + "; cat(nrow(df), sprintf('%.0f %.9f', sum(df$rss_B), sum(df$time_s)))"
    out = subprocess.run(["Rscript", "--vanilla", "-e", code], cwd=recording.path.parent,
                         capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert out.returncode == 0 and "NA" not in out.stdout, out.stderr
    check(recording, "R", *out.stdout.split())


def test_h5dump(recording):
    if not shutil.which("h5dump"):
        pytest.skip("h5dump (hdf5-tools) is not installed")
    out = subprocess.run(["h5dump", "-y", "-w", "0", "-d", "/samples/rss_B", "run.h5"],
                         cwd=recording.path.parent, capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert out.returncode == 0, out.stderr
    data = re.search(r"DATA \{(.*?)\}", out.stdout, re.S)[1]
    values = [int(v) for v in data.replace(",", " ").split()]
    assert values == recording["samples"]["rss_B"]
    whole = subprocess.run(["h5dump", "-H", "run.h5"], cwd=recording.path.parent,
                           capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert whole.returncode == 0 and "H5T_STD_U" not in whole.stdout


def test_memlog_read(recording):
    """The first report: nodes, ranks, peaks."""
    out = subprocess.run([mt.MEMLOG, "read", "run.h5"], cwd=recording.path.parent,
                         capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert out.returncode == 0, out.stderr
    assert recording["nodes"]["name"][0] in out.stdout
    assert "100" in out.stdout and "%" in out.stdout
