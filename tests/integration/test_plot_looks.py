"""memlog plot: how pictures look in every size, colour and format; nothing is cut or overlaps."""
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest
import memlog_testing as mt
from plot_testing import FORMS, MAKER, browse, draw, folder, modules, needs, plot  # noqa: F401 fixtures

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(path):
    """Of each text that is not sloped: what it says, and its box, a little narrower than it is."""
    root, found = xml.parse(path).getroot(), []
    for group in root.iter(f"{SVG}g"):
        place = re.fullmatch(r"translate\(([-\d.]+),([-\d.]+)\)", group.get("transform", ""))
        words = re.sub(r"\s+", " ", "".join("".join(t.itertext()) for t in group.findall(f"{SVG}text"))).strip()
        if not place or not words:
            continue
        x, y, em = float(place[1]), float(place[2]), float(group.get("font-size"))
        wide = 0.52 * em * len(words)
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[group.get("text-anchor")]
        found.append((words, (left, y - 0.7 * em, left + wide, y)))
    return (float(root.get("width")), float(root.get("height"))), found


def collisions(found):
    return [(a, b) for i, (a, p) in enumerate(found) for b, q in found[i + 1:]
            if p[0] < q[2] and q[0] < p[2] and p[1] < q[3] and q[1] < p[3]]


# ------------------------------------------------------------------------------ sizes
SIZES = [["--size", "300x200"], ["--paper"], ["--size", "420x600"], ["--slide"], []]
PLACES = ["above", "below", "outside", "none"]
KEY_SIZES = [[], ["--size", "800x500"], ["--size", "640x400"], ["--paper"]]


def name_of(words):
    return words if isinstance(words, str) else "".join(words).strip("-") or "plain"


@pytest.mark.parametrize("form, size", mt.some(itertools.product(FORMS, SIZES), len(SIZES) - 1), ids=name_of)
def test_nothing_overlaps_or_is_cut(folder, form, size):
    needs("gnuplot")
    (wide, high), found = texts_of(draw(folder, "sized.svg", *FORMS[form], *size))
    assert len(found) > 5 and collisions(found) == []
    for words, (left, top, right, bottom) in found:
        assert left >= 0 and right <= wide and top >= 0 and bottom <= high, words


@pytest.mark.parametrize("place, size", mt.some(itertools.product(PLACES, KEY_SIZES), len(KEY_SIZES) + 1), ids=name_of)
def test_a_key_of_functions_has_its_room(folder, place, size):
    """gnuplot lays out fewer names a row than fit into the picture: rows are as wide as the graph."""
    needs("gnuplot")
    (wide, high), found = texts_of(draw(folder, "key.svg", "owners", "--heap", "--legend", place, *size))
    assert collisions(found) == []
    for words, (left, top, right, bottom) in found:
        assert left >= 0 and right <= wide and top >= 0 and bottom <= high, words


@pytest.mark.parametrize("size, px", [
    (["--size", "640x400"], (1280, 800)),
    (["--size", "640x400px"], (1280, 800)),
    (["--size", "10x5cm"], (756, 378)),
    (["--size", "3.3inx50mm"], (634, 378)),
    (["--paper"], (2031, 1370)),                        # 8.6 cm with 600 dots an inch
    (["--paper", "--size", "3x2in"], (1800, 1200)),
    (["--slide"], (1920, 1080)),
])
def test_size_of_png(folder, size, px):
    needs("gnuplot")
    image = pytest.importorskip("PIL.Image", reason="no python3-pil here")
    assert image.open(draw(folder, "sized.png", "small", *size)).size == px


def test_size_of_pdf(folder):
    needs("gnuplot")
    pdf = draw(folder, "paper.pdf", "small", "--paper").read_bytes()
    box = [float(n) for n in re.search(rb"MediaBox \[\s*([\d. ]+?)\s*\]", pdf)[1].split()]
    assert box[2] == pytest.approx(8.6 / 2.54 * 72, abs=1)


@pytest.mark.parametrize("words, said", [
    (["--size", "3ftx2"], "--size 3ftx2: width x height in px, cm, mm, in or pt, as in 1200x680 or 8.5x6cm"),
    (["--size", "1x1cm", "-o", "x.svg"], None),
    (["--size", "1x1mm"], "--size 1x1mm: from 20x8 to 20000x20000 px go"),
    (["--paper", "--slide"], "one of --paper and --slide at a time"),
    (["--slide", "-o", "x.txt"], "a .txt file is as many characters wide and high: --size 100x30"),
    (["--size", "8x6cm", "-o", "x.txt"], "a .txt file is as many characters wide and high: --size 100x30"),
])
def test_sizes_that_do_not_go(folder, words, said):
    done = plot(folder, "small", *words)
    wrong = f"memlog: plot: {said}; see 'memlog plot --help'\n"
    assert (done.returncode, done.stderr) == ((2, wrong) if said else (0, ""))


def test_terminal_has_its_own_size(folder):
    """Presets and lengths are no numbers of characters."""
    for size in (["--paper"], ["--slide"], ["--size", "8x6cm"]):
        lines = plot(folder, "small", *size, env={"COLUMNS": "70", "LINES": "30"}).stdout.splitlines()
        assert len(lines) == 28 and max(map(len, lines)) <= 70, size


# ------------------------------------------------------------------------------ texts
def test_one_unit_in_a_picture(folder):
    """Of the axis, the limit at its line or in the subtitle, and the peaks."""
    for form in (["small", "--stdout"], ["large", "--by", "node"], ["small", "other"], ["small", "--rate"],
                 ["large", "--multiples"]):
        script = plot(folder, *form, "-o", "-").stdout
        assert len(set(re.findall(r"[KMGT]iB(?:/s|/min)?", "".join(re.findall(r"^(?:set label|TX).*$", script, re.M))))) == 1, form


def test_band_and_lines_have_one_peak(folder):
    """At the time at which it was."""
    ranks = plot(folder, "large", "--by", "rank", "--rate", "-o", "-").stdout   # not a band: the file can be read
    assert "$band" not in ranks
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "large.h5") as f:
        samples = f["samples"]
        known = [(v, t) for v, t, r in zip(samples["rss_B"], samples["time_s"], samples["rank"]) if r == 1]
    at = max(known)[1]
    script = plot(folder, "large", "--band", "-o", "-").stdout
    assert f"peak 7.01 GiB at {int(at) // 60}:{round(at) % 60:02}" in script


def test_elapsed_is_beside_the_last_time(folder, tmp_path):
    needs("gnuplot")
    for name in ("small", "large"):
        _, found = texts_of(draw(folder, "elapsed.svg", name))
        left = next(box[0] for words, box in found if words == "elapsed")
        times = [box for words, box in found if re.fullmatch(r"[\d.]+ s|[\d:]+", words) and box[3] > 620]
        assert times and max(box[2] for box in times) + 4 < left


def test_long_texts_are_not_cut(folder):
    """A title gets smaller letters, then …; a key all the room that its longest name wants."""
    needs("gnuplot")
    title, name = "A title with so many words that it reaches over the whole of the picture, and more", 44 * "name "
    (wide, _), found = texts_of(draw(folder, "long.svg", "small", "other", "--title", title, "--label", name[:40],
                                     "--legend", "outside"))
    said = dict(found)
    assert title in said and name[:40].strip() in said
    assert said[name[:40].strip()][2] <= wide
    _, found = texts_of(draw(folder, "long.svg", "small", "other", "--title", 3 * title, "--label", name,
                             "--legend", "outside"))
    assert sum(words.endswith("…") and box[2] <= wide for words, box in found) == 2


def test_small_graphs_of_many_nodes(tmp_path):
    needs("gnuplot")
    subprocess.run([sys.executable, MAKER, tmp_path / "many.h5", "--nodes", "64", "--ranks-per-node", "2",
                    "--seconds", "600", "--period", "10"], check=True)
    _, found = texts_of(draw(tmp_path, "many.svg", "many.h5", "--multiples"))
    assert collisions(found) == [] and {"n01", "n64", "0:00", "5:00"} <= {words for words, _ in found}
    _, found = texts_of(draw(tmp_path, "many.svg", "many.h5", "--multiples", "--paper"))
    assert collisions(found) == [] and {"n01", "n64", "0"} <= {words for words, _ in found}


def test_small_graphs_with_hours_beside_the_last_row(tmp_path):
    needs("gnuplot")
    subprocess.run([sys.executable, MAKER, tmp_path / "some.h5", "--nodes", "20", "--seconds", "9000", "--period", "300"],
                   check=True)
    _, found = texts_of(draw(tmp_path, "some.svg", "some.h5", "--multiples"))
    assert collisions(found) == [] and {"n20", "0:00:00"} <= {words for words, _ in found}


@pytest.mark.parametrize("size", [[], ["--paper"], ["--size", "760x430"]], ids=str)
def test_highest_peak_has_words(folder, size):
    needs("gnuplot")
    for words, at in ((["small", "--by", "rank"], "130 MiB"), (["large", "--by", "node"], "[.0-9]+ GiB")):
        _, found = texts_of(draw(folder, "peak.svg", *words, *size))
        assert any(re.match(f"peak {at} at", text) for text, _ in found), words


def test_line_below_the_title_is_not_cut(folder):
    needs("gnuplot")
    _, found = texts_of(draw(folder, "line.svg", "large", "--multiples", "--size", "760x430"))
    assert any(text.endswith("bold: node, thin: ranks, dashed: limit") for text, _ in found)


def test_map_of_many_nodes(tmp_path):
    """Lines between nodes do not take its colours away."""
    needs("gnuplot")
    for nodes, lines in ((8, 7), (100, 0)):
        subprocess.run([sys.executable, MAKER, tmp_path / "map.h5", "--nodes", str(nodes), "--seconds", "60", "--period",
                        "5"], check=True)
        script = plot(tmp_path, "map.h5", "--heatmap", "-o", "-").stdout
        assert len(re.findall(r"^set arrow 1\d\d\d ", script, re.M)) == lines


@pytest.mark.parametrize("size", [[], ["--paper"], ["--size", "300x200"]], ids=str)
@pytest.mark.parametrize("form", ["node", "heatmap", "multiples"])
def test_units_of_a_logarithmic_axis(folder, form, size):
    needs("gnuplot")
    (wide, _), found = texts_of(draw(folder, "units.svg", *FORMS[form], "--log", *size))
    assert collisions(found) == [] and any("iB" in words for words, _ in found)
    assert all(left >= 0 and right <= wide for _, (left, _, right, _) in found)


# ------------------------------------------------------------------------------ colours
GREY = ["rank", "node", "band", "stacked", "heatmap", "multiples", "stdout"]


def pixels(path):
    image = pytest.importorskip("PIL.Image", reason="no python3-pil here")
    return {colour: n for n, colour in image.open(path).convert("RGB").getcolors(1 << 24)}


@pytest.mark.parametrize("form, dark", mt.some(itertools.product(GREY, [[], ["--darkmode"]]), 3), ids=name_of)
def test_grey_is_grey(folder, form, dark):
    """A page that a printer without colours prints; but for the tint of texts and ground."""
    needs("gnuplot")
    found = pixels(draw(folder, "grey.png", *FORMS[form], "--palette", "grey", *dark))
    assert max(max(c) - min(c) for c in found) < 32 and len(found) > 30


def test_palette_of_curves(folder):
    needs("gnuplot")
    okabe = {(0x00, 0x72, 0xb2), (0xe6, 0x9f, 0x00), (0x00, 0x9e, 0x73), (0xcc, 0x79, 0xa7), (0xd5, 0x5e, 0x00)}
    found = pixels(draw(folder, "okabe.png", *FORMS["rank"], "--palette", "colour-blind"))
    assert all(found.get(c, 0) > 100 for c in okabe)
    assert plot(folder, "small", "--palette", "color-blind", "-o", "-").stdout == \
        plot(folder, "small", "--palette", "colour-blind", "-o", "-").stdout
    done = plot(folder, "small", "--palette", "viridis")
    assert done.returncode == 2 and "--palette viridis: default, colour-blind and grey go" in done.stderr


@pytest.mark.parametrize("palette, first", [("default", 7), ("grey", 3)])
def test_more_curves_than_colours(folder, palette, first):
    """Have signs, upon them and before their names, in a key too."""
    script = plot(folder, "small", "--by", "rank", "--palette", palette, "-o", "-").stdout
    assert [int(k) for k in re.findall(r"^\$sign(\d+) << EOD", script, re.M)] == list(range(first, 9))
    assert len(re.findall(r'^set label \d+ "" at .* point pt sign\(', script, re.M)) == 9 - first
    keyed = plot(folder, "small", "--by", "rank", "--legend", "outside", "-o", "-").stdout
    assert re.search(r"NaN with linespoints .* pt sign\(k\) .* title names\[k\]", keyed)
    assert '"" at ' not in re.sub(r".*point pt 9.*", "", keyed)


# ------------------------------------------------------------------------------ a phone
@pytest.mark.parametrize("form", mt.some(["node", "total", "stacked", "heatmap", "multiples"], 5))
def test_phone(folder, modules, form):
    """All of its width is used, two fingers zoom, one moves, a tap says values."""
    seen = browse(modules, draw(folder, "phone.html", *FORMS[form]), "touch")
    assert (seen["errors"], seen["cut"], seen["page"]) == ([], [], 390)
    assert seen["graph"]["plot"] > 0.95 * 390
    if form in ("total", "node"):
        assert seen["graph"]["wide"] > 0.78 * 390
    spans = [seen[k]["to"] - seen[k]["from"] for k in ("whole", "pinched", "moved")]
    assert spans[1] == pytest.approx(spans[0] / 2, rel=0.05) and spans[2] == pytest.approx(spans[1])
    assert seen["moved"]["from"] > seen["pinched"]["from"]
    assert re.search(r"\d (MiB|GiB)|no data", seen["tapped"])
    if form == "node":
        assert seen["key"].split() == [f"n0{i}" for i in range(1, 9)]


@pytest.mark.parametrize("form", mt.some(["total", "rate", "node"], 3))
def test_html_has_the_tics_of_png(folder, modules, form):
    needs("gnuplot")
    seen = browse(modules, draw(folder, "tics.html", *FORMS[form]))
    _, found = texts_of(draw(folder, "tics.svg", *FORMS[form]))
    numbers = [{t for t in texts if re.fullmatch(r"-?[\d.]+|[\d:]+|[\d.]+ s", t)}
               for texts in (seen["svg"], [words for words, _ in found])]
    assert numbers[0] == numbers[1]


# ------------------------------------------------------------------------------ formats
@pytest.mark.parametrize("form", mt.some(FORMS, 4))
def test_eps(folder, form):
    needs("gnuplot")
    text = draw(folder, "x.eps", *FORMS[form], "--paper").read_bytes()
    assert text.startswith(b"%!PS-Adobe-3.0 EPSF-3.0\n") and b"%%EOF" in text
    box = [int(n) for n in re.search(rb"%%BoundingBox: (.*)", text)[1].split()]
    assert box == pytest.approx([0, 0, 244, 164], abs=2)


def has_tikz():
    needs("gnuplot")
    if "tikz" not in subprocess.run(["gnuplot", "-e", "print GPVAL_TERMINALS"], capture_output=True, text=True).stderr:
        pytest.skip("this gnuplot has no tikz terminal (gnuplot-nox has)")


@pytest.mark.parametrize("form", mt.some([form for form in FORMS if form != "heatmap"], 4))
def test_tex(folder, form):
    """A picture to \\input: its groups are closed, its texts are no commands, its fonts TeX's."""
    has_tikz()
    small = [a if a != "large" else "small" for a in FORMS[form]]
    title = r"100% of $x_1$ & {a} #1 \\input{b}"
    text = draw(folder, "x.tex", *small, "--title", title).read_text()
    assert text.startswith(r"\begin{tikzpicture}[gnuplot]") and r"\end{tikzpicture}" in text
    said = re.findall(r"\\node\[.*?\] at \([-\d.,]+\) \{(.*)\};", text)
    assert r"100\% of \$x\_1\$ \& \{a\} \#1 \textbackslash{}\textbackslash{}input\{b\}" in said
    for words in said:
        rest = re.sub(r"\\[$#%&_{}]|\\text[a-z]+\{\}", "", words)
        assert not re.search(r"[\\#%&_{}~^]", rest) and re.fullmatch(r"[^$]*|\$[-\d.]+\$", rest), words
    assert "sans" not in text.replace("sffamily", "")


def test_hostile_names_in_tex(folder):
    has_tikz()
    text = draw(folder, "x.tex", "hostile", "--pstack", "--stdout", "--by", "rank").read_text()
    for words in re.findall(r"\\node\[.*?\] at \([-\d.,]+\) \{(.*)\};", text):
        rest = re.sub(r"\\[$#%&_{}]|\\text[a-z]+\{\}|^\$[-\d.]+\$$", "", words)
        assert not re.search(r"[\\#%&_{}~^$]", rest), words


def test_map_is_not_for_tex(folder):
    done = plot(folder, *FORMS["heatmap"], "-o", "x.tex")
    assert done.returncode == 2 and "a map is too much for TeX: -o FILE.pdf, and \\includegraphics" in done.stderr


def test_script_that_is_not_for_tex(folder, tmp_path):
    has_tikz()
    script = plot(folder, "small", "-o", "-").stdout
    (tmp_path / "x.gp").write_text(script)
    done = subprocess.run(["gnuplot", "-d", "-e", "out='x.tex'", "x.gp"], cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode and "memlog plot -o FILE.tex makes them so" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["x.gp"]


def test_terminal_that_gnuplot_lacks(folder, tmp_path):
    """One line says what to install. The gnuplot here stands for one without cairo."""
    needs("gnuplot")
    real = subprocess.run(["which", "gnuplot"], capture_output=True, text=True).stdout.strip()
    other = tmp_path / "gnuplot"
    other.write_text(f'#!/bin/bash\nfor last; do :; done\n'
                     f"sed 's/GPVAL_TERMINALS, /\" dumb \", /' $last >{tmp_path}/script.gp\n"
                     f'exec {real} "${{@:1:$#-1}}" {tmp_path}/script.gp\n')
    other.chmod(0o755)
    done = plot(folder, "small", "-o", "x.eps", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode == 1 and done.stderr == (
        "memlog: gnuplot failed (exit code 1: this gnuplot has no epscairo terminal; install gnuplot-nox or "
        "gnuplot-qt); -o - shows the script\n")


# ------------------------------------------------------------------------------ windows
def test_what_is_zoomed_out_of_sight_is_not_over_the_title(folder, tmp_path):
    """A window zooms by other ranges, which anybody can set in the script."""
    needs("gnuplot")
    for form in (["small", "other"], ["large", "--by", "node"], ["large", "--band"]):
        script = plot(folder, *form, "-o", "-").stdout
        zoomed = re.sub(r"set xrange \[.*?\]; set yrange \[.*?\]", "set xrange [2:3]; set yrange [0:1]", script)
        assert zoomed != script
        (tmp_path / "x.gp").write_text(zoomed)
        subprocess.run(["gnuplot", "-d", "-e", "out='x.svg'", "x.gp"], cwd=tmp_path, check=True, timeout=60)
        (wide, high), found = texts_of(tmp_path / "x.svg")
        assert not [words for words, box in found if words.startswith("peak") or box[1] < 0 or words == "other"]


def test_window_has_no_log_key(folder):
    """The places of names would be wrong."""
    script = plot(folder, "small", "-o", "-").stdout
    assert 'bind all "l" ""' in script


def test_zoomed_window_has_tics_of_its_own(folder):
    """Not in a map, whose rows have none."""
    for form, has in (("total", True), ("heatmap", False)):
        script = plot(folder, *FORMS[form], "-o", "-").stdout
        assert ("set ytics autofreq" in script.rsplit("plot ", 1)[1]) == has
