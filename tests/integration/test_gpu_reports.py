"""Memory of GPUs wherever host memory is shown, of made-up runs."""
import json
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
import memlog_testing as mt

MiB = 1 << 20
RUNS = {
    "some": ["--gpu", "some", "--seconds", "20", "--period", "1"],
    "full": ["--gpu", "full", "--seconds", "20", "--period", "1"],
    "none": ["--seconds", "20", "--period", "1"],
}
FORMS = {
    "total": [], "rank": ["--by", "rank"], "node": ["--by", "node"], "process": ["--by", "process"],
    "band": ["--band"], "stacked": ["--stacked"], "heatmap": ["--heatmap"], "multiples": ["--multiples"],
    "rate": ["--rate"], "part": ["--since", "5", "--until", "12", "--by", "rank"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("gpus")
    for name, options in RUNS.items():
        subprocess.run([sys.executable, mt.TESTS / "data" / "make_run.py", place / f"{name}.h5", *options],
                       check=True)
    return place


def memlog(folder, *words):
    env = {k: v for k, v in mt.base_environment().items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run([mt.MEMLOG, *map(str, words)], cwd=folder, env=dict(env, TZ="UTC"), text=True,
                          timeout=mt.TIMEOUT_S, stdin=subprocess.DEVNULL, capture_output=True)


def done(outcome):
    assert outcome.returncode == 0 and not outcome.stderr, outcome
    return outcome.stdout


def page(folder, name, *words):
    done(memlog(folder, "plot", *words, f"{name}.h5", "-o", "page.html"))
    html = (folder / "page.html").read_text()
    return json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', html, re.S).group(1))


def at(curve, t):
    return [v for time, v in zip(curve["t"], curve["v"]) if time <= t][-1]


def table(folder, name):
    """What each rank had at each time, by the table itself."""
    with h5py.File(folder / f"{name}.h5") as f:
        rank = f["processes/rank"][:]
        rows = zip(f["gpu_process_samples/time_s"], rank[f["gpu_process_samples/process"][:]],
                   f["gpu_process_samples/used_B"])
        return sorted((float(t), int(r), int(used)) for t, r, used in rows)


def held(rows, t):
    last = {}
    for time, rank, used in rows:
        if time <= t:
            last[rank] = used
    return last


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_a_picture(folder, form):
    data = page(folder, "some", "--column", "gpu_B", *FORMS[form])
    assert "GPU memory" in data["title"]
    assert (folder / "page.html").stat().st_size > 1000
    text = done(memlog(folder, "plot", "--column", "gpu_B", *FORMS[form], "some.h5"))
    assert "GPU memory" in text


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_gnuplot_draws_it(folder, suffix):
    done(memlog(folder, "plot", "--column", "gpu_B", "--by", "rank", "some.h5", "-o", f"out.{suffix}"))
    assert (folder / f"out.{suffix}").stat().st_size > 1000


def test_the_curves_are_what_the_table_has(folder):
    rows = table(folder, "some")
    curves = {c["label"]: c for c in page(folder, "some", "--column", "gpu_B", "--by", "rank")["curves"]}
    total = page(folder, "some", "--column", "gpu_B")["curves"][0]
    assert set(curves) == {f"rank {r}" for r in range(8)}
    for t in (2.5, 6.5, 12.5, 19.5):
        now = held(rows, t)
        for rank, used in now.items():
            assert at(curves[f"rank {rank}"], t) == pytest.approx(used, rel=1e-5)
        assert at(total, t) == pytest.approx(sum(now.values()), rel=1e-5)


def test_a_part_begins_with_what_was_there(folder):
    rows = table(folder, "some")
    data = page(folder, "some", "--column", "gpu_B", "--since", "10", "--rank", "1,3")
    curve = data["curves"][0]
    assert curve["t"][0] == 10
    assert curve["v"][0] == pytest.approx(sum(held(rows, 10)[r] for r in (1, 3)), rel=1e-5)


def test_the_total_has_both(folder):
    data = page(folder, "some")
    assert [c["label"] for c in data["curves"]] == ["host", "GPUs"]
    assert data["title"].startswith("Memory of host and GPUs") and "limit" not in data
    assert len(page(folder, "some", "--column", "memory_B")["curves"]) == 1
    assert len(page(folder, "none")["curves"]) == 1
    assert len(page(folder, "some", "--by", "node")["curves"]) == 2  # of the host alone


def test_the_memory_of_gpus_is_its_limit(folder):
    with h5py.File(folder / "full.h5") as f:
        memory = int(sum(f["gpus/memory_B"]))
    assert page(folder, "full", "--column", "gpu_B")["limit"]["value"] == pytest.approx(memory)
    assert page(folder, "full", "--column", "gpu_B", "--by", "node")["limit"]["value"] == pytest.approx(memory / 2)


def test_a_run_without_gpus(folder):
    outcome = memlog(folder, "plot", "--column", "gpu_B", "none.h5", "-o", "x.png")
    assert outcome.returncode == 1 and not (folder / "x.png").exists()
    assert outcome.stderr == ("memlog: none.h5: column gpu_B: no process of the run was seen with memory of a GPU\n")
    assert "GPU" not in done(memlog(folder, "read", "none.h5"))
    summary = json.loads(done(memlog(folder, "read", "--json", "none.h5")))["summary"]
    assert summary["gpu_peak_B"] is None and summary["fullest_gpu"] is None


def test_read(folder):
    rows = table(folder, "full")
    report = json.loads(done(memlog(folder, "read", "--json", "full.h5")))
    peaks = {r: max(used for _, rank, used in rows if rank == r) for r in range(8)}
    totals = {t: sum(held(rows, t).values()) for t, *_ in rows}
    assert {p["rank"]: p["gpu_peak_B"] for p in report["processes"]} == peaks
    assert report["summary"]["gpu_peak_B"] == max(totals.values())
    assert totals[report["summary"]["gpu_peak_s"]] == max(totals.values())
    full = report["summary"]["fullest_gpu"]
    assert full == {"node": "n01", "gpu": 1, "used_B": full["used_B"], "memory_B": full["memory_B"], "rank": 1,
                    "time_s": full["time_s"], "rank_B": held(rows, full["time_s"])[1]}
    assert 0.97 < full["used_B"] / full["memory_B"] < 1
    text = done(memlog(folder, "read", "full.h5"))
    assert re.search(r"\nGPU peak +\S+ [MG]iB at 0:\d\d.*, of all GPUs\n", text), text
    assert re.search(r" \S+ MiB of \S+ MiB left \(2%\) on GPU 1 of n01 at 0:\d\d.1; rank 1 had most, \S+ MiB node",
                     " ".join(text.split())), text
    assert re.search(r"rank  node   pid  name +peak +at  GPU peak", text), text


def test_fullest_without_the_driver(folder, tmp_path):
    """Where no driver tells of the whole GPU, by what the processes of the run have of it."""
    (tmp_path / "run.h5").write_bytes((folder / "full.h5").read_bytes())
    with h5py.File(tmp_path / "run.h5", "a") as f:
        f["gpu_samples/used_B"][:] = -1
    rows = table(folder, "full")
    full = json.loads(done(memlog(tmp_path, "read", "--json", "run.h5")))["summary"]["fullest_gpu"]
    now = held(rows, full["time_s"])
    assert full["used_B"] == now[1] + now[3] and (full["rank"], full["rank_B"]) == (1, now[1])


def test_hostile_rows(folder, tmp_path):
    """Numbers that refer to nothing, and sums beyond all bounds."""
    (tmp_path / "run.h5").write_bytes((folder / "some.h5").read_bytes())
    with h5py.File(tmp_path / "run.h5", "a") as f:
        n = len(f["gpu_process_samples/process"])
        f["gpu_process_samples/process"][:] = np.resize([-5, 2**31 - 1, 0, 1, 2, 3], n)
        f["gpu_process_samples/gpu"][:] = np.resize([0, 1, -1, 2**31 - 1], n)
        f["gpu_process_samples/used_B"][:] = np.resize([2**63 - 1, -2**63, 2**62, 0, 5], n)
        f["gpu_process_samples/time_s"][:] = np.resize([1.0, np.nan, -7, 1e300, 3.0], n)
        f["gpus/memory_B"][:] = np.resize([2**63 - 1, 0, -1, 1], len(f["gpus/memory_B"]))
    for words in (["read"], ["read", "--json"], ["plot"], ["plot", "--column", "gpu_B", "--by", "rank"],
                  ["plot", "--column", "gpu_B", "--heatmap"]):
        outcome = memlog(tmp_path, *words, "run.h5")
        assert outcome.returncode in (0, 1), outcome
    done(memlog(tmp_path, "diff", "run.h5", "run.h5"))


def test_diff(folder):
    peak = {n: json.loads(done(memlog(folder, "read", "--json", f"{n}.h5")))["summary"]["gpu_peak_B"]
            for n in ("some", "full")}
    text = done(memlog(folder, "diff", "some.h5", "full.h5"))
    assert re.search(r"\nGPU peak +\S+ GiB +\S+ GiB +\+\S+ MiB", text), text
    job = json.loads(done(memlog(folder, "diff", "--json", "some.h5", "full.h5")))["job"]
    assert job["gpu_peak_B"]["change"] == peak["full"] - peak["some"] > 0
    assert "GPU" not in done(memlog(folder, "diff", "none.h5", "none.h5"))
    for limit, code in (("gpu+1%", 1), ("gpu+1GiB", 0)):
        assert memlog(folder, "diff", "--fail-if", limit, "some.h5", "full.h5").returncode == code
    unknown = memlog(folder, "diff", "--fail-if", "gpu+5%", "none.h5", "full.h5")
    assert unknown.returncode == 1 and "not known of the old runs" in unknown.stderr
