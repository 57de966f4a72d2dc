"""The output passes through as it was, byte for byte, and is recorded on the way."""
import errno
import hashlib
import os
import pty
import re
import signal
import subprocess

import pytest
import memlog_testing as mt
from memlog_file import Recording, h5py

RECORDED_B = 16 << 20                          # the default of --stdout-limit
OUTPUT_CUT = 6                                 # the code of that event


def test_order_of_each_rank(flavour, file):
    # few enough lines that mpiexec's reads, 4 KiB at most, end with whole ones
    def numbers(outcome):
        found = re.findall(rb"rank (\d): out (\d+)", outcome.stdout)
        return {rank: [int(n) for r, n in found if r == rank] for rank in (b"0", b"1", b"2")}
    assert numbers(mt.run_plain(flavour, 3, "order", "60"))[b"2"] == list(range(60))
    hosted = mt.run_hosted(flavour, 3, "order", "60", file=file)
    assert set(map(tuple, numbers(hosted).values())) == {tuple(range(60))}, str(hosted)


def test_recorded_lines(flavour, file):
    """/output: every line, by rank and stream, in order, with its time."""
    assert mt.run_hosted(flavour, 2, "order", "50", file=file).code == 0
    recording = Recording(file)
    for rank in (0, 1):
        for stream, word in ((1, "out"), (2, "err")):
            lines = recording.output(rank, stream)
            assert lines[:50] == [f"rank {rank}: {word} {i}" for i in range(50)]
    times = {}
    for row in recording.rows("output"):
        last = times.get((row["rank"], row["stream"]), 0)
        assert row["time_s"] >= last
        times[row["rank"], row["stream"]] = row["time_s"]


def test_last_line_without_an_end(flavour, file):
    assert mt.run_hosted(flavour, 1, "order", "3", file=file).code == 0
    for stream in (1, 2):
        lines = Recording(file).output(0, stream)
        assert len(lines) == 4 and "no end of line" in lines[3], lines


@pytest.mark.parametrize("options", [("-q",), ("-q", "--no-stdout")], ids=" ".join)
def test_100_MB(options, file):
    """What passes through is never cut; what is recorded is."""
    def digest(outcome):
        assert outcome.code == 0 and len(outcome.stdout) == 100_000_000, outcome.stderr
        return hashlib.sha256(outcome.stdout).hexdigest()
    plain = mt.run_plain(mt.BUILD, 1, "print100")
    hosted = mt.run_hosted(mt.BUILD, 1, "print100", file=file, options=options)
    assert digest(hosted) == digest(plain)
    assert b"wrote 1000000 lines" in hosted.stderr
    recorded = sum(len(t) for t in Recording(file)["output"]["text"])
    if "--no-stdout" in options:
        assert recorded == 0
    else:
        assert RECORDED_B * 0.9 < recorded <= RECORDED_B
        assert OUTPUT_CUT in Recording(file)["events"]["kind"]


def test_limit_is_adjustable(flavour, file):
    hosted = mt.run_hosted(flavour, 1, "order", "1000", file=file,
                           options=("-q", "--stdout-limit", "4KiB"))
    assert len(hosted.by_rank()[0]) == 1001
    assert 0 < sum(map(len, Recording(file)["output"]["text"])) <= 4096


def test_long_line_and_no_text(file):
    """A line longer than a row goes on in the next; bytes that are no text do no harm."""
    script = r"""printf '%05000d\n' 7; printf '\377\376\000\033[31mred\n'; printf 'ä€\n'"""
    plain = mt.run(["sh", "-c", script])
    hosted = mt.run([mt.MEMLOG_MPI, "-q", "-o", file, "--", "sh", "-c", script])
    assert hosted.stdout == plain.stdout and hosted.code == 0
    lines = Recording(file).output(0, 1)
    assert lines[0] == "%05000d" % 7 and "red" in lines[1]
    with h5py.File(file) as f:
        assert "red" in f["output/text"].asstr()[:][-2], "the recorded text is valid UTF-8"


# ---------------------------------------------------------------- terminals
def run_on_terminal(command):
    """What the command writes to a terminal that is its stdin, stdout and stderr."""
    master, slave = pty.openpty()
    with mt.Job(command, stdin=slave, stdout=slave, stderr=slave) as job:
        os.close(slave)
        written = b""
        try:
            while piece := os.read(master, 65536):
                written += piece
        except OSError as e:                   # Linux: all other ends are closed
            assert e.errno == errno.EIO
        outcome = job.finish()
    os.close(master)
    assert not outcome.orphans and outcome.code == 0, written
    return written.replace(b"\r\n", b"\n")


def test_terminal_stays_one(file):
    """stdin, stdout and stderr that are terminals are terminals for the application."""
    fds = mt.program(mt.BUILD, "fds")
    plain = run_on_terminal(fds)
    hosted = run_on_terminal([mt.MEMLOG_MPI, "-q", "-o", file, "--", *fds])
    wanted = [l for l in plain.split(b"\n") if b": fd " in l]
    assert len(wanted) == 3 and all(l.endswith(b"terminal") for l in wanted)
    assert [l for l in hosted.split(b"\n") if b": fd " in l] == wanted
    assert "rank 0: fd 1 terminal" in Recording(file).output(0, 1)


def test_only_stdout_is_a_pipe(file):
    """Each descriptor is judged by itself: stdout goes through a pipe, stderr to a terminal."""
    fds = mt.program(mt.BUILD, "fds")
    script = f'{mt.MEMLOG_MPI} -q -o {file} -- {" ".join(fds)} | cat'
    lines = run_on_terminal(["sh", "-c", script]).split(b"\n")
    assert b"rank 0: fd 1 pipe" in lines and b"rank 0: fd 2 terminal" in lines, lines


# ---------------------------------------------------------------- odd descriptors
def closed(fd):
    return lambda: os.close(fd)


@pytest.mark.parametrize("flavour", mt.FLAVOURS)
def test_stdin_closed(flavour, file):
    plain = mt.run(mt.plain_command(flavour, 2, "hello"), preexec_fn=closed(0))
    hosted = mt.run(mt.hosted_command(flavour, 2, "hello", file=file), preexec_fn=closed(0))
    assert (hosted.code, hosted.lines()) == (plain.code, plain.lines()), f"{hosted}\n{plain}"


def test_stdout_closed(file):
    """The program fails to write, and says so by its exit code, as it does plainly."""
    words = ["sh", "-c", "echo word || exit 6"]
    plain = mt.run(words, preexec_fn=closed(1))
    hosted = mt.run([mt.MEMLOG_MPI, "-q", "-o", file, "--", *words], preexec_fn=closed(1))
    assert hosted.code == plain.code == 6, str(hosted)


def test_reader_goes_away(file):
    """... | head: the writer gets SIGPIPE as it would have, and nobody waits for ever."""
    def first_line(command):
        with mt.Job(command) as job:
            line = job.process.stdout.readline()
            job.process.stdout.close()
            job.process.stdout = None
            return line, job.finish()
    line, outcome = first_line([mt.MEMLOG_MPI, "-q", "-o", file, "--", "yes"])
    assert line == b"y\n" and not outcome.orphans
    assert outcome.code == 128 + signal.SIGPIPE, str(outcome)


@pytest.mark.parametrize("data", [b"", b"one line\n", bytes(range(256)) * 200], ids=len)
def test_stdin_reaches_the_program(data, file):
    hosted = mt.run([mt.MEMLOG_MPI, "-q", "-o", file, "--", "cat"], stdin=data)
    assert hosted.code == 0 and hosted.stdout == data


def test_stdin_file_keeps_its_offset(tmp_path, file):
    """stdin is the same open file: what the program leaves unread, the next one reads."""
    source = tmp_path / "lines"
    source.write_text("first\nsecond\nthird\n")
    script = f"{mt.MEMLOG_MPI} -q -o {file} -- sh -c 'read x; echo got $x'; cat"
    done = subprocess.run(["sh", "-c", script], stdin=source.open(), capture_output=True,
                          text=True, timeout=mt.TIMEOUT_S)
    assert done.stdout == "got first\nsecond\nthird\n", done.stderr
