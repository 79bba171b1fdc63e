#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fault injection for large results: writes, syncs and other calls to the spool fail in turn, and spool files are cut
off, damaged and removed between runs. No run says that it is complete when it is not, and the next one with --resume
completes the work: the same bytes come out. wordcount has its results of two rounds in the spool."""
import os
import re
import subprocess

import engine_runs
from engine_runs import WORDCOUNT, run_with_faults
from harness import equal, main

FILES = 6
OUTPUT, RUN_DIRECTORY = "area/out", "area/out.run"
ARGUMENTS = ("-j", "1", "-o", "out", "texts")


def prepare(sandbox):
    """Texts whose results are spooled. Returns what an undisturbed run writes."""
    for number in range(FILES):
        words = ("w" + chr(97 + i // 26) + chr(97 + i % 26) + chr(97 + number) for i in range(200 + number))
        sandbox.write(f"area/texts/{number}", " ".join(words).encode())
    outcome, _ = run_with_faults(sandbox, 0, "EIO", WORDCOUNT, *ARGUMENTS)
    equal(outcome.exit, 0, outcome)
    wanted = sandbox.path(OUTPUT).read_bytes()
    equal(len(wanted.splitlines()), sum(200 + number for number in range(FILES)))
    remove(sandbox)
    return wanted


def remove(sandbox):
    subprocess.run(["rm", "-rf", OUTPUT, RUN_DIRECTORY], cwd=sandbox.root, check=True)


def resume(sandbox, label, wanted):
    outcome, _ = run_with_faults(sandbox, 0, "EIO", WORDCOUNT, "--resume", *ARGUMENTS)
    equal(outcome.exit, 0, f"{label}, then --resume: {outcome}")
    assert sandbox.path(OUTPUT).read_bytes() == wanted, f"{label}, then --resume: another output"
    equal(engine_runs.leftovers(sandbox.path("area")), [], label)
    return outcome


def sweep(sandbox, error, statuses, **chosen):
    """Each call of the chosen ones fails in turn, in a run of its own. Returns the exit statuses of these runs."""
    wanted = prepare(sandbox)
    _, calls = run_with_faults(sandbox, 0, error, WORDCOUNT, *ARGUMENTS, **chosen)
    assert calls >= 3, calls  # short tasks share syncs, so their number varies
    found = set()
    for at in range(1, calls + 1):
        label = f"{error} at call {at} of {calls} {chosen}"
        remove(sandbox)
        outcome, reached = run_with_faults(sandbox, at, error, WORDCOUNT, *ARGUMENTS, **chosen)
        found.add(outcome.exit)
        assert outcome.exit in statuses, f"{label}: {outcome}"
        if chosen.get("call") == "fdatasync" and reached >= at:
            assert outcome.exit, f"{label}: status 0 after a sync that failed"
        assert "SIG" not in outcome.err and "Sanitizer" not in outcome.err, f"{label}: {outcome}"
        exists = sandbox.path(OUTPUT).exists()
        assert exists or outcome.exit, f"{label}: status 0 without an output"
        # With status 1 it is without the inputs that failed. A journal that fails after the output was written makes
        # the status 75.
        if exists and outcome.exit != 1:
            assert sandbox.path(OUTPUT).read_bytes() == wanted, f"{label}: another output and {outcome}"
        if chosen:  # only the spool fails
            written = outcome.exit != 75 and "the output was not written" not in outcome.err
            equal(exists, written, f"{label}: {outcome}")
            equal(outcome.err.count("stopped early: "), outcome.exit == 75, f"{label}: {outcome}")
        resume(sandbox, label, wanted)
    return found


def case_no_space_for_a_write(sandbox):
    equal(sweep(sandbox, "ENOSPC", {75}, call="write", ending=".spool"), {75})


def case_no_space_for_a_sync(sandbox):
    assert 75 in sweep(sandbox, "ENOSPC", {0, 75}, call="fdatasync", ending=".spool")


def case_a_write_that_fails(sandbox):
    """The task fails; if it is one of a stage, the output is not written."""
    equal(sweep(sandbox, "EIO", {1}, call="write", ending=".spool"), {1})


def case_a_sync_that_fails(sandbox):
    assert 1 in sweep(sandbox, "EIO", {0, 1}, call="fdatasync", ending=".spool")


def case_every_call_to_the_spool(sandbox):
    found = sweep(sandbox, "EIO", {0, 1, 75}, ending=".spool")
    assert {1, 75} <= found, found


def case_every_call_to_the_spool_on_a_full_disk(sandbox):
    found = sweep(sandbox, "ENOSPC", {0, 75}, ending=".spool")
    assert 75 in found, found


def case_interrupted_and_short_calls(sandbox):
    equal(sweep(sandbox, "EINTR", {0}, ending=".spool"), {0})
    remove(sandbox)
    equal(sweep(sandbox, "SHORT", {0}, ending=".spool"), {0})


def case_every_call_of_the_run(sandbox):
    """Of the output, the journal and the summary as well."""
    for error, wanted in (("ENOSPC", {75}), ("EIO", {1, 75})):
        found = sweep(sandbox, error, {0, 1, 2, 70, 75})
        assert wanted <= found, found
        remove(sandbox)


def case_a_disk_that_stays_full(sandbox):
    wanted = prepare(sandbox)
    _, calls = run_with_faults(sandbox, 0, "ENOSPC", WORDCOUNT, *ARGUMENTS, ending=".spool")
    remove(sandbox)
    outcome, _ = run_with_faults(sandbox, calls // 2, "ENOSPC", WORDCOUNT, *ARGUMENTS, ending=".spool", on=True)
    equal((outcome.exit, sandbox.path(OUTPUT).exists()), (75, False), outcome)
    assert "No space left on device" in outcome.err, outcome
    resume(sandbox, "a full disk", wanted)


# ---- Between two runs ----

def cut_off(path):
    os.truncate(path, path.stat().st_size - 1)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_first(path):
    content = bytearray(path.read_bytes())
    content[0] ^= 128
    path.write_bytes(content)


def spooled(records):
    """(file, offset, size, task) of each result in the spool, in the order of the journal."""
    return [(f"{record['result']['spool']}.spool", record["result"]["offset"], record["result"]["size"],
             (record.get("stage", 0), record["source"])) for record in records
            if record["status"] == "done" and "spool" in record.get("result", {})]


def damaged_between_runs(sandbox, stages_left):
    """A run is complete, its journal is cut off behind some stages, and then its spool is damaged. Exactly the tasks
    whose results are damaged are done again, and those of the later stages that are not in the journal."""
    wanted = prepare(sandbox)
    for damage in (cut_off, flip, flip_first, lambda path: path.unlink()):
        remove(sandbox)
        outcome, _ = run_with_faults(sandbox, 0, "EIO", WORDCOUNT, "--keep-spool", *ARGUMENTS)
        equal(outcome.exit, 0, outcome)
        journal = sandbox.path(RUN_DIRECTORY + "/journal.jsonl")
        lines = journal.read_bytes().splitlines(True)
        journal.write_bytes(b"".join(line for line in lines
                                     if int((re.findall(rb'"stage":(\d)', line) or [b"0"])[0]) < stages_left))
        sandbox.path(OUTPUT).unlink()
        before = engine_runs.records(journal)
        (name,) = {file for file, *_ in spooled(before)}  # one worker: one file
        path = sandbox.path(f"{RUN_DIRECTORY}/spool/{name}")
        content = path.read_bytes()
        damage(path)
        now = path.read_bytes() if path.exists() else b""
        lost = {task for _, offset, size, task in spooled(before)
                if now[offset:offset + size] != content[offset:offset + size]}
        outcome = resume(sandbox, f"{damage}", wanted)
        again = {(record.get("stage", 0), record["source"]) for record in engine_runs.records(journal)[len(before):]}
        known = {(record.get("stage", 0), record["source"]) for record in before}
        equal(again & known, lost, f"{damage} {outcome}")
        equal(len(again - known), {1: 2, 2: 1, 3: 0}[stages_left], f"stages that were left {outcome}")


def case_a_spool_is_damaged_after_the_first_round(sandbox):
    damaged_between_runs(sandbox, 1)


def case_a_spool_is_damaged_after_the_first_stage(sandbox):
    damaged_between_runs(sandbox, 2)


def case_a_spool_is_damaged_after_the_last_stage(sandbox):
    damaged_between_runs(sandbox, 3)


def case_the_whole_spool_is_removed(sandbox):
    wanted = prepare(sandbox)
    run_with_faults(sandbox, 0, "EIO", WORDCOUNT, "--keep-spool", *ARGUMENTS)
    subprocess.run(["rm", "-r", RUN_DIRECTORY + "/spool"], cwd=sandbox.root, check=True)
    outcome = resume(sandbox, "without a spool", wanted)
    assert outcome.lines[-1].startswith(f"{FILES} done, 0 failed"), outcome


def case_a_spool_file_that_is_something_else(sandbox):
    """It is not followed, not overwritten, and does not block."""
    wanted = prepare(sandbox)
    for kind in ("fifo", "link", "directory"):
        remove(sandbox)
        run_with_faults(sandbox, 0, "EIO", WORDCOUNT, "--keep-spool", *ARGUMENTS)
        (path,) = sandbox.path(RUN_DIRECTORY + "/spool").glob("*.spool")
        path.rename(sandbox.path("away"))
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "link":
            path.symlink_to(sandbox.path("away"))
        else:
            path.mkdir()
        outcome, _ = run_with_faults(sandbox, 0, "EIO", WORDCOUNT, "--resume", *ARGUMENTS)
        equal(sandbox.path(OUTPUT).read_bytes(), wanted, outcome)
        assert outcome.lines[-1].startswith(f"{FILES} done, 0 failed"), outcome


main(globals())
