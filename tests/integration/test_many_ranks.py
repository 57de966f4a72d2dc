"""A node with many ranks, more than it has CPUs by far: it starts, its stacks are taken, it ends, and the
file has all of it. MEMLOG_LONG: as many as a large node has."""
import memlog_testing as mt
from memlog_file import Stacks

OWN_RANKS, PROCESSES, HOLD_S = (256, 128, 20) if mt.LONG else (48, 24, 8)
TIMEOUT_S = 1500 if mt.LONG else mt.TIMEOUT_S
COMPLETE = 0                                    # a code of /nodes/ended
OPTIONS = ("-q", "--pstack", "--stack-rate", "3s", "--overhead", "10%")


def record(before, ranks, flavour, file, *options):
    """Ranks that sleep in main, between MPI_Init and MPI_Finalize."""
    outcome = mt.run([*before, mt.MEMLOG_MPI, *OPTIONS, *options, "-o", file, "--",
                      *mt.program(flavour, "touch"), "0", str(HOLD_S)], TIMEOUT_S)
    assert outcome.code == 0, str(outcome)
    mt.memlog(file.parent, "check", file)
    run = Stacks(file)
    assert run.attributes["complete"] == 1 and run.attributes["exit_code"] == 0
    found = run.ranks()
    assert sorted(found) == list(range(ranks))
    for rank, process in found.items():
        assert process["exit_code"] == 0 and process["n_rows"] > 0, f"rank {rank}: {process}"
        assert process["end_s"] - process["start_s"] > HOLD_S, f"rank {rank}: {process}"
    node, = run.rows("nodes")
    assert node["ended"] == COMPLETE and node["ticks"] > HOLD_S / 2, node
    slept = {s["rank"] for s in run.samples() if "main" in s["functions"]}
    assert slept == set(range(ranks)), f"no stack of {sorted(set(range(ranks)) - slept)}"
    assert max(run["job_samples"]["ranks"]) == ranks


def test_one_process_starts_them_all(flavour, file):
    record([], OWN_RANKS, flavour, file, "-n", str(OWN_RANKS))


def test_a_process_for_each(flavour, file):
    record(mt.mpiexec(mt.BUILD, PROCESSES), PROCESSES, flavour, file)
