"""What the benchmarks share: running a program and all that descends from it, and naming the machine."""
import ctypes
import os
import platform
import resource
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt():
    """From now on what a program leaves behind is this one's, to be waited for and counted."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(command, **options):
    """Runs it; (its stdout, wall seconds, CPU seconds) of it and all that descends from it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, text=True, **options)
    wall = time.monotonic() - start
    try:
        while True:
            os.wait()  # what the run has left behind is ours now
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
