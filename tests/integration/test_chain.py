"""memlog read --chain and plot --chain: runs that followed each other, as one."""
import json
import re
import subprocess
import sys

import pytest
import memlog_testing as mt
from memlog_testing import memlog

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of a minute, and its restart, which begins two minutes after it and takes twice as much."""
    path = tmp_path_factory.mktemp("chain")
    for name in ("first", "second", "undated"):
        subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", path / f"{name}.h5",
                        "--output", "some", "--stacks", "some"], check=True)
    with h5py.File(path / "second.h5", "r+") as f:
        f.attrs["time_origin"] = f.attrs["time_origin"] + 120
        f["samples/rss_B"][:] = 2 * f["samples/rss_B"][:]
    with h5py.File(path / "undated.h5", "r+") as f:
        f.attrs["time_origin"] = -1.0
    return path


@pytest.mark.parametrize("files", [("first.h5", "second.h5"), ("second.h5", "first.h5")])
def test_the_peak_the_gap_and_one_curve(folder, files):
    lines = memlog(folder, "read", "--chain", *files, NO_COLOR="1").splitlines()
    assert lines[:3] == ["chain             2 runs, 3:00.0 from the first's start to the last's end",
                         "peak              1.77 GiB at 2:22.1, in second.h5",
                         "gap               1:00.0 between first.h5 and second.h5"]
    rows = [line.split() for line in lines]
    assert [row[0] for row in rows if row and row[0].endswith(".h5")] == ["first.h5", "second.h5"]
    title = lines.index("memory of all processes, run after run; 0 B between runs")
    curve = rows[title + 1:]
    times = [row[2] for row in curve]
    assert times == sorted(times)
    empty = [row[2] for row in curve if row[3:5] == ["0", "B"]]
    assert empty and all("1:00.0" <= time <= "2:00.0" for time in empty)
    assert sum(row[-1] == "100%" for row in curve) >= 1 and curve[0][2] < "0:01" < "2:59" < curve[-1][2]


@pytest.mark.parametrize("files, said", [
    (["first.h5", "first.h5"], "first.h5 started while first.h5 ran: --chain is for runs that follow each other"),
    (["first.h5", "undated.h5"], "undated.h5 does not say when the run started: --chain goes by that"),
    (["first.h5", "absent.h5"], "absent.h5: not there, and no journal of it lies beside it")])
def test_what_is_no_chain(folder, files, said):
    assert memlog(folder, "read", "--chain", *files, code=1) == f"memlog: {said}\n"


@pytest.mark.parametrize("arguments, said", [
    (["first.h5"], "--chain: name the runs that followed each other, two or more"),
    (["--mpi", "first.h5", "second.h5"], "--chain goes with --no-color only; read each run for more")])
def test_wrong_use(folder, arguments, said):
    assert said in memlog(folder, "read", "--chain", *arguments, code=2)


def page(folder, *options):
    memlog(folder, "plot", *options, "--pstack", "--stdout", "-o", "page.html")
    data = re.search(r'type="application/json" id="data">(.*?)</script>', (folder / "page.html").read_text(), re.S)
    return json.loads(data.group(1))


def test_a_picture_has_each_run_at_its_time(folder):
    """Curves and what can be clicked in them stand two minutes later than in a picture of the run alone."""
    chain, first, second = (page(folder, *options) for options in
                            (["--chain", "first.h5", "second.h5"], ["first.h5"], ["second.h5"]))
    assert "2 runs, one after the other" in chain["subtitle"]
    assert [c["label"] for c in chain["curves"]] == ["first", "second"]
    assert chain["begin"] == 0 and chain["end"] == pytest.approx(120 + second["end"])
    for number, (alone, later) in enumerate([(first, 0), (second, 120)]):
        curve = chain["curves"][number]
        assert curve["t"] == pytest.approx([t + later for t in alone["curves"][0]["t"]])
        marks = [m for m in chain["marks"] if m["curve"] == number]
        assert [m["text"] for m in marks] == [m["text"] for m in alone["marks"]] and len(marks) > 5
        assert [m["t"] for m in marks] == pytest.approx([m["t"] + later for m in alone["marks"]])


@pytest.mark.parametrize("files, said", [
    (["second.h5", "first.h5"], "first.h5 started before second.h5 ended: --chain takes runs in the order in which "
                                "they followed each other"),
    (["first.h5", "undated.h5"], "undated.h5 does not say when the run started: --chain goes by that")])
def test_no_picture_of_what_is_no_chain(folder, files, said):
    assert memlog(folder, "plot", "--chain", *files, "-o", "x.svg", code=1) == f"memlog: {said}\n"
    assert not (folder / "x.svg").exists()


@pytest.mark.parametrize("arguments, said", [
    (["first.h5"], "--chain: name the runs that followed each other, two or more"),
    (["--since", "5s", "first.h5", "second.h5"], "--chain draws whole runs: leave out --since and --until"),
    (["--by", "rank", "first.h5", "second.h5"], "--chain draws totals by the clock: leave out --by, --align and other forms")])
def test_wrong_use_of_plot(folder, arguments, said):
    assert said in memlog(folder, "plot", "--chain", *arguments, "-o", "x.svg", code=2)
