"""A real Slurm on three hosts: srun, batch jobs with mpiexec, and the ends that Slurm has for them."""
import os
import subprocess

import pytest
import bed as beds
import memlog_testing as mt
from conftest import open_bed
from memlog_file import Recording
from slurm import PMI, Slurm, missing
from test_layouts import check_recording, placement

SCHEDULER = 5                                       # code of /node_samples/limit
OTHER_PMI = {"openmpi": "pmi2", "mpich": "pmix"}    # of this one our MPI knows nothing
long = pytest.mark.skipif(not mt.LONG, reason="takes long: MEMLOG_LONG=1")


@pytest.fixture(scope="session")
def one_slurm():
    if reason := missing():
        pytest.skip(f"no Slurm: {reason}")
    if os.geteuid() != 0:
        pytest.skip("slurmd runs as root only")
    bed = open_bed()
    try:
        yield Slurm(bed)
    finally:
        bed.close()


@pytest.fixture
def slurm(one_slurm):
    yield one_slurm
    one_slurm.tidy()


@pytest.fixture
def stem(name):
    return name.removesuffix(".h5")


def ours(outcome):
    """What memlog-mpi said."""
    return [l for l in outcome.stderr.decode().splitlines() if l.startswith("memlog-mpi")]


def start_step(slurm, name, program, *args, options=()):
    """A step of srun that runs, with samples of all ranks; the process, its command."""
    def ready():
        file = slurm.bed.shared / name
        return len(mt.journals_of(file)) == 3 and mt.has_samples(file)

    return slurm.start_step(["-N3", "--ntasks-per-node=2", f"--mpi={PMI[mt.BUILD]}", *options,
                             mt.MEMLOG_MPI, "-q", "-r", "50ms", "--force", "-o", name, "--",
                             *mt.program(mt.BUILD, program), *args], ready)


def record_of(slurm, name):
    """FILE, or what memlog recover makes of its journals once nobody writes them any more."""
    file = slurm.bed.shared / name

    def recovered():
        return file.exists() or subprocess.run(
            [mt.MEMLOG, "recover", *mt.journals_of(file), "-o", file], capture_output=True,
            timeout=mt.TIMEOUT_S).returncode == 0

    mt.wait_for(recovered, what="a record of the job")
    return Recording(file)


# ------------------------------------------------------------ srun
def test_srun(flavour, slurm):
    """One rank each; the name of the file and its job are Slurm's."""
    outcome = slurm.srun("-N3", "--ntasks-per-node=2", f"--mpi={PMI[mt.BUILD]}", mt.MEMLOG_MPI, "--",
                         *mt.program(flavour, "where"), "0.4", flavour=flavour)
    places = placement(outcome)
    assert sorted(p[0] for p in places.values()) == ["n1", "n1", "n2", "n2", "n3", "n3"]
    assert not [l for l in ours(outcome) if "hosts" in l], str(outcome)
    file, = slurm.bed.shared.glob("memlog-*.h5")
    recording = check_recording(file, places)
    assert file.name == f"memlog-{recording.attributes['job_id']}.h5"
    file.unlink()


@pytest.mark.parametrize("kind", ["none", OTHER_PMI[mt.BUILD]])
def test_srun_without_a_world(kind, slurm, name):
    """It says in one line what to type, and starts nothing."""
    outcome = slurm.srun("-N3", "--ntasks-per-node=2", f"--mpi={kind}", mt.MEMLOG_MPI, "-o", name, "--",
                         *mt.program(mt.BUILD, "where"))
    assert outcome.code == 70 and not outcome.stdout, str(outcome)
    line, = ours(outcome)
    assert f"srun --mpi={PMI[mt.BUILD]}" in line and "6" in line
    assert not list(slurm.bed.shared.glob(name + "*"))


@long
def test_task_farm(slurm, name):
    """Separate programs, each with a record of its own: if that is said."""
    outcome = slurm.srun("-N2", "-n2", "sh", "-c", "env -u SLURM_STEP_NUM_TASKS "
                         f"{mt.MEMLOG_MPI} -q -o $SLURM_PROCID.{name} -- hostname")
    assert outcome.code == 0 and sorted(outcome.stdout.split()) == [b"n1", b"n2"], str(outcome)
    assert len(list(slurm.bed.shared.glob(f"?.{name}"))) == 2


def test_a_process_a_node(slurm, name):
    """Each rank finds its own number in what Slurm calls it."""
    lines = "echo rank $SLURM_PROCID: local $SLURM_LOCALID node $SLURM_NODEID of $SLURM_NTASKS"
    outcome = slurm.srun("-N3", "-n3", f"--mpi={PMI[mt.BUILD]}", mt.MEMLOG_MPI, "-q", "-n", "6",
                         "-o", name, "--", "sh", "-c", lines)
    assert outcome.code == 0, str(outcome)
    assert outcome.by_rank() == {r: [f"local {r % 2} node {r // 2} of 6"] for r in range(6)}


@long
def test_attached(slurm, name, stem):
    """A step beside another one joins its job, and ends with it: it waits neither for its own srun
    nor for the script that waits for that."""
    end, go, file = (slurm.bed.shared / f"{stem}.{what}" for what in ("end", "go", "h5"))
    steps = [["--overlap", f"--mpi={PMI[mt.BUILD]}", "-N3", f"-n{n}", *words]
             for n, words in ((6, [*mt.program(mt.BUILD, "hold"), end, 4]),
                              (3, [mt.MEMLOG_MPI, "-q", "--attach", "-o", name]))]
    first, second = (" ".join(["srun", *map(str, step)]) for step in steps)
    job = slurm.batch(stem, [f"{first} &", f"until test -e {go}; do sleep 0.05; done",
                             f"{second}; echo recorder $?", "wait"], "-N3",
                      "--exclusive")
    held = slurm.bed.shared / f"{stem}.out"
    mt.wait_for(lambda: held.exists() and held.read_text().count("holds") == 6, what="the ranks")
    go.touch()
    mt.wait_for(lambda: len(mt.journals_of(file)) == 3 and mt.has_samples(file),
                what="samples of all nodes")
    end.touch()
    slurm.wait(job)
    said = held.read_text()
    assert said.count("held") == 6 and "recorder 0" in said, said
    recording = Recording(file)
    assert recording.attributes["attached"] == f"job {job}"
    assert sorted(recording.ranks()) == list(range(6))
    assert recording.attributes["verdict"] == "ended; exit codes are not known"


def test_inside_of_one_task(slurm, name):
    """As in an interactive step (srun --pty): without mpiexec, on this machine."""
    outcome = slurm.srun("-N1", "-n1", "-c2", mt.MEMLOG_MPI, "-q", "-n", "2", "-o", name, "--",
                         *mt.program(mt.BUILD, "where"))
    assert sorted(placement(outcome)) == [0, 1]


@long
def test_exit_code(slurm, name):
    outcome = slurm.srun("-N3", "--ntasks-per-node=2", f"--mpi={PMI[mt.BUILD]}", mt.MEMLOG_MPI, "-q", "-o", name,
                         "--", *mt.program(mt.BUILD, "exit3"), "after", "5")
    assert outcome.code == 3, str(outcome)
    assert Recording(slurm.bed.shared / name).attributes["complete"] == 1


# ------------------------------------------------------------ batch jobs
def test_batch_with_mpiexec(flavour, slurm, name, stem):
    """The ranks of the batch host are of the same world as the others."""
    outcome, job = slurm.run_batch(
        stem, slurm.mpiexec(6) + [mt.MEMLOG_MPI, "-o", name, "--"] + mt.program(flavour, "where")
        + ["0.4"], "-N3", "--ntasks-per-node=2", flavour=flavour)
    places = placement(outcome)
    recording = check_recording(slurm.bed.shared / name, places)
    assert len(places) == 6 and recording.attributes["job_id"] == job
    assert not [l for l in ours(outcome) if "hosts" in l], str(outcome)


def test_batch_takes_the_slots(slurm, name, stem):
    """`-n slots` of an uneven job; one process of ours a node."""
    how = {"openmpi": ["--map-by", "ppr:1:node"], "mpich": ["-ppn", "1"]}[mt.BUILD]
    outcome, _ = slurm.run_batch(
        stem, slurm.mpiexec(3, *how) + [mt.MEMLOG_MPI, "-q", "-n", "slots", "-o", name, "--"]
        + mt.program(mt.BUILD, "where") + ["0.4"], "-N3", "-n5", "--distribution=block")
    places = placement(outcome)
    assert len(places) == 5, str(outcome)
    check_recording(slurm.bed.shared / name, places)


@long
def test_batch_on_a_part_of_the_nodes(slurm, name, stem):
    """A node of the job that runs nothing is told."""
    where = {"openmpi": ["-H", "n1:2,n2:2"], "mpich": ["-hosts", "n1,n2"]}[mt.BUILD]
    outcome, _ = slurm.run_batch(
        stem, slurm.mpiexec(4, *where) + [mt.MEMLOG_MPI, "-o", name, "--"]
        + mt.program(mt.BUILD, "where") + ["0.4"], "-N3", "--ntasks-per-node=2")
    assert len(placement(outcome)) == 4
    assert [l for l in ours(outcome) if "1 of 3 hosts" in l and "n3" in l], str(outcome)


def test_around_srun(flavour, slurm, name, stem):
    outcome, _ = slurm.run_batch(
        stem, [mt.MEMLOG_MPI, "-q", "-o", name, "--", "srun", f"--mpi={PMI[flavour]}"]
        + mt.program(flavour, "where") + ["1"], "-N3", "--ntasks-per-node=2", flavour=flavour)
    places = placement(outcome)
    recording = Recording(slurm.bed.shared / name)
    here = {p["pid"]: p["rank"] for p in recording.rows("processes") if p["name"] == "where"}
    for rank, (host, _, _, pid) in places.items():
        assert host != "n1" or here.get(pid) == rank, (places, here)


def test_batch_without_mpiexec(slurm, name, stem):
    outcome, _ = slurm.run_batch(stem, [mt.MEMLOG_MPI, "-q", "-n", "2", "-o", name, "--"]
                                 + mt.program(mt.BUILD, "where"), "-N1", "-n2")
    assert sorted(placement(outcome)) == [0, 1]


def test_array(slurm, stem):
    """Each element has a file of its own."""
    job = slurm.batch(stem, [f"{mt.MEMLOG_MPI} -q -- sh -c 'echo $SLURM_ARRAY_TASK_ID'"], "-N1",
                      "-n1", "--array=0-1")
    slurm.wait(job)
    files = list(slurm.bed.shared.glob("memlog-*.h5"))
    said = [Recording(f).output(0, 1) for f in files]
    for file in files:
        file.unlink()
    assert sorted(said) == [["0"], ["1"]], (files, slurm.log())


# ------------------------------------------------------------ ends
def test_signals_come_once(slurm, name, stem):
    """Slurm tells each process of the step, ours and the application's."""
    process, command = start_step(slurm, name, "signals", "0", options=("-o", f"{stem}.out"))
    output = slurm.bed.shared / f"{stem}.out"
    mt.wait_for(lambda: output.read_text().count("ready") == 6, what="ranks that wait for signals")
    step = slurm.ask("squeue", "-h", "-s", "-o", "%i").split()[0]
    slurm.ask("scancel", "-s", "USR1", step)
    mt.wait_for(lambda: output.read_text().count("got USR1") >= 6, what="USR1 at all ranks")
    slurm.ask("scancel", "-s", "TERM", step)
    slurm.bed.finish(process, command)
    ranks = mt.Outcome(command, 0, output.read_bytes(), b"", 0, []).by_rank()
    assert sorted(ranks) == list(range(6))
    assert all(lines == ["ready", "got USR1", "got TERM"] for lines in ranks.values()), ranks


@long
def test_scancel(slurm, name):
    process, command = start_step(slurm, name, "grow", "300")
    slurm.ask("scancel", "--user=root")
    outcome = slurm.bed.finish(process, command)
    assert outcome.code != 0
    recording = record_of(slurm, name)
    assert sorted(recording.ranks()) == list(range(6))


def test_scancel_of_a_batch_job(slurm, name, stem):
    words = slurm.mpiexec(6) + [mt.MEMLOG_MPI, "-q", "-r", "50ms", "-o", name, "--"]
    job = slurm.batch(stem, [" ".join(map(str, words + mt.program(mt.BUILD, "grow") + ["300"]))],
                      "-N3", "--ntasks-per-node=2")
    mt.wait_for(lambda: len(mt.journals_of(slurm.bed.shared / name)) == 3, what="three journals")
    mt.wait_for_samples(slurm.bed.shared / name)
    slurm.ask("scancel", job)
    slurm.wait(job)
    assert sorted(record_of(slurm, name).ranks()) == list(range(6))


@long
def test_requeue(slurm, name, stem):
    """The second time is another recording."""
    words = [mt.MEMLOG_MPI, "-q", "-r", "50ms", "-o", "run${SLURM_RESTART_COUNT}." + name, "--"]
    job = slurm.batch(stem, ["test $SLURM_RESTART_COUNT && exec " + " ".join(
        map(str, words + ["true"])), "exec " + " ".join(map(str, words + ["sleep", "300"]))],
        "-N1", "-n1", "--requeue")
    first, second = (slurm.bed.shared / f"run{n}.{name}" for n in ("", "1"))
    mt.wait_for(lambda: mt.journals_of(first) and mt.has_samples(first), what="the first run")
    slurm.ask("scontrol", "requeue", job)   # and it may begin as soon as its credential has expired
    mt.wait_for(lambda: slurm.ask("squeue", "-h", "-j", job, "-t", "pending"), what="the requeued job")
    slurm.ask("scontrol", "update", f"JobId={job}", "StartTime=now")
    mt.wait_for(second.exists, 120, "the second run's file")
    slurm.wait(job)
    assert Recording(second).attributes["complete"] == 1
    assert record_of(slurm, first.name).attributes["job_id"] == job


@long
def test_over_memory(slurm, name, stem):
    """Slurm kills all processes of a job that takes more than it asked for; the journal is left."""
    words = [mt.MEMLOG_MPI, "-q", "-r", "50ms", "-o", name, "--", *mt.program(mt.BUILD, "touch"),
             "600", "60"]
    job = slurm.batch(stem, [" ".join(map(str, words))], "-N1", "-n1", "--mem=300M")
    slurm.wait(job)
    last = record_of(slurm, name).rows("node_samples")[-1]
    assert (last["limit"], last["limit_B"]) == (SCHEDULER, 300 << 20) and last["left_B"] < 150 << 20


@long                                   # Slurm looks every 30 s
def test_signal_before_the_limit(slurm, name, stem):
    """#SBATCH --signal: once to each process of the step, the application's and ours, which takes the
    stacks of its node."""
    process, command = start_step(slurm, name, "signals", "0", options=(
        "-o", f"{stem}.out", "--time=2", "--signal=USR1@60",
        "--export=ALL,MEMLOG_STACK_SIGNAL=USR1"))
    output = slurm.bed.shared / f"{stem}.out"
    mt.wait_for(lambda: output.read_text().count("got USR1") >= 6, 120, what="USR1 at all ranks")
    slurm.ask("scancel", "-s", "TERM", slurm.ask("squeue", "-h", "-s", "-o", "%i").split()[0])
    slurm.bed.finish(process, command)
    ranks = mt.Outcome(command, 0, output.read_bytes(), b"", 0, []).by_rank()
    assert ranks == {r: ["ready", "got USR1", "got TERM"] for r in range(6)}
    assert len(Recording(slurm.bed.shared / name).rows("stack_samples")) >= 6


@long                                   # Slurm's shortest time limit is a minute
def test_time_limit(slurm, name, stem):
    """TERM, and KILL after that."""
    words = slurm.mpiexec(6) + [mt.MEMLOG_MPI, "-q", "-r", "50ms", "-o", name, "--"]
    job = slurm.batch(stem, [" ".join(map(str, words + mt.program(mt.BUILD, "grow") + ["300"]))],
                      "-N3", "--ntasks-per-node=2", "--time=1")
    slurm.wait(job, 200)
    assert "TIME LIMIT" in (slurm.bed.shared / f"{stem}.err").read_text()
    assert sorted(record_of(slurm, name).ranks()) == list(range(6))


@long
def test_a_node_dies(one_slurm, name):
    """The last test of the file: this Slurm has two nodes from here on."""
    process, command = start_step(one_slurm, name, "grow", "300")
    one_slurm.bed.sh("bed", "kill -9 $(cat n3/pid)")
    # what slurmctld finds after SlurmdTimeout
    one_slurm.ask("scontrol", "update", "NodeName=n3", "State=DOWN", "Reason=dead")
    one_slurm.bed.finish(process, command)  # srun itself says 0
    mt.wait_for(lambda: not any(one_slurm.processes(h) for h in ("n1", "n2")), 120,
                what="hosts without a process of the job")
    recording = record_of(one_slurm, name)
    assert sorted(recording.ranks()) == list(range(6))
