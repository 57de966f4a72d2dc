"""scripts/gallery: every form of picture of made-up runs."""
import re
import subprocess
import sys

import pytest
import memlog_testing as mt
from plot_testing import needs

ROOT = mt.TESTS.parent
GALLERY = ROOT / "scripts/gallery"


def gallery(place, *words):
    done = subprocess.run([sys.executable, "-B", GALLERY, "--bin", mt.BIN_DIR, *words, place], capture_output=True,
                          text=True, timeout=mt.TIMEOUT_S, env=mt.base_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("run", ["4-0.1s", "64-30d"])
def test_every_form(tmp_path, run):
    needs("gnuplot")
    lines = gallery(tmp_path, "--only", run, "--")
    assert len(lines) > 20 and all(re.search(r"\d MiB, \d+ KiB$", line) for line in lines), lines
    shown = (tmp_path / "index.html").read_text()
    assert all(line.split()[0] in shown and (tmp_path / line.split()[0]).stat().st_size for line in lines)


def test_ten_thousand_ranks(tmp_path):
    """What is refused is refused in a line that says what goes."""
    needs("gnuplot")
    lines = gallery(tmp_path, "--only", "10000-1h", "--")
    refused = [line for line in lines if "memlog:" in line]
    assert len(refused) == 2 and all("--heatmap" in line for line in refused)
    assert all(int(re.search(r"(\d+) MiB", line).group(1)) < 200 for line in lines if line not in refused)


def test_page_shows_what_is_drawn():
    drawn = set(re.findall(r'^    "(gallery_\w+)"', GALLERY.read_text(), re.M))
    shown = set(re.findall(r"img/(gallery_\w+)\.png", (ROOT / "docs/gallery.md").read_text()))
    assert drawn == shown == {p.stem for p in (ROOT / "docs/img").glob("gallery_*.png")}
