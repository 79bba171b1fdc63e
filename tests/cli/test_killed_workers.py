#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Workers, or the program itself, are killed: no task is lost, and no process is left behind."""
import os
import random
import signal

import process_tree
from harness import RUN_TIMEOUT_S, equal, main

FILES = 1000
KILLS = 10
BUSY_S = 0.05  # a worker that has used this much CPU time is running a task


def fill(sandbox, count, size):
    """Creates `count` links to ten different pictures."""
    sandbox.images(*(f"originals/{number}.jpg" for number in range(10)), size=size)
    sandbox.path("images").mkdir()
    for number in range(count):
        os.link(sandbox.path(f"originals/{number % 10}.jpg"), sandbox.path(f"images/{number:04}.jpg"))


def case_random_workers_are_killed(sandbox):
    """Kills a worker after every 60th line: in the end all thumbnails are the same as those of an undisturbed run."""
    fill(sandbox, FILES, size=(400, 300))
    generator = random.Random(20240229)
    run = sandbox.start("-v", "--exact", "images", ranks=3)  # it takes longer than the kills
    kills = lines = 0
    for line in run.stdout:
        lines += line.endswith(b" was processed...\n")
        while kills < KILLS and lines >= 60 * (kills + 1):
            candidates = process_tree.workers(run.pid)
            if candidates and process_tree.kill(generator.choice(candidates), run.pid):
                kills += 1
            elif run.poll() is not None:
                break
    equal(run.wait(RUN_TIMEOUT_S), 0)
    equal((kills, lines), (KILLS, FILES), "kills and lines")
    equal(sandbox.run("--quiet", "--exact", "-o", "undisturbed", "images").exit, 0)
    equal(sandbox.tree("thumbs"), sandbox.tree("undisturbed"))


def case_worker_dies_at_every_attempt(sandbox):
    """Kills each worker that processes an image: the error names the signal, and the run ends normally."""
    sandbox.image("images/x.jpg", size=(8000, 6000))
    run = sandbox.start("-j", "1", "--exact", "images")  # slow enough to be killed in time
    while run.poll() is None:
        for worker in process_tree.workers(run.pid):
            if process_tree.cpu_s(worker) >= BUSY_S:
                process_tree.kill(worker, run.pid)
    errors = sandbox.path("stderr").read_text()
    equal(run.returncode, 1, errors)
    assert "'images/x.jpg'" in errors and "SIGKILL" in errors, errors
    equal(sandbox.names("thumbs"), [])


def all_end_with(sandbox, ranks, name):
    """Kills the processes `name` of a run: all other processes must end by themselves."""
    fill(sandbox, 4000, size=(1200, 900))
    run = sandbox.start("-v", "images", ranks=ranks)
    assert run.stdout.readline(), "no first line"
    descendants = process_tree.below(run.pid)
    assert [pid for pid, comm in descendants.items() if comm.startswith("mpp-worker")], descendants
    watch = process_tree.Watch([*descendants, run.pid])
    if ranks == 0 or name == "mpirun":
        os.kill(run.pid, signal.SIGKILL)
    else:
        for pid, comm in descendants.items():
            if comm == name:
                process_tree.kill(pid, run.pid)
    run.stdout.close()
    assert run.wait(RUN_TIMEOUT_S) != 0
    equal(watch.survivors(60), [], f"processes that outlived {name}: {descendants}")


def case_killed_program_leaves_no_process(sandbox):
    all_end_with(sandbox, 0, "mpthumb")


def case_killed_ranks_leave_no_process(sandbox):
    all_end_with(sandbox, 3, "mpthumb")


def case_killed_mpirun_leaves_no_process(sandbox):
    all_end_with(sandbox, 2, "mpirun")


main(globals())
