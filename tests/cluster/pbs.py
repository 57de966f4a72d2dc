"""A PBS job on the hosts of a bed, as OpenPBS 23.06 was seen to run one:

  - pbs_mom makes TMPDIR=/var/tmp/pbs.JOBID, mode 0700, on the first node only, and removes it at the end;
  - the script runs there as a session of its own, with umask 0077, /dev/null as stdin, and a spool
    file that is open for reading and writing as stdout and stderr;
  - PBS_NODEFILE is there on all nodes, each host once per slot; PBS_* variables are there on the first,
    and wherever a launcher takes them;
  - qdel, qrerun and walltime: TERM to every process of the session on the first node, KILL some
    seconds later; processes that called setsid, and other nodes, get neither.

As a program it is the pbs_mom of one job: pbs.py SPOOL SCRIPT, with the job's variables around it; TERM
to it is qdel. Its exit code is the script's, 128 + S after a signal.
"""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_S = 5                                    # OpenPBS: kill_delay, 10 s
SPOOL_MODE = 0o600


class Job:
    """A job of the server: it can be run, deleted, and run again under its id."""

    def __init__(self, bed, script, job_id="14.server", slots=(("n1", 2), ("n2", 2), ("n3", 2)), **variables):
        self.bed, self.id = bed, job_id
        plain = job_id.replace("[", "-").replace("]", "")
        self.nodes = bed.shared / f"nodes.{plain}"
        self.nodes.write_text("".join(f"{host}\n" * n for host, n in slots))
        self.script = bed.shared / f"script.{plain}"
        self.script.write_text("cd $PBS_O_WORKDIR\n" + script + "\n")
        self.spool = bed.shared / f"spool.{plain}"
        self.first = slots[0][0]
        self.environment = {
            "PBS_ENVIRONMENT": "PBS_BATCH", "PBS_JOBID": job_id, "PBS_JOBNAME": "script", "PBS_QUEUE": "workq",
            "PBS_NODEFILE": str(self.nodes), "PBS_O_WORKDIR": str(bed.shared), "PBS_O_HOST": "n1",
            "PBS_NODENUM": "0", "PBS_TASKNUM": "1", "PBS_MOMPORT": "15003", "NCPUS": "2",
            "OMP_NUM_THREADS": "2", "TMPDIR": f"/var/tmp/pbs.{job_id}", **variables}
        self.command = [sys.executable, "-B", __file__, self.spool, self.script]
        self.process = None

    def start(self):
        self.process = self.bed.start(self.first, self.command, self.environment)

    def finish(self, timeout_s=120):
        """The outcome, whose stdout is the spool file. PBS writes a further one when it runs again."""
        outcome = self.bed.finish(self.process, self.command, timeout_s)
        assert not outcome.stdout and not outcome.stderr, str(outcome)
        outcome.stdout = self.spool.read_bytes()
        return outcome

    def run(self):
        self.start()
        return self.finish()

    def delete(self):
        """qdel, or qrerun."""
        self.bed.sh(self.first, "for p in /proc/[0-9]*; do tr '\\0' '\\n' <$p/cmdline | "
                                f"grep -qx '{__file__}' && kill ${{p#/proc/}}; done")


# ---------------------------------------------------------------- pbs_mom
def session(leader):
    """The processes of the job's session on this host."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.append(int(entry))
        except OSError:
            pass
    return found


def signal_session(leader, number):
    for pid in session(leader):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def end_session(leader):
    """Some may have come since."""
    while session(leader):
        signal_session(leader, signal.SIGKILL)
        time.sleep(0.01)


def mom(spool, script):
    os.umask(0o077)
    folder = os.environ["TMPDIR"]
    os.mkdir(folder, 0o700)
    deleted = []
    signal.signal(signal.SIGTERM, lambda *_: deleted.append(time.monotonic()))
    output = os.open(spool, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, SPOOL_MODE)
    task = subprocess.Popen(["/bin/sh", script], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                            start_new_session=True)
    told = False
    while task.poll() is None or (told and session(task.pid)):
        if deleted and not told:
            told = True
            signal_session(task.pid, signal.SIGTERM)
        if told and time.monotonic() > deleted[0] + GRACE_S:
            end_session(task.pid)
        time.sleep(0.01)
    end_session(task.pid)
    shutil.rmtree(folder, ignore_errors=True)
    return task.returncode if task.returncode >= 0 else 128 - task.returncode


if __name__ == "__main__":
    sys.exit(mom(*sys.argv[1:]))
