"""memlog plot --yrange, --log and --time: the axes that somebody asks for, in every form of picture."""
import re
import shutil
import subprocess
import sys

import pytest
from plot_testing import MAKER, browse, draw, folder, modules, needs, plot  # noqa: F401 fixtures

FORMS = {"lines": [], "rank": ["--by", "rank"], "band": ["--band"], "heatmap": ["--heatmap"],
         "multiples": ["--multiples"]}
UNITS = r"(KiB|MiB|GiB|TiB)"


def tics(script, axis):
    found = re.findall(rf"set {axis}tics \((.*?)\)", script)
    return re.findall(r'"(.*?)" ([^,]+)', found[0])


@pytest.mark.parametrize("form", FORMS)
def test_log(folder, form):
    """Its tics are round numbers of units, each at its place; zeros do not break it."""
    script = plot(folder, "large", *FORMS[form], "--log", "-o", "-").stdout
    axis = "cb" if form == "heatmap" else "y"
    assert f"set logscale {axis}" in script
    found, factor = tics(script, axis), {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
    assert len(found) >= 3
    values = []
    for label, place in found:
        number, unit = re.fullmatch(rf"(1|2|5|10|20|50|100|200|500) {UNITS}", label).groups()
        values.append(int(number) * factor[unit] / float(place))
    assert max(values) == pytest.approx(min(values), rel=1e-4)


def test_log_of_zeros(folder, tmp_path):
    h5py = pytest.importorskip("h5py")
    for name, value in (("none", 0), ("some", 1)):
        shutil.copy(folder / "small.h5", tmp_path / f"{name}.h5")
        with h5py.File(tmp_path / f"{name}.h5", "r+") as f:
            rows = len(f["samples/rss_B"])
            f["samples/swap_B"] = [0, value * 2**20] * (rows // 2) + [0] * (rows % 2)
        for suffix in ("gp", "txt", "html"):
            draw(tmp_path, f"{name}.{suffix}", f"{name}.h5", "--column", "swap_B", "--log", "--by", "rank")
        script = (tmp_path / f"{name}.gp").read_text()
        low, high = map(float, re.search(r"set yrange \[(.*?):(.*?)\]", script).groups())
        assert 0 < low < high
        rows = re.findall(r"^[\d.]+ ([\d.e+-]+)$", script, re.M)
        assert rows and all(float(v) > 0 for v in rows)


@pytest.mark.parametrize("form", [*FORMS, "stacked"])
def test_yrange(folder, form):
    words = ["--stacked"] if form == "stacked" else FORMS[form]
    axis = "cbrange" if form == "heatmap" else "yrange"
    for given, low, high in (("1GiB:4GiB", 1024, 4096), (":4GiB", 0, 4096), ("512MiB:4096MiB", 512, 4096)):
        script = plot(folder, "large", *words, "--yrange", given, "-o", "-").stdout
        one = 1024 if re.search(r'set label (13|903|905) "GiB"', script) else 1
        found = re.search(rf"set {axis} \[(.*?):(.*?)\]", script).groups()
        assert [float(v) * one for v in found] == [low, high], given
        draw(folder, "yrange.txt", "large", *words, "--yrange", given)


def test_yrange_of_other_measures(folder):
    script = plot(folder, "small", "--rate", "--yrange", "-10MiB:10MiB", "-o", "-").stdout
    assert "set yrange [-10:10]" in script
    for suffix in ("gp", "txt", "html"):                # far from all values, above and below them
        for given in ("1:2", "1e-9:2e-9", "900TiB:", "-9TiB"):
            words = ["--rate", "--yrange", ":-9TiB"] if given[0] == "-" else ["--yrange", given]
            picture = draw(folder, f"far.{suffix}", "small", *words).read_text()
            assert "nan" not in picture.replace("NaN", ""), given
    script = plot(folder, "small", "--log", "--yrange", "1MiB:10GiB", "-o", "-").stdout
    assert tics(script, "y")[0][0] == "1 MiB" and tics(script, "y")[-1][0] == "10 GiB"


@pytest.mark.parametrize("words", [["--yrange", "1:2"], ["--yrange", ":1"], ["--yrange", "900TiB:"],
                                   ["--rate", "--yrange", ":-9TiB"]])
def test_yrange_far_from_all_values(folder, words):
    """An empty picture, not an error."""
    needs("gnuplot")
    for form in [[]] if "--rate" in words else [[], ["--log"], ["--heatmap", "--log"], ["--stacked"]]:
        draw(folder, "far.png", "small", *form, *words)


def test_what_yrange_cuts_off_is_told(folder):
    for form in ([], ["--band"], ["--stacked"], ["--heatmap"]):
        said = re.findall(r"cut off: up to [\d.]+ [MG]iB", plot(folder, "large", *form, "--yrange", ":1GiB", "-o",
                                                               "-").stdout)
        assert len(said) == 1, form
        assert "cut off" not in plot(folder, "large", *form, "--yrange", ":900GiB", "-o", "-").stdout


def test_names_of_curves_that_are_cut_off(folder):
    """Stand in the order of their values."""
    script = plot(folder, "large", "--band", "--yrange", ":1MiB", "-o", "-").stdout
    at = {name: float(y) for name, y in re.findall(r'^set label 4\d\d "([^":]+).*" at graph [\d.]+, first ([\d.]+)',
                                                   script, re.M)}
    assert at["largest"] > at["mean of ranks"] > at["smallest rank"]


def test_days(tmp_path):
    """A clock of 28 days is hard to read."""
    subprocess.run([sys.executable, MAKER, tmp_path / "long.h5", "--seconds", "2592000", "--period", "43200"], check=True)
    for form in ([], ["--heatmap"], ["--multiples"]):
        found = tics(plot(tmp_path, "long.h5", *form, "-o", "-").stdout, "x")
        assert len(found) >= 2, form
        assert all(re.fullmatch(r"\d+ d", label) and float(place) == 86400 * int(label[:-2]) for label, place in found), form
    script = plot(tmp_path, "long.h5", "-o", "-").stdout
    assert re.search(r'"peak [\d.]+ MiB at \d+ d \d+:\d\d"', script)
    assert re.search(r"peak [\d.]+ MiB at \d+ d \d+:\d\d\n", draw(tmp_path, "long.txt", "long.h5").read_text())


@pytest.mark.parametrize("unit, step", [("s", 200), ("min", 5), ("h", 0.1)])
def test_time(folder, unit, step):
    """In one unit, as scripts and papers want it, in every text; each tic stands where it says."""
    one = {"s": 1, "min": 60, "h": 3600}[unit]
    for form in ([], ["--heatmap"], ["--multiples"], ["--stacked"]):
        script = plot(folder, "large", *form, "--time", unit, "-o", "-").stdout
        found = [(label.split(), float(place)) for label, place in tics(script, "x")]
        assert all(u == unit and float(n) * one == pytest.approx(place) for (n, u), place in found), form
        if form != ["--multiples"]:
            assert float(found[1][0][0]) - float(found[0][0][0]) == pytest.approx(step), form
    text = draw(folder, "time.txt", "large", "--time", unit).read_text()
    assert re.search(rf"peak [\d.]+ GiB at [\d.]+ {unit}\n", text) and not re.search(r"\d:\d\d", text)


@pytest.mark.parametrize("form", [*FORMS, "stacked"])
@pytest.mark.parametrize("axes", [["--log"], ["--yrange", "1MiB:8GiB"], ["--time", "min", "--since", "5min"]])
def test_pictures(folder, form, axes, tmp_path):
    """gnuplot draws them without a complaint."""
    needs("gnuplot")
    if form == "stacked" and "--log" in axes:
        pytest.skip("refused")
    words = ["--stacked"] if form == "stacked" else FORMS[form]
    for suffix in ("png", "svg"):
        draw(folder, f"axes.{suffix}", "large", *words, *axes)


@pytest.mark.parametrize("form", [*FORMS, "stacked"])
def test_page(folder, modules, form):
    words = ["--stacked"] if form == "stacked" else [*FORMS[form], "--log"]
    place = draw(folder, f"axes_{form}.html", "large", *words, "--yrange", "1MiB:8GiB", "--time", "min", "--since",
                 "5min")
    browse(modules, place)


@pytest.mark.parametrize("words, complaint", [
    (["--log", "--rate"], "--log has no place for growth below 0"),
    (["--log", "--stacked"], "layers upon one another have no logarithmic axis"),
    (["--log", "--yrange", "0:4GiB"], "--log: its --yrange lies above 0"),
    (["--yrange", "4GiB:1GiB"], "nothing is between"),
    (["--yrange", "4GiB"], "low and high, as in 0:4GiB"),
    (["--yrange", ":"], "low and high, as in 0:4GiB"),
    (["--yrange", "1:2:3"], "low and high, as in 0:4GiB"),
    (["--yrange", ":0"], "but for growth nothing lies below 0"),
    (["--time", "d"], "s, min and h go"),
])
def test_refused(folder, words, complaint):
    done = plot(folder, "small", *words, "-o", "none.png")
    assert done.returncode == 2 and complaint in done.stderr and len(done.stderr.splitlines()) == 1
