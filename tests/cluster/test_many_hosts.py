"""2 to 32 hosts with a sampling rank each: with how many others it has connections, counted at its sockets.
tests/scale says: with its neighbours in the tree of the hosts, log2 of all at most. What else there is, MPI's
own collectives opened: a few at the start, and at the end those of MPI-IO, where one host writes what all have
and so may have a connection with each. An MPI that connects all with all in MPI_Init, as MPICH's UCX does,
does so in every program: what the application has by itself is counted too."""
import json
import math
import shlex
import sys
from pathlib import Path

import pytest
import memlog_testing as mt
from conftest import open_bed
from memlog_file import Recording

PEERS = Path(__file__).with_name("peers.py")
COMPLETE = 0                                    # a code of /nodes/ended
SIZES = (2, 4, 8, 16, 32) if mt.LONG else (2, 4, 8)


def neighbours(n, host):
    """As gather/tree.c has them, of a tree whose root is host 0."""
    bits = [1 << k for k in range(n.bit_length())]
    low = next((b for b in bits if host & b), 1 << n.bit_length())
    below = {host + b for b in bits if b < low and host + b < n}
    return below | ({host - low} if host else set())


def look(bed):
    """What peers.py says on each host, by the hosts' numbers."""
    question = shlex.join([sys.executable, "-IS", str(PEERS)])
    return [json.loads(bed.sh(host, question)) for host in bed.hosts]


def number(address):
    return int(address.rpartition(".")[2]) - 1


def of_processes(looks, name):
    """The hosts that the processes of this name are connected with, on each host."""
    return [{number(address) for p in one["open"] if p["name"].startswith(name)
             for address, _, _ in p["peers"]} for one in looks]


def of_launchers(looks):
    """Their connections: (host, its port, other host, its port), from either end."""
    return {(host, port, number(address), its_port) for host, one in enumerate(looks) for p in one["open"]
            if not p["name"].startswith("memlog") for address, port, its_port in p["peers"]}


def in_all(looks, launchers):
    """The hosts that each had a connection with until the end, whoever closed it, but for the launcher's."""
    found = [set() for _ in looks]
    for host, one in enumerate(looks):
        for address, port, its_port in one["closed"]:
            there = number(address)
            if not {(host, port, there, its_port), (there, its_port, host, port)} & launchers:
                found[host].add(there)
                found[there].add(host)
    return found


def end_well(bed, end):
    end.touch()


def end_by_failure(bed, end):
    """The rank on the last host is killed."""
    bed.sh(bed.hosts[-1], "kill -9 $(grep -lx hold /proc/[0-9]*/comm | cut -d/ -f3)")


def hold_until(bed, wrapper, name, ready, end_it=end_well):
    """Runs hold on every host: what look says when `ready` takes that, and what it says when all has ended."""
    env, end = bed.environment(mt.BUILD), bed.shared / f"{name}.end"
    command = (bed.mpiexec(mt.BUILD, len(bed.hosts), dict.fromkeys(bed.hosts, 1), env) + wrapper
               + mt.program(mt.BUILD, "hold") + [end, 1])
    job, looks = bed.start("n1", command, env), []

    def is_ready():
        looks[:] = look(bed)
        return job.poll() is not None or ready(looks)

    mt.wait_for(is_ready, mt.TIMEOUT_S, "what all hosts are connected with")
    end_it(bed, end)
    outcome = bed.finish(job, command)
    assert (outcome.code == 0) == (end_it is end_well), str(outcome)
    return looks, look(bed)


def record_until(bed, name, end_it=end_well):
    """The same with us, from where all are connected with their neighbours in the tree; and the nodes."""
    tree = [neighbours(len(bed.hosts), host) for host in range(len(bed.hosts))]
    running, after = hold_until(bed, [mt.MEMLOG_MPI, "-q", "-o", name, "--"], name,
                                lambda looks: all(map(set.issuperset, of_processes(looks, "memlog-mpi"), tree)),
                                end_it)
    return running, after, Recording(bed.shared / name).rows("nodes")


def most_of(sets):
    return max(map(len, sets))


@pytest.mark.parametrize("n", SIZES)
def test_connections(n, name):
    bed = open_bed(n=n)
    try:
        running, after, nodes = record_until(bed, name)
        said = bed.shared / f"{name}.plain"
        said.touch()
        plain, _ = hold_until(bed, ["sh", "-c", 'exec "$@" >> "$0"', said], said.name,
                              lambda _: said.read_text().count("holds") == n)
    finally:
        bed.close()
    ended = in_all(after, of_launchers(running))
    links, by_mpi = most_of([neighbours(n, host) for host in range(n)]), most_of(of_processes(plain, "hold"))
    most, first, total = most_of(of_processes(running, "memlog-mpi")), len(ended[0]), most_of(ended[1:])
    print(f"{n} hosts: {links} neighbours in the tree; connected with {most} while it runs, with {total} until "
          f"the end, and the first host with {first}; MPI_Init alone connects {by_mpi}")
    log2 = math.log2(n)
    assert links <= math.ceil(log2)
    assert most <= max(2 * log2, by_mpi) and total <= max(3 * log2, by_mpi), (running, ended)
    assert [p["ended"] for p in nodes] == [COMPLETE] * n


@pytest.mark.parametrize("n", SIZES[2:])
def test_connections_of_a_failure(n, name):
    """All hear of it along the tree, so nobody gets more connections than at the end of any run."""
    bed = open_bed(n=n)
    try:
        running, after, nodes = record_until(bed, name, end_by_failure)
    finally:
        bed.close()
    ended = in_all(after, of_launchers(running))
    most, total = most_of(of_processes(running, "memlog-mpi")), most_of(ended[1:])
    print(f"{n} hosts, of which one fails: connected with {most} while it runs, with {total} until the end")
    assert total <= max(3 * math.log2(n), most), (running, ended)
    assert [p["ended"] for p in nodes] == [COMPLETE] * n
