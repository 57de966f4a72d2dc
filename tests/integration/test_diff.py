"""memlog diff at the command line: what it says, how it fails, its JSON. No MPI here."""
import json
import subprocess
import sys

import jsonschema
import pytest
import memlog_testing as mt

h5py = pytest.importorskip("h5py")
SCHEMA = json.loads((mt.TESTS.parent / "docs/diff.schema.json").read_text())
RUNS = {
    "old": ["--mpi", "some"],
    "old2": ["--mpi", "some", "--scale", "1.02"],
    "old3": ["--mpi", "some", "--scale", "0.98"],
    "larger": ["--mpi", "some", "--scale", "1.3", "--seconds", "70"],
    "more": ["--ranks-per-node", "6", "--shape", "leak"],
    "hostile": ["--hostile", "--mpi", "hostile"],
    "bare": ["--nodes", "1", "--ranks-per-node", "1", "--seconds", "1", "--set", "time_origin=",
             "--drop", "node_samples", "--drop", "output"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("diff")
    for name, options in RUNS.items():
        subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", place / f"{name}.h5", *options],
                       check=True)
    (place / "moose.log").write_text("1417035512.0,104500,,,n1,104500\n1417035513.0,209000,,,n1,209000\n")
    return place


def diff(folder, *words, columns=80, locale="C.UTF-8"):
    env = dict(mt.base_environment(), TZ="UTC", COLUMNS=str(columns), LC_ALL=locale)
    files = [f"{w}.h5" if w in RUNS else w for w in words]
    return subprocess.run([mt.MEMLOG, "diff", *files], cwd=folder, env=env, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=mt.TIMEOUT_S)


def compare(folder, *words):
    done = diff(folder, "--json", *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    return report


def read(folder, name):
    return json.loads(subprocess.run([mt.MEMLOG, "read", "--json", "--mpi", folder / f"{name}.h5"], text=True,
                                     capture_output=True, check=True, timeout=mt.TIMEOUT_S).stdout)


def test_says_which_is_larger_and_where(folder):
    done = diff(folder, "old", "larger")
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(done.stdout.split())
    assert "the new peak is larger by 272 MiB (+30.0%); most in n02 (+142 MiB), rank 6" in words
    assert "phase: no change" in words
    assert "the new peak is smaller by" in diff(folder, "larger", "old").stdout
    assert "the peak is the same" in diff(folder, "old", "old").stdout


def test_has_the_numbers_of_read(folder):
    job, old, new = compare(folder, "old", "more")["job"], read(folder, "old"), read(folder, "more")
    for side, run in ("old", old), ("new", new):
        s = run["summary"]
        assert job["peak_B"][side]["median"] == s["peak_B"]
        assert job["peak_B"][side]["high"] == s["peak_B"] + s["peak_error_B"]
        assert job["largest_rank_B"][side]["median"] == s["largest_rank"]["peak_B"]
        assert job["mean_rank_B"][side]["median"] == s["mean_rank_peak_B"]
        assert job["growth_B_per_s"][side]["median"] == s["growth_B_per_s"]
        assert job["least_left_B"][side]["median"] == s["closest_to_limit"]["left_B"]
        assert job["duration_s"][side]["median"] == run["run"]["duration_s"]


def test_mpi_is_that_of_read(folder):
    mine, theirs = compare(folder, "old", "old2"), read(folder, "old")["mpi"]
    calls = {row["name"]: row for row in mine["mpi_calls"]["rows"]}
    assert set(calls) == {f["name"] for f in theirs["functions"]}
    for f in theirs["functions"]:
        row = calls[f["name"]]
        assert [row[k]["old"]["median"] for k in ("grown_B", "time_s", "calls")] == [
            f["mpi_grown_B"], f["time_s"], f["calls"]]
    phases = {row["name"]: row["grown_B"]["old"]["median"] for row in mine["phases"]["rows"]}
    assert phases == {p["name"]: p["grown_B"] for p in theirs["phases"]}


def test_other_numbers_of_ranks(folder):
    report = compare(folder, "old", "more")
    assert len(report["ranks"]["rows"]) == 8
    assert (report["ranks"]["old_only"], report["ranks"]["new_only"]) == (0, 4)
    assert "(not compared: 4 of the new runs alone)" in diff(folder, "old", "more").stdout
    assert report["phases"] is None and report["owners"] is None


@pytest.mark.parametrize("words", [["old", "old2", "old3", "--against", "larger", "old2"],
                                   ["--all", "old", "old2", "old3", "--json", "--against", "--all", "larger", "old2"]])
def test_several_runs_a_side(folder, words):
    report = compare(folder, *words)
    assert [r["file"] for r in report["old"]] == ["old.h5", "old2.h5", "old3.h5"]
    assert [r["file"] for r in report["new"]] == ["larger.h5", "old2.h5"]
    peak = report["job"]["peak_B"]
    peaks = {n: read(folder, n)["summary"]["peak_B"] for n in ("old", "old2", "old3", "larger")}
    assert peak["old"] == {"runs": 3, "median": peaks["old"], "low": peaks["old3"], "high": peaks["old2"]}
    assert peak["new"]["median"] == (peaks["larger"] + peaks["old2"]) / 2
    assert peak["within_noise"]


def test_first_is_old_without_against(folder):
    report = compare(folder, "old", "larger", "old2")
    assert [len(report["old"]), len(report["new"])] == [1, 2]


def test_noise_is_told(folder):
    done = diff(folder, "old", "old2", "old3", "--against", "old2", "larger", columns=120)
    assert "%), within the noise\n" in done.stdout
    assert "~ within the noise: spreads meet" in done.stdout
    assert "noise" not in diff(folder, "old", "larger").stdout


def test_small_changes_are_summed_up(folder):
    short = diff(folder, "old", "more").stdout
    assert "(7 more changed, -1.15 MiB together; --all shows them)" in short and "rank 7" not in short
    assert "rank 7" in diff(folder, "--all", "old", "more").stdout


@pytest.mark.parametrize("limits, code, words", [
    (["peak+29%"], 1, ["peak+29% is exceeded by 9.06 MiB: from 905 MiB to 1.15 GiB, +272 MiB, +30.0%"]),
    (["peak+31%"], 0, []),
    (["peak+5%", "rank+10MiB", "mean+1GiB", "growth+1%", "limit+5%", "time+5s"], 1,
     ["peak+5% ", "rank+10MiB ", "time+5s "]),
])
def test_limits(folder, limits, code, words):
    done = diff(folder, *[w for limit in limits for w in ("--fail-if", limit)], "old", "larger")
    assert done.returncode == code
    lines = done.stderr.splitlines()
    assert len(lines) == len(words)
    assert all(line.startswith(f"memlog: {word}") for line, word in zip(lines, words))


def test_limits_in_json(folder):
    done = diff(folder, "--json", "--fail-if", "peak+5%", "--fail-if", "time+1h", "old", "larger")
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert done.returncode == 1
    assert [x["outcome"] for x in report["limits"]] == ["exceeded", "kept"]


def test_noise_does_not_fail(folder):
    done = diff(folder, "--fail-if", "peak+5%", "old", "old2", "--against", "old2", "larger")
    assert done.returncode == 0 and "within the noise" in done.stderr


def test_what_is_not_known_fails(folder):
    done = diff(folder, "--fail-if", "limit+5%", "bare", "old")
    assert done.returncode == 1
    assert done.stderr == "memlog: limit+5% cannot be judged: it is not known of the old runs\n"


def test_logs_of_memory_logger(folder):
    report = compare(folder, "moose.log", "old")
    assert report["job"]["peak_B"]["old"]["median"] == 209000 * 1024
    assert report["job"]["largest_rank_B"]["old"]["runs"] == 0
    done = diff(folder, "old", "moose.log")
    assert (done.returncode, done.stderr) == (0, "") and "smaller" in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("names", [["old", "hostile"], ["hostile", "old2", "more"], ["bare", "more"]])
def test_text_fits(folder, columns, locale, names):
    done = diff(folder, "--all", *names, columns=columns, locale=locale)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert locale != "C" or done.stdout.isascii()
    assert max(len(line) for line in done.stdout.splitlines()) <= columns
