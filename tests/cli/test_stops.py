#!/usr/bin/python3
"""Runs that are asked to end early, by signals and by the clock: what runs is finished, the exit status is 75, and
--resume does the rest."""
import os
import signal
import subprocess
import time

import journals
import processes
from harness import MPTHUMB, PATIENCE_S, equal, launcher, main, preloaded

FILES = 40
JOURNAL = "thumbs/.mpthumb/journal.jsonl"


class Fed:
    """A run that gets its names from us, as we like it."""

    def __init__(self, scene, *options, ranks=0, environment=None):
        self.scene = scene
        for number in range(FILES):
            scene.image(f"images/{number:02}.jpg", size=(40, 30), seed=number)
        reader, self.names = os.pipe()
        with open(scene.path("stderr"), "wb") as stderr:
            self.run = subprocess.Popen([*launcher(ranks), MPTHUMB, "-v", "--files-from", "-", *options], cwd=scene.root,
                                        stdin=reader, stdout=subprocess.PIPE, stderr=stderr, env=environment)
        os.close(reader)

    def feed(self, first, count):
        """Hands in names, and waits until they are done."""
        for number in range(first, first + count):
            os.write(self.names, b"images/%02d.jpg\n" % number)
        for _ in range(count):
            assert self.run.stdout.readline().endswith(b" was processed...\n")

    def end(self):
        """Its exit status; the names stay open until then."""
        status = self.run.wait(PATIENCE_S)
        os.close(self.names)
        self.run.stdout.close()
        return status

    def error(self):
        return self.scene.path("stderr").read_text(errors="replace")


def finish(scene):
    """The same command with --resume does the rest, and nothing twice."""
    before = scene.tree("thumbs")
    stamps = {name: scene.path(f"thumbs/{name}").stat().st_mtime_ns for name in before}
    names = b"".join(b"images/%02d.jpg\n" % number for number in range(FILES))
    outcome = scene.run("--resume", "--files-from", "-", stdin=names, ranks=2)
    equal(outcome.exit, 0, outcome)
    assert outcome.lines[-1].startswith(f"{FILES - len(before)} done, {len(before)} done before, 0 failed"), outcome
    equal({name: scene.path(f"thumbs/{name}").stat().st_mtime_ns for name in before}, stamps)
    equal(journals.statuses(scene.path(JOURNAL)), {"done": [f"images/{number:02}.jpg" for number in range(FILES)]})
    equal(len(scene.tree("thumbs")), FILES)


def stopped_by(scene, number, times=1, ranks=0):
    fed = Fed(scene, ranks=ranks)
    fed.feed(0, 10)
    for _ in range(times):
        fed.run.send_signal(number)
    equal(fed.end(), 75, fed.error())
    assert f"stopped early: {signal.Signals(number).name} came; " in fed.error(), fed.error()
    equal(len(journals.final(scene.path(JOURNAL))), 10)
    finish(scene)


def case_sigterm(scene):
    stopped_by(scene, signal.SIGTERM)


def case_sigint(scene):
    stopped_by(scene, signal.SIGINT)


def case_sigusr1_twice(scene):
    stopped_by(scene, signal.SIGUSR1, times=2)


def case_sigusr1_to_mpirun(scene):
    stopped_by(scene, signal.SIGUSR1, ranks=3)


def case_sigterm_to_every_process(scene):
    """As a batch system does it: ranks, fork servers and workers all get it. No worker dies, no attempt is lost."""
    fed = Fed(scene, ranks=2)
    fed.feed(0, 10)
    family = processes.below(fed.run.pid)
    assert sum(name == "mpp-worker" for name in family.values()) >= 2, family
    for pid, name in family.items():
        if name in ("mpthumb", "mpp-forkserver", "mpp-worker"):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass  # the run has ended by the first of them
    equal(fed.end(), 75, fed.error())
    records = journals.read(scene.path(JOURNAL))[1]
    equal([record["attempts"] for record in records], [1] * 10)
    equal(processes.below(fed.run.pid), {})
    finish(scene)


def case_sigterm_to_a_worker_in_a_task(scene):
    """It is not for the worker: the task is finished, at its first attempt, and no worker is replaced."""
    slow = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/10", SLOW_MS="1500")
    fed = Fed(scene, "-j", "1", "--read-ahead", "0", environment=slow)
    fed.feed(0, 10)
    (worker,) = processes.workers(fed.run.pid)
    os.write(fed.names, b"images/10.jpg\n")
    while b"sleep" not in scene.path(f"/proc/{worker}/wchan").read_bytes():
        pass  # until it is in the task
    for pid, name in processes.below(fed.run.pid).items():
        os.kill(pid, signal.SIGTERM)
    assert fed.run.stdout.readline().endswith(b"images/10.jpg was processed...\n")
    equal(processes.workers(fed.run.pid), [worker])
    fed.run.send_signal(signal.SIGTERM)
    equal(fed.end(), 75, fed.error())
    equal([record["attempts"] for record in journals.read(scene.path(JOURNAL))[1]], [1] * 11)
    finish(scene)


def case_a_worker_that_does_not_end(scene):
    """It is killed after a while, and does not keep the run from its end."""
    fed = Fed(scene, "-j", "1")
    fed.feed(0, 10)
    (worker,) = processes.workers(fed.run.pid)
    os.kill(worker, signal.SIGSTOP)
    fed.run.send_signal(signal.SIGTERM)
    equal(fed.end(), 75, fed.error())
    finish(scene)


def case_what_waits_is_not_done(scene):
    """The names are all handed in, and queued; each takes a while; a signal leaves most of them for later."""
    for number in range(FILES):
        scene.image(f"images/{number:02}.jpg", size=(40, 30), seed=number)
    slow = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/", SLOW_MS="250")
    with subprocess.Popen([MPTHUMB, "-v", "-j", "1", "--read-ahead", "0", "images"], cwd=scene.root, env=slow,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout.readline().endswith(b" was processed...\n")
        run.send_signal(signal.SIGTERM)
        run.stdout.read()
    equal(run.returncode, 75)
    before = len(scene.tree("thumbs"))
    assert before < FILES
    outcome = scene.run("--resume", "images")
    equal(outcome.exit, 0, outcome)
    assert outcome.lines[-1].startswith(f"{FILES - before} done, {before} done before, 0 failed"), outcome


def case_time_limit(scene):
    fed = Fed(scene, "--time-limit", "2")
    fed.feed(0, 10)
    equal(fed.end(), 75, fed.error())
    assert "stopped early: the time limit is near; " in fed.error(), fed.error()
    finish(scene)


def case_time_limit_of_slurm(scene):
    os.environ["SLURM_JOB_END_TIME"] = str(int(time.time()) + 2)
    try:
        fed = Fed(scene, "--time-limit", "auto")
        fed.feed(0, 10)
        equal(fed.end(), 75, fed.error())
    finally:
        del os.environ["SLURM_JOB_END_TIME"]
    assert "stopped early: the time limit is near; " in fed.error(), fed.error()
    finish(scene)


def case_time_limit_that_is_not_reached(scene):
    scene.images("images/1.jpg")
    for limit in ("1000", "auto"):
        equal(scene.run("--time-limit", limit, "images").exit, 0)
    for wrong in ("never", "-1", ""):
        equal(scene.run("--time-limit", wrong, "images").exit, 2)


def case_a_person_who_will_not_wait(scene):
    """A worker that hangs holds up the first SIGINT; a later one ends the run at once."""
    fed = Fed(scene, "-j", "1", "--read-ahead", "0")
    fed.feed(0, 10)
    (worker,) = processes.workers(fed.run.pid)
    os.kill(worker, signal.SIGSTOP)
    os.write(fed.names, b"images/10.jpg\n")
    while fed.run.poll() is None:
        fed.run.send_signal(signal.SIGINT)
        time.sleep(0.1)
    equal(fed.end(), 75, fed.error())
    finish(scene)


def case_a_file_that_takes_too_long(scene):
    """It is ended by --timeout and is a failure of its own; the others are done."""
    scene.image("images/large.png", size=(9000, 9000), mode="L", compress_level=1)
    scene.images("images/1.jpg", "images/2.jpg")
    outcome = scene.run("--exact", "--timeout", "0.02", "-j", "1", "images")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    assert "large.png" in outcome.errors[0] and "0.02 s" in outcome.errors[0], outcome
    equal(scene.names("thumbs"), ["1.jpg", "2.jpg"])


def case_an_open_that_hangs(scene):
    """As on a file system whose server is gone, read ahead or not."""
    for number in range(8):
        scene.image(f"images/{number}.jpg", seed=number)
    slow = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/4", SLOW_MS="200000")
    for ahead in ("0", "16"):
        outcome = scene.run("--timeout", "1", "-j", "1", "--read-ahead", ahead, "-o", ahead, "images", environment=slow)
        equal((outcome.exit, len(outcome.errors), len(outcome.about("images/4.jpg"))), (1, 1, 1), outcome)
        equal(len(scene.names(ahead)), 7)


main(globals())
