#!/usr/bin/python3
"""Worker processes are killed, and the program itself: a run loses nothing, and leaves no process behind."""
import os
import random
import signal

import processes
from harness import PATIENCE_S, equal, main

FILES = 1000
KILLS = 10
BUSY_S = 0.05  # a worker that has used so much is in a task, not at its start


def fill(scene, count, size):
    """`count` names for a few different pictures."""
    scene.images(*(f"originals/{number}.jpg" for number in range(10)), size=size)
    scene.path("images").mkdir()
    for number in range(count):
        os.link(scene.path(f"originals/{number % 10}.jpg"), scene.path(f"images/{number:04}.jpg"))


def case_random_workers_are_killed(scene):
    """One worker after every 60th line: each image is there in the end, with the bytes of a quiet run."""
    fill(scene, FILES, size=(400, 300))
    chance = random.Random(20240229)
    run = scene.start("-v", "images", ranks=3)
    kills = lines = 0
    for line in run.stdout:
        lines += line.endswith(b" was processed...\n")
        while kills < KILLS and lines >= 60 * (kills + 1):
            candidates = processes.workers(run.pid)
            if candidates and processes.kill(chance.choice(candidates), run.pid):
                kills += 1
            elif run.poll() is not None:
                break
    equal(run.wait(PATIENCE_S), 0)
    equal((kills, lines), (KILLS, FILES), "kills and lines")
    equal(scene.run("--quiet", "-o", "quiet", "images").exit, 0)
    equal(scene.tree("thumbs"), scene.tree("quiet"))


def case_worker_dies_at_every_attempt(scene):
    """The image that no worker survives is reported with the signal's name; the program goes on."""
    scene.image("images/x.jpg", size=(8000, 6000))
    run = scene.start("-j", "1", "--exact", "images")  # which takes its time
    while run.poll() is None:
        for worker in processes.workers(run.pid):
            if processes.cpu_s(worker) >= BUSY_S:
                processes.kill(worker, run.pid)
    errors = scene.path("stderr").read_text()
    equal(run.returncode, 1, errors)
    assert "'images/x.jpg'" in errors and "SIGKILL" in errors, errors
    equal(scene.names("thumbs"), [])


def ends_with(scene, ranks, name):
    """Kills the process `name` of a run that is under way; all others must end by themselves."""
    fill(scene, 4000, size=(1200, 900))
    run = scene.start("-v", "images", ranks=ranks)
    assert run.stdout.readline(), "no first line"
    family = processes.below(run.pid)
    assert [pid for pid, comm in family.items() if comm.startswith("mpp-worker")], family
    watch = processes.Watch([*family, run.pid])
    if ranks == 0 or name == "mpirun":
        os.kill(run.pid, signal.SIGKILL)
    else:
        for pid, comm in family.items():
            if comm == name:
                processes.kill(pid, run.pid)
    run.stdout.close()
    assert run.wait(PATIENCE_S) != 0
    equal(watch.survivors(60), [], f"processes that outlive {name}: {family}")


def case_killed_program_leaves_no_process(scene):
    ends_with(scene, 0, "mpthumb")


def case_killed_ranks_leave_no_process(scene):
    ends_with(scene, 3, "mpthumb")


def case_killed_mpirun_leaves_no_process(scene):
    ends_with(scene, 2, "mpirun")


main(globals())
