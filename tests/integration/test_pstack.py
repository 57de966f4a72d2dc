"""Stacks in a recording: when they are taken, whose, what becomes of a debugger that fails, and that
the application does not notice."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import memlog_testing as mt
from memlog_file import Stacks

OFTEN = ("-q", "--pstack", "--stack-rate", "100ms", "--overhead", "100%")
NO_PTRACE = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]


def record(flavour, ranks, name, *args, file, options=OFTEN, **how):
    outcome = mt.run_hosted(flavour, ranks, name, *args, file=file, options=options, **how)
    assert outcome.code == 0, str(outcome)
    return outcome, Stacks(file)


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def test_every_rank_by_time(flavour, file):
    """All ranks, with main and what it calls; taken together; held shortly or not at all."""
    _, stacks = record(flavour, 3, "grow", "3", file=file)
    taken = stacks.samples("interval")
    mains = [s for s in taken if "main" in s["functions"]]
    counts = Counter(s["rank"] for s in mains)
    assert set(counts) == {0, 1, 2}
    assert min(counts.values()) >= 8, counts
    # The main thread, wherever it is in MPI or libc, comes from main; the libraries' own do not.
    pids = {p["process"]: p["pid"] for p in stacks.rows("processes")}
    first = [s for s in taken if s["thread"] == pids[s["process"]]]
    assert len([s for s in first if "main" in s["functions"]]) >= 0.8 * len(first)
    assert {f for s in mains for f in s["functions"][:s["functions"].index("main")]}
    node = stacks.rows("nodes")[0]
    assert node["stacks"] == len(stacks["stack_samples"]["stack"])
    assert node["debugger_restarts"] == 0 and node["stacks_cpu_s"] > 0
    assert all(0 <= s["stopped_s"] < 1 and s["took_s"] > 0 for s in taken)


def test_without_it_there_are_none(file):
    _, stacks = record(mt.BUILD, 1, "hello", file=file, options=("-q",))
    assert not stacks["stack_samples"]["stack"] and not stacks["frames"]["function"]
    assert stacks.rows("nodes")[0]["stacks"] == 0


def test_on_growth(flavour, file):
    """By growth alone: as often as the rank grew by so much, and at the sample that saw it."""
    _, stacks = record(flavour, 2, "grow", "3", "1024", file=file, options=(
        "-q", "-r", "20ms", "--pstack", "--stack-rate", "0", "--stack-growth", "10MiB",
        "--overhead", "100%"))
    assert not stacks.samples("interval")
    rows = stacks.rows("samples")
    pids = {p["process"]: p["pid"] for p in stacks.rows("processes")}
    first = [s for s in stacks.samples("growth") if s["thread"] == pids[s["process"]]]
    for rank in (0, 1):
        times = sorted(s["time_s"] for s in first if s["rank"] == rank)
        assert 10 <= len(times) <= 20, times          # 150 MiB, and what MPI itself takes
        for t in times:
            sizes = [r["rss_B"] for r in rows if r["rank"] == rank and r["time_s"] <= t + 0.001]
            assert sizes, f"no sample before the stack at {t}"


@pytest.fixture
def small_cgroup():
    """A memory cgroup of 400 MiB, version 1 or 2; its folder."""
    limits = {"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"}
    for root, limit in limits.items():
        folder = Path(root) / f"memlog-test-{os.getpid()}"
        try:
            folder.mkdir()
            if (folder / limit).exists():
                (folder / limit).write_text(str(400 << 20))
                break
            folder.rmdir()
        except OSError:
            pass
    else:
        pytest.skip("no memory cgroup can be made here")
    yield folder
    mt.wait_for(lambda: not (folder / "cgroup.procs").read_text(), what="an empty cgroup")
    folder.rmdir()


def test_before_memory_ends(small_cgroup, file):
    """The rank grows until the kernel kills it: where it was shortly before is in the file."""
    command = [mt.MEMLOG_MPI, "--pstack", "--stack-rate", "0", "--stack-growth", "0", "-o", file,
               "--", *mt.program(mt.BUILD, "grow"), "60", "1024"]
    outcome = mt.run(["sh", "-c", f'echo $$ > {small_cgroup}/cgroup.procs; exec "$@"', "sh",
                      *command])
    assert outcome.code in (9, 137) and file.exists(), str(outcome)
    stacks = Stacks(file)
    last = [s for s in stacks.samples("low_memory") if "main" in s["functions"]]
    assert last, str(outcome)
    end = stacks["node_samples"]["time_s"][-1]
    assert end - 10 < last[-1]["time_s"] <= end


def test_only_these_ranks(file):
    _, stacks = record(mt.BUILD, 4, "grow", "1.5", file=file,
                       options=(*OFTEN, "--stack-ranks", "1,3"))
    assert {s["rank"] for s in stacks.samples()} == {1, 3}


def samples_so_far(file):
    """The stack samples of a running job, each with the names of its functions."""
    read = subprocess.run([mt.MEMLOG, "read", "--json", "--pstack", file], capture_output=True)
    stacks = json.loads(read.stdout)["stacks"] if read.returncode == 0 else {"samples": []}
    return [dict(s, functions=[stacks["calls"][c]["function"] for c in s["calls"]])
            for s in stacks["samples"]]


def test_at_a_signal(flavour, file):
    """The signal takes stacks and stays with us; without --pstack none are taken but then."""
    command = mt.hosted_command(flavour, 2, "signals", "0", file=file, options=(
        "-q", "--stack-signal", "USR1"))
    said = file.with_name("said")
    with said.open("wb") as out, mt.Job(command, stdout=out) as job:
        mt.wait_for(lambda: said.read_bytes().count(b"ready") == 2, what="the ranks")
        for victim in mt.sampling_ranks(job):
            os.kill(victim, signal.SIGUSR1)
        mt.wait_for(lambda: "signal" in [s["trigger"] for s in samples_so_far(file)],
                    what="a stack")
        for pid in mt.application_ranks(job, "signals"):
            os.kill(pid, signal.SIGTERM)
        outcome = job.finish()
    assert outcome.code == 0, str(outcome)
    assert b"got USR1" not in said.read_bytes(), str(outcome)
    taken = Stacks(file).samples()
    assert {s["trigger"] for s in taken} == {"signal"}
    assert {s["rank"] for s in taken if "main" in s["functions"]} == {0, 1}
    assert len({s["time_s"] for s in taken if "main" in s["functions"]}) <= 2, "taken once"


def test_a_script_starts_the_program(file):
    """The rank is a shell; the program that it runs is seen too."""
    script = " ".join(mt.program(mt.BUILD, "grow")) + " 2; exit 0"
    outcome = mt.run([*mt.mpiexec(mt.BUILD, 2), mt.MEMLOG_MPI, *OFTEN, "-o", file, "--",
                      "sh", "-c", script])
    assert outcome.code == 0, str(outcome)
    taken = [s for s in Stacks(file).samples() if "main" in s["functions"]]
    assert {s["rank"] for s in taken} == {0, 1}
    assert len({s["process"] for s in taken}) >= 2


def test_around_a_launcher(file):
    """mpiexec inside: the ranks are found by their environment, and the launcher is left out."""
    command = [*mt.mpiexec(mt.BUILD, 2), *mt.program(mt.BUILD, "grow"), "2"]
    outcome = mt.run([mt.MEMLOG_MPI, *OFTEN, "-o", file, "--", *command])
    assert outcome.code == 0, str(outcome)
    stacks = Stacks(file)
    names = {p["process"]: p["name"] for p in stacks.rows("processes")}
    # Before its ranks are there Hydra's proxy is all that the launcher has started.
    taken = [s for s in stacks.samples() if names[s["process"]] != "hydra_pmi_proxy"]
    assert {names[s["process"]] for s in taken} == {"grow"}
    assert {s["rank"] for s in taken} == {0, 1}


@pytest.mark.parametrize("debugger", ["gdb", "lldb"])
def test_through_a_debugger(debugger, flavour, file):
    need(debugger)
    outcome, stacks = record(flavour, 2, "grow", "6", file=file, options=(
        "-q", "--debugger", debugger, "--stack-rate", "500ms", "--overhead", "30%"))
    assert not outcome.stderr, str(outcome)
    taken = [s for s in stacks.samples() if "main" in s["functions"]]
    assert {s["rank"] for s in taken} == {0, 1}
    assert all(s["stopped_s"] > 0 for s in taken)
    assert stacks.rows("nodes")[0]["debugger_restarts"] == 0
    assert stacks.attributes["option_debugger"] == debugger


@pytest.mark.parametrize("debugger", ["gdb", "lldb"])
def test_debugger_is_not_there(debugger, file, tmp_path):
    """A warning that names it, and our own unwinder instead."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for path in ("/usr/local/bin", "/usr/bin", "/bin"):
        for program in os.listdir(path) if os.path.isdir(path) else []:
            if not program.startswith(("gdb", "lldb")) and not (folder / program).exists():
                (folder / program).symlink_to(f"{path}/{program}")
    outcome, stacks = record(mt.BUILD, 2, "grow", "2", file=file, env={"PATH": str(folder)},
                             options=("--debugger", debugger, "--stack-rate", "200ms",
                                      "--overhead", "100%"))
    warning = [w for w in outcome.stderr.decode().splitlines() if "not found in PATH" in w]
    assert len(warning) == 1 and f"{debugger} not" in warning[0] and "unwind" in warning[0]
    assert {s["rank"] for s in stacks.samples() if "main" in s["functions"]} == {0, 1}


FAKES = {
    "dead": "exit 3",
    "garbage": "while read -r line; do echo ')}{[\\'; done",
    "deaf": "exec 0<&- 1>&- 2>&-; sleep 1000",
}


@pytest.mark.parametrize("fake", ["dead", "garbage", "deaf"])
@pytest.mark.parametrize("debugger", ["gdb", "lldb"])
def test_debugger_fails(debugger, fake, file, tmp_path):
    """It is started again three times at most, then we unwind; the application is not touched."""
    program = tmp_path / debugger
    program.write_text(f"#!/bin/sh\n{FAKES[fake]}\n")
    program.chmod(0o755)
    outcome, stacks = record(mt.BUILD, 1, "grow", "4", file=file,
                             env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
                             options=("--debugger", debugger, "--stack-rate", "200ms",
                                      "--overhead", "100%"))
    assert debugger in outcome.stderr.decode()
    assert stacks.rows("nodes")[0]["debugger_restarts"] <= 4
    assert outcome.by_rank()[0] == ["growing", "grown"]


def stack_servers(job):
    return [p for p in job.processes() if mt.comm_of(p) == "memlog-stacks"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP],
                         ids=["KILL", "TERM", "STOP"])
def test_signals_to_the_stack_server(number, flavour, file):
    """Killed, it is replaced, three times at most; stopped, it is found out; TERM is nothing to it.
    The application and the record go on."""
    command = mt.hosted_command(flavour, 2, "grow", "8", file=file, options=(
        "--pstack", "--stack-rate", "20ms", "--overhead", "100%"))
    with mt.Job(command) as job:
        mt.wait_for(lambda: len(mt.application_ranks(job, "grow")) == 2, what="the ranks")
        first = mt.wait_for(lambda: stack_servers(job), what="the stack server")[0]
        time.sleep(0.5)
        os.kill(first, number)
        if number != signal.SIGTERM:
            mt.wait_for(lambda: [p for p in stack_servers(job) if p != first], what="another one")
        for pid in mt.application_ranks(job, "grow"):
            assert mt.read_state(pid) not in "Tt"
        outcome = job.finish()
    assert outcome.code == 0 and not outcome.orphans, str(outcome)
    assert outcome.by_rank() == {0: ["growing", "grown"], 1: ["growing", "grown"]}
    stacks = Stacks(file)
    restarts = stacks.rows("nodes")[0]["debugger_restarts"]
    assert restarts == (0 if number == signal.SIGTERM else 1)
    late = stacks["node_samples"]["time_s"][-1] - 1.5
    assert [s for s in stacks.samples() if s["time_s"] > late], "stacks go on"


SYMBOLS = 300000
WALL = 0x40000000                              # __WALL of waitpid(2)


@pytest.fixture(scope="module")
def slow_to_name(tmp_path_factory):
    """A program that computes for some seconds, with so many symbols that reading them takes long
    where CPUs are scarce."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "many.s").write_text(".text\n" + "".join(
        f".type f{i}, @function\nf{i}: ret\n.size f{i}, .-f{i}\n" for i in range(SYMBOLS)))
    (folder / "work.c").write_text("""
        #include <stdlib.h>
        #include <time.h>
        __attribute__((noinline)) void work(double seconds)
        {
            struct timespec begin, now;
            clock_gettime(CLOCK_MONOTONIC, &begin);
            do
                clock_gettime(CLOCK_MONOTONIC, &now);
            while (now.tv_sec - begin.tv_sec + 1e-9 * (now.tv_nsec - begin.tv_nsec) < seconds);
        }
        int main(int argc, char **argv) { work(atof(argv[argc - 1])); return 0; }""")
    subprocess.run(["cc", "-O1", "-g", "-o", "slow", "work.c", "many.s"], cwd=folder, check=True)
    return folder / "slow"


def test_names_take_longer_than_the_run(slow_to_name, file):
    """A node with more ranks than CPUs: the names of the program are read when these end."""
    ranks = 3 * len(os.sched_getaffinity(0))
    outcome = mt.run([*mt.mpiexec(mt.BUILD, ranks), mt.MEMLOG_MPI, "-q", "--pstack",
                      "--stack-rate", "100ms", "-o", file, "--", slow_to_name, "10"])
    assert outcome.code == 0 and b"stack server" not in outcome.stderr, str(outcome)
    stacks = Stacks(file)
    assert stacks.rows("nodes")[0]["debugger_restarts"] == 0
    mains = [s for s in stacks.samples() if "work" in s["functions"]]
    assert {s["rank"] for s in mains} == set(range(ranks))
    begin, end = min(s["time_s"] for s in mains), max(s["time_s"] for s in mains)
    assert end - begin > 7, (begin, end)


def test_a_short_run_has_stacks(slow_to_name, file):
    outcome = mt.run([*mt.mpiexec(mt.BUILD, 2), mt.MEMLOG_MPI, "-q", "--pstack",
                      "--stack-rate", "100ms", "-o", file, "--", slow_to_name, "1"])
    assert outcome.code == 0, str(outcome)
    assert {s["rank"] for s in Stacks(file).samples() if "work" in s["functions"]} == {0, 1}


def without_names(stacks, program):
    """Samples in which a place in PROGRAM is an address, no function."""
    return [s for s in stacks.samples()
            if any(f.startswith(f"{program.name}+0x") for f in s["functions"])]


def start_slow(slow_to_name, ranks, seconds, file):
    return mt.Job([*mt.mpiexec(mt.BUILD, ranks), mt.MEMLOG_MPI, "-q", "--pstack", "--stack-rate",
                   "100ms", "--overhead", "100%", "-o", file, "--", slow_to_name, str(seconds)])


def tasks_of(pid):
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


def wait_for_names(job):
    """The stack server and its last thread, which has begun to read names."""
    server = mt.wait_for(lambda: stack_servers(job), what="the stack server")[0]
    return server, mt.wait_for(lambda: tasks_of(server)[2:], what="the first stack")[0]


def stop_thread(task):
    PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
    libc = ctypes.CDLL(None, use_errno=True)
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, task, None, None) != 0:
            pytest.skip(f"a thread cannot be stopped here: {os.strerror(ctypes.get_errno())}")


def test_the_server_dies_while_it_reads_names(slow_to_name, file):
    """The stacks that it had taken stay, as addresses."""
    ranks = 4 * len(os.sched_getaffinity(0))
    with start_slow(slow_to_name, ranks, 6, file) as job:
        server, naming = wait_for_names(job)
        stop_thread(naming)
        time.sleep(2)
        os.kill(server, signal.SIGKILL)
        while os.WIFSTOPPED(os.waitpid(naming, WALL)[1]):
            pass
        outcome = job.finish()
    assert outcome.code == 0, str(outcome)
    stacks = Stacks(file)
    died, = [e for e in stacks.rows("events") if "stack server died" in e["text"]]
    assert "stacks of which it read the names stay without them" in died["text"]
    kept = [s for s in without_names(stacks, slow_to_name) if s["time_s"] < died["time_s"]]
    busy = os.getloadavg()[0] > 2 * os.cpu_count()       # it may have had no CPU for more than one
    assert len(kept) >= (1 if busy else ranks) and {s["rank"] for s in kept} <= set(range(ranks))
    taken = [(s["process"], s["thread"], s["time_s"]) for s in stacks.samples()]
    assert len(set(taken)) == len(taken), "none is recorded twice"


def test_a_job_is_ended_while_names_are_read(slow_to_name, file):
    """As schedulers do: TERM, and 5 s later KILL. The file is there by then, with the stacks."""
    with start_slow(slow_to_name, 4 * len(os.sched_getaffinity(0)), 60, file) as job:
        wait_for_names(job)
        time.sleep(2)
        begin = time.monotonic()
        mt.send(job.process.pid, signal.SIGTERM)
        while job.processes() and time.monotonic() < begin + 5:
            time.sleep(0.05)
        seconds = time.monotonic() - begin
        job.kill_all()
        job.finish()
    assert file.exists() or mt.journals_of(file)
    if not file.exists():
        subprocess.run([mt.MEMLOG, "recover", *mt.journals_of(file), "-o", file, "--force"],
                       check=True, capture_output=True, timeout=mt.TIMEOUT_S)
    stacks = Stacks(file)
    assert len(stacks["node_samples"]["tick"]) >= 5
    assert seconds < 5 and stacks.samples(), seconds
    notes = [e["text"] for e in stacks.rows("events") if "the last stacks are without" in e["text"]]
    assert bool(notes) == bool(without_names(stacks, slow_to_name))


@pytest.mark.parametrize("debugger", ["gdb", "lldb"])
def test_the_server_of_a_debugger_dies(debugger, file):
    """Killed while its debugger is at work, three times: the ranks are not left stopped."""
    need(debugger)
    command = mt.hosted_command(mt.BUILD, 2, "grow", "5", file=file, options=(
        "--debugger", debugger, "--stack-rate", "100ms", "--overhead", "30%"))
    with mt.Job(command) as job:
        mt.wait_for(lambda: len(mt.application_ranks(job, "grow")) == 2, what="the ranks")
        killed = set()
        for moment in (0.9, 0.7, 0.75):
            victim = mt.wait_for(lambda: set(stack_servers(job)) - killed, what="a server").pop()
            time.sleep(moment)
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
        outcome = job.finish(150)
    assert outcome.code == 0 and not outcome.orphans, str(outcome)
    assert outcome.by_rank() == {0: ["growing", "grown"], 1: ["growing", "grown"]}
    assert Stacks(file).rows("nodes")[0]["debugger_restarts"] >= 3


def test_the_kernel_refuses(file, tmp_path):
    """One warning with the remedy; the samples go on without stacks."""
    need("setpriv")
    program = tmp_path / "undumpable"
    subprocess.run(["cc", "-o", program, "-x", "c", "-"], check=True, input=b"""
        #include <sys/prctl.h>
        #include <unistd.h>
        int main(void) { prctl(PR_SET_DUMPABLE, 0); sleep(2); return 0; }""")
    outcome = mt.run([*NO_PTRACE, *mt.mpiexec(mt.BUILD, 2), mt.MEMLOG_MPI, "--pstack",
                      "--stack-rate", "200ms", "--overhead", "100%", "-o", file, "--", program])
    assert outcome.code == 0, str(outcome)
    told = [line for line in outcome.stderr.decode().splitlines() if "stack traces" in line]
    assert len(told) == 1 and "Sampling goes on without stacks" in told[0], str(outcome)
    stacks = Stacks(file)
    node = stacks.rows("nodes")[0]
    assert node["stacks_failed"] >= 2
    assert len(stacks["node_samples"]["time_s"]) >= 6
    said = mt.memlog(file.parent, "read", "--pstack", file.name)
    assert "they were asked for, but the kernel does not permit" in said.replace("\n", " "), said
    for form in ("--folded", "--speedscope", "--pprof"):
        said = mt.memlog(file.parent, "export", form, file.name, code=1)
        assert "they were asked for, but the kernel does not permit" in said, said
        assert "--pstack takes them" not in said, said


def test_no_stack_was_due(file):
    record(mt.BUILD, 1, "hello", file=file, options=("-q", "--pstack", "--stack-growth", "0"))
    said = mt.memlog(file.parent, "read", "--pstack", file.name).replace("\n", " ")
    assert "none was due" in said and "--stack-rate was 10s" in said, said


def test_a_killed_job_keeps_its_stacks(flavour, file):
    """What the journals hold is in the recovered file: frames, tree, samples."""
    command = mt.hosted_command(flavour, 2, "grow", "120", file=file, options=OFTEN)
    said = file.with_name("said")
    with said.open("wb") as out, mt.Job(command, stdout=out) as job:
        mt.wait_for(lambda: said.read_bytes().count(b"growing") == 2, what="the ranks")
        mt.wait_for(lambda: {s["rank"] for s in samples_so_far(file)
                             if "main" in s["functions"]} == {0, 1}, what="the stacks of both")
        job.kill_all()
        job.finish()
    out = file.with_name("recovered.h5")
    subprocess.run([mt.MEMLOG, "recover", *mt.journals_of(file), "-o", out], check=True,
                   capture_output=True, timeout=mt.TIMEOUT_S)
    stacks = Stacks(out)
    assert {s["rank"] for s in stacks.samples() if "main" in s["functions"]} == {0, 1}


@pytest.mark.parametrize("name", ["collectives", "order", "threads"])
def test_results_are_the_same(name, flavour, tmp_path):
    """200 stacks a second change nothing of what a program computes and says."""
    plain = mt.run_plain(flavour, 2, name, cwd=tmp_path)
    hosted = mt.run_hosted(flavour, 2, name, cwd=tmp_path, file=tmp_path / "run.h5", options=(
        "-q", "--pstack", "--stack-rate", "5ms", "--overhead", "100%"))
    assert hosted.code == plain.code, str(hosted)
    assert hosted.lines() == plain.lines(), str(hosted)
