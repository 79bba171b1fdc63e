#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs on several virtual hosts, and a host that is powered off during a run. Started by scripts/test-cluster."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "cli")]
import journal_reader  # noqa: E402
from harness import MPTHUMB, Outcome, Sandbox, equal  # noqa: E402
from virtual_hosts import Hosts  # noqa: E402

FILES = 400
RUN_TIMEOUT_S = 120
ENDS_WITHIN_S = float(re.search(r"powered off \| mpirun ends the job within (\d+) seconds",
                                (HERE.parent.parent / "docs/cluster.md").read_text(encoding="utf-8"))[1])


def fill(sandbox):
    for number in range(FILES):
        sandbox.image(f"images/{number:03}.jpg", size=(640, 480), seed=number % 9)


def run(sandbox, words, *arguments):
    done = subprocess.run([*words, os.path.abspath(MPTHUMB), *arguments], cwd=sandbox.root, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=RUN_TIMEOUT_S, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def case_three_hosts(sandbox, hosts):
    fill(sandbox)
    outcome = run(sandbox, hosts.mpirun(["h1:2", "h2:2", "h3:2"]), "-j", "1", "images")
    equal(outcome.exit, 0, outcome)
    assert outcome.pool.startswith("6 ranks, 6 workers"), outcome
    records = journal_reader.final(sandbox.path("thumbs/.mpthumb/journal.jsonl"))
    equal({record["host"] for record in records.values()}, {"h1", "h2", "h3"})
    equal({record["rank"] for record in records.values()}, set(range(6)))
    undisturbed = sandbox.run("-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))


def case_a_host_is_powered_off(sandbox, hosts):
    """The job ends within the time that docs/cluster.md says; --resume on the hosts that are left completes it."""
    fill(sandbox)
    with subprocess.Popen([*hosts.mpirun(["h1:2", "h2:2", "h3:2"]), os.path.abspath(MPTHUMB), "-j", "1", "-v",
                           "--journal-sync", "0.1", "--exact", "images"], cwd=sandbox.root, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as job:
        for _ in range(20):
            assert job.stdout.readline().endswith(b" was processed...\n")
        hosts.power_off("h3")
        begun_s = time.monotonic()
        job.stdout.read()
        status = job.wait(RUN_TIMEOUT_S)
    took_s = time.monotonic() - begun_s
    assert status != 0, "the run had ended before"
    assert took_s <= ENDS_WITHIN_S, f"{took_s:.1f} s, and the README says {ENDS_WITHIN_S}"
    left = len(journal_reader.final(sandbox.path("thumbs/.mpthumb/journal.jsonl")))
    outcome = run(sandbox, hosts.mpirun(["h1:2", "h2:2"]), "-j", "1", "--exact", "--resume", "images")
    equal(outcome.exit, 0, outcome)
    assert f", {left} done before, 0 failed" in outcome.lines[-1], (left, outcome)
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))
    equal(journal_reader.temporary_files(sandbox.path("thumbs")), [])
    print(f"        exit status {status} after {took_s:.1f} s; {left} of {FILES} were in the journal")


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failures = 0
    for name, case in list(globals().items()):
        if not name.startswith("case_") or wanted not in name:
            continue
        sandbox = Sandbox()
        try:
            with tempfile.TemporaryDirectory(prefix="mpthumb-hosts-") as directory, Hosts(directory, 3) as hosts:
                case(sandbox, hosts)
            print("ok     hosts:", name[5:], flush=True)
        except Exception as problem:  # a failed assertion, a run that hangs
            failures += 1
            print("FAILED hosts:", name[5:], problem, flush=True)
        finally:
            sandbox.close()
    sys.exit(1 if failures else 0)


main()
