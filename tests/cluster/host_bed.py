"""Hosts on one machine: each has a network, a name, processes, IPC and a /dev/shm of its own; the file system is
shared, as a cluster's is. Needs root, and iproute2."""
import os
import pathlib
import signal
import stat
import subprocess
import time

PATIENCE_S = 30
BRIDGE, NETWORK = "mptbridge", "10.77.31"

AGENT = """#!/bin/sh
# Open MPI's launch agent: HOST COMMAND...
host=$1
shift
pid=$(cat "{bed}/$host.pid") || exit 255
exec nsenter -t "$pid" -n -u -m -p -i sh -c "$*"
"""


def ip(*words, inside=None):
    prefix = ["nsenter", "-t", str(inside), "-n"] if inside else []
    subprocess.run([*prefix, "ip", *words], check=True, capture_output=True, stdin=subprocess.DEVNULL)


class Hosts:
    """A context manager: the hosts h1, h2, ... are there inside."""

    def __init__(self, folder, count):
        self.bed = pathlib.Path(folder) / "hosts"
        self.names = [f"h{number}" for number in range(1, count + 1)]
        self.holders = {}

    def address(self, name):
        return f"{NETWORK}.{self.names.index(name) + 1}"

    def __enter__(self):
        self.bed.mkdir()
        (self.bed / "etc-hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"{self.address(name)} {name}\n" for name in self.names))
        agent = self.bed / "agent"
        agent.write_text(AGENT.format(bed=self.bed))
        agent.chmod(agent.stat().st_mode | stat.S_IXUSR)
        try:
            ip("link", "add", BRIDGE, "type", "bridge")
            ip("link", "set", BRIDGE, "up")
            for name in self.names:
                self.power_on(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def power_on(self, name):
        script = (f"hostname {name}; mount -t tmpfs tmpfs /dev/shm; mount --bind {self.bed}/etc-hosts /etc/hosts;"
                  f" echo ready > {self.bed}/{name}.ready; exec sleep infinity")
        holder = subprocess.Popen(["unshare", "-n", "-u", "-m", "-p", "-i", "--fork", "--kill-child", "--mount-proc",
                                   "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True)
        self.holders[name] = holder
        deadline = time.monotonic() + PATIENCE_S
        while not (self.bed / f"{name}.ready").exists():
            if time.monotonic() > deadline:
                raise TimeoutError(name)
            time.sleep(0.01)
        children = pathlib.Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        pid = int(children[0])
        (self.bed / f"{name}.pid").write_text(str(pid))
        wire = f"mpt{name}"
        ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        ip("link", "set", wire, "master", BRIDGE, "up")
        ip("link", "set", "lo", "up", inside=pid)
        ip("addr", "add", f"{self.address(name)}/24", "dev", "eth0", inside=pid)
        ip("link", "set", "eth0", "up", inside=pid)

    def power_off(self, name):
        """All at once, as by the plug: the first process of its namespace takes the others with it."""
        os.kill(int((self.bed / f"{name}.pid").read_text()), signal.SIGKILL)
        self.holders.pop(name).wait()

    def mpirun(self, hosts, *options):
        """The words before the program: from the first of `hosts`, such as ["h1:2", "h2:2"]."""
        head = (self.bed / f"{hosts[0].partition(':')[0]}.pid").read_text()
        ranks = sum(int(host.partition(":")[2] or 1) for host in hosts)
        return ["nsenter", "-t", head, "-n", "-u", "mpirun", "--mca", "plm_rsh_agent", str(self.bed / "agent"),
                "--mca", "plm_rsh_no_tree_spawn", "1", "--mca", "btl_tcp_if_include", f"{NETWORK}.0/24",
                "--mca", "oob_tcp_if_include", f"{NETWORK}.0/24", *options, "--host", ",".join(hosts), "-n", str(ranks)]

    def __exit__(self, *unused):
        for name in list(self.holders):
            try:
                self.power_off(name)
            except OSError:
                self.holders.pop(name).kill()
        subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)
