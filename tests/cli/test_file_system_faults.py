#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fault injection: each file system call of a run fails once, in each possible way. There is no crash, no hang, no
wrong journal entry and no incomplete file, and the next run with --resume completes the work. The environment variable
FAULTS is the path of the library that makes calls fail, built from tests/shim/faults.c."""
import os
import re
import struct
import subprocess

import journal_reader
from harness import MPTHUMB, Outcome, equal, main, preloaded

SHIM = os.environ.get("FAULTS", "libfaults.so")
RUN_TIMEOUT_S = 60
JOURNAL = "thumbs/.mpthumb/journal.jsonl"
GOOD = {"images/1.jpg", "images/2.png", "images/sub/3.jpg"}


def run_with(sandbox, at, error, *arguments, on=False):
    """(outcome, number of calls) of a run in which call number `at` fails, and with `on` all later ones; 0: none."""
    sandbox.write("count", bytes(8))
    environment = preloaded(SHIM, FAULT_BELOW=str(sandbox.path("area")), FAULT_AT=str(at), FAULT_ERROR=error,
                            FAULT_COUNT=str(sandbox.path("count")))
    if on:
        environment["FAULT_ON"] = "1"
    done = subprocess.run([MPTHUMB, "-j", "1", *arguments], cwd=sandbox.path("area"), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=RUN_TIMEOUT_S, env=environment, check=False)
    (calls,) = struct.unpack("<Q", sandbox.path("count").read_bytes())
    return Outcome(done.returncode, done.stdout, done.stderr), calls


def check_result(sandbox, outcome, undisturbed, label):
    """Thumbnails that the journal says are done exist, and all existing thumbnails are correct."""
    assert outcome.exit in (0, 1, 2, 70, 75), f"{label}: {outcome}"
    assert "SIG" not in outcome.err and "Sanitizer" not in outcome.err, f"{label}: {outcome}"
    found = sandbox.tree("area/thumbs")
    for name, content in found.items():
        assert name.rpartition("/")[2].startswith(".mpthumb-") or undisturbed.get(name) == content, f"{label}: {name}"
    if not sandbox.path("area/" + JOURNAL).exists():
        return
    final = journal_reader.final(sandbox.path("area/" + JOURNAL))
    for source, record in final.items():
        if record["status"] == "done":
            assert record["output"] in found, f"{label}: {source} has no thumbnail, but its status is done\n{outcome}"
    if outcome.exit == 0:
        equal({source for source, record in final.items() if record["status"] == "done"}, GOOD, f"{label}: {outcome}")
    if outcome.exit == 1:
        recorded = {source for source, record in final.items() if record["status"] == "failed"}
        printed = {name for name in re.findall(r"mpthumb: '([^']*)': ", outcome.err) if "." in name}  # no directories
        equal(recorded, printed, f"{label}: {outcome}")


def sweep(sandbox, error):
    sandbox.path("area").mkdir()
    sandbox.path("area/images/sub").mkdir(parents=True)
    for name in ("1.jpg", "2.png", "sub/3.jpg"):
        sandbox.image("area/images/" + name, size=(60, 40), seed=len(name))
    sandbox.write("area/images/bad.jpg", b"\xff\xd8\xff")
    arguments = ["--journal-sync", "1000", "images"]
    outcome, calls = run_with(sandbox, 0, error, *arguments)
    equal(outcome.exit, 1, outcome)
    undisturbed = sandbox.tree("area/thumbs")
    equal(len(undisturbed), 3)
    assert calls > (15 if error == "ENOSPC" else 30), calls
    for at in range(1, calls + 1):
        label = f"{error} at call {at} of {calls}"
        subprocess.run(["rm", "-rf", sandbox.path("area/thumbs")], check=True)
        outcome, _ = run_with(sandbox, at, error, *arguments)
        check_result(sandbox, outcome, undisturbed, label)
        if error in ("EINTR", "SHORT"):
            equal((outcome.exit, sandbox.tree("area/thumbs")), (1, undisturbed),
                  f"{label}, which is not an error: {outcome}")
        outcome, _ = run_with(sandbox, 0, error, *arguments, "--resume")
        equal((outcome.exit, sandbox.tree("area/thumbs")), (1, undisturbed), f"{label}, then --resume: {outcome}")
        equal(journal_reader.statuses(sandbox.path("area/" + JOURNAL)),
              {"done": sorted(GOOD), "failed": ["images/bad.jpg"]}, label)


def case_eio(sandbox):
    sweep(sandbox, "EIO")


def case_enospc(sandbox):
    sweep(sandbox, "ENOSPC")


def case_eintr(sandbox):
    sweep(sandbox, "EINTR")


def case_short_counts(sandbox):
    sweep(sandbox, "SHORT")


def case_a_full_disk_stops_the_run(sandbox):
    """The remaining files do not fail one by one, and what was done before is kept."""
    sandbox.path("area").mkdir()
    for number in range(60):
        sandbox.image(f"area/images/{number:02}.jpg", size=(60, 40), seed=number)
    _, calls = run_with(sandbox, 0, "ENOSPC", "images")
    subprocess.run(["rm", "-rf", sandbox.path("area/thumbs")], check=True)
    outcome, _ = run_with(sandbox, calls // 2, "ENOSPC", "images", on=True)
    equal(outcome.exit, 75, outcome)
    equal(len(outcome.about("stopped early: ")), 1, outcome)
    assert "No space left on device" in outcome.err, outcome
    found = sandbox.tree("area/thumbs")
    assert 0 < len(found) < 60, len(found)
    outcome, _ = run_with(sandbox, 0, "EIO", "images", "--resume")
    equal((outcome.exit, len(sandbox.tree("area/thumbs"))), (0, 60), outcome)


main(globals())
