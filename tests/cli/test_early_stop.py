#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs that are stopped early by signals and by time limits: running tasks are finished, the exit status is 75, and
--resume does the rest."""
import json
import os
import signal
import subprocess
import time

import journal_reader
import launchers
import process_tree
from harness import MPTHUMB, RUN_TIMEOUT_S, Skipped, equal, launcher, main, preloaded

FILES = 40
USR1_IS_JUDGED_S = 2  # EARLY_STOP_DEATH_S
JOURNAL = "thumbs/.mpthumb/journal.jsonl"


class PipedRun:
    """A run that reads its inputs from a pipe, so that the test decides when they arrive."""

    def __init__(self, sandbox, *options, ranks=0, survive=False, environment=None):
        self.sandbox = sandbox
        for number in range(FILES):
            sandbox.image(f"images/{number:02}.jpg", size=(40, 30), seed=number)
        reader, self.names = os.pipe()
        with open(sandbox.path("stderr"), "wb") as stderr:
            self.process = subprocess.Popen([*launcher(ranks, survive), MPTHUMB, "-v", "--files-from", "-",
                                             *options], cwd=sandbox.root, stdin=reader, stdout=subprocess.PIPE,
                                            stderr=stderr, env=environment)
        os.close(reader)

    def feed(self, first, count):
        """Writes `count` names from number `first` on, and waits until they are done."""
        for number in range(first, first + count):
            os.write(self.names, b"images/%02d.jpg\n" % number)
        for _ in range(count):
            assert self.process.stdout.readline().endswith(b" was processed...\n")

    def end(self):
        """Waits for the end and returns the exit status. The pipe stays open until then."""
        status = self.process.wait(RUN_TIMEOUT_S)
        os.close(self.names)
        self.process.stdout.close()
        return status

    def error(self):
        return self.sandbox.path("stderr").read_text(errors="replace")


def finish(sandbox):
    """The same command with --resume does the rest, and does nothing twice."""
    before = sandbox.tree("thumbs")
    stamps = {name: sandbox.path(f"thumbs/{name}").stat().st_mtime_ns for name in before}
    names = b"".join(b"images/%02d.jpg\n" % number for number in range(FILES))
    outcome = sandbox.run("--resume", "--files-from", "-", stdin=names, ranks=2)
    equal(outcome.exit, 0, outcome)
    assert outcome.lines[-1].startswith(f"{FILES - len(before)} done, {len(before)} done before, 0 failed"), outcome
    equal({name: sandbox.path(f"thumbs/{name}").stat().st_mtime_ns for name in before}, stamps)
    equal(journal_reader.statuses(sandbox.path(JOURNAL)),
          {"done": [f"images/{number:02}.jpg" for number in range(FILES)]})
    equal(len(sandbox.tree("thumbs")), FILES)


def stopped_by(sandbox, number, times=1, ranks=0):
    run = PipedRun(sandbox, ranks=ranks)
    run.feed(0, 10)
    for _ in range(times):
        run.process.send_signal(number)
    status = run.end()
    assert status == 75 or ranks and launchers.detect()[0].forgets_status and status == 0, f"{status} {run.error()}"
    equal(json.loads(sandbox.path("thumbs/.mpthumb/summary.json").read_text())["exit_status"], 75)
    assert f"stopped early: received {signal.Signals(number).name}; " in run.error(), run.error()
    equal(len(journal_reader.final(sandbox.path(JOURNAL))), 10)
    finish(sandbox)


def case_sigterm(sandbox):
    stopped_by(sandbox, signal.SIGTERM)


def case_sigint(sandbox):
    stopped_by(sandbox, signal.SIGINT)


def case_sigusr1_twice(sandbox):
    stopped_by(sandbox, signal.SIGUSR1, times=2)


def case_sigusr1_to_mpirun(sandbox):
    stopped_by(sandbox, signal.SIGUSR1, ranks=3)


def case_hydra_reports_a_lost_rank(sandbox):
    """Hydra reports it by SIGUSR1, as it passes on a user's SIGUSR1: the run goes on. A SIGUSR1 from the user to rank 0
    stops it. (mpiexec itself fails on a signal once a host's ranks have ended.)"""
    if launchers.detect()[0].mpi != "MPICH":
        raise Skipped("only hydra reports a lost rank by SIGUSR1")
    run = PipedRun(sandbox, ranks=3, survive=True)
    run.feed(0, 10)
    ranks = {launchers.rank_of(pid): pid for pid, name in process_tree.below(run.process.pid).items()
             if name == "mpthumb"}
    os.kill(ranks[2], signal.SIGKILL)
    time.sleep(2 * USR1_IS_JUDGED_S)  # if the report were taken for a stop, the run would end in this time
    run.feed(10, 10)
    os.kill(ranks[0], signal.SIGUSR1)
    equal(run.end(), launchers.detect()[0].survive_status, run.error())
    assert "stopped early: received SIGUSR1; " in run.error(), run.error()
    equal(len(journal_reader.final(sandbox.path(JOURNAL))), 20)
    finish(sandbox)


def case_sigterm_to_every_process(sandbox):
    """As batch systems do: ranks, fork servers and workers receive it. No worker dies, no attempt is lost."""
    run = PipedRun(sandbox, ranks=2)
    run.feed(0, 10)
    descendants = process_tree.below(run.process.pid)
    assert sum(name == "mpp-worker" for name in descendants.values()) >= 2, descendants
    for pid, name in descendants.items():
        if name in ("mpthumb", "mpp-forkserver", "mpp-worker"):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass  # the first signals have ended the run
    equal(run.end(), 75, run.error())
    records = journal_reader.read(sandbox.path(JOURNAL))[1]
    equal([record["attempts"] for record in records], [1] * 10)
    equal(process_tree.below(run.process.pid), {})
    finish(sandbox)


def case_sigterm_to_a_worker_in_a_task(sandbox):
    """Workers ignore it: the task is finished in its first attempt, and no worker is replaced."""
    slow = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/10", SLOW_MS="1500")
    run = PipedRun(sandbox, "-j", "1", "--read-ahead", "0", environment=slow)
    run.feed(0, 10)
    (worker,) = process_tree.workers(run.process.pid)
    os.write(run.names, b"images/10.jpg\n")
    while b"sleep" not in sandbox.path(f"/proc/{worker}/wchan").read_bytes():
        pass  # until the worker runs the task
    for pid, name in process_tree.below(run.process.pid).items():
        os.kill(pid, signal.SIGTERM)
    assert run.process.stdout.readline().endswith(b"images/10.jpg was processed...\n")
    equal(process_tree.workers(run.process.pid), [worker])
    run.process.send_signal(signal.SIGTERM)
    equal(run.end(), 75, run.error())
    equal([record["attempts"] for record in journal_reader.read(sandbox.path(JOURNAL))[1]], [1] * 11)
    finish(sandbox)


def case_a_worker_that_does_not_end(sandbox):
    """It is killed after a while, so that the run can end."""
    run = PipedRun(sandbox, "-j", "1")
    run.feed(0, 10)
    (worker,) = process_tree.workers(run.process.pid)
    os.kill(worker, signal.SIGSTOP)
    run.process.send_signal(signal.SIGTERM)
    equal(run.end(), 75, run.error())
    finish(sandbox)


def case_waiting_tasks_are_not_done(sandbox):
    """All inputs are queued and slow: after a signal most of them are not started."""
    for number in range(FILES):
        sandbox.image(f"images/{number:02}.jpg", size=(40, 30), seed=number)
    slow = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/", SLOW_MS="250")
    with subprocess.Popen([MPTHUMB, "-v", "-j", "1", "--read-ahead", "0", "images"], cwd=sandbox.root, env=slow,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout.readline().endswith(b" was processed...\n")
        run.send_signal(signal.SIGTERM)
        run.stdout.read()
    equal(run.returncode, 75)
    before = len(sandbox.tree("thumbs"))
    assert before < FILES
    outcome = sandbox.run("--resume", "images")
    equal(outcome.exit, 0, outcome)
    assert outcome.lines[-1].startswith(f"{FILES - before} done, {before} done before, 0 failed"), outcome


def case_time_limit(sandbox):
    run = PipedRun(sandbox, "--time-limit", "2")
    run.feed(0, 10)
    equal(run.end(), 75, run.error())
    assert "stopped early: the time limit is close; " in run.error(), run.error()
    finish(sandbox)


def case_time_limit_of_slurm(sandbox):
    os.environ["SLURM_JOB_END_TIME"] = str(int(time.time()) + 2)
    try:
        run = PipedRun(sandbox, "--time-limit", "auto")
        run.feed(0, 10)
        equal(run.end(), 75, run.error())
    finally:
        del os.environ["SLURM_JOB_END_TIME"]
    assert "stopped early: the time limit is close; " in run.error(), run.error()
    finish(sandbox)


def case_time_limit_that_is_not_reached(sandbox):
    sandbox.images("images/1.jpg")
    for limit in ("1000", "auto"):
        equal(sandbox.run("--time-limit", limit, "images").exit, 0)
    for wrong in ("never", "-1", ""):
        equal(sandbox.run("--time-limit", wrong, "images").exit, 2)


def case_a_second_sigint_ends_the_run_at_once(sandbox):
    """A worker that hangs delays the stop after the first SIGINT; a later SIGINT ends the run at once."""
    run = PipedRun(sandbox, "-j", "1", "--read-ahead", "0")
    run.feed(0, 10)
    (worker,) = process_tree.workers(run.process.pid)
    os.kill(worker, signal.SIGSTOP)
    os.write(run.names, b"images/10.jpg\n")
    while run.process.poll() is None:
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    equal(run.end(), 75, run.error())
    finish(sandbox)


def case_a_file_that_takes_too_long(sandbox):
    """--timeout kills its worker, the file has failed, and the others are done."""
    sandbox.image("images/large.png", size=(9000, 9000), mode="L", compress_level=1)
    sandbox.images("images/1.jpg", "images/2.jpg")
    outcome = sandbox.run("--exact", "--timeout", "0.02", "-j", "1", "images")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    assert "large.png" in outcome.errors[0] and "0.02 s" in outcome.errors[0], outcome
    equal(sandbox.names("thumbs"), ["1.jpg", "2.jpg"])


def case_an_open_that_hangs(sandbox):
    """As on a network file system whose server does not answer; with and without read-ahead."""
    for number in range(8):
        sandbox.image(f"images/{number}.jpg", seed=number)
    slow = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/4", SLOW_MS="200000")
    for ahead in ("0", "16"):
        outcome = sandbox.run("--timeout", "1", "-j", "1", "--read-ahead", ahead, "-o", ahead, "images",
                              environment=slow)
        equal((outcome.exit, len(outcome.errors), len(outcome.about("images/4.jpg"))), (1, 1, 1), outcome)
        equal(len(sandbox.names(ahead)), 7)


main(globals())
