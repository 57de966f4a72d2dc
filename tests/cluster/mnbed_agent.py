#!/usr/bin/env python3
"""The sshd and the ssh of mnbed's hosts, without a network: a request (a command and its
environment, in JSON) and the client's stdin, stdout and stderr go over a Unix socket to the agent,
which is PID 1 of the host; the wait status comes back.

  mnbed_agent.py serve DIR READY_FD ENVIRONMENT     the agent of the host whose folder is DIR
  mnbed_agent.py sh BED [-l USER] HOST CMD...       what BED/mnsh calls
"""
import array
import json
import os
import pwd
import selectors
import signal
import socket
import struct
import sys


# ---------------------------------------------------------------- the "sshd" of a host
def socket_at(directory):
    """A short name for DIRECTORY/sock, whatever the length of DIRECTORY, and its descriptor."""
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    return f"/proc/self/fd/{fd}/sock", fd


def become_user(name, peer_uid):
    """Takes on the user that was asked for; returns its environment and home."""
    uid = pwd.getpwnam(name).pw_uid if name else peer_uid
    if uid != peer_uid and peer_uid != 0:
        raise PermissionError("only root may use -l")
    try:
        entry = pwd.getpwuid(uid)
        user, home, gid = entry.pw_name, entry.pw_dir, entry.pw_gid
    except KeyError:
        user, home, gid = str(uid), "/", os.getgid()
    if os.getuid() == 0 and uid != 0:
        os.initgroups(user, gid)
        os.setgid(gid)
        os.setuid(uid)
    return {"HOME": home, "USER": user, "LOGNAME": user, "SHELL": "/bin/sh",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def spawn(request, fds, peer_uid, host_env):
    """Starts what a client asked for, on the client's own stdin, stdout and stderr."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        for i, fd in enumerate(fds):
            os.dup2(fd, i)
        os.closerange(3, 1024)
        env = {**become_user(request.get("user"), peer_uid), **host_env,
               **(request.get("env") or {})}
        try:
            os.chdir(request.get("cwd") or env["HOME"])
        except OSError:
            os.chdir("/")
        if request.get("argv"):
            os.execvpe(request["argv"][0], request["argv"], env)
        os.execve("/bin/sh", ["sh", "-c", request["cmd"]], env)
    except BaseException as error:
        os.write(2, f"mnbed: {error}\n".encode())
    os._exit(127)


class Agent:
    """PID 1 of a host, or of the bed: starts what is asked for, and reaps everything."""

    def __init__(self, directory, host_env):
        self.host_env = host_env
        self.client_of = {}                      # pid -> connection that waits for its status
        self.pid_of = {}                         # connection -> pid
        self.selector = selectors.DefaultSelector()
        path, _ = socket_at(directory)
        if os.path.lexists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666 if os.getuid() == 0 else 0o600)
        self.listener.listen(64)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.wake, wake_end = os.pipe()
        for fd in (self.wake, wake_end):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))     # the kernel then ends the rest
        self.selector.register(self.wake, selectors.EVENT_READ, self.reap)
        os.write(wake_end, b"x")                 # for what ended before us

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def accept(self, listener):
        connection, _ = listener.accept()
        self.selector.register(connection, selectors.EVENT_READ, self.request)

    def drop(self, connection):
        self.selector.unregister(connection)
        connection.close()

    def reap(self, wake):
        try:
            os.read(wake, 4096)
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            connection = self.client_of.pop(pid, None)
            if connection is not None and self.pid_of.pop(connection, None):
                try:
                    connection.sendall(struct.pack("i", status))
                except OSError:
                    pass
                self.drop(connection)

    def request(self, connection):
        if self.pid_of.pop(connection, None):    # the client went away: as with sshd without a
            self.drop(connection)                # terminal, no signal
            return
        fds = array.array("i")
        try:
            data, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(3 * 4))
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(content[:len(content) - len(content) % 4])
            size, = struct.unpack_from("I", data)
            data = data[4:]
            while len(data) < size:
                more = connection.recv(1 << 20)
                if not more:
                    raise ValueError
                data += more
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid = spawn(json.loads(data), list(fds), struct.unpack("3i", peer)[1], self.host_env)
            self.client_of[pid] = connection
            self.pid_of[connection] = pid
        except (OSError, ValueError, struct.error):
            self.drop(connection)
        for fd in fds:
            os.close(fd)


def agent_main(directory, ready, host_env):
    """The process is PID 1 of the host: it never returns."""
    agent = Agent(directory, host_env)
    os.write(ready, b"R")
    os.close(ready)
    agent.serve()


# ---------------------------------------------------------------- the "ssh"
def call(directory, request):
    """Has the host's agent run REQUEST on our stdin, stdout and stderr; its exit status."""
    connection = socket.socket(socket.AF_UNIX)
    path, fd = socket_at(directory)
    connection.connect(path)
    os.close(fd)
    body = json.dumps(request).encode()
    connection.sendmsg([struct.pack("I", len(body))],
                       [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    connection.sendall(body)
    status = b""
    while len(status) < 4:
        more = connection.recv(4 - len(status))
        if not more:
            return 255                           # the node is gone
        status += more
    status, = struct.unpack("i", status)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def command_sh(argv):
    bed, argv, user = argv[0], argv[1:], None
    while argv and argv[0].startswith("-") and len(argv[0]) > 1:
        option = argv.pop(0)
        if option == "--":
            break
        if option[1] in "lopFiJbcEIkmOQRSWwBDL":     # ssh's options with an argument
            value = option[2:] or (argv.pop(0) if argv else "")
            if option[1] == "l":
                user = value
    if len(argv) < 2:
        sys.exit("usage: mnsh [-l USER] HOST CMD...")
    host = argv.pop(0)
    if "@" in host:
        user, host = host.split("@", 1)
    wanted = os.environ.get("MNSH_SENDENV", "").split()
    request = {"cmd": " ".join(argv), "user": user,
               "env": {k: os.environ[k] for k in wanted if k in os.environ}}
    if host == "bed":
        request["cwd"] = bed
    try:
        return call(os.path.join(bed, host.split(".")[0]), request)
    except OSError as error:
        sys.stderr.write(f"mnsh: {host}: {error.strerror or error}\n")
        return 255


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        agent_main(sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4]))
    sys.exit(command_sh(sys.argv[2:]))
