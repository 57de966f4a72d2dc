"""Bad input: one line that says what is wrong, and exit code 2; 126 and 127 as a shell has them."""
import os
import stat

import pytest
import memlog_testing as mt


def direct(*args, **how):
    return mt.run([mt.MEMLOG_MPI, *args], **how)


def under_mpiexec(*args, **how):
    return mt.run(mt.mpiexec(mt.BUILD, 2) + [mt.MEMLOG_MPI, *args], **how)


def complaint(outcome):
    """Our lines on stderr; mpiexec may add its own."""
    return [l for l in outcome.stderr.decode().splitlines() if l.startswith("memlog-mpi:")]


# What is wrong: (arguments, what the message must name); see the files that bad_folder makes
BAD = {
    "no command": ([], "command"),
    "no command after --": (["--"], "command"),
    "unknown option": (["--no-such-option", "--", "true"], "--no-such-option"),
    "unknown short option": (["-Z", "--", "true"], "Z"),
    "bad duration": (["-r", "10 parsecs", "--", "true"], "parsecs"),
    "negative duration": (["--repeat-rate=-1s", "--", "true"], "-1s"),
    "duration of nothing": (["-r", "0", "--", "true"], "repeat-rate"),
    "bad number": (["-n", "many", "--", "true"], "many"),
    "bad size": (["--stdout-limit", "9 elephants", "--", "true"], "elephants"),
    "bad binding": (["--bind-to", "moon", "--", "true"], "moon"),
    "bad launch": (["--launch", "twice", "--", "true"], "twice"),
    "value is missing": (["-o"], "-o"),
    "output directory is missing": (["-o", "gone/x.h5", "--", "true"], "gone"),
    "output directory is a file": (["-o", "a-file/x.h5", "--", "true"], "a-file"),
    "output is there already": (["-o", "there.h5", "--", "true"], "there.h5"),
    "journal directory is missing": (["--journal-dir", "void", "--", "true"], "void"),
    "node file is missing": (["--nodefile", "no-nodes", "--", "true"], "no-nodes"),
    "node file is empty": (["--nodefile", "empty", "--", "true"], "empty"),
}


@pytest.fixture
def bad_folder(tmp_path):
    for name in ("a-file", "there.h5"):
        (tmp_path / name).write_text("")
    (tmp_path / "empty").write_text("# nothing\n\n")
    return tmp_path


@pytest.mark.parametrize("kind", BAD)
def test_one_line_and_2(kind, bad_folder):
    args, word = BAD[kind]
    outcome = direct(*args, cwd=bad_folder)
    assert outcome.code == 2, str(outcome)
    assert outcome.stdout == b"" and outcome.stderr.count(b"\n") == 1, str(outcome)
    assert len(complaint(outcome)) == 1 and word in complaint(outcome)[0], str(outcome)
    assert not list(bad_folder.glob("*.journal")), "a journal of a run that never was"


@pytest.mark.parametrize("kind", ["no command", "bad duration", "output directory is missing",
                                  "node file is missing", "output is there already"])
def test_one_line_and_2_under_mpiexec(kind, bad_folder):
    """Two ranks, yet one line."""
    args, word = BAD[kind]
    outcome = under_mpiexec(*args, cwd=bad_folder)
    assert outcome.code == 2, str(outcome)
    assert len(complaint(outcome)) == 1 and word in complaint(outcome)[0], str(outcome)


def test_the_file_is_not_touched(tmp_path):
    file = tmp_path / "there.h5"
    file.write_text("precious")
    assert direct("-o", str(file), "--", "true", cwd=tmp_path).code == 2
    assert file.read_text() == "precious"
    assert direct("-q", "--force", "-o", str(file), "--", "true", cwd=tmp_path).code == 0
    assert file.read_bytes()[:4] == b"\x89HDF"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_output_directory_is_not_writable(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    outcome = direct("-o", str(closed / "x.h5"), "--", "true")
    assert outcome.code == 2 and len(complaint(outcome)) == 1, str(outcome)


@pytest.mark.parametrize("how", [direct, under_mpiexec])
def test_command_not_found(how, tmp_path):
    outcome = how("-q", "-o", str(tmp_path / "x.h5"), "--", "no-such-command-anywhere")
    assert outcome.code == 127, str(outcome)
    assert complaint(outcome) and "no-such-command-anywhere" in complaint(outcome)[0]


@pytest.mark.parametrize("how", [direct, under_mpiexec])
def test_command_not_executable(how, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(stat.S_IRUSR)
    outcome = how("-q", "-o", str(tmp_path / "x.h5"), "--", str(script))
    assert outcome.code == 126, str(outcome)
    assert complaint(outcome) and "script" in complaint(outcome)[0]


def test_node_file_of_pbs_is_missing(tmp_path):
    """In a PBS job that is a warning, and MPI's own answer is used."""
    for text in (None, "", "# comment\n\n"):
        nodes, file = tmp_path / "nodes", tmp_path / f"{text and len(text)}.h5"
        if text is not None:
            nodes.write_text(text)
        # by env, as Hydra's mpiexec would read these variables too, and give up
        job = ["env", f"PBS_NODEFILE={nodes}", "PBS_JOBID=17.server"]
        outcome = mt.run(mt.mpiexec(mt.BUILD, 2) + job + [mt.MEMLOG_MPI, "-o", file, "--"]
                         + mt.program(mt.BUILD, "hello"))
        assert outcome.code == 0 and file.exists(), str(outcome)
        assert any("nodes" in line for line in complaint(outcome)), str(outcome)


def test_wrong_mpiexec(file):
    """Started by the other MPI's mpiexec: one error that names both, not N lonely singletons."""
    others = [f for f in mt.FLAVOURS if f != mt.BUILD]
    if not others:
        pytest.skip("only one MPI is installed")
    outcome = mt.run(mt.mpiexec(others[0], 2) + [mt.MEMLOG_MPI, "-o", file, "--", "true"])
    assert outcome.code not in (0, None) and not file.exists(), str(outcome)
    lines = complaint(outcome)
    assert lines and all("Open MPI" in l and ("MPICH" in l or "Hydra" in l) for l in lines), lines


def test_help_and_version():
    for option in ("--help", "--version"):
        outcome = direct(option)
        assert outcome.code == 0 and outcome.stdout and not outcome.stderr, str(outcome)


def limited(shell, *words, **how):
    """memlog-mpi under a shell's limits."""
    return mt.run(["sh", "-c", f'{shell}; exec "$@"', "sh", mt.MEMLOG_MPI, *words], **how)


def test_hardly_any_open_files(tmp_path):
    outcome = limited("ulimit -n 10", "-n", "2", "--", *mt.program(mt.BUILD, "hello"), cwd=tmp_path)
    assert outcome.code == 70, str(outcome)
    assert outcome.stderr == b"memlog-mpi: 10 files may be open here (ulimit -n); it takes 64\n"


def test_few_open_files_suffice(tmp_path):
    """As many as the message says."""
    outcome = limited("ulimit -n 64", "-q", "-n", "2", "-o", "x.h5", "--",
                      *mt.program(mt.BUILD, "hello"), cwd=tmp_path)
    assert outcome.code == 0 and (tmp_path / "x.h5").exists(), str(outcome)


@pytest.mark.parametrize("folder", ["/proc", "nowhere"])
def test_no_folder_in_tmpdir(tmp_path, folder):
    """It is made elsewhere."""
    outcome = direct("-q", "-n", "2", "--", *mt.program(mt.BUILD, "hello"), cwd=tmp_path,
                     env={"TMPDIR": folder})
    assert outcome.code == 0 and len(outcome.lines()) == 2, str(outcome)
    assert outcome.stderr == b"", str(outcome)


def test_sampling_rank_is_not_reached(file):
    """One rank process cannot: all end, with its reason, and nobody waits for it."""
    of_asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # which is not preloaded
    outcome = mt.run(mt.mpiexec(mt.BUILD, 2)
                     + ["env", f"LD_PRELOAD={mt.BIN_DIR.parent}/tests/support/no_hub.so",
                        f"ASAN_OPTIONS={of_asan}", mt.MEMLOG_MPI, "-o", file, "--", "echo", "started"], timeout_s=60)
    assert outcome.code == 70 and b"started" not in outcome.stdout, str(outcome)
    assert complaint(outcome) == ["memlog-mpi: reach the node's sampling rank: Permission denied"]
    assert not file.exists() and not mt.journals_of(file)


def test_recorders_at_the_same_time(tmp_path):
    """Without mpiexec, of one user: each has its own files of MPI's."""
    jobs = [mt.Job([mt.MEMLOG_MPI, "-q", "-n", "2", "-o", tmp_path / f"{i}.h5", "--",
                    *mt.program(mt.BUILD, "hello")]) for i in range(6)]
    outcomes = [job.finish(300) for job in jobs]
    for job in jobs:
        job.__exit__()
    assert [o.code for o in outcomes] == [0] * 6, "\n".join(map(str, outcomes))
    assert [o.stderr for o in outcomes] == [b""] * 6, "\n".join(map(str, outcomes))
