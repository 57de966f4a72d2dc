"""PBS jobs of three hosts, whose mpiexec goes by ssh: pbs.py has what is like PBS there."""
import re
import shlex

import pytest
import memlog_testing as mt
from memlog_file import Recording
from pbs import Job

HOSTS = {"n1", "n2", "n3"}
ONE_EACH = {"openmpi": ["--map-by", "ppr:1:node"], "mpich": ["-ppn", "1"]}


def mpiexec(bed, flavour, *options, ranks=None):
    """As in a job script: the hosts are those of PBS_NODEFILE."""
    if flavour == "openmpi":
        how = ["--mca", "plm_rsh_agent", bed.dir / "mnsh", "-hostfile", "$PBS_NODEFILE"]
    else:
        how = ["-launcher", "ssh", "-launcher-exec", bed.dir / "mnsh"]
    return [mt.MPIEXEC[flavour], *how, *options, *(["-n", ranks] if ranks else [])]


def line(*words):
    """A line of a script. Variables are the shell's."""
    return " ".join(w if str(w).startswith("$") else shlex.quote(str(w)) for w in words)


def hosted(bed, flavour, *words, options=("-q",)):
    return line(*mpiexec(bed, mt.BUILD), mt.MEMLOG_MPI, *options, "--", *mt.program(flavour, words[0]), *words[1:])


def job(bed, flavour, *lines, **how):
    shim = [f"export {k}={v}" for k, v in bed.environment(flavour).items()]
    return Job(bed, "\n".join([*shim, *lines]), **how)


def hosts_of(file):
    recording = Recording(file)
    assert all(n["ended"] == 0 for n in recording.rows("nodes")), recording.rows("nodes")
    return {recording["nodes"]["name"][r["node"]].split(".")[0] for r in recording.ranks().values()}


@pytest.fixture
def pbs_bed(own_bed):
    """Files that a job makes go with the hosts."""
    yield own_bed
    own_bed.wait_until_empty()


def test_tmpdir_is_on_the_first_node_only(flavour, pbs_bed, name):
    """Hydra takes the variable to all of them."""
    outcome = job(pbs_bed, flavour, "ls -d $TMPDIR", hosted(pbs_bed, flavour, "where", "0.5",
                                                            options=("-o", name))).run()
    assert outcome.code == 0 and outcome.stdout.startswith(b"/var/tmp/pbs.14.server\n"), str(outcome)
    assert len(re.findall(rb"^rank \d: host", outcome.stdout, re.M)) == 6, str(outcome)
    assert outcome.stdout.count(b"memlog-mpi: ") == 1, "only where the record is"
    assert hosts_of(pbs_bed.shared / name) == HOSTS
    for host in HOSTS:
        assert not pbs_bed.sh(host, "ls /tmp /var/tmp /dev/shm | grep '^memlog[.]'"), host


@pytest.mark.skipif(mt.BUILD == "openmpi", reason="Open MPI's own daemon does not start without one")
def test_tmp_is_read_only_on_a_node(pbs_bed, name):
    """Then the folder is in /dev/shm, without which MPICH does not start either."""
    pbs_bed.sh("n3", "for d in /tmp /var/tmp; do mount -o remount,ro $d; done")
    outcome = job(pbs_bed, mt.BUILD, line(*mpiexec(pbs_bed, mt.BUILD), mt.MEMLOG_MPI, "-q", "-o", name,
                                          "--", "sh", "-c", "hostname; sleep 0.5")).run()
    assert outcome.code == 0 and outcome.stdout.count(b"n3\n") == 2, str(outcome)
    assert hosts_of(pbs_bed.shared / name) == HOSTS


def test_qrerun(flavour, pbs_bed, name):
    """The job is deleted while it runs, and run again: both have their record."""
    again = job(pbs_bed, flavour, hosted(pbs_bed, flavour, "grow", "$SECONDS_TO_RUN", options=("-o", name)),
                SECONDS_TO_RUN="300")
    again.start()
    first = pbs_bed.shared / name
    mt.wait_for(lambda: len(mt.journals_of(first)) == 3, what="three journals")
    mt.wait_for_samples(first)
    again.delete()
    outcome = again.finish()
    assert outcome.code != 0, str(outcome)
    pbs_bed.wait_until_empty()
    assert first.exists() or mt.journals_of(first), str(outcome)
    again.environment["SECONDS_TO_RUN"] = "1"
    outcome = again.run()
    assert outcome.code == 0, str(outcome)
    assert f"{name} is taken; this run is recorded in".encode() in outcome.stdout, str(outcome)
    second = first.with_name(name.replace(".h5", ".1.h5"))
    assert hosts_of(second) == HOSTS and not mt.journals_of(second)


def test_two_in_one_script(pbs_bed):
    runs = [hosted(pbs_bed, mt.BUILD, "hello") for _ in range(2)]
    outcome = job(pbs_bed, mt.BUILD, *runs).run()
    assert outcome.code == 0 and outcome.stdout.count(b"rank") >= 12, str(outcome)
    assert {p.name for p in pbs_bed.shared.glob("*.h5")} == {"memlog-14.server.h5", "memlog-14.server.1.h5"}


def test_elements_of_an_array(pbs_bed, name):
    """On the same nodes, at the same time, with one name."""
    jobs = [job(pbs_bed, mt.BUILD, hosted(pbs_bed, mt.BUILD, "hello", options=("-q", "-o", name)),
                job_id=f"15[{i}].server", PBS_ARRAY_INDEX=str(i)) for i in range(2)]
    for element in jobs:
        element.start()
    for element in jobs:
        outcome = element.finish()
        assert outcome.code == 0 and b"rank 5" in outcome.stdout, str(outcome)
    made = sorted(pbs_bed.shared.glob("*.h5"))
    assert len(made) == 2 and all(hosts_of(file) == HOSTS for file in made), made


def test_around_a_launcher(pbs_bed, name):
    """The line that is printed records all hosts."""
    inner = [*mpiexec(pbs_bed, mt.BUILD, ranks=6), *mt.program(mt.BUILD, "where"), "1"]
    alone = line(mt.MEMLOG_MPI, "-o", name, "--", *inner)
    outcome = job(pbs_bed, mt.BUILD, alone).run()
    assert outcome.code == 0, str(outcome)
    words = " ".join(["mpiexec", *ONE_EACH[mt.BUILD], "memlog-mpi ... -- mpiexec ..."])
    assert (f"memlog-mpi: 2 of 3 hosts of the job have no process of ours and are not recorded: n2, n3; "
            f"to record them: {words}\n").encode() in outcome.stdout, str(outcome)
    other = "all-" + name
    whole = line(*mpiexec(pbs_bed, mt.BUILD, *ONE_EACH[mt.BUILD]), mt.MEMLOG_MPI, "-o", other, "--", *inner)
    outcome = job(pbs_bed, mt.BUILD, whole, job_id="16.server").run()
    assert outcome.code == 0 and b"not recorded" not in outcome.stdout, str(outcome)
    recording = Recording(pbs_bed.shared / other)
    seen = {recording["nodes"]["name"][p["node"]].split(".")[0] for p in recording.rows("processes")
            if p["name"] == "where"}
    assert seen == HOSTS
