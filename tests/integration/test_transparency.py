"""Every program of the table, plain under its own mpiexec and hosted under the build's: the same
exit code, the same words on both streams, the same side effects."""
import hashlib
import re
import shutil
from collections import Counter

import pytest
import memlog_testing as mt
import program_table

PAIRINGS = True


def parameters():
    """Many ranks need many seconds: across MPIs the first build's tests have them."""
    for flavour in mt.FLAVOURS:
        for case in program_table.CASES:
            elsewhere = case.ranks >= 32 and mt.OWN and flavour != mt.BUILD
            if case.only in (None, flavour) and not elsewhere:
                yield pytest.param(flavour, case, id=f"{flavour}-{case.id}")


def run_case(run, flavour, case, directory, **how):
    """The outcome, and the digests of the files that the program made."""
    directory.mkdir()
    args = [a.replace("{dir}", str(directory)) for a in case.args]
    outcome = run(flavour, case.ranks, case.name, *args, stdin=case.stdin, env=case.env,
                  timeout_s=case.timeout_s, **how)
    made = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in directory.iterdir()}
    return outcome, made


def own_words(stream, same_mpi):
    """Lines of the programs themselves: launchers and libraries add others when a job fails. The
    universe size is the outer launcher's, so it says nothing across MPIs. PRRTE 3.0 puts zeros between
    the lines of a job that aborts."""
    return Counter(line for line in stream.replace(b"\0", b"").split(b"\n")
                   if re.match(rb"rank \d+: |serial: |wrote |Abort\(|.*\.c:\d+: failed", line)
                   and (same_mpi or b"universe size" not in line))


def words_of_plain(flavour, case, plain, stream, tmp_path):
    """Of a job that aborts, Hydra 4.0 may end before it has passed on the last words: what it passed
    on in any of three runs. MPI_Abort of MPICH 4.2 returns, and on a busy machine ranks come past it
    before they are killed; hosted they wait there."""
    same = flavour == mt.BUILD
    words = own_words(getattr(plain, stream), same)
    for turn in range(2 if case.name == "abort7" and flavour == "mpich" else 0):
        again, _ = run_case(mt.run_plain, flavour, case, tmp_path / f"plain-{stream}-{turn}")
        words |= own_words(getattr(again, stream), same)
    if case.name == "abort7" and flavour == "mpich":
        words = Counter({w: n for w, n in words.items() if not w.endswith(b": never reached")})
    return words


def run_plain_case(flavour, case, tmp_path):
    """Where a machine has far too much to do, mpiexec of Open MPI 4.1 may take a rank that ends for
    one that has not finalized, and say so. Then it has two more tries; there is nothing to compare
    with where none is as known."""
    for turn in range(3):
        outcome, made = run_case(mt.run_plain, flavour, case, tmp_path / f"plain-{turn}")
        if outcome.code in case.codes[flavour] or b"exiting improperly" not in outcome.stderr:
            return outcome, made
    pytest.skip(f"mpiexec itself, without us, says of {case.ranks} ranks that they end improperly")


@pytest.mark.parametrize("flavour, case", parameters())
def test_outcome(flavour, case, tmp_path, file):
    plain, plain_files = run_plain_case(flavour, case, tmp_path)
    assert plain.code in case.codes[flavour], f"the plain run is not as known\n{plain}"

    same = flavour == mt.BUILD
    hosted, hosted_files = run_case(mt.run_hosted, flavour, case, tmp_path / "hosted", file=file)
    assert hosted.code in case.hosted_codes(flavour, mt.BUILD), f"exit code\n{hosted}\n{plain}"
    if case.may_refuse and b"not supported" in hosted.stdout:
        assert set(hosted.by_rank()) == set(range(case.ranks)), f"not all ranks say so\n{hosted}"
        return
    for stream in ("stdout", "stderr"):
        said = own_words(getattr(hosted, stream), same)
        assert said == words_of_plain(flavour, case, plain, stream, tmp_path), \
            f"{stream}\n{hosted}\n{plain}"
    assert hosted_files == plain_files
    if plain.code == hosted.code == 0:
        assert hosted.stderr.count(b"\n") == plain.stderr.count(b"\n"), f"stderr\n{hosted}"
    if case.bytes_equal:
        assert hosted.stdout == plain.stdout
        assert hosted.stderr == plain.stderr
    assert file.exists(), f"no recording\n{hosted}"
    assert not mt.journals_of(file), "journals are left beside the finished file"


# ---------------------------------------------------------------- what a process is born with
IGNORED = re.compile(r"group |more fd ")


def surroundings(run, tmp_path, **how):
    outcome = run(mt.BUILD, 2, "fds", "a b", "", "x'\"y\\", "--", "-o", cwd=tmp_path, **how)
    assert outcome.code == 0, str(outcome)
    return {rank: [line for line in lines if not IGNORED.match(line)]
            for rank, lines in outcome.by_rank().items()}


def test_surroundings(tmp_path, file):
    """Descriptors 0 to 2, arguments, directory, umask, processors, limits and signals."""
    assert surroundings(mt.run_hosted, tmp_path, file=file) == surroundings(mt.run_plain, tmp_path)


def test_open_descriptors(tmp_path, file):
    """Nothing of ours is open in the application, but the PMI socket."""
    def more(outcome):
        return {rank: Counter(line.split()[-1] for line in lines if line.startswith("more fd"))
                for rank, lines in outcome.by_rank().items()}
    plain = more(mt.run_plain(mt.BUILD, 2, "fds"))
    hosted = more(mt.run_hosted(mt.BUILD, 2, "fds", file=file))
    for rank in (0, 1):
        assert hosted[rank] - plain[rank] <= Counter(["socket"]), f"{hosted}\n{plain}"


# Variables by which a launcher speaks to the MPI of what it starts: ours, or the hosted world's
WORLD = re.compile(r"(OMPI|PMIX|PMI|ORTE|PRTE|MPIR|HYDI|HYDRA)_|MPI_LOCAL|GFORTRAN_UNBUFFERED|"
                   r"TEST_MARK=|_=|MEMLOG_|LD_PRELOAD=[^:]*/libmemlog_hooks_")
KEPT = re.compile(r"OMPI_COMM_WORLD_(RANK|SIZE|LOCAL_RANK|LOCAL_SIZE|NODE_RANK)=|"
                  r"OMPI_ALLOW_RUN|OMPI_MCA_rmaps_base_oversubscribe|OMPI_MCA_user_set|PMI_USER")


def environment(run, **how):
    env = {"OMPI_MCA_user_set": "1", "SITE_VARIABLE": "a=b c", "PMIX_MCA_user_set": "1"}
    outcome = run(mt.BUILD, 1, "env", env=env, **how)
    assert outcome.code == 0, str(outcome)
    return outcome.by_rank()[0]


def test_environment(file):
    """As plain, less what mpiexec added for our own MPI; additions are the world's, MEMLOG_* and
    our preloaded library."""
    def chosen(lines):
        return sorted(l for l in lines if KEPT.match(l) or not WORLD.match(l))
    plain, hosted = environment(mt.run_plain), environment(mt.run_hosted, file=file)
    assert chosen(hosted) == chosen(plain)
    assert "PMIX_MCA_user_set=1" in hosted


def test_no_way_to_the_outer_launcher(file):
    """The addresses by which mpiexec serves *our* MPI are not passed on."""
    names = ("HYDI_CONTROL_FD", "OMPI_MCA_orte_hnp_uri", "OMPI_MCA_orte_local_daemon_uri")
    assert mt.run_hosted(mt.BUILD, 1, "env", *names, file=file).by_rank() == {}


def test_mpich_asks_for_what_is_served(file):
    """A user may let MPICH take PMI-2 or PMIx (x); the hosted world has PMI-1 for it."""
    wish = {"MPIR_CVAR_PMI_VERSION": "2", "MPICH_PMI_VERSION": "x"}
    outcome = mt.run_hosted(mt.BUILD, 1, "env", *wish, "MPIR_PARAM_PMI_VERSION", file=file, env=wish)
    assert outcome.code == 0, str(outcome)
    assert sorted(outcome.by_rank()[0]) == ["MPICH_PMI_VERSION=1", "MPIR_CVAR_PMI_VERSION=1"]
    # MPICH 5, which sees PMI-1 and PMIx, must be told.
    outcome = mt.run_hosted(mt.BUILD, 1, "env", *wish, file=file, options=("-q", "--force"))
    assert outcome.by_rank()[0] == ["MPIR_CVAR_PMI_VERSION=1"]


def test_no_x_server_is_asked(tmp_path, file, monkeypatch):
    """By hwloc, in a process of ours: a server that ends would end it. What the application has is
    the user's."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    trace = tmp_path / "trace"
    plain = {k: v for k, v in mt.base_environment().items() if k != "HWLOC_COMPONENTS"}
    monkeypatch.setattr(mt, "base_environment", lambda: plain)
    done = mt.run([*mt.mpiexec(mt.BUILD, 1), "strace", "-f", "-o", trace, "-e", "trace=connect",
                   mt.MEMLOG_MPI, "-o", file, "--", "env"])
    assert done.code == 0 and b"HWLOC_COMPONENTS" not in done.stdout, done
    assert "X11-unix" not in trace.read_text(errors="replace")


def test_two_jobs_at_once(tmp_path):
    """Neither ports nor names nor shared memory collide."""
    files = [tmp_path / f"{i}.h5" for i in range(2)]
    jobs = [mt.Job(mt.hosted_command(mt.BUILD, 2, "collectives", file=f)) for f in files]
    outcomes = [job.finish() for job in jobs]
    for outcome, f in zip(outcomes, files):
        assert outcome.code == 0 and f.exists() and not outcome.orphans, str(outcome)
