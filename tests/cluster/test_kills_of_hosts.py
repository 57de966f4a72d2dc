"""Any process of a run on three hosts may die or stop at any moment: draws from the same table as on
one host. See integration/kill_testing.py."""
import os
import signal
import uuid

import pytest
import kill_testing as kt
import memlog_testing as mt
import bed as beds

KILLS = max(kt.KILLS // 4, 1)


class HostsRun(kt.Run):
    """Two ranks a host; the launcher runs on n1. PIDs are those of the machine."""
    n_ranks = 6
    also = frozenset({255} if mt.BUILD == "mpich" else ())     # Hydra over several hosts

    def __init__(self, drawn, bed):
        self.bed, self.mark = bed, uuid.uuid4().hex
        self.before = self.scratch_folders()
        super().__init__(drawn)

    def make_root(self):
        root = self.bed.shared / self.mark[:8]
        root.mkdir()
        return root

    def start(self):
        env = {**self.bed.environment(self.draw.flavour), mt.MARK: self.mark}
        self.process = self.bed.start(
            "n1", self.command(self.bed.mpiexec(mt.BUILD, self.n_ranks, env=env)), env)

    def processes(self):
        return mt.marked_processes(self.mark)

    def is_over(self):
        return self.process.poll() is not None

    def exit_code(self):
        return self.process.returncode

    def close(self):
        for pid in self.processes():
            mt.send(pid, signal.SIGKILL)
        if not self.is_over():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def record_again(self):
        env = self.bed.environment(mt.BUILD)
        for host in beds.HOSTS:
            command = [mt.MEMLOG_MPI, "-q", "-o", self.root / f"again-{host}.h5", "--", "true"]
            outcome = self.bed.finish(self.bed.start(host, command, env), command)
            assert outcome.code == 0, str(outcome)

    def scratch_folders(self):
        return {f"{name} on {host}" for host in beds.HOSTS
                for name in self.bed.sh(host, "cd /tmp && ls -d memlog.*").split()}

    def left_in_tmp(self):
        return sorted(self.scratch_folders() - self.before)


def hydra_hangs(drawn):
    """Hydra (MPICH 4.0.2) over several hosts does not end where a process is killed in MPI_Init:
    plainly, of 13 runs of `hello` none ended."""
    return (mt.BUILD == "mpich" and drawn.who in ("rank process", "sampling rank")
            and drawn.signal in ("KILL", "SEGV") and drawn.phase == "init")


@pytest.mark.parametrize("number", range(KILLS))
def test_draw(number, bed):
    drawn = kt.draw(number)
    if hydra_hangs(drawn):
        pytest.skip(f"{drawn}: Hydra over several hosts hangs then, without us too")
    kt.run_draw(drawn, lambda drawn: HostsRun(drawn, bed))
