"""memlog top in a real terminal (tmux), of real runs."""
import contextlib
import re
import shutil
import signal
import subprocess

import pytest

import memlog_testing as mt

NEEDS_TMUX = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not here (Debian tmux)")


class Terminal:
    """A tmux server of its own; the program runs in a shell, whose end says the exit code."""

    def __init__(self, folder, command, width=80, height=24, **variables):
        self.socket = folder / "tmux"
        words = " ".join(f"{name}={value}" for name, value in variables.items())
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(folder),
                  f"env {words} {mt.MEMLOG} {command}; echo EXIT $?; exec cat")

    def tmux(self, *arguments):
        env = {name: value for name, value in mt.base_environment().items() if name not in ("TMUX", "NO_COLOR")}
        return subprocess.run(["tmux", "-S", str(self.socket), *arguments], check=True, text=True, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60).stdout

    def screen(self, *more):
        return self.tmux("capture-pane", "-p", *more)

    def wait(self, pattern):
        return mt.wait_for(lambda: (s := self.screen()) and re.search(pattern, s) and s, what=f"{pattern} on the screen")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")


def memlog(folder, *arguments, code):
    done = subprocess.run([str(mt.MEMLOG), *arguments], cwd=folder, env=mt.base_environment(), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=mt.TIMEOUT_S, check=False)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def start(folder, *more):
    return mt.Job([mt.MEMLOG_MPI, "-q", "-n", "2", "-r", "50ms", *more, "-o", folder / "run.h5", "--",
                   *mt.program(mt.BUILD, "grow"), "600", "16"])


def end_ranks(job):
    """By a signal, so that the run ends when the test wants it; its file is written."""
    for pid in job.processes():
        if mt.comm_of(pid) == "grow":
            mt.send(pid, signal.SIGTERM)
    job.finish()


@NEEDS_TMUX
def test_screen(tmp_path):
    """A run without being named, keys, sizes, what is stopped; then its file, when it has ended."""
    with start(tmp_path, "--stack-rate", "100ms") as job:
        mt.wait_for_samples(tmp_path / "run.h5")
        with Terminal(tmp_path, "top") as terminal:
            text = terminal.wait(r"running  2 of 2 ranks run  run\.h5")
            assert re.search(r"memory [\d.]+ [KMG]iB  peak .* least left [\d.]+ [MG]iB on", text)
            assert "⣿" in terminal.wait(r"\[1\] rank 1: growing") and "RANK     MEMORY" in text
            terminal.keys(">")
            terminal.wait("sort: growth")
            terminal.keys("/", "1", "Enter")
            assert not re.search(r"^ +0 .*iB", terminal.wait("filter: 1 "), re.M)
            terminal.keys("/", "Escape")
            terminal.wait(r"(?m)^ +0 +[\d.]+ [KM]iB")
            terminal.keys("h")
            terminal.wait("memlog top: keys")
            terminal.keys("q", "s")
            terminal.wait("stacks of rank [01]")
            terminal.keys("q", "Space")
            terminal.wait("PAUSED")
            for width, height in (20, 5), (400, 100), (80, 24):
                terminal.tmux("resize-window", "-x", str(width), "-y", str(height))
                terminal.wait(rf"PAUSED(.*\n){{{height - 1}}}h help")
            terminal.keys("Space")
            terminal.wait("running")
            job.kill_all()
            terminal.wait(r"ended: |\(\d+ s ago\)")
            terminal.keys("q")
            terminal.wait("EXIT 0")


@NEEDS_TMUX
def test_ends(tmp_path):
    """The file takes the place of the journals; ^C ends; no colours where none are wanted."""
    with start(tmp_path) as job:
        mt.wait_for_samples(tmp_path / "run.h5")
        with Terminal(tmp_path, "top run.h5", TERM="screen", NO_COLOR="1") as terminal:
            terminal.wait("running")
            end_ranks(job)
            terminal.wait(r"ended: .*  0 of 2 ranks run")
            assert (tmp_path / "run.h5").exists()
            terminal.keys("Down")
            mt.wait_for(lambda: re.search(r"\x1b\[[0-9;]*7m +1 +ended", terminal.screen("-e")), what="the chosen rank")
            assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|38;|46)", terminal.screen("-e"))
            terminal.keys("C-c")
            terminal.wait("EXIT 0")


def at_moment(screen):
    """Its time in seconds, and what the job and each rank had, in KiB."""
    sizes = {"K": 1, "M": 1024, "G": 1024 * 1024}
    minutes, seconds = re.match(r"AT (\d+):([\d.]+) of ", screen).groups()
    rows = re.findall(r"(memory|(?m:^) +\d+) +([\d.]+) ([KMG])iB", screen)
    memory = {name.strip(): float(number) * sizes[unit] for name, number, unit in rows}
    return int(minutes) * 60 + float(seconds), memory.pop("memory"), memory


@NEEDS_TMUX
def test_time_of_a_file(tmp_path):
    """What ranks had at earlier moments of a run that has ended."""
    with start(tmp_path) as job, contextlib.ExitStack() as stack:
        mt.wait_for_samples(tmp_path / "run.h5")
        terminal = stack.enter_context(Terminal(tmp_path, "top run.h5"))
        terminal.wait("(?m)^0:0[3-9].*running")
        end_ranks(job)
        terminal.wait("ended: ")
        terminal.keys(*["["] * 3)
        first = at_moment(terminal.wait("AT "))
        terminal.keys("]")
        second = at_moment(terminal.wait(rf"AT (?!0:0?{first[0]:.1f} )"))
        assert first[0] < second[0] and first[1] < second[1]
        for _, total, ranks in first, second:
            assert len(ranks) == 2 and abs(sum(ranks.values()) - total) < total / 100
            assert 0.3 < min(ranks.values()) / max(ranks.values())
        terminal.keys("p")
        assert "│" in terminal.wait("AT ")
        terminal.keys("s")
        assert "no stacks" in terminal.wait("stacks of rank [01]").lower()
        terminal.keys("q", "e")
        terminal.wait(r"(?m)^\d:.*ended: ")
        terminal.keys(*["["] * 20)
        terminal.wait(r"AT 0:00\.0 ")
        terminal.keys("q")
        terminal.wait("EXIT 0")


@NEEDS_TMUX
def test_journals_go_away(tmp_path):
    """What was seen stays, and is said to be old."""
    with start(tmp_path) as job:
        mt.wait_for_samples(tmp_path / "run.h5")
        with Terminal(tmp_path, "top run.h5") as terminal:
            terminal.wait("running")
            job.kill_all()
            for journal in tmp_path.glob("*.journal"):
                journal.unlink()
            assert "2 ranks" in terminal.wait(r"NOT NEW: run\.h5: not there")
            terminal.keys("q")
            terminal.wait("EXIT 0")


@NEEDS_TMUX
def test_terminal_goes_away(tmp_path):
    with start(tmp_path) as job:
        mt.wait_for_samples(tmp_path / "run.h5")
        with Terminal(tmp_path, "top run.h5", TERM="vt100") as terminal:
            terminal.wait("running")
            shell = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
            pids = subprocess.run(["pgrep", "-P", shell], text=True, stdout=subprocess.PIPE, check=True).stdout.split()
        mt.wait_for(lambda: not any(mt.Path(f"/proc/{pid}").exists() for pid in pids), what="the end of memlog top")
        job.kill_all()


@NEEDS_TMUX
def test_poor_terminal(tmp_path):
    with start(tmp_path) as job:
        mt.wait_for_samples(tmp_path / "run.h5")
        with Terminal(tmp_path, "top run.h5", TERM="dumb") as terminal:
            assert "--plain prints lines instead" in terminal.wait("EXIT 1").replace("\n", "")
        job.kill_all()


def test_without_a_terminal(tmp_path):
    with start(tmp_path) as job:
        mt.wait_for_samples(tmp_path / "run.h5")
        assert "--plain prints lines instead" in memlog(tmp_path, "top", code=1)
        with subprocess.Popen([str(mt.MEMLOG), "top", "--plain", "--every", "300ms"], cwd=tmp_path, env=mt.base_environment(), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as plain:
            assert re.match(r"\d:\d\d\.\d  [0-2] ranks?  [\d.]+ [KM]iB \(peak", plain.stdout.readline())
            end_ranks(job)
            rest = plain.communicate(timeout=mt.TIMEOUT_S)[0]
        assert plain.returncode == 0
    end = memlog(tmp_path, "top", "--plain", "run.h5", code=0)
    assert re.fullmatch(r"\d:\d\d\.\d  ended: .* \(peak [\d.]+ [KM]iB\)\n", end) and rest.endswith(end)
    assert "no run goes on in this folder" in memlog(tmp_path, "top", code=2)
    for bad in "0s", "soon", "-1s", "5ms":
        assert f"--every '{bad}': write a time from 100ms on" in memlog(tmp_path, "top", "--every", bad, code=2)
    assert "one file at a time" in memlog(tmp_path, "top", "a.h5", "b.h5", code=2)
