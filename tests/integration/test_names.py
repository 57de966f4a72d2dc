"""The name of the result where it is taken: outside of a batch job a refusal, in one the next free
name, for the application comes first."""
import re

import memlog_testing as mt
from memlog_file import Recording


def command(*words, ranks=1, job=None, options=()):
    """A run in the batch job JOB. By env, as Hydra's mpiexec would look for the job's node file."""
    before = ["env", f"PBS_JOBID={job}"] if job else []
    return [*mt.mpiexec(mt.BUILD, ranks), *before, mt.MEMLOG_MPI, *options, "--", *words]


def run(folder, *words, **how):
    return mt.run(command(*words, **how), cwd=folder)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def said(outcome, word):
    return [l for l in outcome.stderr.decode().splitlines()
            if l.startswith("memlog-mpi: ") and word in l]


def test_two_in_one_job(tmp_path):
    """`mpiexec memlog-mpi -- a; mpiexec memlog-mpi -- b` in one script."""
    for word in ("a", "b", "c"):
        outcome = run(tmp_path, "echo", word, job="14.server")
        assert outcome.code == 0 and outcome.stdout == f"{word}\n".encode(), str(outcome)
        assert not said(outcome, "taken"), "nobody has asked for that name"
    assert names(tmp_path) == ["memlog-14.server.1.h5", "memlog-14.server.2.h5", "memlog-14.server.h5"]
    assert Recording(tmp_path / "memlog-14.server.2.h5").attributes["command"] == "echo c"


def test_job_that_is_run_again(tmp_path):
    """Its file is there from the first time, and journals of the second, which was killed."""
    options = ("-o", "run.h5")
    assert run(tmp_path, "echo", "first", job="14.server", options=options).code == 0
    with mt.Job(command("sleep", "100", job="14.server", options=options), cwd=tmp_path) as job:
        mt.wait_for(lambda: mt.journals_of(tmp_path / "run.1.h5"), what="a journal")
        job.kill_all()
    outcome = run(tmp_path, "echo", "third", ranks=2, job="14.server", options=options)
    assert outcome.code == 0 and outcome.stdout == b"third\nthird\n", str(outcome)
    assert len(said(outcome, "run.h5 is taken; this run is recorded in")) == 1, str(outcome)
    assert Recording(tmp_path / "run.h5").attributes["command"] == "echo first"
    assert Recording(tmp_path / "run.2.h5").attributes["command"] == "echo third"
    assert mt.journals_of(tmp_path / "run.1.h5"), "the record of the second time"


def test_other_forms_too(tmp_path):
    """Without mpiexec; with --force the name stays, unless its run goes on."""
    (tmp_path / "run.h5").write_text("precious")
    direct = [mt.MEMLOG_MPI, "-q", "-o", "run.h5"]
    outcome = mt.run([*direct, "--", "true"], cwd=tmp_path, env={"PBS_JOBID": "14.server"})
    assert outcome.code == 0 and outcome.stderr == b"", str(outcome)
    assert names(tmp_path) == ["run.1.h5", "run.h5"]
    assert (tmp_path / "run.h5").read_text() == "precious"
    with mt.Job([*direct, "--force", "--", "sleep", "100"], cwd=tmp_path) as job:
        mt.wait_for(lambda: mt.journals_of(tmp_path / "run.h5"), what="a journal")
        outcome = mt.run([*direct, "--force", "--", "echo", "second"], cwd=tmp_path,
                         env={"PBS_JOBID": "14.server"})
        assert outcome.code == 0 and outcome.stdout == b"second\n", str(outcome)
        job.kill_all()
    assert names(tmp_path)[:2] == ["run.1.h5", "run.h5"]


def test_elements_of_an_array(tmp_path):
    """They begin together, with one name for all."""
    for options in (("-o", "run.h5"), ()):
        jobs = [mt.Job(command("echo", i, job=f"15[{i}].server", options=("-q", *options)), cwd=tmp_path)
                for i in range(4)]
        outcomes = [job.finish() for job in jobs]
        for job in jobs:
            job.__exit__()
        assert [(o.code, o.stdout) for o in outcomes] == [(0, b"%d\n" % i) for i in range(4)], outcomes
    made = names(tmp_path)
    assert len(made) == 8 and not [n for n in made if re.search(r"[^A-Za-z0-9._-]", n)], made
    assert made[:4] == [f"memlog-15-{i}.server.h5" for i in range(4)]
    commands = {Recording(tmp_path / n).attributes["command"] for n in made[4:]}
    assert commands == {f"echo {i}" for i in range(4)}, made


def test_outside_of_a_job(tmp_path):
    """There it is refused, but for names that we chose: those have the second in them."""
    (tmp_path / "run.h5").write_text("precious")
    outcome = run(tmp_path, "echo", "started", options=("-o", "run.h5"))
    assert outcome.code == 2 and outcome.stdout == b"", str(outcome)
    assert said(outcome, "run.h5 is there already; remove it, name another with -o, or --force")
    jobs = [mt.Job([mt.MEMLOG_MPI, "-q", "--", "echo", i], cwd=tmp_path) for i in range(6)]
    outcomes = [job.finish() for job in jobs]
    for job in jobs:
        job.__exit__()
    assert [o.code for o in outcomes] == [0] * 6, outcomes
    assert len(names(tmp_path)) == 7

