"""Runs and recoveries that make a file, for the tests of how it gets its name."""
import os
import signal
import subprocess

import h5py
import memlog_testing as mt

TRIES = int(os.environ.get("MEMLOG_TRIES", "3"))


def job(file, *application, options=("--no-stdout",), ranks=2, **how):
    return mt.Job(mt.mpiexec(mt.BUILD, ranks) + [mt.MEMLOG_MPI, *options, "-o", file, "--",
                                                 *application], **how)


def wait_for_journal(file):
    return mt.wait_for(lambda: mt.journals_of(file), what="a journal")[0]


def is_complete(file):
    """A whole record: the file is, and it has the run's end."""
    with h5py.File(file) as f:
        return f.attrs["complete"] == 1 and f.attrs["exit_code"] == 0


def check_nothing_left(folder, *names):
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)


def recover(file, *options, out=None):
    journals = mt.journals_of(file)
    return subprocess.Popen([mt.MEMLOG, "recover", *journals, *options, "-o", out or file],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process):
    out, err = process.communicate(timeout=mt.TIMEOUT_S)
    return process.returncode, out, err


def dead_run(file):
    """Journals of a run that was killed."""
    with job(file, "sleep", "60") as running:
        mt.wait_for_samples(file)
        for pid in running.processes():  # none sees another's end and makes the file
            mt.send(pid, signal.SIGSTOP)
        running.kill_all()
    return mt.journals_of(file)


def drafts_of(file):
    return list(file.parent.glob(".run.h5.*"))
