# SPDX-License-Identifier: MIT
"""Finds the descendants of a process in /proc, kills them, and waits for their end by pidfd. Never touches any other
process."""
import os
import select
import signal
import time


def _stat(pid):
    """(name, parent) of a process, or None if it does not exist or is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            head, _, tail = stream.read().rpartition(b")")
    except OSError:
        return None
    state, parent = tail.split()[:2]
    if state in (b"Z", b"X"):
        return None
    return head.partition(b"(")[2].decode(errors="replace"), int(parent)


def below(root):
    """pid -> name of each living descendant of `root`."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = _stat(int(entry))
            if stat:
                table[int(entry)] = stat
    found = {}
    grown = True
    while grown:
        children = {pid: name for pid, (name, parent) in table.items()
                    if pid not in found and (parent == root or parent in found)}
        found.update(children)
        grown = bool(children)
    return found


def workers(root):
    return [pid for pid, name in below(root).items() if name.startswith("mpp-worker")]


def cpu_s(pid):
    """CPU seconds that a process has used; 0 if it does not exist."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            user, system = stream.read().rpartition(b")")[2].split()[11:13]
    except OSError:
        return 0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def kill(pid, root):
    """Sends SIGKILL if the process is still a descendant of `root`. True if it was sent."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if pid not in below(root):  # the pid may belong to another process by now
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


class Watch:
    """Waits for the end of several processes."""

    def __init__(self, pids):
        self.handles = {}
        for pid in pids:
            try:
                self.handles[os.pidfd_open(pid)] = pid
            except OSError:
                pass  # it has ended

    def survivors(self, timeout_s):
        """Waits until all have ended, at most `timeout_s`. Returns the pids that have not ended."""
        poll = select.poll()
        for handle in self.handles:
            poll.register(handle, select.POLLIN)
        deadline = time.monotonic() + timeout_s
        while self.handles and time.monotonic() < deadline:
            for handle, _ in poll.poll(1000):
                poll.unregister(handle)
                os.close(handle)
                del self.handles[handle]
        return sorted(self.handles.values())
