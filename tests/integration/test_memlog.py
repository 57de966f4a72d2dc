"""memlog, the reader, at its command line: exit codes, one-line errors, pictures. No MPI here."""
import subprocess
import sys

import pytest
import memlog_testing as mt

h5py = pytest.importorskip("h5py")

USAGE = [
    ([], "no command"),
    (["nope"], "'nope' is not a command"),
    (["help", "nope"], "'nope' is not a command"),
    (["plto", "RUN"], "'plto' is not a command; did you mean 'memlog plot'?"),
    (["--plto", "RUN"], "'--plto' is not a command"),
    (["read", "--jsno", "RUN"], "'--jsno' is not an option; did you mean --json?"),
    (["read"], "no file is named"),
    (["read", "--nope", "RUN"], "'--nope' is not an option"),
    (["read", "-x", "RUN"], "-x is not an option"),
    (["read", "RUN", "--since"], "'--since' needs a value"),
    (["read", "RUN", "--since", "soon"], "'soon' is no time"),
    (["read", "RUN", "--all=3"], "'--all=3' takes no value"),
    (["read", "RUN", "--since", "5", "--until", "2"], "--since 5 is after --until 2"),
    (["read", "RUN", "RUN"], "one file at a time"),
    (["plot"], "no file is named"),
    (["plot", "RUN", "-o", "x.bmp"], "name a .png, .svg, .pdf, .eps, .tex, .html, .txt or .gp file"),
    (["plot", "RUN", "--by", "moon"], "--by moon: total, node, rank and process go"),
    (["plot", "RUN", "--stacked", "--band"], "one of --stacked"),
    (["plot", "RUN", "RUN", "--by", "process"], "draws one file"),
    (["plot", "RUN", "--heatmap", "--pstack"], "--heatmap has no lines"),
    (["plot", "RUN", "--flame", "--stacked"], "one of --stacked, --heatmap, --multiples, --band and --flame"),
    (["plot", "RUN", "--heap", "--flame", "--by", "rank"], "--flame has no axes"),
    (["plot", "RUN", "--heap", "--at", "end"], "go with --flame"),
    (["plot", "RUN", "--heap", "--column", "rss_B"], "no column of the samples"),
    (["plot", "RUN", "--heap", "--pstack"], "--heap has no lines"),
    (["plot", "RUN", "--heap", "--log"], "no logarithmic axis"),
    (["plot", "RUN", "RUN", "--heap"], "draw one file"),
    (["plot", "RUN", "--rate", "--heap"], "--rate draws lines"),
    (["plot", "RUN", "--rate", "--stacked"], "--rate draws lines"),
    (["plot", "RUN", "--size", "big"], "--size big: width x height"),
    (["plot", "RUN", "--legend", "moon"], "'moon' is no position"),
    (["plot", "RUN", "--move-text", "1"], "--move-text wants two numbers"),
    (["plot", "RUN", "--trim-text", "-1"], "--trim-text -1"),
    (["plot", "RUN", "--rotate-text", "round"], "--rotate-text round"),
    (["diff"], "name an old and a new file"),
    (["diff", "RUN"], "name an old and a new file"),
    (["diff", "RUN", "--against"], "name an old and a new file"),
    (["diff", "--against", "RUN"], "name an old and a new file"),
    (["diff", "RUN", "--against", "RUN", "--against", "RUN"], "--against is written whole, once"),
    (["diff", "RUN", "--agai", "RUN"], "--against is written whole, once"),
    (["diff", "RUN", "--against=RUN"], "'--against=RUN' takes no value"),
    (["diff", "RUN", "RUN", "--fail-if"], "'--fail-if' needs a value"),
    (["diff", "--fail-if", "moon+5%", "RUN", "RUN"], "'moon+5%' begins with none of peak, rank"),
    (["diff", "--fail-if", "peak-5%", "RUN", "RUN"], "'peak-5%': write peak+5% or peak+100MiB"),
    (["diff", "--fail-if", "peak5%", "RUN", "RUN"], "'peak5%': write peak+5% or peak+100MiB"),
    (["diff", "--fail-if", "peak+5", "RUN", "RUN"], "'peak+5': write peak+5% or peak+100MiB"),
    (["diff", "RUN", "RUN", "--fail-if", "time+5MiB"], "write time+5% or time+30s"),
    (["doctor", "RUN"], "it takes no file"),
    (["doctor", "--jsno"], "'--jsno' is not an option; did you mean --json?"),
    (["recover"], "no journal is named"),
    (["recover", "x.journal"], "-o FILE is missing"),
]
FAILURES = [
    (["read", "nope.h5"], "not there, and no journal of it lies beside it"),
    (["read", "nope.journal"], "No such file or directory"),
    (["read", "/dev/null"], "not a file"),
    (["diff", "RUN", "nope.h5"], "nope.h5: not there"),
    (["diff", "/dev/null", "RUN"], "not a file"),
    (["recover", "nope.journal", "-o", "RUN"], "exists already"),
    (["plot", "RUN", "--column", "moon"], "no such column; there are memory_B, rss_B"),
    (["plot", "RUN", "--column", "pss_B"], "column pss_B was not recorded"),
    (["plot", "RUN", "-o", "nowhere/x.png"], "cannot be written"),
]


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("made-up") / "run.h5"
    maker = mt.TESTS / "data" / "make_run.py"
    subprocess.run([sys.executable, maker, path, "--hostile", "--seconds", "20"], check=True)
    return path


def memlog(*arguments, cwd, **environment):
    env = dict(mt.base_environment(), TZ="UTC", **environment)
    return subprocess.run([mt.MEMLOG, *arguments], cwd=cwd, env=env, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=mt.TIMEOUT_S)


@pytest.mark.parametrize("code, arguments, message",
                         [(2, *c) for c in USAGE] + [(1, *c) for c in FAILURES])
def test_errors(run_file, tmp_path, code, arguments, message):
    done = memlog(*[str(run_file) if a == "RUN" else a for a in arguments], cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.startswith("memlog: ") and done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("words", [["RUN"], ["--read", "RUN"]])
def test_read_is_what_is_meant(run_file, tmp_path, words):
    done = memlog(*[str(run_file) if w == "RUN" else w for w in words], cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == memlog("read", str(run_file), cwd=tmp_path).stdout


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["help", "read"], ["plot", "--help"], ["diff", "-h"],
                                       ["export", "-h"], ["recover", "-h"], ["doctor", "-h"],
                                       ["--version"]])
def test_help(tmp_path, arguments):
    done = memlog(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert 1 <= done.stdout.count("\n") <= 30 and max(map(len, done.stdout.splitlines())) <= 81


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_report_fits(run_file, tmp_path, columns, locale):
    done = memlog("read", "--ranks", "--separate", "--all", str(run_file), cwd=tmp_path,
                  COLUMNS=str(columns), LC_ALL=locale)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert locale != "C" or done.stdout.isascii()
    assert max(len(line) for line in done.stdout.splitlines()) <= columns


@pytest.mark.parametrize("suffix, start", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"),
                                           ("gp", b"#!/usr/bin/env gnuplot")])
@pytest.mark.parametrize("dark", [[], ["--darkmode"]])
def test_pictures(run_file, tmp_path, suffix, start, dark):
    picture = tmp_path / f"`touch PWNED`\" x.{suffix}"
    done = memlog("plot", str(run_file), str(run_file), "-o", picture.name, *dark, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert picture.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [picture.name]


def test_script_on_stdout_draws(run_file, tmp_path):
    script = memlog("plot", str(run_file), "-o", "-", cwd=tmp_path).stdout
    subprocess.run(["gnuplot", "-d", "-"], input="out='x.png'; dark=1\n" + script, cwd=tmp_path,
                   text=True, check=True, timeout=mt.TIMEOUT_S)
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]
