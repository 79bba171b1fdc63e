#!/usr/bin/python3
"""Every call to the file system fails once, one after the other, in each way it can: no crash, no hang, no lie in the
journal, nothing half written; and the next run makes everything good. FAULTS names the shim, tests/shim/faults.c."""
import os
import re
import struct
import subprocess

import journals
from harness import MPTHUMB, Outcome, equal, main, preloaded

SHIM = os.environ.get("FAULTS", "libfaults.so")
WAYS = ("EIO", "ENOSPC", "EINTR", "SHORT")
PATIENCE_S = 60
JOURNAL = "thumbs/.mpthumb/journal.jsonl"
GOOD = {"images/1.jpg", "images/2.png", "images/sub/3.jpg"}



def run_with(scene, at, error, *arguments, on=False):
    """(outcome, calls that were counted) of a run in which call number `at` fails; 0: none does."""
    scene.write("count", bytes(8))
    environment = preloaded(SHIM, FAULT_BELOW=str(scene.path("area")), FAULT_AT=str(at), FAULT_ERROR=error,
                            FAULT_COUNT=str(scene.path("count")))
    if on:
        environment["FAULT_ON"] = "1"
    done = subprocess.run([MPTHUMB, "-j", "1", *arguments], cwd=scene.path("area"), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE_S, env=environment, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr), struct.unpack("<Q", scene.path("count").read_bytes())[0]


def check_truth(scene, outcome, quiet, label):
    """What the journal calls done is there, and as it should be; so is whatever is there at all."""
    assert outcome.exit in (0, 1, 2, 70, 75), f"{label}: {outcome}"
    assert "SIG" not in outcome.err and "Sanitizer" not in outcome.err, f"{label}: {outcome}"
    found = scene.tree("area/thumbs")
    for name, content in found.items():
        assert name.rpartition("/")[2].startswith(".mpthumb-") or quiet.get(name) == content, f"{label}: {name}"
    if not scene.path("area/" + JOURNAL).exists():
        return
    final = journals.final(scene.path("area/" + JOURNAL))
    for source, record in final.items():
        if record["status"] == "done":
            assert record["output"] in found, f"{label}: {source} is said to be done\n{outcome}"
    if outcome.exit == 0:
        equal({source for source, record in final.items() if record["status"] == "done"}, set(GOOD), f"{label}: {outcome}")
    if outcome.exit == 1:
        named = {source for source, record in final.items() if record["status"] == "failed"}
        told = {name for name in re.findall(r"mpthumb: '([^']*)': ", outcome.err) if "." in name}  # no directories
        equal(named, told, f"{label}: {outcome}")


def sweep(scene, error):
    scene.path("area").mkdir()
    scene.path("area/images/sub").mkdir(parents=True)
    for name in ("1.jpg", "2.png", "sub/3.jpg"):
        scene.image("area/images/" + name, size=(60, 40), seed=len(name))
    scene.write("area/images/bad.jpg", b"\xff\xd8\xff")
    arguments = ["--journal-sync", "1000", "images"]
    outcome, calls = run_with(scene, 0, error, *arguments)
    equal(outcome.exit, 1, outcome)
    quiet = scene.tree("area/thumbs")
    equal(len(quiet), 3)
    assert calls > (15 if error == "ENOSPC" else 30), calls
    for at in range(1, calls + 1):
        label = f"{error} at call {at} of {calls}"
        subprocess.run(["rm", "-rf", scene.path("area/thumbs")], check=True)
        outcome, _ = run_with(scene, at, error, *arguments)
        check_truth(scene, outcome, quiet, label)
        if error in ("EINTR", "SHORT"):
            equal((outcome.exit, scene.tree("area/thumbs")), (1, quiet), f"{label}, which is no error: {outcome}")
        outcome, _ = run_with(scene, 0, error, *arguments, "--resume")
        equal((outcome.exit, scene.tree("area/thumbs")), (1, quiet), f"{label}, then --resume: {outcome}")
        equal(journals.statuses(scene.path("area/" + JOURNAL)),
              {"done": sorted(GOOD), "failed": ["images/bad.jpg"]}, label)


def case_eio(scene):
    sweep(scene, "EIO")


def case_enospc(scene):
    sweep(scene, "ENOSPC")


def case_eintr(scene):
    sweep(scene, "EINTR")


def case_short_counts(scene):
    sweep(scene, "SHORT")


def case_a_full_disk_stops_the_run(scene):
    """It does not fail every file that there is, and what was done before is kept."""
    scene.path("area").mkdir()
    for number in range(60):
        scene.image(f"area/images/{number:02}.jpg", size=(60, 40), seed=number)
    _, calls = run_with(scene, 0, "ENOSPC", "images")
    subprocess.run(["rm", "-rf", scene.path("area/thumbs")], check=True)
    outcome, _ = run_with(scene, calls // 2, "ENOSPC", "images", on=True)
    equal(outcome.exit, 75, outcome)
    equal(len(outcome.about("stopped early: ")), 1, outcome)
    assert "No space left on device" in outcome.err, outcome
    found = scene.tree("area/thumbs")
    assert 0 < len(found) < 60, len(found)
    outcome, _ = run_with(scene, 0, "EIO", "images", "--resume")
    equal((outcome.exit, len(scene.tree("area/thumbs"))), (0, 60), outcome)


main(globals())
