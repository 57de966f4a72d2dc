"""memlog plot of several files by rank, node, band and map; --diff and --align."""
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest
import memlog_testing as mt
from plot_testing import MAKER, browse, draw, modules, needs, plot  # noqa: F401 modules is a fixture

h5py = pytest.importorskip("h5py")
MIB = 2**20
MADE = {
    "old": ["--seconds", "12", "--period", "1", "--mpi", "some", "--output", "steps"],
    "new": ["--seconds", "9", "--period", "0.7", "--shape", "leak", "--mpi", "some", "--output", "steps"],
    "large": ["--nodes", "4", "--ranks-per-node", "5", "--seconds", "20", "--period", "1"],
    "silent": ["--seconds", "9", "--period", "1"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Also "named": the new run, on nodes of other names."""
    place = tmp_path_factory.mktemp("compare")
    for name, options in MADE.items():
        subprocess.run([sys.executable, MAKER, place / f"{name}.h5", *options], check=True)
    shutil.copy(place / "new.h5", place / "named.h5")
    with h5py.File(place / "named.h5", "r+") as f:
        names = f["nodes/name"]
        names[...] = [f"m{i}".encode() for i in range(len(names))]
    return place


def script_of(folder, *words):
    done = plot(folder, *words, "-o", "-")
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def curves(script, word="run"):
    names = dict(re.findall(r'^names\[(\d+)\] = "(.*)"$', script, re.M))
    blocks = re.findall(rf"^\${word}(\d+) << EOD\n(.*?)EOD$", script, re.M | re.S)
    return {names[k]: [tuple(map(float, line.split())) for line in rows.splitlines()] for k, rows in blocks}


def at(points, time):
    """The last value at or before TIME; None: there is none."""
    before = [v for t, v in points if t <= time + 1e-9]
    return before[-1] if before else None


def texts(script):
    return re.findall(r'set label \d+ "(.*?)" at', script)


# ------------------------------------------------------------------------------ several runs
def test_ranks_are_shades_of_the_colour_of_their_run(folder):
    script = script_of(folder, "old.h5", "new.h5", "--by", "rank", "--rank", "0-3")
    assert list(curves(script)) == [f"{run} rank {i}" for run in ("old", "new") for i in range(4)]
    light = re.findall(r'^colours = .* : "(.*)"$', script, re.M)[-1].split()
    assert light[0] == "#2a6fdb" and light[4] == "#e8830c" and len(set(light)) == 8
    for i, colour in enumerate(light):
        r, b = (int(colour[k:k + 2], 16) for k in (1, 5))
        assert (r < b) == (i < 4)


def test_of_many_nodes_the_largest_of_each_run_are_told_apart(folder):
    script = script_of(folder, "large.h5", "large.h5", "large.h5", "--by", "node", "--label", "a", "--label", "b",
                       "--label", "c")
    assert len(curves(script)) == 12
    for i in range(6):
        shutil.copy(folder / "large.h5", folder / f"l{i}.h5")
    script = script_of(folder, *(f"l{i}.h5" for i in range(6)), "--by", "node")
    assert sorted(name.split()[0] for name in curves(script)) == [f"l{i}" for i in range(6)]
    thin = re.findall(r"^\$many(\d) << EOD\n(.*?)EOD$", script, re.M | re.S)
    assert [run for run, _ in thin] == list("123456")
    assert all(rows.count("\n\n") == 3 for _, rows in thin)


def test_bands_lie_over_one_another(folder):
    script = script_of(folder, "old.h5", "large.h5", "--by", "rank")
    assert script == script_of(folder, "old.h5", "large.h5", "--band")
    assert list(curves(script)) == ["old", "large"]
    assert re.findall(r"^\$band(\d) ", script, re.M) == ["1", "2"] and "for [k=1:2]" in script
    assert re.search(r'"large rank \d+"', script) and re.search(r'"old rank \d+"', script)


def test_maps_have_one_scale_and_one_axis(folder):
    script = script_of(folder, "old.h5", "large.h5", "--heatmap")
    maps = re.findall(r"^\$map(\d) << EOD\n#[^\n]*\n(.*?)EOD$", script, re.M | re.S)
    assert [(run, len(rows.splitlines())) for run, rows in maps] == [("1", 8), ("2", 20)]
    cells = [[float(v) for v in rows.split()] for _, rows in maps]
    assert float(re.search(r"set cbrange \[0:(.*)\]", script)[1]) == pytest.approx(max(map(max, cells)), rel=1e-3)
    ended = [line.split().index("-1", 100) for line in maps[0][1].splitlines()]     # of 400 columns
    assert all(200 < column < 260 for column in ended)
    assert {"old", "large", "n04", "ended"} <= set(texts(script))


def test_small_graphs_have_a_curve_a_run(folder):
    script = script_of(folder, "old.h5", "new.h5", "--multiples")
    assert re.findall(r"^\$(node\d_\d) ", script, re.M) == ["node1_1", "node1_2", "node2_1", "node2_2"]
    assert {"old", "new", "n01", "n02"} <= set(texts(script))
    by_number = script_of(folder, "old.h5", "named.h5", "--multiples")
    assert by_number.count("set lmargin screen x0") == 2


def test_events_say_of_which_run(folder, tmp_path):
    subprocess.run([sys.executable, MAKER, tmp_path / "dead.h5", "--nodes", "4", "--ranks-per-node", "1", "--seconds",
                    "60", "--lost-node", "2"], check=True)
    shutil.copy(folder / "old.h5", tmp_path)
    for words in ([], ["--by", "node"], ["--band"], ["--heatmap"]):
        assert "dead: n03 lost" in texts(script_of(tmp_path, "old.h5", "dead.h5", *words)), words


# ------------------------------------------------------------------------------ differences
@pytest.mark.parametrize("words", [[], ["--by", "rank", "--rank", "0-3"], ["--by", "node"]], ids=["total", "rank", "node"])
def test_difference(folder, words):
    """At any time: the last value of the new run less that of the old one, until the first ends."""
    found = curves(script_of(folder, "--diff", "old.h5", "new.h5", *words))
    both = [curves(script_of(folder, name, *words)) for name in ("old.h5", "new.h5")]
    assert len(found) == (1 if not words else 4 if "rank" in words else 2)
    for name, points in found.items():
        old, new = [run[name if words else list(run)[0]] for run in both]
        assert points[-1][0] == pytest.approx(min(old[-1][0], new[-1][0]), abs=0.02)
        for time in (0.5, 1.3, 2.9, 4.5, 5.77, 6.9, 7.9):
            wanted = [at(new, t) - at(old, t) for t in (time - 0.02, time, time + 0.02)]
            assert min(wanted) - 0.6 <= at(points, time) <= max(wanted) + 0.6, (name, time)


def test_difference_names_what_is_farthest_from_0(folder):
    for order in (["old.h5", "new.h5"], ["new.h5", "old.h5"]):
        script = script_of(folder, "--diff", *order)
        values = [v for _, v in curves(script)["difference"]]
        most = max(values, key=abs)
        said = re.search(r"\"([-+][\d.]+) MiB at ", script)[1]
        assert float(said) == pytest.approx(most, rel=0.01)
    assert "new minus old" in script_of(folder, "--diff", "old.h5", "new.h5")


def test_what_is_in_one_run_only_is_told(folder):
    script = script_of(folder, "--diff", "old.h5", "large.h5", "--band")
    assert any("8 ranks in both, 12 only in large   |   until old ends" in t for t in texts(script))
    script = script_of(folder, "--diff", "large.h5", "old.h5", "--by", "node")
    assert any("2 nodes in both, 2 only in large" in t for t in texts(script)) and len(curves(script)) == 2
    script = script_of(folder, "--diff", "old.h5", "named.h5", "--by", "node")
    assert any("2 nodes in both, by their number" in t for t in texts(script)) and len(curves(script)) == 2


def test_map_of_differences(folder):
    """Zero is in the middle of the colours; ranks that only one has are no rows."""
    script = script_of(folder, "--diff", "old.h5", "large.h5", "--heatmap")
    rows = re.search(r"^\$map << EOD\n#[^\n]*\n(.*?)EOD$", script, re.M | re.S)[1].splitlines()
    low, high = map(float, re.search(r"set cbrange \[(.*):(.*)\]", script).groups())
    values = [float(v) for row in rows for v in row.split() if v != "NaN"]
    assert len(rows) == 8 and low == -high and max(map(abs, values)) == pytest.approx(high, rel=1e-3)
    light = re.findall(r"set palette defined \((.*?)\)", script)[1]
    assert len(set(re.search(r'\b0.5 "#(\w\w)(\w\w)(\w\w)"', light).groups())) == 1


def test_difference_to_itself_is_0(folder):
    for words in ([], ["--band"], ["--heatmap"], ["--multiples"], ["--by", "node"]):
        script = script_of(folder, "--diff", "old.h5", "old.h5", *words)
        for block in re.findall(r"^\$(?:run|band|map|node|many)\w* << EOD\n(.*?)EOD$", script, re.M | re.S):
            rows = [line.split() for line in block.splitlines() if line and not line.startswith("#")]
            values = {float(v) for row in rows for v in (row if "--heatmap" in words else row[1:]) if v != "NaN"}
            assert values <= {0.0}, words


# ------------------------------------------------------------------------------ alignment
def phases_of(path):
    with h5py.File(path) as f:
        kinds, times, names = (f[f"events/{c}"][:] for c in ("kind", "time_s", "text"))
    return [(n.decode() if isinstance(n, bytes) else n, t) for k, t, n in zip(kinds, times, names)
            if (n.decode() if isinstance(n, bytes) else n) == "work"]


def steps(points):
    return [t for t, _ in points]


def test_a_phase_begins_at_one_place(folder):
    """The run in which it is later stays where it is, the other is moved."""
    begins = {run: min(t for _, t in phases_of(folder / f"{run}.h5")) for run in ("old", "new")}
    later = max(begins, key=begins.get)
    script = script_of(folder, "old.h5", "new.h5", "--align", "phase=work")
    plain = curves(script_of(folder, "old.h5", "new.h5"))
    for run, points in curves(script).items():
        assert steps(points)[0] - steps(plain[run])[0] == pytest.approx(begins[later] - begins[run], abs=1e-3)
    assert f"aligned at the begin of work, elapsed in {later}" in texts(script)
    assert "elapsed" not in texts(script)


def test_phases_are_stretched(folder):
    """Each begins and ends where it does in the first run; behind the last, times go on as they did."""
    (begin, end), (own_begin, own_end) = [sorted(t for _, t in phases_of(folder / f"{run}.h5")) for run in ("old", "new")]
    plain = curves(script_of(folder, "old.h5", "new.h5"))
    script = script_of(folder, "old.h5", "new.h5", "--align", "phase")
    moved = curves(script)
    assert moved["old"] == plain["old"] and "stretched to the phases of old" in texts(script)
    assert len(moved["new"]) == len(plain["new"])
    for before, after in zip(steps(plain["new"]), steps(moved["new"])):
        wanted = before / own_begin * begin if before < own_begin else \
            begin + (before - own_begin) / (own_end - own_begin) * (end - begin) if before < own_end else before - own_end + end
        assert after == pytest.approx(wanted, abs=2e-3)


def test_a_line_of_output_is_at_one_place(folder):
    with h5py.File(folder / "old.h5") as f:
        lines = [t for t, n in zip(f["output/time_s"][:], f["output/text"][:]) if b"Time Step 1" in bytes(n)]
    script = script_of(folder, "old.h5", "new.h5", "--align", "line=Time Step 1", "--by", "node")
    assert lines and any("aligned at the output Time Step 1, elapsed in " in t for t in texts(script))
    assert any("aligned at the first output, elapsed" in t
               for t in texts(script_of(folder, "old.h5", "new.h5", "--align", "line")))


def test_aligned_marks_and_maps(folder):
    """All that a run shows is moved, not its curves alone."""
    begins = {run: min(t for _, t in phases_of(folder / f"{run}.h5")) for run in ("old", "new")}
    moved = begins["old"] - begins["new"]
    assert moved > 0.2
    def column(script):
        rows = re.search(r"^\$map2 << EOD\n#[^\n]*\n(.*?)\n", script, re.M)[1].split()
        per_s = len(rows) / float(re.search(r"set xrange \[0:(.*?)\]", script)[1])
        return next(i for i, v in enumerate(rows) if v != "-1") / per_s
    apart = [column(script_of(folder, "old.h5", "new.h5", "--heatmap", *words)) for words in ([], ["--align", "phase=work"])]
    assert apart[1] - apart[0] == pytest.approx(moved, abs=0.06)
    def said(name, *words):
        page = draw(folder, name, "old.h5", "new.h5", "--stdout", *words).read_text()
        return [float(time) for time in re.findall(r'"kind":"said","curve":1,"t":([\d.]+)', page)]
    plain, aligned = said("plain.html"), said("aligned.html", "--align", "phase=work")
    assert plain and [b - a for a, b in zip(plain, aligned)] == pytest.approx([moved] * len(plain), abs=1e-3)


@pytest.mark.parametrize("words, said", [
    (["--align", "phase=solve", "old.h5", "new.h5"],
     "old.h5: --align phase=solve: it has no such phase; it has work"),
    (["--align", "phase=work", "old.h5", "silent.h5"],
     "silent.h5: --align phase=work: it has no such phase, nor any other"),
    (["--align", "phase", "old.h5", "silent.h5"],
     "--align phase: old.h5 and silent.h5 have no phase in common of which both have as many; --align line=TEXT goes "
     "by output"),
    (["--align", "line=Time Step 1", "old.h5", "silent.h5"],
     "silent.h5: --align line=Time Step 1: no output of it was recorded"),
    (["--align", "line=no such", "old.h5", "new.h5"], "old.h5: --align line=no such: no line of its output has that"),
])
def test_what_cannot_be_aligned(folder, words, said):
    done = plot(folder, *words, "-o", "x.svg")
    assert (done.returncode, done.stderr) == (1, f"memlog: {said}\n") and not (folder / "x.svg").exists()


@pytest.mark.parametrize("words, said", [
    (["--stacked", "old.h5", "new.h5"], "layers of several files would hide one another"),
    (["--heap", "old.h5", "new.h5"], "layers of several files would hide one another"),
    (["--by", "process", "old.h5", "new.h5"], "--by process draws one file; several go by total, node or rank"),
    (["--flame", "old.h5", "new.h5"], "--flame draws one file"),
    (["--by", "rank", *["old.h5"] * 7], "more than 6 files are told apart by total only"),
    (["--diff", "old.h5"], "--diff takes two files: the old one, then the new one"),
    (["--diff", "old.h5", "old.h5", "new.h5"], "--diff takes two files: the old one, then the new one"),
    (["--diff", "--rate", "old.h5", "new.h5"], "--diff draws values, --rate their growth: one at a time"),
    (["--diff", "--log", "old.h5", "new.h5"], "--log has no place for differences below 0: leave out --diff"),
    (["--diff", "--stacked", "old.h5", "new.h5"], "layers of several files would hide one another"),
    (["--diff", "--stdout", "old.h5", "new.h5"], "--diff has no run's own line for --pstack and --stdout to mark"),
    (["--align", "phase", "old.h5"], "--align: name the runs that are to be aligned, two or more"),
    (["--align", "peak", "old.h5", "new.h5"], "--align peak: time, phase, phase=NAME, line and line=TEXT go"),
    (["--align", "phase=", "old.h5", "new.h5"], "--align phase=: time, phase, phase=NAME, line and line=TEXT go"),
    (["--align", "line", "--since", "3s", "old.h5", "new.h5"], "--align moves whole runs: leave out --since and --until"),
])
def test_what_does_not_go_together(folder, words, said):
    done = plot(folder, *words, "-o", "x.svg")
    assert done.returncode == 2 and said in done.stderr and not (folder / "x.svg").exists()


# ------------------------------------------------------------------------------ pictures
PICTURES = {
    "rank": (["old.h5", "large.h5", "--by", "node"], ["old n01", "large n04"]),
    "band": (["old.h5", "large.h5", "--band"], ["old", "large"]),
    "map": (["old.h5", "large.h5", "--heatmap", "--darkmode"], ["old", "large", "ended"]),
    "multiples": (["old.h5", "new.h5", "--multiples", "--align", "phase"], ["old", "new", "stretched to the phases of old"]),
    "diff": (["--diff", "old.h5", "new.h5"], ["difference"]),
    "diffmap": (["--diff", "old.h5", "new.h5", "--heatmap"], ["rank 1"]),
}


@pytest.mark.parametrize("form", PICTURES)
def test_pictures(folder, form):
    needs("gnuplot")
    words, wanted = PICTURES[form]
    root = xml.parse(draw(folder, f"{form}.svg", *words, "--size", "760x430")).getroot()
    found = {re.sub(r"\s+", " ", "".join(t.itertext())).strip() for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert set(wanted) <= found
    text = draw(folder, f"{form}.txt", *words).read_text()
    assert len(text.splitlines()) <= 31
    if form == "map":
        assert [line.split("│")[1] for line in text.splitlines() if line.startswith("       │") and
                line.split("│")[1] in ("old", "large")] == ["old", "large"]


@pytest.mark.parametrize("form", ["map", "diff"])
def test_pages(folder, modules, form):  # noqa: F811
    words, wanted = PICTURES[form]
    seen = browse(modules, draw(folder, f"{form}.html", *words))
    assert set(wanted) - {"ended"} <= set(seen["svg"])
