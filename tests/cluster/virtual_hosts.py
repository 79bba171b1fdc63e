# SPDX-License-Identifier: MIT
"""Virtual hosts on one machine, made of namespaces: each has its own network, host name, processes, IPC and /dev/shm;
they share the file system, like the hosts of a cluster. Needs root and iproute2."""
import os
import pathlib
import signal
import stat
import subprocess
import time

START_TIMEOUT_S = 30
BRIDGE, NETWORK = "mptbridge", "10.77.31"

AGENT = """#!/bin/sh
# Open MPI's launch agent: HOST COMMAND...
host=$1
shift
pid=$(cat "{directory}/$host.pid") || exit 255
exec nsenter -t "$pid" -n -u -m -p -i sh -c "$*"
"""


def ip(*words, inside=None):
    prefix = ["nsenter", "-t", str(inside), "-n"] if inside else []
    subprocess.run([*prefix, "ip", *words], check=True, capture_output=True, stdin=subprocess.DEVNULL)


class Hosts:
    """A context manager that creates the hosts h1, h2, ... and removes them."""

    def __init__(self, folder, count):
        self.directory = pathlib.Path(folder) / "hosts"
        self.names = [f"h{number}" for number in range(1, count + 1)]
        self.holders = {}

    def address(self, name):
        return f"{NETWORK}.{self.names.index(name) + 1}"

    def __enter__(self):
        self.directory.mkdir()
        (self.directory / "etc-hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"{self.address(name)} {name}\n" for name in self.names))
        agent = self.directory / "agent"
        agent.write_text(AGENT.format(directory=self.directory))
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
        script = (f"hostname {name}; mount -t tmpfs tmpfs /dev/shm; mount --bind {self.directory}/etc-hosts /etc/hosts;"
                  f" echo ready > {self.directory}/{name}.ready; exec sleep infinity")
        holder = subprocess.Popen(["unshare", "-n", "-u", "-m", "-p", "-i", "--fork", "--kill-child", "--mount-proc",
                                   "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True)
        self.holders[name] = holder
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.directory / f"{name}.ready").exists():
            if time.monotonic() > deadline:
                raise TimeoutError(name)
            time.sleep(0.01)
        children = pathlib.Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        pid = int(children[0])
        (self.directory / f"{name}.pid").write_text(str(pid))
        wire = f"mpt{name}"
        ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        ip("link", "set", wire, "master", BRIDGE, "up")
        ip("link", "set", "lo", "up", inside=pid)
        ip("addr", "add", f"{self.address(name)}/24", "dev", "eth0", inside=pid)
        ip("link", "set", "eth0", "up", inside=pid)

    def power_off(self, name):
        """Kills all processes of a host at once: they end with the first process of their PID namespace."""
        os.kill(int((self.directory / f"{name}.pid").read_text()), signal.SIGKILL)
        self.holders.pop(name).wait()

    def inside(self, name):
        """The words of the command line that precede a program, to run it with the network and the name of a host."""
        return ["nsenter", "-t", (self.directory / f"{name}.pid").read_text(), "-n", "-u"]

    def mpirun(self, hosts, *options):
        """The words of the command line that precede the program, to run it on `hosts`, such as ["h1:2", "h2:2"].
        mpirun runs on the first one."""
        ranks = sum(int(host.partition(":")[2] or 1) for host in hosts)
        return [*self.inside(hosts[0].partition(":")[0]), "mpirun",
                "--mca", "plm_rsh_agent", str(self.directory / "agent"), "--mca", "plm_rsh_no_tree_spawn", "1",
                "--mca", "btl_tcp_if_include", f"{NETWORK}.0/24", "--mca", "oob_tcp_if_include", f"{NETWORK}.0/24",
                *options, "--host", ",".join(hosts), "-n", str(ranks)]

    def __exit__(self, *unused):
        for name in list(self.holders):
            try:
                self.power_off(name)
            except OSError:
                self.holders.pop(name).kill()
        subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)
