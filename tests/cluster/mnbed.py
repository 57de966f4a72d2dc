#!/usr/bin/env python3
"""mnbed: several "hosts" on one Linux machine, for testing multi-node programs.

Every node has its own network, UTS, IPC, PID and mount namespace: its own host name and address
(a veth pair on a bridge), /proc, /tmp, /var/tmp, /dev/shm and /etc/hosts. Everything else of the
file system is shared, as a cluster's home is. All nodes live in one outer PID namespace: when that
ends, nothing is left. As root it uses root; as an ordinary user it works in a user namespace.

  mnbed.py check                      exit 0 if this machine can do it, else 77, and says why not
  mnbed.py run  [opts] -- CMD ARG...  set up, run CMD on the first node, tear down
  mnbed.py up   [opts] DIR            set up in the background (files in DIR)
  mnbed.py down DIR
  mnbed.py sh   DIR [-l USER] HOST CMD...   what DIR/mnsh calls: a stand-in for ssh

  opts: -n N (nodes, 3)   --prefix P (host names P1..PN, "n")   --net 10.99.0
        --domain D (each host is also known as NAME.D)   --full-names (and calls itself so)
        --keep PATH (a path under /tmp, /var/tmp or /dev/shm that stays shared)
        --bind SRC:DST ("{node}" is replaced)

CMD finds MNBED (DIR), MNBED_HOSTS (n1,n2,..) and MNSH (DIR/mnsh) in its environment:
  mpiexec.hydra   -launcher ssh -launcher-exec $MNSH -hosts $MNBED_HOSTS -ppn 2 ...
  mpiexec.openmpi --mca plm_rsh_agent $MNSH -H n1:2,n2:2,n3:2 ...
The host name "bed" is the outer namespace (bridge, all processes): for faults, e.g.
`$MNSH bed ip link set v2 down`, `$MNSH bed 'kill -9 $(cat n2/pid)'`.
Exit status of `sh`: the command's (128 + signal if killed), 255 if the host is unreachable.
"""
import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from mnbed_agent import call, command_sh

NEWNS, NEWUTS, NEWIPC = 0x20000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1
SKIPPED = 77
ME = os.path.realpath(__file__)
AGENT = os.path.join(os.path.dirname(ME), "mnbed_agent.py")
libc = ctypes.CDLL(None, use_errno=True)


# ---------------------------------------------------------------- system calls
def must(result, what):
    if result:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def unshare(flags):
    must(libc.unshare(flags), f"unshare({flags:#x})")


def mount(source, target, kind=None, flags=0, data=None):
    texts = [None if t is None else os.fsencode(t) for t in (source, target, kind, data)]
    must(libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]),
         f"mount {source} on {target}")


def mount_proc():
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def ip(*args):
    subprocess.run(("ip",) + args, check=True, stdin=subprocess.DEVNULL)


def map_ids(inside_uid, outside_uid, inside_gid, outside_gid):
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inside_uid} {outside_uid} 1"),
                       ("gid_map", f"{inside_gid} {outside_gid} 1")):
        with open("/proc/self/" + name, "w") as f:
            f.write(text)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def write_file(path, text):
    with open(path, "w") as f:
        f.write(text)


# ---------------------------------------------------------------- set-up
def private_dir(staging, target, keep):
    """An empty tmpfs on TARGET in which the KEEP paths below it stay reachable."""
    mount("mnbed", staging, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    for path in keep:
        if path.startswith(target + "/"):
            inside = staging + path[len(target):]
            if os.path.isdir(path):
                os.makedirs(inside, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(inside), exist_ok=True)
                open(inside, "a").close()
            mount(path, inside, None, MS_BIND | MS_REC)
    mount(staging, target, None, MS_BIND | MS_REC)


def node_main(o, name, address, go, ready):
    """The first process of a host's namespaces; becomes its agent."""
    os.read(go, 1)                               # the veth is here now
    os.close(go)
    directory = os.path.join(o.dir, name)
    socket.sethostname(f"{name}.{o.domain}" if o.full_names else name)
    ip("link", "set", "lo", "up")
    ip("addr", "add", address + "/24", "dev", "eth0")
    ip("link", "set", "eth0", "up")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount_proc()
    binds = [(o.dir + "/hosts", "/etc/hosts"), (directory + "/hostname", "/etc/hostname")]
    for source, target in binds + o.binds:
        source, target = source.replace("{node}", name), target.replace("{node}", name)
        if target != "/etc/hostname" or os.path.exists(target):
            mount(source, target, None, MS_BIND | MS_REC)
    for target in ("/dev/shm", "/var/tmp", "/tmp"):
        if os.path.isdir(target) and not os.path.islink(target):
            private_dir(directory + "/mnt", target, o.keep)
    os.chdir("/")
    if o.uid:
        unshare(NEWUSER)                         # be the ordinary user again
        map_ids(o.uid, 0, o.gid, 0)
    become_agent(directory, o, ready)


def start_node(o, number, name):
    """Forks a host into its namespaces, gives it a network; returns where it says it is ready."""
    go_read, go_write = os.pipe()
    ready_read, ready_write = os.pipe()
    pid_read, pid_write = os.pipe()
    if os.fork() == 0:
        unshare(NEWNET | NEWUTS | NEWIPC | NEWNS | NEWPID)
        pid = os.fork()
        if pid:
            os.write(pid_write, str(pid).encode())
            os._exit(0)
        try:
            os.close(go_write)
            os.close(ready_read)
            node_main(o, name, f"{o.net}.{number}", go_read, ready_write)
        except BaseException as error:
            sys.stderr.write(f"mnbed: node {name}: {error}\n")
        os._exit(1)
    for fd in (pid_write, go_read, ready_write):
        os.close(fd)
    pid = os.read(pid_read, 32).decode()
    os.close(pid_read)
    write_file(f"{o.dir}/{name}/pid", pid + "\n")
    ip("link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", pid)
    ip("link", "set", f"v{number}", "master", "br0", "up")
    os.write(go_write, b"G")
    os.close(go_write)
    return ready_read


def become_agent(directory, o, ready):
    """A fresh process image, so that no test's words are in PID 1's command line."""
    os.set_inheritable(ready, True)
    os.execv(sys.executable, [sys.executable, "-IS", AGENT, "serve", directory, str(ready),
                              json.dumps(host_env(o))])


def outer_main(o, ready):
    """PID 1 of the bed: the bridge, then the hosts."""
    if not o.background:
        die_with_parent()
    os.setsid()
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount_proc()
    ip("link", "set", "lo", "up")
    ip("link", "add", "br0", "type", "bridge")
    ip("addr", "add", o.net + ".254/24", "dev", "br0")
    ip("link", "set", "br0", "up")
    waits = [(name, start_node(o, i, name)) for i, name in enumerate(o.names, 1)]
    for name, fd in waits:
        if os.read(fd, 1) != b"R":
            sys.exit(f"mnbed: node {name} did not start")
        os.close(fd)
    become_agent(o.dir + "/bed", o, ready)


def host_env(o):
    return {"MNBED": o.dir, "MNBED_HOSTS": ",".join(o.names), "MNSH": o.dir + "/mnsh"}


def write_files(o):
    """What the hosts need in the bed's folder: names, addresses, the ssh."""
    for name in o.names + ["bed"]:
        os.makedirs(f"{o.dir}/{name}/mnt", exist_ok=True)
        write_file(f"{o.dir}/{name}/hostname", name + "\n")
    lines = ["127.0.0.1 localhost"]
    for i, name in enumerate(o.names, 1):
        lines.append(f"{o.net}.{i} {name}" + (f" {name}.{o.domain}" if o.domain else ""))
    write_file(o.dir + "/hosts", "\n".join(lines) + "\n")
    write_file(o.dir + "/mnsh",
               f"#!/bin/sh\nexec '{sys.executable}' -IS '{AGENT}' sh '{o.dir}' \"$@\"\n")
    os.chmod(o.dir + "/mnsh", 0o755)


def detach(o):
    null, log = os.open("/dev/null", os.O_RDONLY), os.open(
        o.dir + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for fd, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(fd, target)


def middle_main(o, ready):
    """The bed's parent: enters the outer namespaces and forks PID 1."""
    if not o.background:
        die_with_parent()
    if o.uid:
        unshare(NEWUSER)
        map_ids(0, o.uid, 0, o.gid)
    unshare(NEWNET | NEWNS | NEWPID)
    pid = os.fork()
    if pid == 0:
        if o.background:
            detach(o)
        try:
            outer_main(o, ready)
        except BaseException as error:
            sys.stderr.write(f"mnbed: {error}\n")
        os._exit(1)
    write_file(o.dir + "/pid", f"{pid}\n")
    os.close(ready)
    if not o.background:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.waitpid(pid, 0)


def set_up(o):
    """Makes the bed in o.dir; returns the PID of its parent once all hosts are ready."""
    o.uid, o.gid = os.getuid(), os.getgid()
    o.dir = os.path.realpath(o.dir)
    o.names = [f"{o.prefix}{i}" for i in range(1, o.n + 1)]
    o.keep = [os.path.realpath(k) for k in o.keep + [o.dir, os.path.dirname(ME)]]
    o.binds = [tuple(b.split(":", 1)) for b in o.bind]
    os.makedirs(o.dir, exist_ok=True)
    write_files(o)
    ready_read, ready_write = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            os.close(ready_read)
            middle_main(o, ready_write)
        except BaseException as error:
            sys.stderr.write(f"mnbed: {error}\n")
            os._exit(1)
        os._exit(0)
    os.close(ready_write)
    ready = os.read(ready_read, 1) == b"R"
    os.close(ready_read)
    if not ready:
        sys.exit("mnbed: set-up failed" + (f" (see {o.dir}/log)" if o.background else ""))
    return middle


# ---------------------------------------------------------------- commands
def bed_pid(directory):
    with open(os.path.join(directory, "pid")) as f:
        return int(f.read())


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def command_down(directory):
    try:
        pid = bed_pid(os.path.realpath(directory))
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            if b"mnbed" in f.read():
                os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        return 0
    while not is_gone(pid):
        time.sleep(0.01)
    return 0


def command_run(o, command):
    o.background, o.dir, middle = False, tempfile.mkdtemp(prefix="mnbed."), None
    os.chmod(o.dir, 0o755)
    try:
        middle = set_up(o)
        request = {"argv": command, "cwd": os.getcwd(), "env": {**os.environ, **host_env(o)}}
        return call(os.path.join(o.dir, o.names[0]), request)
    finally:
        try:
            os.kill(bed_pid(o.dir), signal.SIGKILL)
        except OSError:
            pass
        if middle:
            os.waitpid(middle, 0)
        shutil.rmtree(o.dir, ignore_errors=True)


def command_check(o):
    """Makes a bed and a network in it; the parts say on stderr what is refused."""
    if not shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
        sys.stderr.write("mnbed: the program ip (iproute2) is not installed\n")
        return SKIPPED
    try:
        return command_run(o, ["/bin/true"])
    except SystemExit as error:
        sys.stderr.write(f"{error}: this machine or container does not allow namespaces here\n")
        return SKIPPED


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0
    what, argv = sys.argv[1], sys.argv[2:]
    if what == "sh":
        return command_sh(argv)
    if what == "down":
        return command_down(argv[0])
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    parser = argparse.ArgumentParser(prog="mnbed.py")
    parser.add_argument("-n", type=int, default=3)
    parser.add_argument("--prefix", default="n")
    parser.add_argument("--net", default="10.99.0")
    parser.add_argument("--domain", default="")
    parser.add_argument("--full-names", action="store_true")
    parser.add_argument("--keep", action="append", default=[])
    parser.add_argument("--bind", action="append", default=[])
    command = []
    if "--" in argv:
        at = argv.index("--")
        argv, command = argv[:at], argv[at + 1:]
    if what == "up":
        parser.add_argument("dir")
    o = parser.parse_args(argv)
    if what == "up":
        o.background = True
        set_up(o)
        return 0
    if what == "check":
        return command_check(o)
    if what != "run" or not command:
        parser.error("say check, run -- COMMAND, up DIR, down DIR or sh DIR HOST COMMAND")
    return command_run(o, command)


if __name__ == "__main__":
    sys.exit(main())
