"""memlog plot: scripts compared as text, pictures rendered and looked at, windows and pages clicked."""
import contextlib
import ctypes
import json
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

import pytest
import memlog_testing as mt

pytest.importorskip("h5py")
NPM = "playwright-core@1.65.1"
MAKER = mt.TESTS / "data" / "make_run.py"
HOSTILE_PAGE = mt.BIN_DIR.parent / "tests/support/hostile_page"
BROKEN = ["--nodes", "8", "--ranks-per-node", "8", "--seconds", "1800", "--period", "5", "--scale", "20",
          "--lost-node", "6", "--out-of-memory", "--stacks", "some", "--output", "steps"]
RUNS = {
    "small": ["--seconds", "12", "--period", "1", "--stacks", "some", "--output", "steps", "--helpers"],
    "other": ["--seconds", "9", "--period", "1", "--shape", "leak"],
    "large": BROKEN,
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
    "heatmap": ["large", "--heatmap"],
    "multiples": ["large", "--multiples"],
    "rate": ["small", "--rate"],
    "stdout": ["small", "--stdout", "--pstack", "--rotate-text", "30", "--trim-text", "20",
               "--move-text", "1", "-0.5"],
}
LABELS = {  # words that each picture must show
    "total": ["Resident memory, all ranks", "8 nodes, 64 ranks", "GiB", "elapsed", "n07 lost",
              "rank 1 killed, n01 out of memory", "limit of 8 nodes", "peak"],
    "two": ["2 runs, each from its start", "small", "other"],
    "node": ["by node", "n01", "n08", "node limit"],
    "rank": ["rank 0", "rank 7", "Mesh: reading", "MiB"],
    "process": ["rank 0 solver", "partmesh"],
    "band": ["smallest to largest rank", "mean of ranks", "largest: rank 1", "peak"],
    "stacked": ["rank upon rank", "n01", "at the end", "limit of 8 nodes"],
    "heatmap": ["rank by rank", "n01", "n08", "rank 1", "GiB"],
    "multiples": ["node by node", "n01", "n08", "peak"],
    "rate": ["Growth of resident memory", "MiB/s"],
    "stdout": ["Resident memory", "Mesh: reading", "Time Step 1"],
}
GROUNDS = {"light": (255, 255, 255), "dark": (0x10, 0x15, 0x1b)}
MAIN = {"light": {(0x2a, 0x6f, 0xdb)}, "dark": {(0x6a, 0xa9, 0xff)}}
LAYERS = {"light": {(0x1d, 0x4f, 0x9c)}, "dark": {(0x2c, 0x5f, 0xae)}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("plots")
    for name, options in RUNS.items():
        subprocess.run([sys.executable, MAKER, place / f"{name}.h5", *options], check=True)
    return place


def plot(folder, *arguments, env=None, **more):
    words = [f"{a}.h5" if a in RUNS else str(a) for a in arguments]
    env = dict(mt.base_environment(), TZ="UTC", **(env or {}))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        if not more.get("window"):
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


# ------------------------------------------------------------------------------ scripts
@pytest.mark.parametrize("form", FORMS)
def test_script(folder, form):
    """All but what every script begins with is as in tests/data; that is a file of its own."""
    needs_small = [a if a != "large" else "small" for a in FORMS[form]]
    script = plot(folder, *needs_small, "-o", "-").stdout
    preamble = (mt.TESTS.parent / "src/plot/preamble.gp").read_text()
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
    assert colours[GROUNDS[theme]] > (0.1 if form in ("heatmap", "stacked") else 0.4) * 1800 * 1040
    assert len(colours) > 50
    if form != "heatmap":
        wanted = LAYERS if form == "stacked" else MAIN
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


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "html", "gp", "txt"])
@pytest.mark.parametrize("dark", [[], ["--darkmode"]])
def test_hostile(folder, tmp_path, suffix, dark):
    needs("gnuplot")
    shutil.copy(folder / "hostile.h5", tmp_path / "`touch PWNED`.h5")
    picture = f"`touch PWNED`\" x.{suffix}"
    done = plot(tmp_path, "`touch PWNED`.h5", "--pstack", "--stdout", "--title", "`touch PWNED`\"; x",
                "--font", "sans`touch PWNED`", "-o", picture, *dark)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([picture, "`touch PWNED`.h5"])
    if suffix == "svg":
        xml.parse(tmp_path / picture)
    if suffix == "txt":
        text = (tmp_path / picture).read_text()
        assert all(c == "\n" or c.isprintable() for c in text)


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


# ------------------------------------------------------------------------------ wrong input
WRONG = {  # options of make_run.py, or what is written in place of a file; what the one line says
    "other": (["--set", "format=other"], "not one of memlog-mpi"),
    "newer": (["--set", "format_version=2.0"], "format 2 is newer"),
    "no samples": (["--drop", "samples"], "column rss_B was not recorded"),
    "no times": (["--drop", "samples/time_s"], "column samples/time_s is missing"),
    "no nodes": (["--drop", "nodes"], "table nodes is missing"),
    "no processes": (["--drop", "processes"], "table processes is missing"),
    "unequal": (["--shorten", "samples/rss_B"], "columns of unequal length"),
    "no numbers": (["--retype", "samples/time_s"], "does not hold numbers"),
    "far rows": (["--break", "stray-rows"], "process 1 has rows"),
    "far rank": (["--break", "huge-rank"], "too many ranks"),
    "huge": (["--break", "huge"], "more rows than the file holds"),
    "text": (b"hello\n", "not an HDF5 file"),
    "nothing": (b"", "empty"),
    "half": (None, "truncated"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_file(tmp_path, folder, wrong):
    how, message = WRONG[wrong]
    if isinstance(how, list):
        subprocess.run([sys.executable, MAKER, tmp_path / "run.h5", "--seconds", "4", *how], check=True)
    else:
        whole = (folder / "small.h5").read_bytes()
        (tmp_path / "run.h5").write_bytes(whole[:len(whole) // 2] if how is None else how)
    for words in (["-o", "x.svg"], ["--heatmap", "-o", "x.html"], ["--stacked"]):
        done = plot(tmp_path, "run.h5", *words)
        assert (done.returncode, done.stdout) == (1, "") and done.stderr.count("\n") == 1
        assert done.stderr.startswith("memlog: run.h5: ") and message in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]


def set_all(path, value):
    def act(file):
        file[path][...] = value
    return act


ODD = {  # what no recorder writes; some of it can be drawn, and nothing of it hangs or crashes
    "late samples": set_all("samples/time_s", 3.9e9), "no time": set_all("samples/time_s", 0),
    "NaN": set_all("samples/time_s", float("nan")), "not measured": set_all("samples/rss_B", -1),
    "largest": set_all("samples/rss_B", 2**63 - 1), "late nodes": set_all("node_samples/time_s", 9e8),
    "never ends": set_all("node_samples/time_s", 1e300), "stray nodes": set_all("processes/node", 77),
    "own parents": set_all("processes/parent", 1), "ends at once": set_all("processes/end_s", 0),
    "ticks": set_all("nodes/ticks", 2**62), "limit": set_all("nodes/cgroup_limit_B", 2**62),
    "late stacks": set_all("stack_samples/time_s", 1e300), "stray output": set_all("output/rank", 2**31 - 1),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_file(tmp_path, folder, odd):
    import h5py
    shutil.copy(folder / "small.h5", tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        ODD[odd](file)
    for words in ([], ["--by", "rank"], ["--by", "node", "--pstack", "--stdout"], ["--stacked"], ["--heatmap"],
                  ["--multiples"], ["--band"], ["--rate"]):
        for out in ([], ["-o", "-"], ["-o", "x.html"]):
            done = plot(tmp_path, "run.h5", *words, *out)
            assert done.returncode in (0, 1) and done.stderr.count("\n") == done.returncode, (words, done)


# ------------------------------------------------------------------------------ windows
@contextlib.contextmanager
def display():
    needs("Xvfb", "xdotool", "gnuplot")
    for _ in range(5):                                  # two that start at once may want one number
        read, write = os.pipe()
        server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24",
                                   "-nolisten", "tcp", "-noreset"], pass_fds=[write],
                                  stderr=subprocess.DEVNULL)
        os.close(write)
        with open(read) as answer:
            number = answer.readline().strip()
        if number:
            break
        server.wait()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


class ClientMessage(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("pad", ctypes.c_long * 16)]


def close_window(number, window):
    """As a window manager does when the person closes it; there is none here."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    server = ctypes.c_void_p(x11.XOpenDisplay(number.encode()))
    protocols, delete = (x11.XInternAtom(server, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    event = ClientMessage(33, 0, 1, server, int(window), protocols, 32, (delete, 0))
    x11.XSendEvent(server, ctypes.c_ulong(int(window)), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(server)


def xdotool(env, *words):
    return subprocess.run(["xdotool", *map(str, words)], env=env, capture_output=True, text=True,
                          timeout=mt.TIMEOUT_S).stdout


@pytest.mark.parametrize("terminal", ["qt", "x11"])
def test_click_prints_the_stack(folder, terminal, tmp_path):
    with display() as number:
        terminals = subprocess.run(["gnuplot", "-e", "print GPVAL_TERMINALS"], capture_output=True,
                                   text=True).stderr.split()
        if terminal not in terminals:
            pytest.skip(f"this gnuplot has no {terminal} terminal (gnuplot-qt has)")
        env = dict(mt.base_environment(), DISPLAY=number, GNUTERM=terminal, QT_QPA_PLATFORM="xcb")
        env.pop("WAYLAND_DISPLAY", None)
        out = open(tmp_path / "out", "w+")
        child = subprocess.Popen([mt.MEMLOG, "plot", "small.h5", "--pstack"], cwd=folder, env=env,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        try:
            window = mt.wait_for(lambda: xdotool(env, "search", "--onlyvisible", "--name",
                                                 "^Gnuplot").split(), what="the window", timeout_s=40)[-1]
            time.sleep(1.5)                             # gnuplot draws, then listens
            shape = dict(line.split("=") for line in
                         xdotool(env, "getwindowgeometry", "--shell", window).split())
            x, y = int(shape["X"]), int(shape["Y"])
            xdotool(env, "mousemove", x + 700, y + 150, "click", 1)     # no mark is there
            time.sleep(0.3)
            assert (tmp_path / "out").read_text() == ""
            # The first stack is at 1.2 of 11.1 s, somewhere above the axis; a busy machine may miss a click.
            for height in 10 * list(range(0, 640, 9)):
                xdotool(env, "mousemove", x + 79 + 112, y + 120 + height, "click", 1)
                if (tmp_path / "out").read_text():
                    break
            text = mt.wait_for(lambda: (tmp_path / "out").read_text(), what="the stack")
            assert text.startswith("stacks at 0:01.2") and "assemble(Mesh const&)  core.cpp:211" in text
            close_window(number, window)
            assert child.wait(timeout=mt.TIMEOUT_S) == 0
        finally:
            child.kill()
            child.wait()
            out.close()


def test_display_that_is_not_there(folder):
    """Says so, and draws in the terminal."""
    needs("gnuplot")
    done = plot(folder, "small", env={"DISPLAY": ":4711", "QT_QPA_PLATFORM": "xcb"}, window=True)
    assert done.returncode == 0 and re.search("[\u2801-\u28ff]", done.stdout)
    assert done.stderr == "memlog: display :4711 does not answer; drawn in the terminal instead\n"


# ------------------------------------------------------------------------------ the browser
@pytest.fixture(scope="module")
def modules():
    needs("npm", "node")
    place = mt.BIN_DIR.parent / "npm-plot"
    if not (place / "node_modules/playwright-core").exists():
        place.mkdir(exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts",
                               "--prefix", place, NPM], cwd=place, capture_output=True, text=True, timeout=100)
        if done.returncode:
            pytest.skip(f"npm cannot install {NPM}: " + done.stderr.strip()[-200:])
    return place / "node_modules"


def browse(modules, page):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no chromium here")
    done = subprocess.run(["node", mt.TESTS / "integration/plot_open.mjs", modules, chromium, page],
                          capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["errors"], seen["dialogs"], seen["touched"]) == ([], [], None)
    assert set(seen["requests"]) == {page.resolve().as_uri()}
    return seen


@pytest.mark.parametrize("form", FORMS)
def test_html(folder, modules, form):
    seen = browse(modules, draw(folder, f"{form}.html", *FORMS[form]))
    assert seen["title"].startswith(("Resident", "Growth"))
    assert (seen["light"], seen["dark"]) == ("rgb(255, 255, 255)", "rgb(16, 21, 27)")
    assert seen["toggled"] == seen["dark"]
    assert seen["tics"] == seen["whole"] and seen["zoomed"] != seen["tics"] != seen["moved"]
    assert re.search(r"\d (KiB|MiB|GiB|MiB/s|KiB/s)|no data", seen["hover"]), seen["hover"]
    assert bool(seen["marks"]) == ("--pstack" in FORMS[form] or "--stdout" in FORMS[form])
    if seen["marks"]:
        for way in ("clicked", "entered"):
            assert seen[way]["open"] and seen[way]["text"].startswith(("stacks at", "output at"))
        assert not seen["escaped"]["open"]
        assert any("assemble(Mesh const&)" in text for text in seen["all"])


# ------------------------------------------------------------------------------ hostile strings
PIECES = {  # bytes and what gnuplot and the browser show for them
    b"`touch PWNED`": ("\u2035touch PWNED\u2035", None), b'"; system("touch PWNED"); "': (
        "\u201d; system(\u201dtouch PWNED\u201d); \u201d", None),
    b"'": ("\u2019", None), b'"': ("\u201d", None), b"\\": ("\u29f5", None), b"\n": ("\n", None),
    b"\t": ("\u2409", "\ufffd"), b"\r": ("\u240d", "\ufffd"), b"\x1b[31m": ("\u241b[31m", "\ufffd[31m"),
    b"\x7f": ("\u2421", "\ufffd"), b"\xff": ("\ufffd", "\ufffd"), b"\x9b2J": ("\ufffd2J", "\ufffd2J"),
    "\u202e".encode(): ("\ufffd", "\ufffd"), "\x85".encode(): ("\ufffd", "\ufffd"),
    "\u2028".encode(): ("\ufffd", "\ufffd"), b"\\140id\\140": ("\u29f5140id\u29f5140", None),
    b"</script><script>touched = 1</script>": (None, None), b"<img src=x onerror='touched=1'>": (
        "<img src=x onerror=\u2019touched=1\u2019>", None),
    b"<!--": (None, None), b"]]": (None, None), b">": (None, None), b"@M": (None, None),
    b"$0": (None, None), b"${x}": (None, None), b"$(touch PWNED)": (None, None), b"EOD\n": (None, None),
    b"\n!touch PWNED\n": (None, None), b"{/=40 big}": (None, None), b"_a^b~c&d#e": (None, None),
    b"%s%n%d": (None, None), b"|touch PWNED": (None, None), b"< touch PWNED": (None, None), b"7": (None, None),
    b"&lt;&#60;": (None, None), b"\\u003c": ("\u29f5u003c", None), "\u65e5\u672c".encode(): (None, None),
    "\U0001f600\xe9".encode(): (None, None), b"javascript:touched=1": (None, None), b"   ": (None, None),
}


def hostile_strings(n):
    pick = random.Random(11)
    for _ in range(n):
        pieces = [pick.choice(list(PIECES)) for _ in range(pick.randint(1, 9))]
        shown = [tuple(p.decode() if s is None and k == 1 or PIECES[p] == (None, None) else s
                       for k, s in enumerate(PIECES[p])) if p.isascii() or PIECES[p] != (None, None)
                 else (p.decode(), p.decode()) for p in pieces]
        yield b"".join(pieces), "".join(s[0] for s in shown), "".join(s[1] for s in shown)


def made_harmless(what, strings):
    return subprocess.run([HOSTILE_PAGE, what], input=b"\0".join(s[0] for s in strings) + b"\0",
                          capture_output=True, check=True, timeout=mt.TIMEOUT_S).stdout


def break_cdata(text):
    """What ends a CDATA section gets a blank, unless it is at the very beginning."""
    return re.sub(r"(?<=\])>", " >", text) if not text.startswith("]>") else text


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_strings_in_gnuplot(tmp_path, way):
    needs("gnuplot")
    strings = list(hostile_strings(4000))
    script = tmp_path / "x.gp"
    script.write_bytes(made_harmless("gp", strings))
    done = subprocess.run(["gnuplot", "-d", *(["x.gp"] if way == "file" else ["-"])], cwd=tmp_path,
                          stdin=open(script, "rb"), capture_output=True, timeout=mt.TIMEOUT_S)
    printed = done.stdout.decode().split("\n\x01\n")
    assert done.returncode == 0 and done.stderr == b""
    assert printed[:-1] == [break_cdata(shown) for _, shown, _ in strings]
    assert [p.name for p in tmp_path.iterdir()] == ["x.gp"]


def test_strings_in_the_browser(tmp_path, modules):
    strings = list(hostile_strings(4000))
    page = tmp_path / "x.html"
    page.write_bytes(made_harmless("html", strings))
    seen = browse(modules, page)
    assert seen["all"] == [shown for _, _, shown in strings]
