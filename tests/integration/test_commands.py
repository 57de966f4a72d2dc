"""Several commands in one world: of one mpiexec (MPMD), and of MPI_Comm_spawn with its infos; and
where a command is looked for."""
import functools
import json
import os
import re
import shutil
import subprocess

import pytest
import memlog_testing as mt
from memlog_file import Recording


@functools.cache
def crashes_with_several(flavour):
    """mpiexec of Open MPI 5.0.7 as Debian 13 has it does, plainly."""
    return mt.run([mt.MPIEXEC[flavour], "-n", "1", "true", ":", "-n", "1", "true"]).code == 139


def several(flavour, contexts, around=()):
    """mpiexec's words for CONTEXTS, (ranks, options of memlog-mpi, command) each."""
    if crashes_with_several(flavour):
        pytest.skip("mpiexec itself, without us, crashes when it is given several commands")
    words = [mt.MPIEXEC[flavour]]
    for i, (ranks, options, command) in enumerate(contexts):
        words += [":"] * (i > 0) + ["-n", str(ranks), *around, *(options if around else []),
                                    *(["--"] if around else []), *map(str, command)]
    return words


def run_several(contexts, file, **how):
    contexts = [(ranks, ["-q", "-o", file, *options], command) for ranks, options, command in contexts]
    return mt.run(several(mt.BUILD, contexts, [mt.MEMLOG_MPI]), **how)


def commands(file):
    return {rank: p["command"] for rank, p in Recording(file).ranks().items()}


# ------------------------------------------------------------------------------ MPMD
def test_several_commands(flavour, file):
    """One world and one record; MPI_APPNUM by which coupled codes split it."""
    attrs, = mt.program(flavour, "attrs")
    contexts = [(1, [], [attrs]), (2, [], [attrs, "b c"]), (1, [], [attrs, "d"])]
    plain = mt.run(several(flavour, contexts))
    hosted = run_several(contexts, file)
    assert plain.code == hosted.code == 0, hosted

    def words(outcome):
        return {rank: [line for line in lines if "universe" not in line]
                for rank, lines in outcome.by_rank().items()}
    assert words(hosted) == words(plain)
    assert [re.search(r"application number (\d)", " ".join(lines))[1]
            for _, lines in sorted(words(hosted).items())] == ["0", "1", "1", "2"]
    assert commands(file) == {0: attrs, 1: f"{attrs} b c", 2: f"{attrs} b c", 3: f"{attrs} d"}


def test_commands_in_a_report(file):
    hello, = mt.program(mt.BUILD, "hello")
    assert run_several([(1, [], [hello, "x"]), (2, [], [hello, "y"])], file).code == 0
    shown = mt.memlog(file.parent, "read", file, COLUMNS="400")
    assert re.search(rf"^command +rank 0: {hello} x\n +ranks 1-2: {hello} y$", shown, re.M), shown
    report = json.loads(mt.memlog(file.parent, "read", "--json", file))
    assert report["run"]["commands"] == [{"ranks": "0", "command": f"{hello} x"},
                                         {"ranks": "1-2", "command": f"{hello} y"}]


def test_one_command_in_a_report(file):
    assert mt.run_hosted(mt.BUILD, 2, "hello", "x", file=file).code == 0
    hello, = mt.program(mt.BUILD, "hello")
    assert re.search(rf"^command +{hello} x$", mt.memlog(file.parent, "read", file, COLUMNS="400"), re.M)


def test_commands_around_a_launcher(flavour, file):
    """Nobody told us: they are the kernel's words."""
    ring, = mt.program(flavour, "hooks_share")
    outcome = mt.run([mt.MEMLOG_MPI, "-q", "-r", "5ms", "--overhead", "50%", "-o", file, "--",
                      *several(flavour, [(1, [], [ring, "a"]), (1, [], [ring, "b"])])])
    assert outcome.code == 0, outcome
    assert sorted(commands(file).values()) == [f"{ring} a", f"{ring} b"]


def test_what_mpiexec_says_of_each(file):
    """Open MPI's words about the commands, of which MPI_INFO_ENV is made."""
    if mt.BUILD != "openmpi":
        pytest.skip("of Open MPI's mpiexec")
    names = ["OMPI_COMMAND", "OMPI_ARGV", "OMPI_NUM_APP_CTX", "OMPI_FIRST_RANKS", "OMPI_APP_CTX_NUM_PROCS"]
    env, = mt.program(mt.BUILD, "env")
    contexts = [(1, [], [env, *names]), (2, [], [env, *names, "x"])]
    plain, hosted = mt.run(several(mt.BUILD, contexts)), run_several(contexts, file)
    assert hosted.by_rank() == plain.by_rank() and set(plain.by_rank()) == {0, 1, 2}


OTHER = "was given another --repeat-rate; the options of rank 0 hold for all"


def test_options_that_differ(file):
    hello, = mt.program(mt.BUILD, "hello")
    contexts = [(1, ["-r", "0.1"], [hello]), (2, ["-r", "0.2", "--no-stdout"], [hello])]
    words = several(mt.BUILD, [(n, ["-o", file, *options], c) for n, options, c in contexts],
                    [mt.MEMLOG_MPI])
    outcome = mt.run(words)
    assert outcome.code == 0 and outcome.stderr.decode().count(OTHER) == 1, outcome
    recording = Recording(file)
    assert recording.attributes["option_repeat_rate"] == "0.1s"
    assert any(OTHER in event["text"] for event in recording.rows("events"))
    assert {row["rank"] for row in recording.rows("output")} == {0}


def test_options_of_the_first_hold(file):
    """Those that the others do not give are no matter."""
    hello, = mt.program(mt.BUILD, "hello")
    words = several(mt.BUILD, [(1, ["-r", "0.1", "-o", file], [hello]), (2, [], [hello])],
                    [mt.MEMLOG_MPI])
    outcome = mt.run(words, cwd=file.parent)
    assert outcome.code == 0 and b"another" not in outcome.stderr, outcome
    assert [p.name for p in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("first, second, complaint", [
    ([], ["--no-such-option"], "no-such-option"),
    (["-n", "2"], ["-n", "2"], "each is to start its own ranks")], ids=["unknown", "form"])
def test_wrong_use(first, second, complaint, file):
    """Nobody waits for who has left."""
    hello, = mt.program(mt.BUILD, "hello")
    outcome = run_several([(1, first, [hello]), (1, second, [hello])], file)
    assert outcome.stderr.decode().count(complaint) == 1 and outcome.code == 2, outcome
    assert not file.exists() and outcome.stdout == b""


def test_missing_command_in_the_second(file):
    hello, = mt.program(mt.BUILD, "hello")
    outcome = run_several([(1, [], [hello]), (1, [], ["no-such-command"])], file)
    assert b"no-such-command" in outcome.stderr and outcome.code == 127 and outcome.stdout == b"", outcome


# ------------------------------------------------------------------------------ where it is looked for
@pytest.fixture
def here(tmp_path):
    """A folder that is not in PATH, with programs of Open MPI in it."""
    if "openmpi" not in mt.FLAVOURS:
        pytest.skip("no Open MPI")
    folder = tmp_path / "here"
    folder.mkdir()
    for name in ("spawn_info", "serial"):
        shutil.copy(*mt.program("openmpi", name), folder)
    return folder


def test_name_in_the_working_folder(here, file):
    """Open MPI's mpiexec finds it, Hydra does not."""
    plain = mt.run([*mt.mpiexec(mt.BUILD, 1), "serial"], cwd=here)
    hosted = mt.run([*mt.mpiexec(mt.BUILD, 1), mt.MEMLOG_MPI, "-q", "-o", file, "--", "serial"],
                    cwd=here)
    assert (plain.code == 0) == (hosted.code == 0) == (mt.BUILD == "openmpi"), f"{plain}\n{hosted}"
    assert hosted.stdout == plain.stdout


# ------------------------------------------------------------------------------ MPI_Comm_spawn
def spawned(run, here, *words, **how):
    return run("openmpi", 1, "spawn_info", *words, cwd=here, **how)


def children(outcome):
    return sorted(line for rank, lines in outcome.by_rank().items() for line in lines)


@pytest.fixture
def host_name():
    return os.uname().nodename.split(".")[0]


@pytest.mark.parametrize("words", [
    ["spawn_info"], ["spawn_info", "wdir=below"], ["{here}/spawn_info", "wdir=/"],
    ["spawn_info", "path={here}", "wdir=/"], ["spawn_info", "host={host}", "map_by=node"],
    ["spawn_info", "add-host={host}", "npernode=2"], ["spawn_info", "host=localhost", "bind_to=none"],
    ["no-such-command"], ["./no-such-command"], ["{here}/spawn_info", "wdir=/no/such/folder"],
    ["--multiple", "spawn_info", "spawn_info", "./spawn_info"],
], ids=" ".join)
def test_spawn_as_open_mpi(words, here, host_name, file):
    """What it does with each info; where it fails, so do we."""
    (here / "below").mkdir()
    shutil.copy(here / "spawn_info", here / "below")
    words = [word.format(here=here, host=host_name) for word in words]
    plain = spawned(mt.run_plain, here, *words)
    hosted = spawned(mt.run_hosted, here, *words, file=file)
    if crashes_with_several("openmpi") and words[0] == "--multiple":
        assert plain.code == 139 and hosted.code == 0, f"{hosted}\n{plain}"
        pytest.skip("plainly, mpiexec itself crashes when it is given several commands")
    assert hosted.code == plain.code, f"{hosted}\n{plain}"
    assert children(hosted) == children(plain), f"{hosted}\n{plain}"


@pytest.mark.parametrize("info", ["host=no-such-host", "add-host=no-such-host", "npernode=1"])
def test_spawn_that_has_no_place(info, here, file):
    """The program hears of it. Of what it then says itself, mpiexec of Open MPI 4 makes 1. That of
    Open MPI 5 ends with the spawn's error, whatever the program says; with a host that it cannot
    reach it ends all."""
    hosted = spawned(mt.run_hosted, here, "./spawn_info", info, file=file)
    if not mt.launcher_is_prrte("openmpi"):
        assert hosted.code == 3 and children(hosted) == ["refused with MPI_ERR_SPAWN"], hosted
        return
    plain = spawned(mt.run_plain, here, "./spawn_info", info.removeprefix("add-"))
    assert hosted.code == plain.code == 213, f"{hosted}\n{plain}"
    assert children(hosted) == children(plain) != [], f"{hosted}\n{plain}"
    assert Recording(file).attributes["exit_code"] == 213


def test_spawned_commands_in_the_file(here, file):
    assert spawned(mt.run_hosted, here, "--multiple", "./spawn_info", "spawn_info", file=file).code == 0
    assert commands(file) == {0: f"{mt.program('openmpi', 'spawn_info')[0]} --multiple ./spawn_info "
                                 "spawn_info", 1: "./spawn_info", 2: "spawn_info", 3: "spawn_info"}
