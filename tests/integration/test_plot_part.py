"""memlog plot of a part of a run: a span of time, some ranks, some nodes."""
import json
import re
import shutil

import pytest
from memlog_testing import memlog
from plot_testing import draw, folder, plot  # noqa: F401 folder is a fixture

BY = {"total": [], "rank": ["--by", "rank"], "node": ["--by", "node"], "process": ["--by", "process"]}


def page(folder, *words):
    """What a picture shows, as the page for the browser has it."""
    html = draw(folder, "part.html", *words).read_text()
    return json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', html, re.S).group(1))


def at(curve, t):
    """The value that holds at T."""
    return [v for time, v in zip(curve["t"], curve["v"]) if time <= t][-1]


def by_label(data):
    return {c["label"]: c for c in data["curves"]}


@pytest.mark.parametrize("by", BY)
def test_state_before_is_carried_in(folder, by):
    """At the left edge stands what was there already, at the right one the picture ends."""
    whole, part = (by_label(page(folder, "small", *BY[by], *words))
                   for words in ([], ["--since", "6", "--until", "0:09"]))
    assert part and part.keys() <= whole.keys()
    for label, curve in part.items():
        assert curve["t"][0] == 6 and curve["t"][-1] <= 9
        for t in (6, 6.5, 7.5, 8.9):
            assert at(curve, t) == pytest.approx(at(whole[label], t), rel=1e-5), (label, t)


def test_stack_is_carried_in(folder):
    whole, part = (by_label(page(folder, "small", "--stacked", *words)) for words in ([], ["--since", "6"]))
    assert {k: c["v"][0] for k, c in part.items()} == {k: at(c, 6) for k, c in whole.items()}


def test_heap(folder):
    """The eight owners that have most at the peak, the most at the bottom; the others together."""
    data = page(folder, "owners", "--heap")
    curves, t = by_label(data), 0.625 * 12
    assert [c["label"] for c in data["curves"]] == [
        "assemble(Mesh const&)", "Checkpoint::write()", "Matrix::reserve(int)", "Preconditioner::setup()",
        "Halo::resize(int)", "Window::share()", "read_mesh(File&)", "MPI_Waitall", "all others"]
    ranks = sum(1 + 0.05 * (rank % 7) for rank in range(8))
    assert at(curves["Checkpoint::write()"], t) == pytest.approx(20 * 2**20 * ranks, rel=1e-5)
    assert at(curves["Checkpoint::write()"], 6) == 0 == at(curves["Checkpoint::write()"], 9)
    done = memlog(folder, "read", "--json", "--at", "7.5s", "owners.h5")
    assert sum(at(c, t) for c in data["curves"]) == pytest.approx(json.loads(done)["heap"]["total"]["live_B"])
    assert all(c["t"] == data["curves"][0]["t"] for c in data["curves"])


def test_part_of_a_heap(folder):
    whole = by_label(page(folder, "owners", "--heap"))
    late = page(folder, "owners", "--heap", "--since", "9")
    owner = "assemble(Mesh const&)"
    assert late["curves"][0]["t"][0] == 9 and at(by_label(late)[owner], 9) == at(whole[owner], 9)
    assert "refine(Cell*, int)" in by_label(late) and "Checkpoint::write()" not in by_label(late)
    some = page(folder, "owners", "--heap", "--rank", "0-2")
    assert some["title"] == "Heap of ranks 0-2, by owner" and "limit" not in some
    parts = [by_label(page(folder, "owners", "--heap", "--rank", r))[owner] for r in ("0-2", "3-7")]
    assert sum(at(p, 6) for p in parts) == pytest.approx(at(whole[owner], 6))


def test_heap_of_who_left(folder, tmp_path):
    """What a process has counts until its end."""
    h5py = pytest.importorskip("h5py")
    shutil.copy(folder / "owners.h5", tmp_path / "left.h5")
    with h5py.File(tmp_path / "left.h5", "r+") as file:
        file["processes/end_s"][0] = 6.0
    html = draw(tmp_path, "left.html", "left.h5", "--heap").read_text()
    left = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', html, re.S).group(1))
    whole = page(folder, "owners", "--heap")
    def total(data, t):
        return sum(at(c, t) for c in data["curves"])
    assert total(left, 5.9) == total(whole, 5.9)
    own = total(page(folder, "owners", "--heap", "--rank", "0"), 6.5)
    assert total(left, 6.5) == pytest.approx(total(whole, 6.5) - own)


def test_range_is_what_was_asked_for(folder):
    for form in ([], ["--band"], ["--stacked"], ["--heatmap"], ["--multiples"], ["--rate"]):
        data = page(folder, "large", *form, "--since", "20min", "--until", "1:00:00")
        assert (data["begin"], data["end"]) == (1200, 3600), form
        script = plot(folder, "large", *form, "--since", "20min", "--until", "1:00:00", "-o", "-").stdout
        assert "set xrange [1200:3600]" in script, form
    data = page(folder, "large", "--heatmap", "--since", "20min", "--until", "1:00:00")
    columns = len(data["map"]["rows"][0])
    assert data["map"]["rows"][0][0] and data["map"]["rows"][0][columns // 2] is None


def test_date(folder):
    data = page(folder, "small", "--since", "2026-11-23 05:40:04")
    assert data["begin"] == 4


def test_peak_of_before_is_none_of_the_part(folder):
    whole, part = (page(folder, "small", "--by", "rank", *words)["curves"]
                   for words in ([], ["--since", "6.5", "--until", "7"]))
    assert max(part[0]["v"]) < max(whole[0]["v"])


def test_ranks(folder):
    data = page(folder, "small", "--by", "rank", "--rank", "0,5-6")
    assert {c["label"] for c in data["curves"]} == {"rank 0", "rank 5", "rank 6"}
    assert "2 nodes, 3 of 8 ranks" in data["subtitle"]
    total = page(folder, "small", "--rank", "0,5-6")
    assert total["title"] == "Resident memory, ranks 0,5-6" and "limit" not in total
    assert at(total["curves"][0], 8) == pytest.approx(sum(at(c, 8) for c in data["curves"]), rel=1e-6)
    assert page(folder, "small", "--rank", "all")["title"] == "Resident memory, all ranks"
    two = page(folder, "large", "--by", "rank", "--rank", "8-9")["curves"]
    assert {c["label"] for c in two} == {"rank 8", "rank 9"}
    assert page(folder, "large", "--heatmap", "--rank", "8-9")["map"]["labels"] == ["rank 8", "rank 9"]
    assert len(page(folder, "large", "--stacked", "--rank", "62,63")["curves"]) == 2


def test_nodes(folder):
    data = page(folder, "large", "--by", "node", "--node", "n01,n0[3-5]")
    assert {c["label"] for c in data["curves"]} == {"n01", "n03", "n04", "n05"}
    assert "4 of 8 nodes, 32 of 64 ranks" in data["subtitle"]
    total = page(folder, "large", "--node", "n0[12]")
    assert total["title"] == "Resident memory, all ranks of n0[12]" and "2 nodes" in total["limit"]["text"]
    assert {e["text"] for e in total["events"]} == {"rank 1 killed, n01 out of memory"}
    assert {e["text"] for e in page(folder, "large", "--node", "n07")["events"]} == {"n07 lost"}


def test_marks_and_phases_of_the_part(folder):
    words = ["small", "--pstack", "--stdout"]
    marks = page(folder, *words, "--since", "3", "--until", "8")["marks"]
    assert marks and all(3 <= m["t"] <= 8 for m in marks)
    marks = page(folder, *words, "--rank", "2")["marks"]
    assert marks and not re.search(r"^rank(s .*| )[^2\s]\b", "".join(m["text"] for m in marks), re.M)


@pytest.mark.parametrize("words, complaint", [
    (["--since", "1h"], "small.h5: nothing was recorded from 1:00:00 on; its end is 0:11.1"),
    (["--until", "0.001"], "small.h5: column rss_B has no values in that part of it"),
    (["--heatmap", "--until", "0.001"], "small.h5: column rss_B has no values in that part of it"),
    (["--until", "0"], "small.h5: nothing was recorded before its start"),
    (["--rank", "9,11"], "small.h5: no such rank there; there are ranks 0 to 7"),
    (["--node", "n3*"], "small.h5: --node n3*: no such node; there are n01, n02"),
    (["--rank", "few"], "'few' is no list of ranks"),
    (["--since", "noon"], "'noon' is no time"),
    (["--since", "8", "--until", "2"], "--since 8 is after --until 2"),
])
def test_nothing_there(folder, words, complaint):
    done = plot(folder, "small", *words, "-o", "none.png")
    assert done.returncode in (1, 2) and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and complaint in done.stderr
    assert not (folder / "none.png").exists()
