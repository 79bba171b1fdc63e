#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The batch scripts in slurm/, submitted to a real Slurm cluster with four nodes. Started by scripts/test-cluster."""
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "cli")]
import journal_reader  # noqa: E402
from harness import MPTHUMB, Sandbox, equal, picture  # noqa: E402, F401
from slurm_cluster import Slurm, poll_until  # noqa: E402

SCRIPTS = HERE.parent.parent / "slurm"
SLOW_OPEN = os.environ["SLOW_OPEN"]
FILES = 60


def fill(sandbox, count=FILES):
    for number in range(count):
        sandbox.image(f"images/{number:03}.jpg", size=(60, 40), seed=number)


def done_in(sandbox, *paths):
    found = {}
    for path in paths:
        final = journal_reader.final(sandbox.path(path))
        assert not set(found) & set(final), "a file is in two journals"
        found.update(final)
    equal({record["status"] for record in found.values()}, {"done"})
    equal(sorted(found), [f"images/{number:03}.jpg" for number in range(FILES)])
    equal(len(sandbox.tree("thumbs")), FILES)
    return found


def case_several_nodes(sandbox, slurm):
    """One rank per node, and one worker per processor of the task."""
    fill(sandbox)
    job = slurm.submit(SCRIPTS / "mpthumb.sbatch", "-v", "images",
                       options=["--nodes=4", "--cpus-per-task=2", "--time=5", f"--chdir={sandbox.root}"])
    equal(slurm.wait(job), ("COMPLETED", 0), sandbox.path(f"mpthumb-{job}.err").read_text())
    done_in(sandbox, "thumbs/.mpthumb/journal.jsonl")
    out = sandbox.path(f"mpthumb-{job}.out").read_text()
    assert "4 ranks, 8 workers" in out, out


def case_exit_statuses(sandbox, slurm):
    """Slurm reports 1 if some inputs failed, and 2 for wrong usage."""
    fill(sandbox, 3)
    sandbox.write("images/bad.jpg", b"\xff\xd8\xff")
    options = ["--nodes=2", "--cpus-per-task=1", "--time=5", f"--chdir={sandbox.root}"]
    first = slurm.submit(SCRIPTS / "mpthumb.sbatch", "images", options=options)
    second = slurm.submit(SCRIPTS / "mpthumb.sbatch", "--blur", "x", "images", options=options)
    equal(slurm.wait(first), ("FAILED", 1))
    equal(slurm.wait(second), ("FAILED", 2))
    equal(len(sandbox.path(f"mpthumb-{second}.err").read_text().splitlines()[:1]), 1)


def case_an_array(sandbox, slurm):
    """Each file is processed by exactly one element of the array."""
    fill(sandbox)
    job = slurm.submit(SCRIPTS / "mpthumb-array.sbatch", "images",
                       options=["--array=1-4", "--cpus-per-task=2", "--time=5", f"--chdir={sandbox.root}"])
    for index in range(1, 5):
        equal(slurm.wait(f"{job}_{index}"), ("COMPLETED", 0))
        errors = sandbox.path(f"mpthumb-{job}-{index}.err").read_text()
        assert "date:" not in errors, errors
    done_in(sandbox, *(f"thumbs/.mpthumb/journal-{index}-of-4.jsonl" for index in range(1, 5)))


def case_the_time_limit(sandbox, slurm):
    """--time-limit auto stops the run before Slurm kills it; the same job with --resume does the rest."""
    fill(sandbox)
    slow = {"LD_PRELOAD": SLOW_OPEN, "SLOW_BELOW": "images/", "SLOW_MS": "4000"}
    options = ["--nodes=2", "--cpus-per-task=1", "--time=1", f"--chdir={sandbox.root}"]
    export = "--export=ALL," + ",".join(f"{name}={value}" for name, value in slow.items())
    job = slurm.submit(SCRIPTS / "mpthumb.sbatch", "--read-ahead", "0", "images", options=[*options, export])
    equal(slurm.wait(job), ("FAILED", 75), sandbox.path(f"mpthumb-{job}.err").read_text())
    part = len(journal_reader.final(sandbox.path("thumbs/.mpthumb/journal.jsonl")))
    assert 0 < part < FILES, part
    job = slurm.submit(SCRIPTS / "mpthumb.sbatch", "--resume", "images", options=options)
    equal(slurm.wait(job), ("COMPLETED", 0))
    done_in(sandbox, "thumbs/.mpthumb/journal.jsonl")


def case_a_job_that_requeues_itself(sandbox, slurm):
    """The job needs more than two time limits of a minute. Each time it is stopped by the signal or by --time-limit,
    exits with 75 and requeues itself, until it is done."""
    fill(sandbox)
    slow = {"LD_PRELOAD": SLOW_OPEN, "SLOW_BELOW": "images/", "SLOW_MS": "4000"}
    export = "--export=ALL," + ",".join(f"{name}={value}" for name, value in slow.items())
    job = slurm.submit(SCRIPTS / "mpthumb-requeue.sbatch", "--read-ahead", "0", "-v", "images",
                       options=["--nodes=2", "--cpus-per-task=1", "--time=1", "--signal=USR1@30", export,
                                f"--chdir={sandbox.root}"])
    restarts = 0
    while True:
        shown = poll_until(lambda: slurm.shown(job), lambda shown: int(shown["Restarts"]) > restarts
                           or shown["JobState"] in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"), 300)
        if int(shown["Restarts"]) == restarts:
            break
        restarts = int(shown["Restarts"])
        # Slurm delays a requeued job by two minutes, which is shortened here. Some delay is needed, because a node
        # distinguishes the credentials of two starts by the second.
        poll_until(lambda: slurm.shown(job)["JobState"], lambda state: state != "COMPLETING")
        if slurm.shown(job)["JobState"] == "PENDING":
            slurm.call("scontrol", "update", f"jobid={job}", "StartTime=now+3")
    text = sandbox.path(f"mpthumb-{job}.err").read_text()
    equal((shown["JobState"], shown["ExitCode"]), ("COMPLETED", "0:0"), text)
    assert restarts >= 2, restarts
    signals = text.count("stopped early: received SIGUSR1")
    limits = text.count("stopped early: the time limit is close")
    equal(signals + limits, restarts, text)
    records = journal_reader.read(sandbox.path("thumbs/.mpthumb/journal.jsonl"))[1]
    equal(sorted(record["source"] for record in records), [f"images/{number:03}.jpg" for number in range(FILES)])
    equal({record["attempts"] for record in records}, {1})
    print(f"        {restarts} restarts, {signals} after the signal, {limits} by --time-limit")


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failures = 0
    os.environ["MPTHUMB"] = MPTHUMB
    with tempfile.TemporaryDirectory(prefix="mpthumb-slurm-") as directory, Slurm(directory) as slurm:
        for name, case in list(globals().items()):
            if not name.startswith("case_") or wanted not in name:
                continue
            sandbox = Sandbox()
            try:
                case(sandbox, slurm)
                print("ok     slurm:", name[5:], flush=True)
            except Exception as problem:  # a failed assertion, a job that does not end
                failures += 1
                print("FAILED slurm:", name[5:], problem, flush=True)
            finally:
                sandbox.close()
    sys.exit(1 if failures else 0)


main()
