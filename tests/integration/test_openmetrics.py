"""memlog export --openmetrics, read by the parser of Prometheus' own client library, which refuses
what the specification forbids."""
import csv
import io
import subprocess
import sys

import pytest
import memlog_testing as mt
from memlog_testing import memlog

h5py = pytest.importorskip("h5py")
parser = pytest.importorskip("prometheus_client.openmetrics.parser")
samples = pytest.importorskip("prometheus_client.samples")
RUNS = {"made": ["--helpers", "--nodes", "3", "--mpi", "some"], "hostile": ["--hostile", "--mpi", "hostile"], "many": ["--output", "many"],
        "bare": ["--drop", "output", "--drop", "samples/tick"]}


@pytest.fixture(autouse=True)
def compare_times(monkeypatch):
    """The client of Debian 12 (0.16) takes 1.9 for later than 2.1: it compares the fractions alone."""
    monkeypatch.setattr(samples.Timestamp, "__gt__", lambda a, b: (a.sec, a.nsec) > (b.sec, b.nsec))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("openmetrics")
    for name, options in RUNS.items():
        subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", path / f"{name}.h5",
                        *options], check=True)
    return path


def families(folder, name, *options):
    text = memlog(folder, "export", "--openmetrics", f"{name}.h5", *options)
    assert text.endswith("\n# EOF\n")
    return {f.name: f for f in parser.text_string_to_metric_families(text)}


def start_of(file):
    """Unix time, as the report has it."""
    return float(file.attrs["time_origin"])


@pytest.mark.parametrize("name", RUNS)
def test_each_sample_is_there_once(folder, name):
    found = families(folder, name)
    with h5py.File(folder / f"{name}.h5") as f:
        start, columns = start_of(f), f["samples"]
        values = columns["memory_B" if "memory_B" in columns else "rss_B"][:].tolist()
        truth = sorted((p, round(start + t, 3), v) for p, t, v in
                       zip(columns["process"][:].tolist(), columns["time_s"][:].tolist(), values) if v != -1)
        of_rank = f["processes/rank"][:].tolist()
        node_of, nodes = f["processes/node"][:].tolist(), len(f["nodes/name"])
    memory = found["memlog_process_memory_bytes"]
    assert (memory.type, memory.unit) == ("gauge", "bytes") and "huge pages" in memory.documentation
    shown = [(int(s.labels["process"]), round(float(s.timestamp), 3), int(s.value)) for s in memory.samples]
    assert sorted(shown) == truth
    for sample in memory.samples:
        process = int(sample.labels["process"])
        assert int(sample.labels["node"]) == node_of[process] and sample.labels["run"] == f"{name}.h5"
        assert of_rank[process] in (-1, int(sample.labels["rank"]))
    assert {s.labels["node"] for s in found["memlog_node_memory_bytes"].samples} <= {str(i) for i in range(nodes)}
    info, = found["memlog_run"].samples
    assert info.value == 1 and info.labels["command"]
    assert abs(float(info.timestamp) - start) < 1e-3      # promtool wants a time of each sample


def test_counters_never_fall(folder):
    with h5py.File(folder / "many.h5", "r+") as f:
        process = f["samples/process"][:].tolist()
        f["samples/cpu_s"] = [0.25 * i if i % 10 else 0.0 for i in range(len(process))]
    cpu = families(folder, "many")["memlog_process_cpu_seconds"]
    assert (cpu.type, cpu.unit) == ("counter", "seconds") and len(cpu.samples) > 0.8 * len(process)
    last = {}
    for sample in cpu.samples:
        assert sample.name == "memlog_process_cpu_seconds_total"
        assert sample.value >= last.get(sample.labels["process"], 0)
        last[sample.labels["process"]] = sample.value


def test_a_part(folder):
    found = families(folder, "made", "--rank", "1,3", "--since", "10s", "--until", "20s")
    with h5py.File(folder / "made.h5") as f:
        start = start_of(f)
    shown = found["memlog_process_memory_bytes"].samples
    assert {s.labels["rank"] for s in shown} == {"1", "3"}
    assert all(10 <= round(float(s.timestamp) - start, 3) <= 20 for s in shown)


def test_without_a_start_there_are_no_unix_times(folder, tmp_path):
    with h5py.File(tmp_path / "undated.h5", "w") as out, h5py.File(folder / "made.h5") as f:
        for name in f:
            f.copy(name, out)
        for name, value in f.attrs.items():
            if name != "time_origin":
                out.attrs[name] = value
    said = memlog(tmp_path, "export", "--openmetrics", "undated.h5", code=1)
    assert said == ("memlog: undated.h5 does not say when the run started, and OpenMetrics has unix "
                           "times\n")


@pytest.mark.parametrize("name", ["made", "hostile"])
def test_the_call_stands_beside_its_number_in_csv(folder, name):
    rows = list(csv.DictReader(io.StringIO(memlog(folder, "export", "--csv", f"{name}.h5"))))
    with h5py.File(folder / f"{name}.h5") as f:
        names = [n.decode(errors="replace") for n in f["mpi_calls/name"][:]] if "mpi_calls" in f else []
    for row in rows:
        number = int(row["mpi_call"] or -1)
        assert row["mpi_call_name"].lstrip("'") == (names[number] if 0 <= number < len(names) else "")
