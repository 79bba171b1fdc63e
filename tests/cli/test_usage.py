#!/usr/bin/python3
"""What is asked wrongly: one line on stderr, once however many ranks there are, exit status 2."""
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


def refused(scene, arguments, ranks):
    outcome = scene.run(*arguments, ranks=ranks)
    equal((outcome.exit, outcome.out), (2, ""), f"{arguments}: {outcome}")
    equal(len(outcome.err.splitlines()), 1, f"{arguments}: {outcome}")
    equal(len(outcome.errors), 1, f"{arguments}: {outcome}")


def case_wrong_arguments(scene):
    scene.images("a.jpg")
    wrong = []
    for arguments in WRONG:
        try:
            refused(scene, arguments, ranks=0)
        except AssertionError as error:
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)
    equal(scene.names(), ["a.jpg"])


def case_wrong_arguments_under_mpirun(scene):
    scene.images("a.jpg")
    refused(scene, ["--no-such-option", "a.jpg"], ranks=3)
    refused(scene, [], ranks=3)


def case_help(scene):
    for ranks in (0, 3):
        outcome = scene.run("--help", ranks=ranks)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        equal(outcome.out.lower().count("usage:"), 1, "once, not once a rank")
        for option in ("--files-from", "--output", "--flat", "--beside", "--suffix", "--size", "--blur",
                       "--format", "--quality", "--workers", "--dry-run", "--quiet", "--no-orient"):
            assert option in outcome.out, f"{option} is missing in --help"


def case_version(scene):
    for ranks in (0, 3):
        outcome = scene.run("--version", ranks=ranks)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        assert outcome.out.startswith("mpthumb "), outcome
        equal(outcome.out.count("mpthumb "), 1)


def case_help_to_a_full_disk_fails(scene):
    with open("/dev/full", "wb") as full:
        outcome = scene.run("--help", stdout=full)
    assert outcome.exit not in (0, None), outcome


def case_summary_to_a_full_disk_fails(scene):
    """The work is done, but what was to be said could not be: not a success."""
    scene.images("images/a.jpg")
    for verbose in ([], ["-v"]):
        with open("/dev/full", "wb") as full:
            outcome = scene.run(*verbose, "images", stdout=full)
        assert outcome.exit > 0, outcome
        equal(scene.names("thumbs"), ["a.jpg"])


main(globals())
