# SPDX-License-Identifier: MIT
"""Shared by the benchmarks: measures the time of a program with all its descendants, and describes the machine."""
import ctypes
import os
import platform
import resource
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """From now on orphaned descendants become children of this process, so that measure() can wait for them and count
    their time."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(command, **options):
    """Runs a command. Returns (stdout, wall seconds, CPU seconds), including all its descendants."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, text=True, **options)
    wall = time.monotonic() - start
    try:
        while True:
            os.wait()  # orphaned descendants of the command
    except ChildProcessError:
        pass
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def machine():
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as stream:
        for line in stream:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {len(os.sched_getaffinity(0))} processors, {platform.system()} {platform.release()}"
