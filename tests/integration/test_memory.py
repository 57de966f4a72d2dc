"""The figures: what a rank touches is what its recorded peak grows by; LAMMPS computes the same."""
import re
import shutil

import pytest
import memlog_testing as mt
from memlog_file import Recording

MIB = 1 << 20


def peaks(flavour, sizes, file, hold_s="0.6"):
    """The recorded peak of each rank, in bytes."""
    outcome = mt.run_hosted(flavour, len(sizes), "touch", ",".join(map(str, sizes)), hold_s,
                            file=file)
    assert outcome.code == 0, str(outcome)
    ranks = Recording(file).ranks()
    assert sorted(ranks) == list(range(len(sizes)))
    return [ranks[r]["peak_rss_B"] for r in range(len(sizes))]


@pytest.mark.parametrize("sizes", [(200,), (120, 300), (64, 128, 96, 256)], ids=len)
def test_peak_is_what_was_touched(flavour, sizes, tmp_path):
    base = peaks(flavour, [0] * len(sizes), tmp_path / "base.h5")
    peak = peaks(flavour, sizes, tmp_path / "run.h5")
    for rank, size in enumerate(sizes):
        grown = (peak[rank] - base[rank]) / MIB
        assert abs(grown - size) <= 0.02 * size, f"rank {rank}: {grown:.1f} MiB for {size} MiB"


def test_samples_show_the_step(flavour, file):
    """The series itself, not only the kernel's peak, holds the memory while it is held."""
    outcome = mt.run_hosted(flavour, 1, "touch", "150", "1", file=file,
                            options=("-q", "-r", "50ms"))
    assert outcome.code == 0, str(outcome)
    recording = Recording(file)
    samples = [r for r in recording.rows("samples") if r["rank"] == 0]
    rss = [r["rss_B"] for r in samples]
    assert max(rss) - min(rss) > 145 * MIB
    assert max(r["rss_anon_B"] for r in samples) > 145 * MIB
    row = recording.ranks()[0]
    assert row["peak_rss_B"] >= max(rss)
    assert all(r["rss_B"] <= r["peak_rss_B"] for r in samples)
    nodes = recording.rows("node_samples")
    assert max(r["rss_B"] for r in nodes) >= max(rss)
    ticks = [r["tick"] for r in nodes]
    assert ticks == sorted(set(ticks))
    node = recording.rows("nodes")[0]          # on a busy machine some are missed, and counted
    assert node["ticks"] + node["missed"] >= 10, "a second at 50 ms has some 20 ticks"


def test_helpers_have_parents(flavour, file):
    """What a rank forks is recorded too, also a daemon that has left its session."""
    outcome = mt.run_hosted(flavour, 2, "helpers", "32", "1", file=file,
                            options=("-q", "-r", "50ms"))
    assert outcome.code == 0, str(outcome)
    recording = Recording(file)
    first = recording.ranks()[0]["process"]
    helpers = recording.helpers()
    children = [h for h in helpers if h["parent"] == first]
    assert any(h["name"] == "sleep" for h in children), helpers
    holders = [h for h in helpers if h["name"] == "helpers" and h["peak_rss_B"] > 30 * MIB]
    assert len(holders) >= 2, f"the holder and the daemon: {helpers}"


def test_program_without_mpi(file):
    outcome = mt.run_hosted(mt.BUILD, 2, "serial", "80", "0.6", file=file)
    assert outcome.code == 0, str(outcome)
    for rank in Recording(file).ranks().values():
        assert 80 * MIB < rank["peak_rss_B"] < 90 * MIB and rank["name"] == "serial"


# ---------------------------------------------------------------- LAMMPS
LAMMPS = shutil.which("lmp")


def thermo(outcome):
    """The table of the run: step, temperature, energies, pressure."""
    assert outcome.code == 0, str(outcome)
    match = re.search(rb"\n *Step .*?(?=\nLoop time)", outcome.stdout, re.S)
    assert match, str(outcome)
    return match[0].split()


@pytest.mark.skipif(not LAMMPS, reason="lmp (Debian's lammps) is not installed")
@pytest.mark.skipif("openmpi" not in mt.FLAVOURS, reason="Debian's lmp is an Open MPI program")
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_lammps(ranks, file, tmp_path):
    command = [LAMMPS, "-in", str(mt.TESTS / "data/lj.in"), "-log", "none"]
    plain = mt.run(mt.mpiexec("openmpi", ranks) + command, cwd=tmp_path)
    hosted = mt.run(mt.mpiexec(mt.BUILD, ranks) + [mt.MEMLOG_MPI, "-q", "-o", file, "--"] + command,
                    cwd=tmp_path)
    assert thermo(hosted) == thermo(plain)
    recording = Recording(file)
    assert sorted(recording.ranks()) == list(range(ranks))
    assert all(r["peak_rss_B"] > 10 * MIB for r in recording.ranks().values())
