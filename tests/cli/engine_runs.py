# SPDX-License-Identifier: MIT
"""Runs of the batch engine that a test disturbs: fed through a pipe, killed, or with calls that fail."""
import hashlib
import os
import signal
import struct
import subprocess
import time

import journal_reader
import process_tree
from harness import RUN_TIMEOUT_S, Outcome, launcher, preloaded

MPBATCH = os.environ.get("MPBATCH", "mpbatch")
WORDCOUNT = os.environ.get("WORDCOUNT", "wordcount")
SHARED_DATA = os.environ.get("SHARED_DATA", "shared_data")
LARGE_RESULTS = os.environ.get("LARGE_RESULTS", "large_results")
FAULTS = os.environ.get("FAULTS", "libfaults.so")
RANKS = (0, 2, 4)


def until(condition, process):
    """Polls until the condition holds. It fails if the process ends before, or after RUN_TIMEOUT_S."""
    deadline = time.monotonic() + RUN_TIMEOUT_S
    while not condition():
        assert process.poll() is None or condition(), f"the run has ended with {process.returncode}"
        assert time.monotonic() < deadline, "the run hangs"
        time.sleep(0.002)  # there is nothing to wait for: poll


def records(journal):
    """The lines about tasks; [] without a journal."""
    return journal_reader.read(journal)[1] if journal.exists() else []


def done(journal):
    """(stage, source, occurrence) of each line with status done."""
    return [(record.get("stage", 0), record["source"], record.get("occurrence", 0)) for record in records(journal)
            if record["status"] == "done"]


def kill_all(process):
    """Kills a run: mpirun, its ranks and their workers."""
    descendants = process_tree.below(process.pid)
    watch = process_tree.Watch(descendants)
    process.send_signal(signal.SIGKILL)
    for pid in descendants:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait(RUN_TIMEOUT_S)
    assert watch.survivors(RUN_TIMEOUT_S) == []


class Fed:
    """A run that reads the names of its inputs from a pipe, so that the test decides when they arrive. stdout and
    stderr go to files of these names."""

    def __init__(self, sandbox, *words, ranks=0, program=MPBATCH):
        self.sandbox, self.program = sandbox, os.path.basename(program)
        reader, self.names = os.pipe()
        with open(sandbox.path("stdout"), "wb") as out, open(sandbox.path("stderr"), "wb") as err:
            self.process = subprocess.Popen([*launcher(ranks), program, *words, "--files-from", "-"], cwd=sandbox.root,
                                            stdin=reader, stdout=out, stderr=err)
        os.close(reader)

    def feed(self, names):
        os.write(self.names, b"".join(os.fsencode(name) + b"\n" for name in names))

    def until(self, condition):
        until(condition, self.process)

    def text(self, stream="stderr"):
        return self.sandbox.path(stream).read_text(errors="replace")

    def stop(self, number=signal.SIGTERM):
        """Sends a signal to the ranks. mpirun would close stdin when it gets SIGTERM, and so end the inputs."""
        descendants = process_tree.below(self.process.pid)
        for pid in [pid for pid, name in descendants.items() if name == self.program] or [self.process.pid]:
            os.kill(pid, number)

    def kill(self):
        kill_all(self.process)
        os.close(self.names)

    def end(self):
        """Waits for the end and returns the exit status. The pipe stays open until then."""
        status = self.process.wait(RUN_TIMEOUT_S)
        os.close(self.names)
        return status


def run_with_faults(sandbox, at, error, program, *words, call=None, ending=None, on=False):
    """(outcome, number of calls) of a run in area/ in which the call number `at` fails, and with `on` all later ones;
    0: none. Only calls of `call`, and only those to files with this ending, are counted."""
    sandbox.write("count", bytes(8))
    chosen = {"FAULT_CALL": call, "FAULT_ENDING": ending, "FAULT_ON": "1" if on else None}
    environment = preloaded(FAULTS, FAULT_BELOW=str(sandbox.path("area")), FAULT_AT=str(at), FAULT_ERROR=error,
                            FAULT_COUNT=str(sandbox.path("count")),
                            **{name: value for name, value in chosen.items() if value})
    finished = subprocess.run([program, *words], cwd=sandbox.path("area"), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=RUN_TIMEOUT_S, env=environment, check=False)
    (calls,) = struct.unpack("<Q", sandbox.path("count").read_bytes())
    return Outcome(finished.returncode, finished.stdout, finished.stderr), calls


def leftovers(top):
    """Temporary files and spool files below a directory."""
    return sorted(os.path.join(directory, name) for directory, _, names in os.walk(top) for name in names
                  if name.startswith(".mpthumb-") or name.endswith(".spool"))


# ---- Large results ----

BLOCK = 1 << 20


def make_pattern():
    """What large_results.c writes, from its head comment."""
    x, mask, pattern = 88172645463325252, (1 << 64) - 1, bytearray(BLOCK)
    for i in range(BLOCK):
        x ^= x << 13 & mask
        x ^= x >> 7
        x ^= x << 17 & mask
        pattern[i] = x & 255
    return bytes(pattern) * 2


def large_results_sum(count, size):
    """SHA-256 of the output of `large_results --count COUNT --size SIZE`."""
    pattern, checksum = memoryview(make_pattern()), hashlib.sha256()
    for number in range(count):
        for at in range(0, size, BLOCK):
            begin = (number * 104729 + at // BLOCK * 7919) % BLOCK
            checksum.update(pattern[begin:begin + min(BLOCK, size - at)])
    return checksum.hexdigest()


def file_sum(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
