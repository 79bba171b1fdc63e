#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ranks are killed under launchers that let the other ranks live: `mpirun --with-ft ulfm` of Open MPI 5, and `mpirun
--enable-recovery` of Open MPI 4 on one host. The run continues, ends with exit status 0, and no input is lost."""
import os
import signal
import subprocess

import journal_reader
import process_tree
from harness import MPTHUMB, RUN_TIMEOUT_S, equal, launcher, main, open_mpi

FILES = 300
SURVIVE = ["--with-ft", "ulfm"] if open_mpi() >= 5 else ["--enable-recovery"]


def rank_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            for word in stream.read().split(b"\0"):
                if word.startswith(b"PMIX_RANK="):
                    return int(word.partition(b"=")[2])
    except OSError:
        pass
    return None


def ranks(root):
    """rank -> pid"""
    return {rank_of(pid): pid for pid, name in process_tree.below(root).items() if name == "mpthumb"}


def run_and_kill(sandbox, victims, options, count=4):
    """Runs mpthumb with these options of mpirun and kills the ranks `victims` after the 20th line. Returns the exit
    status and the rest of stdout."""
    for number in range(FILES):
        sandbox.image(f"images/{number:03}.jpg", size=(640, 480), seed=number % 9)
    with open(sandbox.path("stderr"), "wb") as stderr:
        mpirun, *rest = launcher(count)
        run = subprocess.Popen([mpirun, *options, *rest, MPTHUMB, "-j", "1", "-v", "--exact", "images"],
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
    equal(status, 0, sandbox.path("stderr").read_text() + out)
    assert f"4 ranks ({len(victims)} lost)" in out, out
    records = journal_reader.read(sandbox.path("thumbs/.mpthumb/journal.jsonl"))[1]
    equal(sorted(record["source"] for record in records), [f"images/{number:03}.jpg" for number in range(FILES)])
    equal({record["status"] for record in records}, {"done"})
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))
    equal(journal_reader.temporary_files(sandbox.path("thumbs")), [])


def case_one_rank_is_killed(sandbox):
    check(sandbox, *run_and_kill(sandbox, [2], SURVIVE), [2])


def case_all_but_rank_0_are_killed(sandbox):
    check(sandbox, *run_and_kill(sandbox, [1, 2, 3], SURVIVE), [1, 2, 3])


def case_rank_0_is_killed(sandbox):
    """The run ends; --resume completes it."""
    status, _ = run_and_kill(sandbox, [0], [])
    assert status != 0
    outcome = sandbox.run("--exact", "--resume", "images")
    equal(outcome.exit, 0, outcome)
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))


main(globals())
