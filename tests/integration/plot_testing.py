"""What the tests of memlog plot share: made-up runs, the forms of a picture, plotting, the browser."""
import fcntl
import json
import shutil
import subprocess
import sys

import pytest
import memlog_testing as mt

pytest.importorskip("h5py")
NPM = "playwright-core@1.65.1"
MAKER = mt.TESTS / "data" / "make_run.py"
RUNS = {
    "small": ["--seconds", "12", "--period", "1", "--stacks", "some", "--output", "steps", "--helpers"],
    "other": ["--seconds", "9", "--period", "1", "--shape", "leak"],
    "large": ["--nodes", "8", "--ranks-per-node", "8", "--seconds", "1800", "--period", "5", "--scale", "20",
              "--lost-node", "6", "--out-of-memory", "--stacks", "some", "--output", "steps"],
    "owners": ["--seconds", "12", "--period", "1", "--heap", "some"],
    "villains": ["--seconds", "12", "--period", "1", "--heap", "hostile"],
    "hostile": ["--seconds", "20", "--hostile", "--stacks", "hostile", "--output", "names"],
}
FORMS = {
    "total": ["large"],
    "two": ["small", "other"],
    "node": ["large", "--by", "node"],
    "rank": ["small", "--by", "rank", "--pstack", "--stdout", "--legend", "upper left"],
    "process": ["small", "--by", "process"],
    "band": ["large", "--band", "--pstack"],
    "stacked": ["large", "--stacked"],
    "heap": ["owners", "--heap"],
    "heatmap": ["large", "--heatmap"],
    "multiples": ["large", "--multiples"],
    "rate": ["small", "--rate"],
    "stdout": ["small", "--stdout", "--pstack", "--rotate-text", "30", "--trim-text", "20",
               "--move-text", "1", "-0.5"],
}
FLAMES = {  # have no axis of time
    "flame": ["owners", "--heap", "--flame"],
    "icicle": ["small", "--icicle"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("plots")
    for name, options in RUNS.items():
        subprocess.run([sys.executable, MAKER, place / f"{name}.h5", *options], check=True)
    return place


def plot(folder, *arguments, env=None, window=False):
    words = [f"{a}.h5" if a in RUNS else str(a) for a in arguments]
    env = dict(mt.base_environment(), TZ="UTC", **(env or {}))
    for name in () if window else ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)
    return subprocess.run([mt.MEMLOG, "plot", *words], cwd=folder, env=env, text=True, timeout=mt.TIMEOUT_S,
                          stdin=subprocess.DEVNULL, capture_output=True)


def draw(folder, name, *arguments):
    done = plot(folder, *arguments, "-o", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    return folder / name


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"no {program} here")


@pytest.fixture(scope="module")
def modules():
    needs("npm", "node")
    place = mt.BIN_DIR.parent / "npm-plot"
    place.mkdir(exist_ok=True)
    with open(place / "lock", "w") as lock:             # another test may want them at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "node_modules/playwright-core").exists():
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts",
                                   "--prefix", place, NPM], cwd=place, capture_output=True, text=True,
                                  timeout=mt.TIMEOUT_S)
            if done.returncode:
                pytest.skip(f"npm cannot install {NPM}: " + done.stderr.strip()[-200:])
    return place / "node_modules"


def browse(modules, page, how="open"):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no chromium here")
    done = subprocess.run(["node", mt.TESTS / f"integration/plot_{how}.mjs", modules, chromium, page],
                          capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    if how != "open":
        return seen
    assert (seen["errors"], seen["dialogs"], seen["touched"]) == ([], [], None)
    assert set(seen["requests"]) == {page.resolve().as_uri()}
    return seen
