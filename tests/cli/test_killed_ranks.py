#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ranks are killed under launchers that let the other ranks live: `mpirun --with-ft ulfm` of Open MPI 5, and on one
host `mpirun --enable-recovery` of Open MPI 4 and `mpiexec -disable-auto-cleanup` of MPICH. The run continues, all files
are done, and no input is lost."""
import os
import signal
import subprocess

import journal_reader
import launchers
import process_tree
from harness import MPTHUMB, RUN_TIMEOUT_S, equal, launcher, main

FILES = 300


def ranks(root):
    """rank -> pid"""
    return {launchers.rank_of(pid): pid for pid, name in process_tree.below(root).items() if name == "mpthumb"}


def run_and_kill(sandbox, victims, survive, count=4):
    """Runs mpthumb and kills the ranks `victims` after the 20th line. survive: the other ranks live on. Returns the exit
    status and the rest of stdout."""
    for number in range(FILES):
        sandbox.image(f"images/{number:03}.jpg", size=(640, 480), seed=number % 9)
    with open(sandbox.path("stderr"), "wb") as stderr:
        run = subprocess.Popen([*launcher(count, survive), MPTHUMB, "-j", "1", "-v", "--exact", "images"],
                               cwd=sandbox.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
    for _ in range(20):
        assert run.stdout.readline().endswith(b" was processed...\n"), sandbox.path("stderr").read_text()
    found = ranks(run.pid)
    equal(sorted(found), list(range(count)))
    for victim in victims:
        os.kill(found[victim], signal.SIGKILL)
    out = run.stdout.read().decode()
    return run.wait(RUN_TIMEOUT_S), out


def check(sandbox, status, out, victims):
    equal(status, launchers.detect()[0].survive_status, sandbox.path("stderr").read_text() + out)
    assert f"4 ranks ({len(victims)} lost)" in out, out
    records = journal_reader.read(sandbox.path("thumbs/.mpthumb/journal.jsonl"))[1]
    equal(sorted(record["source"] for record in records), [f"images/{number:03}.jpg" for number in range(FILES)])
    equal({record["status"] for record in records}, {"done"})
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))
    equal(journal_reader.temporary_files(sandbox.path("thumbs")), [])


def case_one_rank_is_killed(sandbox):
    check(sandbox, *run_and_kill(sandbox, [2], True), [2])


def case_all_but_rank_0_are_killed(sandbox):
    check(sandbox, *run_and_kill(sandbox, [1, 2, 3], True), [1, 2, 3])


def case_rank_0_is_killed(sandbox):
    """The run ends; --resume completes it."""
    status, _ = run_and_kill(sandbox, [0], False)
    assert status != 0
    outcome = sandbox.run("--exact", "--resume", "images")
    equal(outcome.exit, 0, outcome)
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))


main(globals())
