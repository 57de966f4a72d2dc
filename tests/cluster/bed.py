"""Isolated hosts for the tests: commands on them, launchers across them, what still runs."""
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import memlog_testing as mt

MNBED = Path(__file__).with_name("mnbed.py")
SHIM = mt.PROGRAMS / "mpich/mpich402fin.so"
TIMEOUT_S = 180
HOSTS = ("n1", "n2", "n3")


def as_user(name):
    """The words that make a command run as that user: none for our own."""
    if not name:
        return []
    entry = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--"]


def check(user=None):
    """None, or why this machine cannot do it."""
    done = subprocess.run([*as_user(user), sys.executable, "-B", MNBED, "check"],
                          capture_output=True, text=True, timeout=120)
    return None if done.returncode == 0 else done.stderr.strip().replace("\n", "; ")


class Bed:
    """Hosts n1, n2, n3 (also NAME.cluster.test), with the folder `shared` on all of them; or N."""

    def __init__(self, user=None, options=(), n=len(HOSTS)):
        self.hosts = tuple(f"n{i}" for i in range(1, n + 1))
        self.root = Path(tempfile.mkdtemp(prefix="memlog-bed."))
        self.shared, self.dir = self.root / "shared", self.root / "bed"
        for folder in (self.shared, self.dir):
            folder.mkdir()
        self.prefix = as_user(user)
        if user:
            entry = pwd.getpwnam(user)
            for folder in (self.root, self.shared, self.dir):
                os.chown(folder, entry.pw_uid, entry.pw_gid)
        keep = [self.shared, mt.BIN_DIR, mt.PROGRAMS, mt.TESTS]
        subprocess.run([*self.prefix, sys.executable, "-B", MNBED, "up", "--domain", "cluster.test",
                        "-n", str(n), *(word for k in keep for word in ("--keep", str(k))), *options, self.dir],
                       check=True, timeout=120)

    def close(self):
        subprocess.run([*self.prefix, sys.executable, "-B", MNBED, "down", self.dir], timeout=120)
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self, host, command, env=None):
        """Starts a command on a host, in the shared folder."""
        env = {"HOME": str(self.shared), "LC_ALL": "C.UTF-8", "OMPI_ALLOW_RUN_AS_ROOT": "1",
               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **(env or {})}
        words = " ".join(shlex.quote(str(w)) for w in
                         ["env", *(f"{k}={v}" for k, v in env.items()), *command])
        return subprocess.Popen([*self.prefix, self.dir / "mnsh", host,
                                 f"cd {shlex.quote(str(self.shared))} && exec {words}"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, start_new_session=True)

    def finish(self, process, command, timeout_s=TIMEOUT_S):
        """The outcome of a started command. Where it does not end, its hosts are emptied."""
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
            return mt.Outcome(command, process.returncode, stdout, stderr, 0, [])
        except subprocess.TimeoutExpired:
            left = {host: self.processes(host) for host in self.hosts}
            for host in self.hosts:
                self.sh(host, "kill -9 -1")
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            raise AssertionError(f"no end within {timeout_s} s, left were {left}\n" + str(
                mt.Outcome(command, None, stdout, stderr, timeout_s, []))) from None

    def run(self, command, env=None, timeout_s=TIMEOUT_S):
        return self.finish(self.start("n1", command, env), command, timeout_s)

    def sh(self, host, script):
        """A shell command on a host; its stdout."""
        return subprocess.run([*self.prefix, self.dir / "mnsh", host, script], timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout

    def processes(self, host):
        """The command lines on a host, but for its agent and this question."""
        lines = self.sh(host, "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done")
        return [l for l in lines.splitlines()
                if l.strip() and not re.search(r"mnbed_agent|/cmdline", l)]

    def wait_until_empty(self, hosts=None, timeout_s=60):
        hosts = hosts or self.hosts
        try:
            mt.wait_for(lambda: not any(self.processes(h) for h in hosts), timeout_s)
        except AssertionError:
            raise AssertionError(f"left: {({h: self.processes(h) for h in hosts})}") from None

    # ------------------------------------------------------------ launchers
    def mpiexec(self, flavour, ranks, layout="block", env=None):
        """mpiexec over the hosts. Layouts: a dict host -> ranks in that order; or block (two a
        host), cyclic (one after the other), one (a process a host)."""
        env = {} if env is None else env
        slots = layout if isinstance(layout, dict) else dict.fromkeys(self.hosts, 2)
        listed = ",".join(f"{h}:{n}" for h, n in slots.items())
        if flavour == "openmpi":
            how = {"cyclic": ["--map-by", "node"], "one": ["--map-by", "ppr:1:node"]}
            passed = [w for k in env for w in ("-x", k)]
            return [mt.MPIEXEC[flavour], "--mca", "plm_rsh_agent", self.dir / "mnsh", *passed,
                    "-H", listed, *how.get(str(layout), []), "-n", ranks]
        if layout in ("cyclic", "one"):
            place = ["-hosts", ",".join(self.hosts), "-ppn", 1]
        else:
            place = ["-hosts", listed]
        return [mt.MPIEXEC[flavour], "-launcher", "ssh", "-launcher-exec", self.dir / "mnsh",
                *place, "-n", ranks]

    def run_plain(self, flavour, ranks, name, *args, layout="block", env=None):
        env = self.environment(flavour, env)
        return self.run(self.mpiexec(flavour, ranks, layout, env) + mt.program(flavour, name)
                        + list(args), env)

    def run_hosted(self, flavour, ranks, name, *args, file, layout="block", env=None,
                   options=("-q",), **how):
        env = self.environment(flavour, env)
        return self.run(self.mpiexec(mt.BUILD, ranks, layout, env)
                        + [mt.MEMLOG_MPI, *options, "-o", file, "--"] + mt.program(flavour, name)
                        + list(args), env, **how)

    def environment(self, flavour, env=None):
        """What the ranks need on top: Debian's MPICH its work-around, in itself and in ours."""
        return {**({"LD_PRELOAD": str(SHIM)} if "mpich" in (flavour, mt.BUILD) else {}),
                **(env or {})}

    # ------------------------------------------------------------ a PBS job
    def node_file(self, *names):
        """A node file, and the environment of a job that has it."""
        path = self.shared / "nodes"
        path.write_text("".join(n + "\n" for n in names))
        return {"PBS_NODEFILE": str(path), "PBS_JOBID": "1.server"}
