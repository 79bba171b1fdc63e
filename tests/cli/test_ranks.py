#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Thumbnails, exit status and lines are the same for any number of ranks and workers."""
import json
import os
import re

from harness import equal, main, preloaded


def fill(sandbox):
    for number in range(24):
        sandbox.image(f"images/{number % 3}/{number}.jpg", size=(200 + 7 * number, 150), seed=number)
        sandbox.image(f"images/{number % 5}/{number}.png", size=(90, 60 + 5 * number), seed=number,
                    mode=("RGB", "RGBA", "L", "P")[number % 4])


def case_same_bytes(sandbox):
    fill(sandbox)
    wanted = None
    for label, ranks, arguments in (("none", 0, []), ("one", 1, []), ("two", 2, []), ("five", 5, ["-j", "2"]),
                                    ("wide", 0, ["-j", "7"])):
        outcome = sandbox.run(*arguments, "-o", label, "images", ranks=ranks)
        equal(outcome.exit, 0, f"{label}: {outcome}")
        found = sandbox.tree(label)
        equal(len(found), 48, label)
        wanted = wanted or found
        equal(found, wanted, f"{label} differs from none")


def case_mpirun_passes_on_the_exit_status(sandbox):
    sandbox.images("images/a.jpg", "images/b.jpg")
    for ranks in (1, 2, 3):
        equal(sandbox.run("images", ranks=ranks).exit, 0, ranks)
    sandbox.write("images/c.jpg", b"")
    for ranks in (1, 2, 3):
        outcome = sandbox.run("images", ranks=ranks)
        equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)


def case_one_summary(sandbox):
    sandbox.images("images/a.jpg", "images/b.jpg")
    outcome = sandbox.run("images", ranks=3)
    equal(outcome.out.count("It took"), 1, outcome)


def case_fewer_files_than_ranks(sandbox):
    sandbox.images("images/a.jpg")
    outcome = sandbox.run("-v", "images", ranks=5)
    equal((outcome.exit, outcome.processed), (0, ["images/a.jpg was processed..."]), outcome)


def case_no_files_at_all(sandbox):
    sandbox.path("images").mkdir()
    equal(sandbox.run("images", ranks=3).exit, 0)


def case_each_file_once(sandbox):
    """Stolen tasks are done once: each file has one line."""
    for number in range(300):
        sandbox.image(f"images/{number:03}.png", size=(24, 16), seed=number)
    outcome = sandbox.run("-v", "images", ranks=5)
    equal(outcome.exit, 0, outcome)
    equal(outcome.processed, [f"images/{number:03}.png was processed..." for number in range(300)])


def case_ranks_that_cannot_be_woken(sandbox):
    """One rank cannot make a socket, so all ranks of the host look for messages on a timer. The summary says so."""
    fill(sandbox)
    for without in ("0", "2"):
        outcome = sandbox.run("-o", without, "images", ranks=3,
                              environment=preloaded(os.environ["NO_DOORBELL"], NO_DOORBELL_RANK=without))
        equal((outcome.exit, len(sandbox.names(without))), (0, 48), outcome)
        assert re.match(r"3 ranks, .*; 3 ranks cannot be woken by others of the same host", outcome.pool), outcome
        equal(json.loads(sandbox.path(f"{without}/.mpthumb/summary.json").read_text())["ranks_polling"], 3)
    outcome = sandbox.run("-o", "all", "images", ranks=3)
    assert "cannot be woken" not in outcome.out, outcome
    equal(json.loads(sandbox.path("all/.mpthumb/summary.json").read_text())["ranks_polling"], 0)
    equal(sandbox.tree("0"), sandbox.tree("all"))


main(globals())
