"""memlog plot of what is wrong, odd or hostile: files, and texts that want to be code."""
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest
import memlog_testing as mt
from plot_testing import MAKER, browse, folder, modules, needs, plot  # noqa: F401 fixtures

HOSTILE_PAGE = mt.BIN_DIR.parent / "tests/support/hostile_page"


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


def test_small_graphs_of_too_many_nodes(tmp_path):
    """They could not be read: the message names what can, and a part of the nodes is drawn."""
    subprocess.run([sys.executable, MAKER, tmp_path / "run.h5", "--nodes", "65", "--ranks-per-node", "1",
                    "--seconds", "4"], check=True)
    done = plot(tmp_path, "run.h5", "--multiples", "-o", "x.html")
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.count("\n") == 1
    assert "65 nodes" in done.stderr and "--heatmap" in done.stderr
    assert not (tmp_path / "x.html").exists()
    assert plot(tmp_path, "run.h5", "--multiples", "--rank", "0-63", "-o", "x.html").returncode == 0


# ------------------------------------------------------------------------------ few marks
MARKS = [(stacks, output) for stacks in (None, "one", "two") for output in (None, "one", "two")]
FORMS_OF_MARKS = [[], ["--by", "rank"], ["--by", "node"], ["--band"], ["--stacked"], ["--rate"]]


@pytest.mark.parametrize("stacks, output", MARKS)
def test_few_marks(tmp_path, stacks, output):
    """Of each kind none, one or two, in every form. gnuplot 5.4 crashes at labels without a point."""
    needs("gnuplot")
    made = [a for name, n in (("--stacks", stacks), ("--output", output)) if n for a in (name, n)]
    subprocess.run([sys.executable, MAKER, tmp_path / "run.h5", "--seconds", "4", *made], check=True)
    for i, form in enumerate(FORMS_OF_MARKS):
        for name in ["x.png", "x.html", "x.txt"] + ["x.svg", "x.pdf"] * (i == 0):
            done = plot(tmp_path, "run.h5", "--pstack", "--stdout", *form, "-o", name)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (form, name, done)


def test_gnuplot_crashes(tmp_path, folder):
    """Then its script is left, and named."""
    crashing = tmp_path / "bin" / "gnuplot"
    crashing.parent.mkdir()
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    shutil.copy(folder / "small.h5", tmp_path / "run.h5")
    env = {"PATH": f"{crashing.parent}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    done = plot(tmp_path, "run.h5", "-o", "x.png", env=env)
    found = re.fullmatch(r"memlog: gnuplot crashed \(signal 11\); (.*\.gp) shows it\n", done.stderr)
    assert done.returncode == 1 and found, done
    assert "\nplot " in open(found[1]).read()
    assert not (tmp_path / "x.png").exists()


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


def set_some(path, value):
    def act(file):
        file[path][3] = value
    return act


ODD_HEAP = {  # of the table that is drawn, and whether it can be
    "stray process": (set_some("heap_samples/process", 77), False),
    "stray stack": (set_some("heap_samples/stack", 2**30), False),
    "other site": (set_some("heap_samples/site", -5), True),
    "NaN": (set_some("heap_samples/time_s", float("nan")), True),
    "late": (set_some("heap_samples/time_s", 1e300), True),
    "before": (set_some("heap_samples/time_s", -1e300), True),
    "largest": (set_all("heap_samples/live_B", 2**63 - 1), True),
    "negative": (set_all("heap_samples/live_B", -5), False),
    "sure": (set_all("heap_samples/live_error_B", -1), True),
    "ends at once": (set_all("processes/end_s", 0), None),
}


@pytest.mark.parametrize("odd", ODD_HEAP)
def test_odd_heap(tmp_path, folder, odd):
    import h5py
    shutil.copy(folder / "owners.h5", tmp_path / "run.h5")
    act, drawn = ODD_HEAP[odd]
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        act(file)
    for out in ([], ["-o", "-"], ["-o", "x.html"]):
        done = plot(tmp_path, "run.h5", "--heap", *out)
        assert done.returncode in (0, 1) and done.stderr.count("\n") == done.returncode, done
        assert drawn is None or drawn == (done.returncode == 0), done


# ------------------------------------------------------------------------------ what is hostile
@pytest.mark.parametrize("suffix", ["svg", "html", "gp", "txt", "tex"])
def test_hostile_owners(folder, tmp_path, suffix):
    needs("gnuplot")
    done = plot(folder, "villains", "--heap", "-o", str(tmp_path / f"x.{suffix}"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [p.name for p in tmp_path.iterdir()] == [f"x.{suffix}"]
    if suffix == "svg":
        xml.parse(tmp_path / "x.svg")


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
    closing = str.maketrans("\u201c\u2018", "\u201d\u2019")     # which of a pair hangs on what is before it
    assert [p.translate(closing) for p in printed[:-1]] == [break_cdata(shown) for _, shown, _ in strings]
    assert [p.name for p in tmp_path.iterdir()] == ["x.gp"]


def test_strings_in_the_browser(tmp_path, modules):
    strings = list(hostile_strings(4000))
    page = tmp_path / "x.html"
    page.write_bytes(made_harmless("html", strings))
    seen = browse(modules, page)
    assert seen["all"] == [shown for _, _, shown in strings]
