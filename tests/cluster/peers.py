"""The TCP connections of this host with others, as JSON: "open" has those of each process, by the sockets
that it has open, "closed" those that ended within the last minute, of which this end was closed first
(TIME_WAIT): whose they were nobody knows any more. Each is the other host's address, our port, its port."""
import json
import os
import re
import socket
import struct

ESTABLISHED, TIME_WAIT = 1, 6


def end_of(text):
    """"0100630A:1F90" is (10.99.0.1, 8080), by the word as it lies in memory; also where IPv6 has IPv4."""
    address, _, port = text.partition(":")
    return socket.inet_ntoa(struct.pack("=I", int(address[-8:], 16))), int(port, 16)


def connections():
    """Those to other hosts: (state, inode, [address, our port, its port])."""
    for kind in ("tcp", "tcp6"):
        with open(f"/proc/net/{kind}") as table:
            for words in map(str.split, table.read().splitlines()[1:]):
                (here, port), (there, its_port) = end_of(words[1]), end_of(words[2])
                if here != there:
                    yield int(words[3], 16), words[9], [there, port, its_port]


def inodes_of(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
        found |= {match[1]} if match else set()
    return found


def main():
    known, processes = list(connections()), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            own = inodes_of(pid)
            with open(f"/proc/{pid}/comm") as comm:
                processes.append({"name": comm.read().strip(), "peers": [
                    ends for state, inode, ends in known if state == ESTABLISHED and inode in own]})
        except (FileNotFoundError, ProcessLookupError):
            pass
    print(json.dumps({"open": processes,
                      "closed": [ends for state, _, ends in known if state == TIME_WAIT]}))


main()
