"""memlog plot: scripts compared as text, pictures rendered and looked at."""
import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest
import memlog_testing as mt
from plot_testing import FORMS, MAKER, draw, folder, needs, plot  # noqa: F401 folder is a fixture

LABELS = {  # words that each picture must show
    "total": ["Resident memory, all ranks", "8 nodes, 64 ranks", "GiB", "elapsed", "n07 lost",
              "rank 1 killed, n01 out of memory", "limit of 8 nodes", "peak"],
    "two": ["2 runs, each from its start", "small", "other"],
    "node": ["by node", "n01", "n08", "node limit"],
    "rank": ["rank 0", "rank 7", "Mesh: reading", "MiB"],
    "process": ["rank 0 solver", "partmesh"],
    "band": ["smallest to largest rank", "mean of ranks", "largest: rank 1", "peak"],
    "stacked": ["rank upon rank", "n01", "at the end", "limit of 8 nodes"],
    "heap": ["Heap of all ranks, by owner", "sampled, ± ", "assemble(Mesh const&)", "Halo::resize(int)",
             "all others", "MiB"],
    "heatmap": ["rank by rank", "n01", "n08", "rank 1", "GiB"],
    "multiples": ["node by node", "n01", "n08", "peak"],
    "rate": ["Growth of resident memory", "MiB/s"],
    "stdout": ["Resident memory", "Mesh: reading", "Time Step 1"],
}
GROUNDS = {"light": (255, 255, 255), "dark": (0x10, 0x15, 0x1b)}
MAIN = {"light": {(0x2a, 0x6f, 0xdb)}, "dark": {(0x6a, 0xa9, 0xff)}}
LAYERS = {"light": {(0x1d, 0x4f, 0x9c)}, "dark": {(0x2c, 0x5f, 0xae)}}
OWNERS = {"light": {(0x2a, 0x6f, 0xdb)}, "dark": {(0x4f, 0x8a, 0xe6)}}


# ------------------------------------------------------------------------------ scripts
@pytest.mark.parametrize("form", FORMS)
def test_script(folder, form):
    """All but what every script begins with is as in tests/data; that is a file of its own."""
    needs_small = [a if a != "large" else "small" for a in FORMS[form]]
    script = plot(folder, *needs_small, "-o", "-").stdout
    preamble = (mt.TESTS.parent / "src/draw/preamble.gp").read_text()
    assert preamble in script
    golden = mt.TESTS / "data" / f"plot_{form}.gp"
    text = script.replace(preamble, "# (preamble.gp)\n")
    if os.environ.get("MEMLOG_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def curves(script):
    """The values of each curve of a script by its name, as (time, value)."""
    names = dict(re.findall(r'^names\[(\d+)\] = "(.*)"$', script, re.M))
    blocks = re.findall(r"^\$run(\d+) << EOD\n(.*?)EOD$", script, re.M | re.S)
    return {names[k]: [tuple(map(float, line.split())) for line in rows.splitlines()] for k, rows in blocks}


def test_lost_node_ends_where_its_record_does(folder):
    """Its memory is not known to be gone; of all ranks' memory it is no more part."""
    by_node = curves(plot(folder, "large", "--by", "node", "-o", "-").stdout)
    assert by_node["n08"][-1][0] == pytest.approx(1710, abs=6)
    assert by_node["n07"][-1][0] == pytest.approx(1260, abs=6) and by_node["n07"][-1][1] > 15
    total = curves(plot(folder, "large", "-o", "-").stdout)["large"]
    before, after = [[v for t, v in total if low < t < high] for low, high in ((1230, 1255), (1265, 1290))]
    assert max(after) < min(before) - 15


def test_growth_is_not_pressed_flat(folder):
    """By what is freed at once: the axis goes as far down as up."""
    script = plot(folder, "large", "--rate", "-o", "-").stdout
    low, high = map(float, re.search(r"set yrange \[(.*):(.*)\]", script).groups())
    assert -1.3 * high < low < 0


def test_many_ranks_are_a_band(folder):
    scripts = [plot(folder, "large", *words, "-o", "-").stdout for words in (["--band"], ["--by", "rank"])]
    assert "$band" in scripts[0] and scripts[0] == scripts[1]


def test_script_stands_alone(folder):
    """Another program may run it: from a pipe, with a file of its own choice."""
    needs("gnuplot")
    script = plot(folder, "small", "--pstack", "-o", "-").stdout
    place = folder / "alone"
    place.mkdir()
    subprocess.run(["gnuplot", "-d", "-"], input="out='x.png'; dark=1\n" + script, cwd=place, text=True,
                   check=True, timeout=mt.TIMEOUT_S)
    assert [p.name for p in place.iterdir()] == ["x.png"]


def test_labels(folder):
    """Files of one name are called by what differs in their paths; or as somebody wishes."""
    for name in ("old", "new"):
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(folder / "small.h5", folder / name / "run.h5")
    def names(*words):
        return re.findall(r'^names\[\d+\] = "(.*)"$', plot(folder, *words, "-o", "-").stdout, re.M)
    assert names("old/run.h5", "new/run.h5", "other") == ["old/run", "new/run", "other"]
    assert names("old/run.h5", "new/run.h5", "--label", "before") == ["before", "run"]
    assert names("other", "small", "--label", "a", "--label", "b") == ["a", "b"]
    assert names("small", "small") == ["small", "small"]


@pytest.mark.parametrize("by", ["total", "rank", "node"])
def test_values_that_are_0_all_the_time(folder, tmp_path, by):
    """They are drawn, from the first sample on, as is a leading stretch of zeros."""
    h5py = pytest.importorskip("h5py")
    shutil.copy(folder / "small.h5", tmp_path / "zero.h5")
    with h5py.File(tmp_path / "zero.h5", "r+") as f:
        f["samples/swap_B"] = [0] * len(f["samples/rss_B"])
    done = plot(tmp_path, "zero.h5", "--column", "swap_B", "--by", by, "-o", "-")
    assert (done.returncode, done.stderr) == (0, "")
    for points in curves(done.stdout).values():
        assert points[0][0] < 1 and {v for _, v in points} == {0} and points[-1][0] > 10
    low, high = map(float, re.search(r"set yrange \[(.*):(.*)\]", done.stdout).groups())
    assert low == 0 and high > 0.5


def test_output_without_a_rank(folder, tmp_path):
    """Of an old log, or of a launcher that was recorded: marked all the same."""
    h5py = pytest.importorskip("h5py")
    shutil.copy(folder / "small.h5", tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5", "r+") as f:
        f["output/rank"][...] = -1
    for by in ("total", "node", "rank"):
        script = plot(tmp_path, "run.h5", "--stdout", "--by", by, "-o", "-").stdout
        assert "Mesh: reading core_3d_12M.e" in script and "rank -1" not in script, by


def test_heatmap_of_one_rank(tmp_path):
    """Has colours; gnuplot draws no image of one row."""
    needs("gnuplot")
    image = pytest.importorskip("PIL.Image", reason="no python3-pil here")
    subprocess.run([sys.executable, MAKER, tmp_path / "one.h5", "--nodes", "1", "--ranks-per-node", "1",
                    "--seconds", "20"], check=True)
    for suffix in ("png", "svg", "pdf"):
        assert plot(tmp_path, "one.h5", "--heatmap", "-o", f"x.{suffix}").returncode == 0
    picture = image.open(tmp_path / "x.png").convert("RGB")
    w, h = picture.size
    inside = [picture.getpixel((x, y)) for x in range(w // 4, w * 3 // 4, 5) for y in (h // 3, h // 2, 2 * h // 3)]
    grey = (0xdf, 0xe3, 0xe7)
    assert inside.count(grey) < len(inside) / 10 and len(set(inside)) > 5


def test_more_nodes_than_lines(tmp_path):
    """A map has fewer rows than a screen has lines, and names who has most; curves that nobody can tell
    apart are one datablock, since gnuplot looks through all of them for each."""
    subprocess.run([sys.executable, MAKER, tmp_path / "wide.h5", "--nodes", "1100", "--ranks-per-node", "2",
                    "--seconds", "4", "--shape", "leak"], check=True)
    script = plot(tmp_path, "wide.h5", "--heatmap", "-o", "-").stdout
    rows = re.search(r"\$map << EOD\n#.*\n([^E]*)EOD", script)[1].splitlines()
    assert len(rows) == -(-1100 // 3)
    assert len(re.findall(r'"rank \d+" at graph 1', script)) == 1
    script = plot(tmp_path, "wide.h5", "--by", "node", "-o", "-").stdout
    assert 1 < script.count(" << EOD") < 40
    names = re.findall(r"^\$run\d+ ", script, re.M)
    assert script.count("\n\n") >= 1100 - len(names)


def test_title_of_many_nodes(tmp_path):
    """A name at the end of a curve is no label that the title has."""
    subprocess.run([sys.executable, MAKER, tmp_path / "wide.h5", "--nodes", "507", "--ranks-per-node", "1",
                    "--seconds", "4", "--period", "1"], check=True)
    script = plot(tmp_path, "wide.h5", "--by", "node", "-o", "-").stdout
    assert re.findall(r"^set label (90\d) ", script, re.M) == ["901", "902", "903", "904"]


def test_axis_of_hours_and_of_minutes(folder, tmp_path):
    """24 minutes are 24:00, 24 hours are 24:00:00."""
    for seconds, period, shown in ((1440, 10, '"%1tM:%S"'), (86400, 600, '"%1tH:%M:%S"')):
        subprocess.run([sys.executable, MAKER, tmp_path / "run.h5", "--seconds", str(seconds), "--period",
                        str(period)], check=True)
        assert f"format {shown}" in plot(tmp_path, "run.h5", "-o", "-").stdout


# ------------------------------------------------------------------------------ pictures
@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("form", FORMS)
def test_png(folder, form, theme):
    needs("gnuplot")
    image = pytest.importorskip("PIL.Image", reason="no python3-pil here")
    dark = ["--darkmode"] if theme == "dark" else []
    path = draw(folder, f"{form}-{theme}.png", *FORMS[form], *dark, "--size", "900x520")
    picture = image.open(path).convert("RGB")
    assert picture.size == (1800, 1040)                 # two pixels each, for sharp screens
    colours = {colour: n for n, colour in picture.getcolors(1 << 24)}
    assert colours[GROUNDS[theme]] > (0.1 if form in ("heatmap", "stacked", "heap") else 0.4) * 1800 * 1040
    assert len(colours) > 50
    if form != "heatmap":
        wanted = {"stacked": LAYERS, "heap": OWNERS}.get(form, MAIN)
        assert any(colours.get(c, 0) > 200 for c in wanted[theme])
    margin = [picture.getpixel((x, y)) for x in range(0, 1800, 7) for y in (2, 1037)]
    margin += [picture.getpixel((x, y)) for x in (2, 1797) for y in range(0, 1040, 7)]
    assert set(margin) == {GROUNDS[theme]}, "something is cut off at the edge"


@pytest.mark.parametrize("form", FORMS)
def test_svg_texts(folder, form):
    needs("gnuplot")
    root = xml.parse(draw(folder, f"{form}.svg", *FORMS[form])).getroot()
    texts = [re.sub(r"\s+", " ", "".join(t.itertext())).strip()
             for t in root.iter("{http://www.w3.org/2000/svg}text")]
    for word in LABELS[form]:
        assert any(word in text for text in texts), (word, texts)
    assert (root.get("width"), root.get("height")) == ("1200", "680")
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert all("href" not in key or value.startswith("#") for node in root.iter()
               for key, value in node.attrib.items())


def test_svg_tooltips(folder):
    needs("gnuplot")
    root = xml.parse(draw(folder, "tips.svg", "small", "--pstack", "--stdout")).getroot()
    titles = [t.text for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any("assemble(Mesh const&)" in t and "rank" in t for t in titles if t)
    assert any("Mesh: reading core_3d_12M.e (serial)" in t for t in titles if t)
    assert not any("onmouse" in key for node in root.iter() for key in node.attrib)


@pytest.mark.parametrize("form", FORMS)
def test_pdf_texts(folder, form):
    needs("gnuplot", "pdftotext")
    path = draw(folder, f"{form}.pdf", *FORMS[form])
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True).stdout
    for word in ["elapsed"] * (form != "multiples") + LABELS[form][:1]:
        assert word in re.sub(r"\s+", " ", text)


# ------------------------------------------------------------------------------ the terminal
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_terminal(folder, form, columns, locale):
    done = plot(folder, *FORMS[form], env={"COLUMNS": str(columns), "LINES": "30", "LC_ALL": locale})
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 28 and max(map(len, lines)) <= columns
    assert done.stdout.isascii() == (locale == "C") and "\x1b" not in done.stdout
    drawn = re.findall("[\u2801-\u28ff\u00b7\u2591-\u2593\u2588]" if locale != "C" else "[*+xo#@=:.-]",
                       done.stdout)
    assert len(drawn) > columns / 2


@pytest.mark.parametrize("form", ["total", "band", "heatmap"])
def test_text_file(folder, form):
    path = draw(folder, f"{form}.txt", *FORMS[form], "--size", "90x24")
    golden = mt.TESTS / "data" / f"plot_{form}.txt"
    if os.environ.get("MEMLOG_UPDATE_GOLDEN"):
        golden.write_text(path.read_text())
    assert path.read_text() == golden.read_text()


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_on_a_terminal(folder, no_color):
    ours, theirs = pty.openpty()
    env = dict(mt.base_environment(), NO_COLOR=no_color, TERM="xterm-256color", COLUMNS="80", LINES="24")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)
    child = subprocess.Popen([mt.MEMLOG, "plot", "small.h5"], cwd=folder, env=env, stdout=theirs,
                             stdin=subprocess.DEVNULL)
    os.close(theirs)
    output = b""
    with contextlib.suppress(OSError):                  # EIO is the end
        while piece := os.read(ours, 65536):
            output += piece
    os.close(ours)
    assert child.wait(timeout=mt.TIMEOUT_S) == 0
    assert (b"\x1b[38;5;33m" in output) == (no_color == "")
