"""memlog plot --flame: flame graphs of the heap and of stacks; --owner: one owner in other forms."""
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest
import memlog_testing as mt
from memlog_testing import memlog
from plot_testing import FLAMES, MAKER, draw, folder, modules, needs, plot  # noqa: F401 fixtures

SVG = "{http://www.w3.org/2000/svg}"
FOLDED = re.compile(r" \(recursive, up to \d+ deep\)$")
PEAK = 7.5                                              # of the made-up heap, s


class Box:
    def __init__(self, g):
        self.row, self.weight, self.kind = int(g.get("data-row")), int(g.get("data-w")), g.get("class")
        self.name, self.figures, *self.rest = g.find(SVG + "title").text.split("\n")
        rect = g.find(SVG + "rect")
        self.x, self.y, self.wide = (float(rect.get(key)) for key in ("x", "y", "width"))
        text = g.find(SVG + "text")
        self.shown = "" if text is None else text.text
        self.calls = []


def boxes(path):
    """Those of a picture, each with what it called."""
    root = xml.parse(path).getroot()
    found, path = [], []
    for g in next(g for g in root.iter(SVG + "g") if g.get("class") == "boxes"):
        box = Box(g)
        del path[box.row:]
        if path:
            path[-1].calls.append(box)
        path.append(box)
        found.append(box)
    return found


def heap(folder, name, *words):
    return json.loads(memlog(folder, "read", "--json", "--heap", *words, f"{name}.h5"))["heap"]


def flame(folder, *words):
    return boxes(draw(folder, "flame.svg", *words))


# ------------------------------------------------------------------------------ what is drawn
@pytest.mark.parametrize("words", [[], ["--at", "6s"], ["--at", "end"], ["--churn"], ["--rank", "0-2"],
                                   ["--churn", "--at", "0:03", "--rank", "5"]])
def test_heap_is_what_read_says(folder, words):
    found = flame(folder, "owners", "--heap", "--flame", *words)
    total = heap(folder, "owners", *words)["total"]
    weight = total["allocated_B"] if "--churn" in words else total["live_B"]
    assert found[0].name == "all" and found[0].weight == weight > 0
    for box in found:
        assert sum(call.weight for call in box.calls) <= box.weight
        assert box.row == 0 or box.wide <= found[0].wide
        left = box.x
        for call in box.calls:                          # beside one another, above their caller
            assert call.x == pytest.approx(left, abs=0.02) and call.row == box.row + 1
            left += call.weight / weight * 1172
    ranks = {"0-2": "in 3 ranks", "5": "in rank 5 alone"}.get(words[-1] if "--rank" in words else "", "in 8 ranks")
    assert ranks in found[0].rest[0]


def test_owners_of_a_heap(folder):
    found = {box.name: box for box in flame(folder, "owners", "--heap", "--flame", "--at", f"{PEAK}s")}
    ranks = sum(1 + 0.05 * (rank % 7) for rank in range(8))
    box = found["Checkpoint::write()"]
    assert box.weight == pytest.approx(20 * 2**20 * ranks, rel=1e-5)
    assert re.fullmatch(r"181 MiB ± [0-9.]+ MiB, 24% of all", box.figures)
    assert box.rest[0] == "in 8 ranks, rank 6 has most: 26.0 MiB"
    assert box.rest[1].endswith(":20") and "/" in box.rest[2]
    assert "calls not known" in found
    assert found["operator new(unsigned long)"].kind == "k3" and found["Checkpoint::write()"].kind == "k0"


@pytest.mark.parametrize("words", [[], ["--rank", "1"], ["--since", "6s"], ["--since", "3s", "--until", "0:09"]])
def test_stacks_are_counted(folder, words):
    found = flame(folder, "small", "--flame", *words)
    rows = memlog(folder, "export", "--folded", *words, "small.h5").splitlines()
    assert found[0].weight == sum(int(row.rsplit(" ", 1)[1]) for row in rows) > 0
    assert "samples" in found[0].figures or found[0].weight == 1
    assert all("±" not in box.figures for box in found)
    for row in rows:                                    # the whole path of each stack
        calls, here = row.rsplit(" ", 1)[0].split(";"), found[0]
        for call, _ in itertools.groupby(calls):        # its calls of itself are folded
            here = next(box for box in here.calls if FOLDED.sub("", box.name).replace(";", ":") == call)


def test_recursion_is_one_frame(folder):
    """A function that calls itself two hundred times is no picture of two hundred rows."""
    found = flame(folder, "small", "--flame")
    depth = max(len(row.rsplit(" ", 1)[0].split(";"))
                for row in memlog(folder, "export", "--folded", "small.h5").splitlines())
    name = "refine(Cell*, int) (recursive, up to 200 deep)"
    assert [box.name for box in found if FOLDED.search(box.name)] == [name]
    assert depth > 200 > 20 > max(box.row for box in found)
    assert next(box for box in found if box.name == name).calls


def test_which_way_it_grows(folder):
    up, down = (flame(folder, "owners", "--heap", way) for way in ("--flame", "--icicle"))
    assert [(b.name, b.weight, b.x) for b in up] == [(b.name, b.weight, b.x) for b in down]
    assert up[0].y == max(b.y for b in up) and down[0].y == 0


def test_of_what_there_is(folder, tmp_path):
    """Without --heap and --pstack stacks, or else the heap; or one line on why there is neither."""
    def title(name, *words):
        return xml.parse(draw(folder, "t.svg", name, *words)).getroot().find(SVG + "title").text
    assert title("small", "--flame").startswith("Stacks of all ranks")
    assert title("owners", "--flame").startswith("Heap at ")
    assert title("owners", "--heap", "--icicle", "--rank", "0-2").endswith("ranks 0-2")
    for words, why in ((["other", "--flame"], "no stacks"), (["small", "--heap", "--flame"], "no heap profile"),
                       (["owners", "--pstack", "--flame"], "no stacks"),
                       (["owners", "--heap", "--flame", "--rank", "999"], "nothing that was allocated"),
                       (["small", "--flame", "--since", "9999s"], "none of the")):
        done = plot(folder, *words, "-o", str(tmp_path / "x.svg"))
        assert done.returncode == 1 and why in done.stderr and done.stderr.count("\n") == 1, done
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words, why", [
    (["--heap", "--flame", "--pstack"], "one at a time"), (["--heap", "--flame", "--since", "3s"], "--at"),
    (["--flame", "--by", "rank"], "no axes"), (["--flame", "--log"], "no axes"), (["--flame", "--stdout"], "no axes"),
    (["--flame", "--node", "n01"], "--rank"), (["--flame", "--heatmap"], "one"),
    (["--flame", "--owner", "main"], "searched"), (["--heap", "--at", "3s"], "--flame"),
    (["--heap", "--churn"], "--flame"), (["--heap", "--flame", "--at", "noon"], "peak, end"),
    (["--owner", "main", "--column", "pss_B"], "no column"),
])
def test_what_does_not_go_together(folder, words, why):
    done = plot(folder, "owners", *words, "-o", "x.svg")
    assert done.returncode == 2 and why in done.stderr and done.stderr.count("\n") == 1, done


# ------------------------------------------------------------------------------ whoever draws it
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("form", FLAMES)
def test_png(folder, form, theme):
    needs("gnuplot")
    image = pytest.importorskip("PIL.Image", reason="no python3-pil here")
    dark = ["--darkmode"] if theme == "dark" else []
    picture = image.open(draw(folder, "x.png", *FLAMES[form], *dark, "--size", "900x520")).convert("RGB")
    assert picture.size == (1800, 1040)
    colours = {colour: n for n, colour in picture.getcolors(1 << 24)}
    own = {"light": (0x2a, 0x6f, 0xdb), "dark": (0x2f, 0x70, 0xda)}[theme]
    assert colours[own] > 2000
    ground = {"light": (255, 255, 255), "dark": (0x10, 0x15, 0x1b)}[theme]
    margin = [picture.getpixel((x, y)) for x in range(0, 1800, 7) for y in (2, 1037)]
    margin += [picture.getpixel((x, y)) for x in (2, 1797) for y in range(0, 1040, 7)]
    assert set(margin) == {ground}, "something is cut off at the edge"


def test_pdf_texts(folder):
    needs("gnuplot", "pdftotext")
    path = draw(folder, "x.pdf", *FLAMES["flame"])
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True).stdout
    for word in ("Heap at ", "all ranks", "the program", "assemble(Mesh const&)", "MPI_Wai"):
        assert word in re.sub(r"\s+", " ", text), text


@pytest.mark.parametrize("form", FLAMES)
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_terminal(folder, form, locale):
    for columns in (40, 80, 200):
        done = plot(folder, *FLAMES[form], env={"COLUMNS": str(columns), "LINES": "30", "LC_ALL": locale})
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert 4 < len(lines) <= 28 and max(map(len, lines)) <= columns
        assert done.stdout.isascii() == (locale == "C") and "main" in done.stdout


@pytest.mark.parametrize("suffix", ["svg", "html", "gp", "png", "txt", "tex"])
def test_hostile_names(folder, tmp_path, suffix):
    needs("gnuplot")
    for words in (["villains", "--heap"], ["hostile"]):
        done = plot(folder, *words, "--flame", "-o", str(tmp_path / f"x.{suffix}"))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert [p.name for p in tmp_path.iterdir()] == [f"x.{suffix}"]
        text = (tmp_path / f"x.{suffix}").read_bytes().decode(errors="replace")
        if suffix == "svg":
            xml.parse(tmp_path / "x.svg")
        if suffix in ("svg", "html"):
            assert text.count("<script") == text.count("</script") == 1
            assert "href" not in re.sub(r"<title>.*?</title>|<text.*?</text>", "", text, flags=re.S)


ODD = {
    "stray process": ("heap/process", 77), "stray stack": ("heap/stack", 2**30), "odd kind": ("heap/kind", 99),
    "largest": ("heap/end_B", 2**63 - 1), "negative": ("heap/end_B", -5), "sure": ("heap/end_error_B", 2**63 - 1),
    "far rank": ("processes/rank", 2**31 - 1), "stray frame": ("stacks/frame", 2**30), "stray parent": ("stacks/parent", 2**30),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_heap(tmp_path, folder, odd):
    import h5py
    shutil.copy(folder / "owners.h5", tmp_path / "run.h5")
    column, value = ODD[odd]
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file[column][3] = value
    for out in ("x.svg", "-"):
        done = plot(tmp_path, "run.h5", "--heap", "--flame", "--at", "end", "-o", out)
        assert done.returncode in (0, 1) and done.stderr.count("\n") == done.returncode, done
        if out == "x.svg" and done.returncode == 0:
            assert all(0 <= b.x and b.x + b.wide <= 1172.01 for b in boxes(tmp_path / out))


# ------------------------------------------------------------------------------ the browser
def browse(modules, page, shots=None):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no chromium here")
    done = subprocess.run(["node", mt.TESTS / "integration/flame_open.mjs", modules, chromium, page,
                           *([shots] if shots else [])], capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["errors"], seen["dialogs"], seen["touched"]) == ([], [], None)
    assert set(seen["requests"]) == {page.resolve().as_uri()}
    return seen


@pytest.mark.parametrize("suffix, way", [("svg", "--flame"), ("html", "--icicle")])
def test_browser(folder, modules, suffix, way):
    path = draw(folder, f"see{way}.{suffix}", "owners", "--heap", way)
    shots = os.environ.get("MEMLOG_SHOTS")
    seen = browse(modules, path, shots and f"{shots}/{way[2:]}-{suffix}")
    whole, chosen = seen["boxes"][0], seen["chosen"]
    assert whole["name"] == "all" and whole["w"] > 1000 and len(seen["boxes"]) > 20
    assert all(b["over"] <= 0 for key in ("boxes", "zoomed", "phone") for b in seen[key]), "a name leaves its box"
    # under the pointer: all that is known
    assert seen["under"]["shown"] and seen["under"]["inside"] and not seen["away"]["shown"]
    assert re.search(r"MiB ± .* MiB, \d+(\.\d)?% of all\nin 8 ranks, rank 6 has most", seen["under"]["text"])
    # zoom: as wide as all, with those below it, and nothing beside it
    zoomed = [b for b in seen["zoomed"] if b["row"] == chosen["row"]]
    assert len(zoomed) == 1 and zoomed[0]["w"] == pytest.approx(whole["w"], abs=1)
    assert seen["reset"] == seen["boxes"] and seen["again"] == seen["boxes"]
    # search: what is found, and its share of all
    assert seen["hits"] and all(seen["word"] in b["name"] or "…" in b["name"] for b in seen["hits"])
    share = float(re.search(r"calls?, ([\d.]+)% of all$", seen["found"]).group(1))
    assert share == pytest.approx(100 * sum(b["w"] for b in seen["hits"]) / whole["w"], abs=1)
    assert seen["first"]["shown"] and seen["escaped"] == "" and seen["missing"] == "not found"
    # keys
    assert seen["atAll"]["text"].startswith("all\n") and not seen["atInner"]["text"].startswith("all\n")
    entered = [b for b in seen["entered"] if b["row"] == 1]
    assert len(entered) == 1 and entered[0]["w"] == pytest.approx(whole["w"], abs=1)
    # widths, and dark
    assert seen["narrower"][0]["w"] < 800 and (suffix == "svg" or seen["phoneWide"] <= 390)
    assert seen["ground"] == "rgb(16, 21, 27)" and seen["dark"][0]["fill"] != whole["fill"]
    assert seen["tapped"]["shown"] and seen["tapped"]["inside"]


def test_hostile_names_in_the_browser(folder, modules):
    browse(modules, draw(folder, "villains.html", "villains", "--heap", "--flame"))


# ------------------------------------------------------------------------------ one owner
def page(folder, *words):
    html = draw(folder, "owner.html", *words).read_text()
    return json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', html, re.S).group(1))


def at(curve, t):
    return [v for time, v in zip(curve["t"], curve["v"]) if time <= t][-1]


def test_ranks_of_the_largest_owner(folder):
    data = page(folder, "owners", "--heap", "--by", "rank")
    assert data["title"] == "Heap of assemble(Mesh const&), by rank" and data["form"] == "lines"
    assert re.search(r"sampled, ± [\d.]+% where a rank has most", data["subtitle"])
    assert [c["label"] for c in data["curves"]] == [f"rank {r}" for r in range(8)]
    for rank, curve in enumerate(data["curves"]):
        for t in (3.1, 6.1, 9.1):
            x = t / 12
            live = (12 + 48 * x) / 2 * 2**20 * (1 + 0.05 * (rank % 7))
            assert at(curve, t) == pytest.approx(live, rel=0.05), (rank, t)
    layers = {c["label"]: c for c in page(folder, "owners", "--heap")["curves"]}
    total = page(folder, "owners", "--owner", "assemble(Mesh const&)")
    assert total["title"] == "Heap of assemble(Mesh const&), all ranks"
    for t in (3.1, 6.1, 9.1):
        owner = at(layers["assemble(Mesh const&)"], t)
        assert sum(at(c, t) for c in data["curves"]) == pytest.approx(owner) == at(total["curves"][0], t)


def test_owner_that_has_it_for_a_while(folder):
    """From 0, and to 0 again."""
    data = page(folder, "owners", "--by", "rank", "--owner", "Checkpoint")
    assert data["title"] == "Heap of Checkpoint::write(), by rank"
    for curve in data["curves"]:
        assert at(curve, 5) == 0 == at(curve, 9) and at(curve, PEAK) > 2**24


def test_map_of_an_owner(folder, tmp_path):
    lines = page(folder, "owners", "--by", "rank", "--owner", "refine(Cell*, int)")
    data = page(folder, "owners", "--heatmap", "--owner", "refine(Cell*, int)")
    assert data["title"] == "Heap of refine(Cell*, int), rank by rank"
    rows = data["map"]["rows"]
    assert data["map"]["labels"] == [f"rank {r}" for r in range(8)]
    for row, curve in zip(rows, lines["curves"]):
        assert max(v for v in row if v is not None) == pytest.approx(max(curve["v"]))
        assert row[len(row) // 4] == 0 and row[-2] > 0
    subprocess.run([sys.executable, MAKER, tmp_path / "many.h5", "--seconds", "12", "--period", "1", "--nodes", "2",
                    "--ranks-per-node", "8", "--heap", "some"], check=True)
    for words in (["--heap", "--by", "rank"], ["--heap", "--heatmap"]):  # of many ranks lines are no picture
        assert page(tmp_path, "many.h5", *words)["form"] == "heatmap", words
    assert page(tmp_path, "many.h5", "--heap", "--band")["form"] == "band"


@pytest.mark.parametrize("form", [["--by", "node"], ["--band"], ["--stacked"], ["--multiples"], ["--rate"],
                                  ["--by", "process"], ["--by", "rank", "--log"], ["--by", "rank", "--since", "6s"]])
def test_owner_in_every_form(folder, form):
    needs("gnuplot")
    for out in ("x.svg", "x.html"):
        assert draw(folder, out, "owners", "--heap", "--owner", "assemble", *form).stat().st_size > 1000


@pytest.mark.parametrize("owner, why", [("nobody", "--heap --flat"), ("::", "which of")])
def test_owner_that_is_not_meant(folder, owner, why):
    done = plot(folder, "owners", "--by", "rank", "--owner", owner, "-o", "x.svg")
    assert done.returncode == 1 and why in done.stderr and done.stderr.count("\n") == 1, done


def test_owner_without_a_profile(folder):
    done = plot(folder, "small", "--heap", "--by", "rank", "-o", "x.svg")
    assert done.returncode == 1 and "no heap profile" in done.stderr and done.stderr.count("\n") == 1
