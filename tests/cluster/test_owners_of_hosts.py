"""Three hosts: the heap profiles of all ranks in one file, under one tree of calls."""
from memlog_file import Recording
from owners_testing import HEAP, MIB, check, profile


def test_each_rank_has_its_own(flavour, bed, name):
    """Sums of each rank, wherever it ran; equal calls of different hosts are one stack."""
    outcome = bed.run_hosted(flavour, 6, "owners", file=name, options=HEAP)
    assert outcome.code == 0, str(outcome)
    heap = profile(bed.shared / name, "--at", "end")
    for rank in range(6):
        check(heap, "assemble", (rank + 1) * 10 * MIB, rank=rank)
        check(heap, "precondition", 10 * MIB, rank=rank)
    recording = Recording(bed.shared / name)
    node_of = {p["process"]: p["node"] for p in recording.rows("processes")}
    nodes_of = {}
    for row in recording.rows("heap"):
        nodes_of.setdefault(row["stack"], set()).add(node_of[row["process"]])
    assert max(len(nodes) for stack, nodes in nodes_of.items() if stack >= 0) == 3
