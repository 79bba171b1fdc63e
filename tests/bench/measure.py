# SPDX-License-Identifier: MIT
"""Shared by the benchmarks: measures the time of a program with all its descendants, and describes the machine."""
import ctypes
import os
import platform
import resource
import subprocess
import time
from typing import NamedTuple, Optional

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """From now on orphaned descendants become children of this process, so that measure() can wait for them and count
    their time."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Measured(NamedTuple):
    """What a command took, with all its descendants."""
    stdout: Optional[str]
    wall: float  # seconds
    cpu: float  # seconds
    switches: int  # context switches, voluntary or not


def reap_orphans():
    """Waits until all orphaned descendants have ended; all other children must have ended."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def measure(command, **options):
    """Runs a command and returns a Measured."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, text=True, **options)
    wall = time.monotonic() - start
    reap_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Measured(done.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                    after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw)


def machine():
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as stream:
        for line in stream:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {len(os.sched_getaffinity(0))} processors, {platform.system()} {platform.release()}"
