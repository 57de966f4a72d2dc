"""2 to 32 hosts with a sampling rank each: with how many others it has connections, counted at its sockets.
tests/scale says: with its neighbours in the tree of the hosts, log2 of all at most. What else there is, MPI's
own collectives opened: a few at the start, and at the end those of MPI-IO, where one host writes what all have
and so may have a connection with each."""
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


def of_samplers(looks):
    """The hosts that each sampling rank is connected with."""
    return [{number(address) for p in one["open"] if p["name"].startswith("memlog-mpi")
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


@pytest.mark.parametrize("n", SIZES)
def test_connections(n, name):
    bed = open_bed(n=n)
    try:
        env, end = bed.environment(mt.BUILD), bed.shared / f"{name}.end"
        command = (bed.mpiexec(mt.BUILD, n, dict.fromkeys(bed.hosts, 1), env)
                   + [mt.MEMLOG_MPI, "-q", "-o", name, "--"] + mt.program(mt.BUILD, "hold") + [end, 1])
        job = bed.start("n1", command, env)
        tree = [neighbours(n, host) for host in range(n)]
        looks = []

        def all_are_linked():
            """The application's fence has been, and sums of a second."""
            looks[:] = look(bed)
            return job.poll() is not None or all(map(set.issuperset, of_samplers(looks), tree))

        mt.wait_for(all_are_linked, mt.TIMEOUT_S, "connections along the tree")
        running, launchers = of_samplers(looks), of_launchers(looks)
        end.touch()
        outcome = bed.finish(job, command)
        assert outcome.code == 0, str(outcome)
        ended = in_all(look(bed), launchers)
        nodes = Recording(bed.shared / name).rows("nodes")
    finally:
        bed.close()
    links, most = (max(map(len, sets)) for sets in (tree, running))
    first, total = len(ended[0]), max(map(len, ended[1:]))
    print(f"{n} hosts: {links} neighbours in the tree; connected with {most} while it runs, with {total} until "
          f"the end, and the first host with {first}")
    log2 = math.log2(n)
    assert links <= math.ceil(log2) and most <= 2 * log2 and total <= 3 * log2, (running, ended)
    assert [p["ended"] for p in nodes] == [COMPLETE] * n
