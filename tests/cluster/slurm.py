"""A Slurm of three namespace hosts: slurmctld on n1, a slurmd and a munged on each."""
import shutil

import bed as beds
import memlog_testing as mt

DAEMONS = ("munged", "slurmctld", "slurmd")
OF_SLURM = (*DAEMONS, "slurmscriptd")
CRASH, TRIES = b"Segmentation fault", 4
# srun --mpi= of each MPI
PMI = {"openmpi": "pmix", "mpich": "pmi2"}

CONF = """
ClusterName=bed
SlurmctldHost=n1
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=/tmp/slurm/munge.socket
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SlurmctldPidFile=/tmp/slurm/slurmctld.pid
SlurmdPidFile=/tmp/slurm/slurmd.pid
SlurmdSpoolDir=/tmp/slurm/spool
StateSaveLocation=/tmp/slurm/state
SlurmctldLogFile={dir}/slurmctld.log
SlurmdLogFile={dir}/slurmd.%h.log
SlurmctldTimeout=60
SlurmdTimeout=300
KillWait=3
WaitTime=0
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_res
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
NodeName=n[1-3] CPUs=4 RealMemory=2000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def missing():
    """None, or why there can be no Slurm here."""
    path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    lacking = [p for p in (*DAEMONS, "srun", "sbatch") if not shutil.which(p, path=path)]
    return f"not installed: {', '.join(lacking)}" if lacking else None


class Slurm:
    """On a bed of root's; jobs run as root, in the bed's shared folder."""

    def __init__(self, bed):
        self.bed, self.dir = bed, bed.dir / "slurm"
        self.dir.mkdir()
        self.env = {"SLURM_CONF": str(self.dir / "slurm.conf")}
        (self.dir / "slurm.conf").write_text(CONF.format(dir=self.dir))
        key = self.dir / "munge.key"
        key.write_bytes(bytes(range(256)) * 4)
        key.chmod(0o600)
        for host in beds.HOSTS:
            self.start_daemons(host)
        mt.wait_for(self.is_up, what="three idle nodes of Slurm")

    def start_daemons(self, host):
        here = "/tmp/slurm"
        lines = [f"mkdir -p -m 755 {here} {here}/spool {here}/state",
                 f"munged --force --num-threads=2 --key-file={self.dir}/munge.key "
                 f"--socket={here}/munge.socket --pid-file={here}/munged.pid "
                 f"--log-file={here}/munged.log --seed-file={here}/munged.seed"]
        if host == "n1":
            lines.append("slurmctld")
        lines.append("slurmd")
        conf = f"export SLURM_CONF={self.env['SLURM_CONF']}"
        self.bed.sh(host, f"exec >{self.dir}/start.{host} 2>&1; {conf}; " + " && ".join(lines))

    def is_up(self):
        return self.ask("sinfo", "-h", "-o", "%n %T").count("idle") == 3

    def ask(self, *words):
        """What a command of Slurm's prints."""
        return self.bed.run([*words], self.env).stdout.decode()

    def log(self):
        return "\n".join(f"--- {p.name}\n{p.read_text()[-2000:]}"
                         for p in sorted(self.dir.glob("*.log")) + sorted(self.dir.glob("start.*")))

    # ------------------------------------------------------------ jobs
    def environment(self, flavour, env=None):
        return {**self.env, **self.bed.environment(flavour, env)}

    def srun(self, *words, flavour=mt.BUILD, env=None, **how):
        """Once more where Open MPI's MPI_Init crashes, as it does plainly: docs/slurm.md."""
        for _ in range(TRIES):
            outcome = self.bed.run(["srun", *words], self.environment(flavour, env), **how)
            if CRASH not in outcome.stderr:
                break
        return outcome

    def start_step(self, words, ready):
        """A step of srun that runs, with ready(); the process, its command."""
        for _ in range(TRIES):
            process = self.bed.start("n1", ["srun", *words], self.environment(mt.BUILD))
            mt.wait_for(lambda: process.poll() is not None or ready(), 120, what="a step that runs")
            if process.poll() is None:
                return process, ["srun", *words]
            outcome = self.bed.finish(process, ["srun", *words])
            assert CRASH in outcome.stderr, str(outcome)
        raise AssertionError(str(outcome))

    def batch(self, name, lines, *options, flavour=mt.BUILD, env=None):
        """Submits a script of LINES, whose output is NAME.out; the job's id."""
        script = self.bed.shared / f"{name}.sh"
        script.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
        done = self.bed.run(["sbatch", "--parsable", "-o", f"{name}.out", "-e", f"{name}.err",
                             *options, script], self.environment(flavour, env))
        assert done.code == 0, str(done)
        return done.stdout.decode().strip()

    def is_over(self, job):
        return not self.ask("squeue", "-h", "-j", job, "-t", "pending,running,completing,suspended")

    def wait(self, job, timeout_s=60):
        mt.wait_for(lambda: self.is_over(job), timeout_s, f"the end of job {job}")

    def run_batch(self, name, command, *options, **how):
        """A script of one COMMAND, waited for: its outcome."""
        text = " ".join(f"'{w}'" for w in command)
        job = self.batch(name, [text, f"echo $? >{name}.code"], *options, **how)
        self.wait(job)
        read = {k: (self.bed.shared / f"{name}.{k}") for k in ("code", "out", "err")}
        assert read["code"].exists(), read["err"].read_text() + self.log()
        return mt.Outcome(command, int(read["code"].read_text()), read["out"].read_bytes(),
                          read["err"].read_bytes(), 0, []), job

    def mpiexec(self, ranks, *how):
        """The build's mpiexec, which finds the nodes of the job by itself."""
        return [mt.MPIEXEC[mt.BUILD], *how, "-n", ranks]

    def processes(self, host):
        return [l for l in self.bed.processes(host) if not any(d in l for d in OF_SLURM)]

    def tidy(self):
        """After a test: no job, and no process but the daemons. What is left is told and ended."""
        if self.ask("squeue", "-h"):
            self.ask("scancel", "--user=root")
            mt.wait_for(lambda: not self.ask("squeue", "-h"), what="an empty queue")
        try:
            mt.wait_for(lambda: not any(self.processes(h) for h in beds.HOSTS), 60)
        except AssertionError:
            left = {h: self.processes(h) for h in beds.HOSTS}
            for host in beds.HOSTS:
                self.bed.sh(host, "for p in /proc/[0-9]*; do read c <$p/comm; case $c in "
                                  "munged|slurm*|python*|sh) ;; *) kill -9 ${p#/proc/} ;; esac; done")
            raise AssertionError(f"left behind: {left}") from None
