"""memlog plot of a part of a run: a span of time, some ranks, some nodes."""
import json
import re

import pytest
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
