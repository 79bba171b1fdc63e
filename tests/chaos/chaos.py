#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Chaos test: runs that are killed at random moments and resumed until they are done. Started by scripts/chaos.

Each test has a few hundred small images. In a run over them something is killed at a random moment: a worker process,
a rank, rank 0, mpirun, or all processes; sometimes twice. The same command with --resume and another number of ranks
follows, which may be killed as well, and finally one that is not disturbed. Then the outputs must be the same as those
of an undisturbed run, each input must have one final status, no input that the journal says is done was done again, and
no temporary file is left. The seed is printed: the same seed and number give the same choice of kills, but not the same
moments.

    chaos.py [RUNS] [--seed N] [--only N]
"""
import argparse
import ctypes
import hashlib
import io
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cli"))
import journal_reader  # noqa: E402
import process_tree  # noqa: E402
from harness import MPTHUMB, launcher, open_mpi, picture  # noqa: E402

FILES = 300
RUN_TIMEOUT_S = 60
PR_SET_CHILD_SUBREAPER = 36
TARGETS = ("worker", "rank", "rank 0", "mpirun", "everything")


def make_images(folder):
    """Small pictures; every fourth one is larger, so that runs take a while."""
    for number in range(FILES):
        memory = io.BytesIO()
        picture((320, 240) if number % 4 else (1200, 900), seed=number % 7).save(memory, ("JPEG", "PNG")[number % 2])
        path = folder / f"{number % 5}" / f"{number:03}.{('jpg', 'png')[number % 2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(memory.getvalue())


def tree(top):
    return {os.path.relpath(os.path.join(directory, name), top):
            hashlib.sha256(pathlib.Path(directory, name).read_bytes()).hexdigest()
            for directory, _, names in os.walk(top) for name in names if not directory.endswith(".mpthumb")}


def command(ranks, recovery, arguments):
    launch = launcher(ranks)
    if ranks and recovery:
        launch[1:1] = ["--enable-recovery"] if open_mpi() < 5 else ["--with-ft", "ulfm"]
    return [*launch, MPTHUMB, "-j", "2", "--quiet", *arguments]


def reap():
    """Waits for the processes that a killed run left behind; they are children of this process now, and end by
    themselves."""
    deadline = time.monotonic() + RUN_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)  # there is nothing to wait for: poll
        except ChildProcessError:
            return
    sys.exit(f"chaos: processes have not ended: {process_tree.below(os.getpid())}")


def rank_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            for word in stream.read().split(b"\0"):
                if word.startswith((b"OMPI_COMM_WORLD_RANK=", b"PMIX_RANK=")):
                    return int(word.partition(b"=")[2])
    except OSError:
        pass
    return 0


def choose(run, target, ranks, generator):
    """The processes to kill; [] if there are none at the moment."""
    descendants = process_tree.below(run.pid)
    if target == "everything":
        return [*descendants, run.pid]
    if target == "mpirun":
        return [run.pid]
    if target == "worker":
        found = [pid for pid, name in descendants.items() if name == "mpp-worker"]
    else:
        found = [pid for pid, name in descendants.items() if name == "mpthumb"] if ranks else [run.pid]
        found = [pid for pid in found if (rank_of(pid) == 0) == (target == "rank 0" or not ranks)]
    return [generator.choice(sorted(found))] if found else []


def await_begin(run, journal, size):
    """Waits until the journal grows, and so MPI_Init has ended: Open MPI 4 under --enable-recovery waits for ever for a
    rank that dies in it."""
    while run.poll() is None and (not journal.exists() or journal.stat().st_size <= size):
        time.sleep(0.002)  # there is nothing to wait for: poll


def disturb(run, targets, ranks, typical_s, generator):
    """Kills each target at a random moment. Returns the targets that were killed."""
    killed = []
    for target, moment_s in sorted(((target, generator.random() * typical_s) for target in targets),
                                   key=lambda pair: pair[1]):
        left_s = moment_s - (time.monotonic() - run.begun_s)
        try:
            if left_s > 0:
                run.wait(left_s)
        except subprocess.TimeoutExpired:
            pass
        if run.poll() is not None:
            break
        found = choose(run, target, ranks, generator)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        killed += [target] * bool(found)
    return killed


def start(scratch, ranks, recovery, arguments):
    with open(scratch / "log", "ab") as log:
        run = subprocess.Popen(command(ranks, recovery, arguments), cwd=scratch, stdin=subprocess.DEVNULL,
                               stdout=log, stderr=log)
    run.begun_s = time.monotonic()
    return run


def check(scratch, wanted):
    problems = []
    found = tree(scratch / "thumbs")
    left = journal_reader.temporary_files(scratch / "thumbs")
    if left:
        problems.append(f"temporary files are left: {left}")
    if found != wanted:
        problems.append(f"outputs differ: {sorted(set(found.items()) ^ set(wanted.items()))[:6]}")
    records = journal_reader.read(scratch / "thumbs/.mpthumb/journal.jsonl")[1]
    done = [record["source"] for record in records if record["status"] == "done"]
    if len(done) != len(set(done)):
        problems.append(f"done twice: {sorted(name for name in set(done) if done.count(name) > 1)[:6]}")
    statuses = {name: len(sources)
                for name, sources in journal_reader.statuses(scratch / "thumbs/.mpthumb/journal.jsonl").items()}
    if statuses != {"done": FILES}:
        problems.append(f"final statuses: {statuses}")
    return problems


def test_one(number, seed, originals, wanted, typical_s, tally):
    generator = random.Random(f"{seed} {number}")
    with tempfile.TemporaryDirectory(prefix="mpthumb-chaos-") as name:
        scratch = pathlib.Path(name)
        (scratch / "images").symlink_to(originals)
        history = []
        for _ in range(generator.randint(1, 3)):
            ranks, recovery = generator.choice((0, 1, 2, 3, 4)), generator.random() < 0.5
            targets = [generator.choice(TARGETS) for _ in range(generator.choice((1, 1, 2)))]
            journal = scratch / "thumbs/.mpthumb/journal.jsonl"
            size = journal.stat().st_size if journal.exists() else 0
            run = start(scratch, ranks, recovery, ["--resume", "images"])
            if recovery and ranks > 1:
                await_begin(run, journal, size)
                run.begun_s = time.monotonic()
            killed = disturb(run, targets, ranks, typical_s[bool(ranks)], generator)
            try:
                status = run.wait(RUN_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                descendants = process_tree.below(run.pid)
                for pid in [*descendants, run.pid]:
                    os.kill(pid, signal.SIGKILL)
                if ranks and not descendants:
                    # mpirun of Open MPI 4 can deadlock when a rank dies early: once in 200 runs.
                    tally["(mpirun hung)"] = tally.get("(mpirun hung)", 0) + 1
                    run.wait()
                    reap()
                    continue
                return [f"hangs after killing {killed}, {ranks} ranks{', recovery' if recovery else ''}"], history
            reap()
            history.append(f"{ranks} ranks{' (recovery)' if recovery else ''}: killed {', '.join(killed) or 'nothing'},"
                         f" exit {status}")
            for target in killed:
                tally[target] = tally.get(target, 0) + 1
            if recovery and ranks > 1 and killed and set(killed) <= {"rank", "worker"} and status != 0:
                return [f"the run did not survive a lost rank: exit {status}\n{(scratch / 'log').read_text()}"], history
        ranks = generator.choice((0, 2, 3))
        status = start(scratch, ranks, False, ["--resume", "images"]).wait(RUN_TIMEOUT_S)
        reap()
        problems = check(scratch, wanted)
        if status != 0:
            problems.append(f"the last run ended with {status}")
        if problems:
            problems.append((scratch / "log").read_text(errors="replace"))
        return problems, history


def main():
    parser = argparse.ArgumentParser(prog="scripts/chaos")
    parser.add_argument("runs", nargs="?", type=int, default=10)
    parser.add_argument("--seed", type=int, default=20240229)
    parser.add_argument("--only", type=int, help="run only test number N")
    arguments = parser.parse_args()
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    failed, tally = 0, {}
    with tempfile.TemporaryDirectory(prefix="mpthumb-chaos-") as name:
        originals = pathlib.Path(name)
        (originals / "images").mkdir()
        make_images(originals / "images")
        typical_s = []
        for ranks in (0, 3):  # how long an undisturbed run takes
            run = start(originals, ranks, False, ["-o", f"undisturbed-{ranks}", "images"])
            if run.wait(RUN_TIMEOUT_S) != 0:
                sys.exit("chaos: the undisturbed run failed: " + (originals / "log").read_text())
            typical_s.append(time.monotonic() - run.begun_s)
        wanted = tree(originals / "undisturbed-0")
        print(f"seed {arguments.seed}; undisturbed: {typical_s[0]:.2f} s without mpirun,"
              f" {typical_s[1]:.2f} s on 3 ranks",
              flush=True)
        for number in range(arguments.runs) if arguments.only is None else [arguments.only]:
            problems, history = test_one(number, arguments.seed, originals / "images", wanted, typical_s, tally)
            if problems:
                failed += 1
                print(f"run {number} FAILED\n  " + "\n  ".join(history + problems), flush=True)
    print(f"{arguments.runs} runs, {failed} failed; killed: "
          + ", ".join(f"{count} times {target}" for target, count in sorted(tally.items())))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
