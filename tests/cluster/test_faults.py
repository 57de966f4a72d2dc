"""Three hosts, and something fails on another one than the first."""
import subprocess

import pytest
import memlog_testing as mt
from memlog_file import Recording

# What mpiexec makes of it over several hosts; see integration/program_table.py
FAILURES = [
    ("abort7", ("5",), {"openmpi": {7}, "mpich": {7}}),
    ("segfault", ("5",), {"openmpi": {139}, "mpich": {255, 139, 11}}),
    ("exit3", ("after", "5"), {"openmpi": {3}, "mpich": {3}}),
]


@pytest.mark.parametrize("program, args, codes", FAILURES, ids=["abort", "segfault", "exit"])
def test_failure_on_the_last_host(program, args, codes, flavour, bed, name):
    plain = bed.run_plain(mt.BUILD, 6, program, *args)
    hosted = bed.run_hosted(flavour, 6, program, *args, file=name)
    assert plain.code in codes[mt.BUILD], f"the plain run is not as known\n{plain}"
    assert hosted.code in codes[mt.BUILD], f"{hosted}\n{plain}"
    bed.wait_until_empty()
    recording = Recording(bed.shared / name)
    assert sorted(recording.ranks()) == list(range(6))
    assert recording.attributes["complete"] == 1
    assert all(n["ended"] == 0 for n in recording.rows("nodes"))


def test_program_without_mpi_fails_on_the_last_host(bed, name):
    """Without the work-around our own MPI_Finalize may hang under MPICH: a watchdog ends it."""
    script = 'test "$(hostname)" = n3 && exit 3; exit 0'
    command = bed.mpiexec(mt.BUILD, 3, "one") + [mt.MEMLOG_MPI, "-q", "-o", name, "--", "sh", "-c",
                                                 script]
    outcome = bed.run(command)
    assert outcome.code == 3, str(outcome)
    assert (bed.shared / name).exists()


def start_grow(bed, flavour, name):
    """A running job; returns when every host's ranks run and all journals are there."""
    env = bed.environment(flavour)
    command = (bed.mpiexec(mt.BUILD, 6, "block", env)
               + [mt.MEMLOG_MPI, "-q", "-r", "50ms", "-o", name, "--"]
               + mt.program(flavour, "grow") + ["300"])
    process = bed.start("n1", command, env)
    grow = mt.program(flavour, "grow")[0]
    mt.wait_for(lambda: len(mt.journals_of(bed.shared / name)) == 3, what="three journals")
    mt.wait_for(lambda: all(sum(l.startswith(grow) for l in bed.processes(h)) >= 2
                            for h in ("n1", "n2", "n3")), what="two ranks a host")
    mt.wait_for_samples(bed.shared / name)
    return process, command


def recover(bed, name, options=()):
    """The recording of what is left: the file, or its journals."""
    file = bed.shared / name
    if file.exists():
        return Recording(file), ""
    journals = mt.journals_of(file)
    out = bed.shared / ("recovered-" + name)
    done = subprocess.run([mt.MEMLOG, "recover", *journals, "-o", out], capture_output=True,
                          text=True, timeout=mt.TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return Recording(out), done.stdout + done.stderr


def seconds_ahead(recording, host):
    """How long before all other nodes' last ticks HOST had its last one."""
    last = {node["name"].split(".")[0]: max(r["time_s"] for r in recording.rows("node_samples")
                                            if r["node"] == node["node"])
            for node in recording.rows("nodes")}
    return min(last[h] for h in last if h != host) - last[host]


def test_host_dies(flavour, own_bed, name):
    """The power of n2 fails: the job ends, nothing is left elsewhere, three journals remain."""
    bed = own_bed
    process, command = start_grow(bed, flavour, name)
    bed.sh("bed", "kill -9 $(cat n2/pid)")
    outcome = bed.finish(process, command)
    assert outcome.code != 0, str(outcome)
    bed.wait_until_empty(("n1", "n3"))
    recording, _ = recover(bed, name)
    # mpiexec may end the other hosts within the same tick: then nobody can tell which was first
    if mt.journals_of(bed.shared / name) and seconds_ahead(recording, "n2") > 0.5:
        assert "node n2" in recording.attributes["verdict"], recording.attributes["verdict"]
    names = [n.split(".")[0] for n in recording["nodes"]["name"]]
    assert sorted(names) == ["n1", "n2", "n3"]
    for node in recording.rows("nodes"):
        ticks = [r for r in recording.rows("node_samples") if r["node"] == node["node"]]
        assert len(ticks) > 5, f"{node['name']} has hardly a tick"
    assert sorted(recording.ranks()) == list(range(6))


def test_recovery_of_some_nodes(own_bed, name):
    """Journals of a part of the nodes make a file too, and what is missing is named."""
    bed = own_bed
    process, command = start_grow(bed, mt.BUILD, name)
    bed.sh("bed", "kill -9 $(cat n1/pid)")
    mt.wait_for(lambda: process.poll() is not None, what="the end of mpiexec")
    bed.wait_until_empty(("n2", "n3"))
    for journal in mt.journals_of(bed.shared / name):
        if ".n2." in journal.name:
            journal.unlink()
    recording, said = recover(bed, name)
    assert "n2" in said, f"memlog recover does not name the missing node: {said!r}"
    present = {n["name"].split(".")[0] for n in recording.rows("nodes") if n["ended"] != 2}
    assert {"n1", "n3"} <= present and "n2" not in present


@pytest.mark.parametrize("victim", ["sampling rank", "rank of another node"])
def test_our_process_dies_on_another_host(victim, flavour, bed, name):
    """A kill of memlog-mpi on n3 ends the job everywhere, and no tick but the last is lost."""
    process, command = start_grow(bed, flavour, name)
    pick = "head -1" if victim == "sampling rank" else "tail -1"
    bed.sh("n3", "kill -9 $(for p in /proc/[0-9]*; do grep -qx memlog-mpi $p/comm && "
                 f"echo ${{p#/proc/}}; done | sort -n | {pick})")
    outcome = bed.finish(process, command)
    assert outcome.code != 0, str(outcome)
    bed.wait_until_empty()
    recording, _ = recover(bed, name)
    assert len(recording["nodes"]["name"]) == 3 and len(recording.ranks()) == 6


def ranks_on(bed, host, flavour):
    grow = mt.program(flavour, "grow")[0]
    return sum(line.startswith(grow) for line in bed.processes(host))


def test_a_stopped_host_does_not_keep_the_others(bed, name):
    """The sampling rank of n1, which all others have above them, is stopped, and a rank of n3 dies: the
    ranks of n2 end at once nevertheless, those of n1 when it goes on."""
    process, command = start_grow(bed, mt.BUILD, name)
    sampling = bed.sh("n1", "for p in /proc/[0-9]*; do grep -qx memlog-mpi $p/comm && echo ${p#/proc/}; "
                            "done | sort -n | head -1").strip()
    bed.sh("n1", f"kill -STOP {sampling}")
    bed.sh("n3", "kill -9 $(for p in /proc/[0-9]*; do grep -qx grow $p/comm && echo ${p#/proc/}; done "
                 "| head -1)")
    mt.wait_for(lambda: not any(ranks_on(bed, host, mt.BUILD) for host in ("n2", "n3")),
                what="the end of the ranks of n2 and n3")
    bed.sh("n1", f"kill -CONT {sampling}")
    outcome = bed.finish(process, command)
    assert outcome.code not in (0, None), str(outcome)
    bed.wait_until_empty()
    recording, _ = recover(bed, name)
    assert recording.attributes["complete"] == 1 and "signal 9" in recording.attributes["verdict"]


def test_one_host_cannot_begin(own_bed, name):
    """It ends before its MPI_Init, for which the others wait: nobody does, and it is told why."""
    limited = ["sh", "-c", 'test $(hostname) = n3 && ulimit -n 30; exec "$@"', "sh"]
    command = (own_bed.mpiexec(mt.BUILD, 6) + limited
               + [mt.MEMLOG_MPI, "-q", "-o", name, "--", "echo", "started"])
    outcome = own_bed.run(command, own_bed.environment(mt.BUILD), timeout_s=60)
    assert outcome.code not in (0, None) and b"started" not in outcome.stdout, str(outcome)
    told = [l for l in outcome.stderr.decode().splitlines() if l.startswith("memlog-mpi")]
    assert told == ["memlog-mpi: n3: 30 files may be open here (ulimit -n); it takes 64"], str(outcome)
    own_bed.wait_until_empty()


NO_RECORD = {  # what is wrong on n3, and what the one line says
    "full disk": ("mkdir -p /tmp/j && mount -t tmpfs -o size=4k none /tmp/j && "
                  "{ cat /dev/zero >/tmp/j/filled || true; }", "No space left"),
    "no journal folder": ("rm -rf /tmp/j", "/tmp/j"),
}


@pytest.mark.parametrize("wrong", NO_RECORD)
def test_one_host_cannot_record(wrong, own_bed, name):
    """Then none does, at once, and its reason is told; no application has started."""
    what, words = NO_RECORD[wrong]
    for host in ("n1", "n2", "n3"):
        own_bed.sh(host, "mkdir -p /tmp/j")
    own_bed.sh("n3", what)
    outcome = own_bed.run_hosted(mt.BUILD, 6, "hello", file=name, options=("-q", "--journal-dir", "/tmp/j"),
                                 timeout_s=60)
    assert outcome.code not in (0, None) and b"rank" not in outcome.stdout, str(outcome)
    told = [l for l in outcome.stderr.decode().splitlines() if l.startswith("memlog-mpi")]
    assert len(told) == 1 and told[0].startswith("memlog-mpi: n3: ") and words in told[0], str(outcome)
    own_bed.wait_until_empty()
    assert not (own_bed.shared / name).exists()
    assert "journal" not in own_bed.sh("n1", "ls /tmp/j")
