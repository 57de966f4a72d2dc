"""Recorders that join what runs already (--attach)."""
import json
import subprocess
import uuid

import memlog_testing as mt


def unique_name():
    """As the kernel keeps it, 15 bytes, and nobody else's on this machine."""
    return "a" + uuid.uuid4().hex[:14]


class Recorder:
    """memlog-mpi --attach, and what became of it."""

    def __init__(self, what, file, *options, launcher=(), **how):
        self.file = file
        self.job = mt.Job([*launcher, mt.MEMLOG_MPI, "--attach", what, "-r", "50ms", "-o", file,
                           *options], cwd=file.parent, **how)

    def wait_until(self, condition, what, *words):
        """CONDITION of the report of the journals, of memlog read with WORDS."""
        def holds():
            assert self.job.process.poll() is None, str(self.job.finish())
            read = subprocess.run([mt.MEMLOG, "read", "--json", *words, self.file],
                                  capture_output=True, text=True)
            return read.returncode == 0 and condition(json.loads(read.stdout))
        mt.wait_for(holds, what=what)

    def report(self):
        return json.loads(mt.memlog(self.file.parent, "read", "--json", self.file))

    def wait_for_processes(self, n):
        self.wait_until(lambda report: len(report["processes"]) >= n, f"{n} processes")

    def finish(self, code=0):
        outcome = self.job.finish()
        assert outcome.code == code and not outcome.orphans, str(outcome)
        return outcome

    def leave(self, number):
        """Ends the recording by a signal to each of its rank processes."""
        for pid in self.job.processes():
            if mt.comm_of(pid) == "memlog-mpi":
                mt.send(pid, number)
        return self.finish()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.job.__exit__()


def refused(*words, **how):
    """What memlog-mpi says where it attaches to nothing."""
    outcome = mt.run([mt.MEMLOG_MPI, *words], **how)
    assert outcome.code == 2, str(outcome)
    lines = outcome.stderr.decode().splitlines()
    assert len(lines) == 1, str(outcome)
    return lines[0]
