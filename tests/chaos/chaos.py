#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Chaos test: runs that are killed at random moments and resumed until they are done. Started by scripts/chaos.

Each test has a few hundred input files and a job: `thumbnail` writes a file for each, `digest` collects small results
in order, `wordcount` has large results and two stages that merge them. In a run something is killed at a random moment:
a worker process, a rank, rank 0, mpirun, or all processes; sometimes twice. The same command with --resume and another
number of ranks follows, which may be killed as well, and finally one that is not disturbed. Then the outputs must be
the same as those of an undisturbed run, each task must have one final status, no task that the journal says is done was
done again, and no temporary file and no spool is left. The seed is printed: the same seed and number give the same choice of
kills, but not the same moments.

    chaos.py [RUNS] [--job thumbnail|digest|wordcount] [--seed N] [--only N]
"""
import argparse
import collections
import ctypes
import hashlib
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
import launchers  # noqa: E402
import process_tree  # noqa: E402
from harness import MPTHUMB, launcher, picture  # noqa: E402

RUN_TIMEOUT_S = 60
PR_SET_CHILD_SUBREAPER = 36
TARGETS = ("worker", "rank", "rank 0", "mpirun", "everything")


# ---- The jobs ----

class Job:
    """A program with its arguments, its input files below inputs/, and its outputs below out/."""
    files = 300
    tasks = 300  # in all stages
    endings = ("",)
    spools = False  # status 0 removes the results, so that a later run makes them again
    run_directory = "out/output.run"

    def arguments(self, output):
        return ["-o", output + "/output", "inputs"]

    def outputs(self, top):
        """Relative path -> SHA-256 of each output file."""
        return {os.path.relpath(os.path.join(directory, name), top):
                hashlib.sha256(pathlib.Path(directory, name).read_bytes()).hexdigest()
                for directory, _, names in os.walk(top) for name in names
                if not {".mpthumb", "output.run"} & set(directory.split("/"))}


class Thumbnail(Job):
    program = [MPTHUMB]
    run_directory = "out/.mpthumb"
    endings = (".jpg", ".png")

    def arguments(self, output):
        return ["-o", output, "inputs"]

    def write_input(self, number, path):
        """A small picture; every fourth one is larger, so that runs take a while."""
        picture((320, 240) if number % 4 else (1200, 900), seed=number % 7).save(path)


class Digest(Job):
    program = [os.environ.get("MPBATCH", "mpbatch"), "digest"]
    tasks = 302

    def arguments(self, output):
        return super().arguments(output) + ["inputs/0/000", "inputs/0/000"]  # these are tasks of their own

    def write_input(self, number, path):
        path.write_bytes(random.Random(number).randbytes(100))
        os.truncate(path, 2 << 20)


class Wordcount(Job):
    program = [os.environ.get("WORDCOUNT", "wordcount"), "--shortest", "3"]
    files = 200
    spools = True
    tasks = 200 + 13 + 1  # the first stage merges 16 results at once, the second one all

    def write_input(self, number, path):
        """Its result is larger than what the journal takes, and so is the output."""
        generator = random.Random(number)
        path.write_text(" ".join("".join(chr(97 + word // 26 ** place % 26) for place in range(4))
                                 for word in (generator.randrange(30000) for _ in range(3000))))


JOBS = {"thumbnail": Thumbnail, "digest": Digest, "wordcount": Wordcount}


def make_inputs(job, folder):
    for number in range(job.files):
        path = folder / f"{number % 5}" / f"{number:03}{job.endings[number % len(job.endings)]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        job.write_input(number, path)


# ---- Runs and kills ----

def command(job, ranks, recovery, arguments):
    return [*launcher(ranks, recovery), *job.program, "-j", "2", "--quiet", *arguments]


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


def choose(job, run, target, ranks, generator):
    """The processes to kill; [] if there are none at the moment."""
    descendants = process_tree.below(run.pid)
    if target == "everything":
        return [*descendants, run.pid]
    if target == "mpirun":
        return [run.pid]
    if target == "worker":
        found = [pid for pid, name in descendants.items() if name == "mpp-worker"]
    else:
        program = os.path.basename(job.program[0])
        found = [pid for pid, name in descendants.items() if name == program] if ranks else [run.pid]
        found = [pid for pid in found if (not launchers.rank_of(pid)) == (target == "rank 0" or not ranks)]
    return [generator.choice(sorted(found))] if found else []


def await_begin(run, journal, size):
    """Waits until the journal grows, and so MPI_Init has ended: Open MPI 4 under --enable-recovery waits for ever for a
    rank that dies in it."""
    while run.poll() is None and (not journal.exists() or journal.stat().st_size <= size):
        time.sleep(0.002)  # there is nothing to wait for: poll


def disturb(job, run, targets, ranks, typical_s, generator):
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
        found = choose(job, run, target, ranks, generator)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        killed += [target] * bool(found)
    return killed


def start(job, scratch, ranks, recovery, arguments):
    with open(scratch / "log", "ab") as log:
        run = subprocess.Popen(command(job, ranks, recovery, arguments), cwd=scratch, stdin=subprocess.DEVNULL,
                               stdout=log, stderr=log)
    run.begun_s = time.monotonic()
    return run


def records_of(journal):
    """(stage, source, occurrence) and status of each line about a task."""
    return [((record.get("stage", 0), record["source"], record.get("occurrence", 0)), record["status"])
            for record in journal_reader.read(journal)[1]] if journal.exists() else []


def check(job, scratch, wanted, complete_before):
    problems = []
    found = job.outputs(scratch / "out")
    left = [os.path.join(directory, name) for directory, _, names in os.walk(scratch) for name in names
            if name.startswith((".mpthumb-", "stage-")) or name.endswith(".spool")]
    if left or (scratch / job.run_directory / "spool").exists():
        problems.append(f"temporary files or the spool are left: {left}")
    if found != wanted:
        problems.append(f"outputs differ: {sorted(set(found.items()) ^ set(wanted.items()))[:6]}")
    records = records_of(scratch / job.run_directory / "journal.jsonl")
    done = collections.Counter(task for task, status in records if status == "done")
    twice = [task for task, count in done.items() if count > 1]
    if twice and not complete_before:
        problems.append(f"done twice: {sorted(twice)[:6]}")
    statuses = collections.Counter(dict(records).values())
    if statuses != {"done": job.tasks}:
        problems.append(f"final statuses: {dict(statuses)}")
    return problems


def test_one(job, number, seed, originals, wanted, typical_s, work_s, tally):
    generator = random.Random(f"{seed} {number}")
    survive_status = launchers.detect()[0].survive_status
    resume = ["--resume", "--journal-sync", generator.choice(("0.1", "5")), *job.arguments("out")]
    with tempfile.TemporaryDirectory(prefix="mpthumb-chaos-") as name:
        scratch = pathlib.Path(name)
        (scratch / "inputs").symlink_to(originals)
        journal = scratch / job.run_directory / "journal.jsonl"
        history, complete = [], False
        for _ in range(generator.randint(1, 3)):
            ranks, recovery = generator.choice((0, 1, 2, 3, 4)), generator.random() < 0.5
            targets = [generator.choice(TARGETS) for _ in range(generator.choice((1, 1, 2)))]
            size = journal.stat().st_size if journal.exists() else 0
            run = start(job, scratch, ranks, recovery, resume)
            range_s = typical_s[bool(ranks)]
            if recovery and ranks > 1:
                await_begin(run, journal, size)
                run.begun_s = time.monotonic()
                range_s = work_s
            killed = disturb(job, run, targets, ranks, range_s, generator)
            try:
                status = run.wait(RUN_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                descendants = process_tree.below(run.pid)
                for pid in [*descendants, run.pid]:
                    os.kill(pid, signal.SIGKILL)
                if ranks and not descendants:
                    # mpirun of Open MPI 4 can deadlock when a rank dies early: once in 200 runs.
                    tally["(mpirun hung)"] += 1
                    run.wait()
                    reap()
                    continue
                return [f"hangs after killing {killed}, {ranks} ranks{', recovery' if recovery else ''}"], history
            reap()
            stage = max((task[0] for task, _ in records_of(journal)), default=0)
            history.append(f"{ranks} ranks{' (recovery)' if recovery else ''}: killed {', '.join(killed) or 'nothing'},"
                           f" exit {status}, stage {stage}")
            tally.update(killed)
            tally[f"(stopped in stage {stage})"] += status != 0
            survivable = recovery and ranks > 1 and killed and set(killed) <= {"rank", "worker"}
            if survivable and status not in (0, survive_status):
                return [f"the run did not survive a lost rank: exit {status}\n{(scratch / 'log').read_text()}"], history
            if job.spools and (scratch / "out/output").exists():
                if status == 0 and "rank 0" not in killed:  # mpirun --enable-recovery ends with 0 without rank 0
                    return check(job, scratch, wanted, complete), history
                complete = True  # killed after the output was written: the spool may have been removed
        ranks = generator.choice((0, 2, 3))
        status = start(job, scratch, ranks, False, resume).wait(RUN_TIMEOUT_S)
        reap()
        problems = check(job, scratch, wanted, complete)
        if status != 0:
            problems.append(f"the last run ended with {status}")
        if problems:
            problems.append((scratch / "log").read_text(errors="replace"))
        return problems, history


def main():
    parser = argparse.ArgumentParser(prog="scripts/chaos")
    parser.add_argument("runs", nargs="?", type=int, default=10)
    parser.add_argument("--job", choices=JOBS, default="thumbnail")
    parser.add_argument("--seed", type=int, default=20240229)
    parser.add_argument("--only", type=int, help="run only test number N")
    arguments = parser.parse_args()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    job, failed, tally = JOBS[arguments.job](), 0, collections.Counter()
    with tempfile.TemporaryDirectory(prefix="mpthumb-chaos-") as name:
        originals = pathlib.Path(name)
        make_inputs(job, originals / "inputs")
        typical_s = []
        for ranks in (0, 3):  # how long an undisturbed run takes
            output = f"undisturbed-{ranks}"
            run = start(job, originals, ranks, False, job.arguments(output))
            await_begin(run, originals / job.run_directory.replace("out", output, 1) / "journal.jsonl", 0)
            work_s = -time.monotonic()  # without the start of MPI
            if run.wait(RUN_TIMEOUT_S) != 0:
                sys.exit("chaos: the undisturbed run failed: " + (originals / "log").read_text())
            typical_s.append(time.monotonic() - run.begun_s)
            work_s += time.monotonic()
        wanted = job.outputs(originals / "undisturbed-0")
        print(f"{arguments.job}, seed {arguments.seed}; undisturbed: {typical_s[0]:.2f} s without mpirun,"
              f" {typical_s[1]:.2f} s on 3 ranks",
              flush=True)
        for number in range(arguments.runs) if arguments.only is None else [arguments.only]:
            problems, history = test_one(job, number, arguments.seed, originals / "inputs", wanted, typical_s, work_s,
                                         tally)
            if problems:
                failed += 1
                print(f"run {number} FAILED\n  " + "\n  ".join(history + problems), flush=True)
    print(f"{arguments.runs} runs, {failed} failed; killed: "
          + ", ".join(f"{count} times {target}" for target, count in sorted(tally.items()) if count))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
