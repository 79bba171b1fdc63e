#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Wrong command lines: one line on stderr, printed once for any number of ranks, and exit status 2."""
import os

import launchers
from harness import equal, main

WRONG = [
    [],
    ["--no-such-option", "a.jpg"],
    ["-Z", "a.jpg"],
    ["--size", "0", "a.jpg"],
    ["--size", "-5", "a.jpg"],
    ["--size", "50x", "a.jpg"],
    ["--size", "axb", "a.jpg"],
    ["--size", "99999999999999999999", "a.jpg"],
    ["--size", "", "a.jpg"],
    ["--blur", "-1", "a.jpg"],
    ["--blur", "nan", "a.jpg"],
    ["--blur", "much", "a.jpg"],
    ["--quality", "0", "a.jpg"],
    ["--quality", "101", "a.jpg"],
    ["--format", "gif", "a.jpg"],
    ["--workers", "0x", "a.jpg"],
    ["--workers", "-1", "a.jpg"],
    ["--output", "", "a.jpg"],
    ["--size"],
    ["--suffix", "a/b", "a.jpg"],
    ["--suffix", "../x", "--beside", "a.jpg"],
    ["-0", "a.jpg"],
]


def refused(sandbox, arguments, ranks):
    outcome = sandbox.run(*arguments, ranks=ranks)
    equal((outcome.exit, outcome.out), (2, ""), f"{arguments}: {outcome}")
    equal(len(outcome.err.splitlines()), 1, f"{arguments}: {outcome}")
    equal(len(outcome.errors), 1, f"{arguments}: {outcome}")


def case_wrong_arguments(sandbox):
    sandbox.images("a.jpg")
    wrong = []
    for arguments in WRONG:
        try:
            refused(sandbox, arguments, ranks=0)
        except AssertionError as error:
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)
    equal(sandbox.names(), ["a.jpg"])


def case_wrong_arguments_under_mpirun(sandbox):
    sandbox.images("a.jpg")
    refused(sandbox, ["--no-such-option", "a.jpg"], ranks=3)
    refused(sandbox, [], ranks=3)


def case_help(sandbox):
    for ranks in (0, 3):
        outcome = sandbox.run("--help", ranks=ranks)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        equal(outcome.out.lower().count("usage:"), 1, "once, not once per rank")
        for option in ("--files-from", "--output", "--flat", "--beside", "--suffix", "--size", "--blur",
                       "--format", "--quality", "--workers", "--dry-run", "--quiet", "--no-orient"):
            assert option in outcome.out, f"{option} is missing in --help"


def case_version(sandbox):
    for ranks in (0, 3):
        outcome = sandbox.run("--version", ranks=ranks)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        assert outcome.out.startswith("mpthumb "), outcome
        equal(outcome.out.count("mpthumb "), 1)
        equal(outcome.out.splitlines()[1], launchers.detect()[1])


def case_srun_without_support_for_this_mpi(sandbox):
    """Slurm's variable alone means independent processes; with those of the launcher they are one MPI job."""
    sandbox.images("images/a.jpg")
    step = dict(os.environ, SLURM_STEP_NUM_TASKS="2")
    refused_in = [step]
    if launchers.detect()[0].mpi == "Open MPI":
        refused_in.append(dict(step, PMI_RANK="0"))  # srun --mpi=pmi2, which Open MPI does not use
    for environment in refused_in:
        outcome = sandbox.run("images", environment=environment)
        equal((outcome.exit, len(outcome.about("not one MPI job"))), (2, 1), outcome)
    equal(sandbox.run("images", ranks=2, environment=step).exit, 0)


def case_the_launcher_of_another_mpi(sandbox):
    """Each of its processes would be a run of its own."""
    sandbox.images("images/a.jpg")
    if launchers.detect()[0].mpi != "Open MPI":
        return  # here it is the launcher that sets these variables
    outcome = sandbox.run("images", environment=dict(os.environ, PMI_RANK="0", PMI_SIZE="2"))
    equal((outcome.exit, len(outcome.about("each is a run of its own"))), (70, 1), outcome)
    assert not sandbox.path("thumbs").exists()


def case_help_to_a_full_disk_fails(sandbox):
    with open("/dev/full", "wb") as full:
        outcome = sandbox.run("--help", stdout=full)
    assert outcome.exit not in (0, None), outcome


def case_summary_to_a_full_disk_fails(sandbox):
    """The thumbnails are made, but the summary could not be written: not a success."""
    sandbox.images("images/a.jpg")
    for verbose in ([], ["-v"]):
        with open("/dev/full", "wb") as full:
            outcome = sandbox.run(*verbose, "images", stdout=full)
        assert outcome.exit > 0, outcome
        equal(sandbox.names("thumbs"), ["a.jpg"])


main(globals())
