"""Three hosts: the stacks of all ranks in one tree, each kept once."""
import memlog_testing as mt
from memlog_file import Stacks

OFTEN = ("-q", "--pstack", "--stack-rate", "200ms", "--overhead", "100%")


def test_one_tree(flavour, bed, name):
    """Ranks that do the same on different hosts have the same rows of /stacks; no row stands twice,
    and parents come first."""
    outcome = bed.run_hosted(flavour, 6, "grow", "3", file=name, options=OFTEN)
    assert outcome.code == 0, str(outcome)
    stacks = Stacks(bed.shared / name)
    taken = [s for s in stacks.samples() if "main" in s["functions"]]
    assert {s["rank"] for s in taken} == set(range(6))
    pairs = list(zip(stacks["stacks"]["parent"], stacks["stacks"]["frame"]))
    assert len(set(pairs)) == len(pairs)
    assert all(parent < row for row, (parent, _) in enumerate(pairs))
    frames = list(zip(*stacks["frames"].values()))
    assert len(set(frames)) == len(frames)
    nodes = {p["process"]: p["node"] for p in stacks.rows("processes")}
    hosts_of = {}
    for s in taken:
        hosts_of.setdefault(s["stack"], set()).add(nodes[s["process"]])
    assert max(map(len, hosts_of.values())) == 3, "the ranks sleep in the same place"
    for node in stacks.rows("nodes"):
        assert node["stacks"] > 0 and node["stacks_failed"] == 0, node


def test_signal_to_one_host(bed, name):
    """--stack-signal: the node of the process that it was sent to, and no other."""
    env = bed.environment(mt.BUILD)
    command = (bed.mpiexec(mt.BUILD, 6, env=env) + [mt.MEMLOG_MPI, "-q", "--stack-signal", "USR2",
               "-o", name, "--"] + mt.program(mt.BUILD, "grow") + ["6"])
    process = bed.start("n1", command, env)
    mt.wait_for(lambda: sum("grow 6" in p and "memlog" not in p for p in bed.processes("n3")) == 2,
                what="the ranks on n3")
    bed.sh("n3", "sleep 1; pkill -USR2 -o -x memlog-mpi")
    outcome = bed.finish(process, command)
    assert outcome.code == 0, str(outcome)
    stacks = Stacks(bed.shared / name)
    nodes = {p["process"]: p["node"] for p in stacks.rows("processes")}
    assert {nodes[s["process"]] for s in stacks.samples("signal")} == {2}
