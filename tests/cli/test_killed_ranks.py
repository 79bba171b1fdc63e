#!/usr/bin/python3
"""Ranks are killed, where MPI lets the others live: under `mpirun --with-ft ulfm` of Open MPI 5, and under `mpirun
--enable-recovery` of Open MPI 4 on one host. The run goes on, ends with 0, and nothing is lost."""
import os
import signal
import subprocess

import journals
import processes
from harness import MPTHUMB, PATIENCE_S, equal, launcher, main, open_mpi

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
    """rank -> pid."""
    return {rank_of(pid): pid for pid, name in processes.below(root).items() if name == "mpthumb"}


def killed(scene, victims, words, count=4):
    """A run in which these ranks are killed after the 20th line, with these words for mpirun; its exit status and
    what it said."""
    for number in range(FILES):
        scene.image(f"images/{number:03}.jpg", size=(640, 480), seed=number % 9)
    with open(scene.path("stderr"), "wb") as stderr:
        mpirun, *rest = launcher(count)
        run = subprocess.Popen([mpirun, *words, *rest, MPTHUMB, "-j", "1", "-v", "--exact", "images"], cwd=scene.root,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
    for _ in range(20):
        assert run.stdout.readline().endswith(b" was processed...\n"), scene.path("stderr").read_text()
    found = ranks(run.pid)
    equal(sorted(found), list(range(count)))
    for victim in victims:
        os.kill(found[victim], signal.SIGKILL)
    out = run.stdout.read().decode()
    return run.wait(PATIENCE_S), out


def check(scene, status, out, victims):
    equal(status, 0, scene.path("stderr").read_text() + out)
    assert f"4 ranks ({len(victims)} lost)" in out, out
    records = journals.read(scene.path("thumbs/.mpthumb/journal.jsonl"))[1]
    equal(sorted(record["source"] for record in records), [f"images/{number:03}.jpg" for number in range(FILES)])
    equal({record["status"] for record in records}, {"done"})
    quiet = scene.run("--exact", "-o", "quiet", "images")
    equal((quiet.exit, scene.tree("thumbs")), (0, scene.tree("quiet")))
    equal(journals.temporary_files(scene.path("thumbs")), [])


def case_one_rank_is_killed(scene):
    check(scene, *killed(scene, [2], SURVIVE), [2])


def case_all_but_rank_0_are_killed(scene):
    check(scene, *killed(scene, [1, 2, 3], SURVIVE), [1, 2, 3])


def case_rank_0_is_killed(scene):
    """That is the end; --resume does the rest."""
    status, _ = killed(scene, [0], [])
    assert status != 0
    outcome = scene.run("--exact", "--resume", "images")
    equal(outcome.exit, 0, outcome)
    quiet = scene.run("--exact", "-o", "quiet", "images")
    equal((quiet.exit, scene.tree("thumbs")), (0, scene.tree("quiet")))


main(globals())
