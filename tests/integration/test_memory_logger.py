"""Lines of MOOSE's memory_logger.py: `memory_logger` does what they say, and says what to type now."""
import re
import shlex
import subprocess
import time

import pytest
import memlog_testing as mt
from memlog_file import Recording
from plot_testing import folder, needs  # noqa: F401 folder is a fixture

MEMORY_LOGGER = mt.BIN_DIR / "memory_logger"


def logger(place, *words):
    env = dict(mt.base_environment(), TZ="UTC")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "PBS_NODEFILE"):
        env.pop(name, None)
    return subprocess.run([MEMORY_LOGGER, *words], cwd=place, env=env, text=True, timeout=mt.TIMEOUT_S,
                          stdin=subprocess.DEVNULL, capture_output=True)


def told(done):
    return re.search(r"^memory_logger: now: (.*)$", done.stderr, re.M).group(1)


def ramp(seconds):
    return shlex.join(mt.plain_command(mt.BUILD, 2, "ramp", str(seconds), "8", str(time.time())))


def test_run(tmp_path):
    command = ramp(1)
    done = logger(tmp_path, "--run", command, "--outfile", "my.log", "--repeat-rate", "0.05", "--pbs", "--pbs-delay",
                  "1.5", "--sample-delay=0.1", "--stdout")
    assert done.returncode == 0, done.stderr
    assert told(done) == f"memlog-mpi --run {shlex.quote(command)} -o my.log -r 0.05 --sample-delay 0.1"
    recording = Recording(tmp_path / "my.log")
    assert sorted(recording.ranks()) == [0, 1] and len(recording["node_samples"]["time_s"]) > 8
    assert sum(r["rss_B"] > 2**20 for r in recording.rows("samples")) > 2


@pytest.mark.parametrize("debugger", ["gdb", "lldb"])
def test_stacks(tmp_path, debugger):
    needs(debugger)
    done = logger(tmp_path, "--pstack", "--debugger", debugger, "--run", ramp(3), "--outfile", "run.h5")
    assert done.returncode == 0, done.stderr
    assert " -o run.h5" in told(done) and f"--pstack --debugger {debugger}" in told(done)
    assert "ramp" in logger(tmp_path, "--read", "run.h5", "--pstack").stdout or "not permit" in done.stderr


def test_a_failure_is_passed_on(tmp_path):
    assert logger(tmp_path, "--run", "sh -c 'exit 7'", "--outfile", "run.h5").returncode == 7


@pytest.mark.parametrize("words, new, seen", [
    ([], "", "peak"),
    (["--separate"], " --separate", "n02"),
    (["--stdout"], " --stdout", "Mesh: reading"),
    (["--pstack", "--no-color"], " --pstack --no-color", "Solver::run"),
    (["--all", "--debugger", "gdb", "--darkmode"], " --all", "0:12.0"),
])
def test_read(folder, words, new, seen):
    done = logger(folder, "--read", "small.h5", *words)
    assert (done.returncode, told(done)) == (0, "memlog read small.h5" + new) and seen in done.stdout


def test_an_old_log(folder):
    subprocess.run([mt.MEMLOG, "export", "--moose-csv", "small.h5", "-o", "old.log"], cwd=folder, check=True)
    assert "peak" in logger(folder, "--read", "old.log").stdout
    assert logger(folder, "--plot", "old.log", "small.h5", "--outfile", "both.html").returncode == 0
    assert '"label":"old.log"' in (folder / "both.html").read_text()


@pytest.mark.parametrize("words, new", [
    (["small.h5", "other.h5"], "small.h5 other.h5"),
    (["small.h5", "--pstack", "--stdout"], "small.h5 --pstack --stdout"),
    (["small.h5", "--stdout", "--rotate-text", "30", "--move-text", "1", "-0.5", "--trim-text", "12"],
     "small.h5 --stdout --rotate-text 30 --move-text 1 -0.5 --trim-text 12"),
    (["small.h5", "--legend", "upper left", "--darkmode"], "small.h5 --legend 'upper left' --darkmode"),
    (["small.h5", "--no-color", "--separate", "--repeat-rate", "3"], "small.h5"),
])
def test_plot(folder, words, new):
    done = logger(folder, "--outfile", "x.html", "--plot", *words)
    assert (done.returncode, told(done)) == (0, "memlog plot -o x.html " + new)
    again = subprocess.run(shlex.split(told(done).replace("x.html", "y.html")), cwd=folder,
                           env=dict(mt.base_environment(), PATH=f"{mt.BIN_DIR}:/usr/bin:/bin"))
    assert again.returncode == 0 and (folder / "x.html").read_text() == (folder / "y.html").read_text()


def test_plot_in_the_terminal(folder):
    assert "elapsed" not in (done := logger(folder, "--plot", "small.h5")).stderr and "peak" in done.stdout


@pytest.mark.parametrize("words, complaint", [
    ([], "--run, --read or --plot is missing"),
    (["--stdout"], "--run, --read or --plot is missing"),
    (["--run", "a", "--read", "b"], "one at a time"),
    (["--read", "a", "--colour"], "'--colour' is not an option"),
    (["--read", "a", "b"], "'b' is not an option"),
    (["--plot", "a", "--outfile"], "--outfile needs a value"),
    (["--plot", "a", "--move-text", "1"], "--move-text needs a value"),
    (["--read", "a", "--stdout=yes"], "--stdout takes no value"),
])
def test_wrong_use(tmp_path, words, complaint):
    done = logger(tmp_path, *words)
    assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert complaint in done.stderr and "memory_logger --help" in done.stderr


def test_help_names_what_the_documents_name():
    """Help, manual page, table of old and new lines and the program itself know the same options."""
    root = mt.TESTS.parent
    script = MEMORY_LOGGER.read_text()
    known = set(re.findall(r"^(?:options=')?(--[a-z-]+) +(?:[0-9]|many) ", script, re.M)) | {"--help"}
    helped = logger(root, "--help")
    assert helped.returncode == 0 and len(helped.stdout.splitlines()) < 30
    assert set(re.findall(r"--[a-z-]+", helped.stdout)) == known
    page = (root / "docs/man/memory_logger.1").read_text().replace("\\-", "-")
    assert set(re.findall(r"--[a-z-]+", page)) == known
    table = (root / "docs/from-memory-logger.md").read_text()
    assert {o for o in known if o not in table} == {"--help"}
