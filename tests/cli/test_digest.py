#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mpbatch digest: the lines are those of sha256sum and xxhsum, whatever the files are called."""
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys

from engine_runs import MPBATCH, RANKS
from harness import RUN_TIMEOUT_S, equal, main

LIMIT_MB = 40
AWKWARD = [b"plain", b"two words", b"  leading and trailing  ", b"line\nbreak", b"back\\slash", b"carriage\rreturn",
           b"\\n", b"all\\of\n\rthem\\", b"not UTF-8 \xff\xfe", "\u00e4\u6f22".encode(), b"-", b"-dash", b"*star",
           b"'quote\"", b"tab\there", b"\x01\x7f", b"n" * 255, b"\\" * 255, b"\n" * 200]

# The XXH3 lines of the same files, up to the checksum. A backslash is escaped only in names with a line end.
XXH3_LINES = [b"XXH3 (in/plain)", b"XXH3 (in/two words)", b"XXH3 (in/  leading and trailing  )",
              rb"\XXH3 (in/line\nbreak)", rb"XXH3 (in/back\slash)", rb"\XXH3 (in/carriage\rreturn)", rb"XXH3 (in/\n)",
              rb"\XXH3 (in/all\\of\n\rthem\\)", b"XXH3 (in/not UTF-8 \xff\xfe)",
              "XXH3 (in/\u00e4\u6f22)".encode(), b"XXH3 (in/-)", b"XXH3 (in/-dash)", b"XXH3 (in/*star)",
              b"XXH3 (in/'quote\")", b"XXH3 (in/tab\there)", b"XXH3 (in/\x01\x7f)",
              b"XXH3 (in/" + b"n" * 255 + b")", b"XXH3 (in/" + b"\\" * 255 + b")",
              rb"\XXH3 (in/" + rb"\n" * 200 + b")"]

# Prints the largest resident set of the run's processes in kilobytes.
RUN = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def raw(sandbox, *command, stdin=None):
    """stdout in bytes of a command that must succeed."""
    return subprocess.run(command, cwd=sandbox.root, input=stdin, capture_output=True, check=True,
                          timeout=RUN_TIMEOUT_S).stdout


def awkward(sandbox):
    for number, name in enumerate(AWKWARD):
        sandbox.write(b"in/" + name, b"%d" % number * number)  # the first one is empty
    return [b"in/" + name for name in AWKWARD]


def case_the_lines_are_those_of_sha256sum(sandbox):
    names = awkward(sandbox)
    wanted = raw(sandbox, "sha256sum", "--", *names)
    for ranks in RANKS:
        outcome = sandbox.run("--run-dir", f"run-{ranks}", "digest", "-o", "sums", *names, program=MPBATCH, ranks=ranks)
        equal(outcome.exit, 0, outcome)
        equal(sandbox.path("sums").read_bytes(), wanted)
        raw(sandbox, "sha256sum", "--check", "--strict", "sums")
        outcome = sandbox.run("--run-dir", f"run-{ranks}", "--resume", "digest", "-o", "again", *names, program=MPBATCH,
                              ranks=ranks)
        assert "0 done, 19 done before, 0 failed" in outcome.out, outcome
        equal(sandbox.path("again").read_bytes(), wanted, "from the journal")


def case_names_from_a_list(sandbox):
    names = awkward(sandbox)
    wanted = raw(sandbox, "sha256sum", "--", *names)
    for ranks in RANKS:
        sandbox.run("--no-journal", "digest", "-o", "sums", "--files-from", "-", "-0", program=MPBATCH, ranks=ranks,
                    stdin=b"\0".join(names))
        equal(sandbox.path("sums").read_bytes(), wanted)


def case_the_lines_are_those_of_xxhsum(sandbox):
    names = awkward(sandbox)
    outcome = sandbox.run("--no-journal", "digest", "-a", "xxh3", "-o", "sums", *names, program=MPBATCH)
    equal(outcome.exit, 0, outcome)
    lines = sandbox.path("sums").read_bytes().splitlines(True)
    for line, shown in zip(lines, XXH3_LINES, strict=True):
        assert re.fullmatch(re.escape(shown) + rb" = [0-9a-f]{16}\n", line), line
    equal([line.split()[-1] for line in lines[:3]],
          [b"2d06800538d394c2", b"65cd25028f98f158", b"a2d9242e96f5dfac"])  # of nothing, "1" and "22"
    if not shutil.which("xxhsum"):
        print("        (xxhsum is not installed)")
        return
    # It cannot read names with line ends; versions from 0.8.2 on escape backslashes, earlier ones do not.
    names = [name for name in names if not set(name) & set(b"\n\r\\")]
    sandbox.run("--no-journal", "digest", "-a", "xxh3", "-o", "sums", *names, program=MPBATCH)
    raw(sandbox, "xxhsum", "--check", "--strict", "sums")
    theirs = [raw(sandbox, "xxhsum", "-H3", name).split()[-1 if b"(" in raw(sandbox, "xxhsum", "-H3", name) else 0]
              for name in names]
    equal([line.split()[-1] for line in sandbox.path("sums").read_bytes().splitlines()],
          [checksum.removeprefix(b"XXH3_") for checksum in theirs])


def case_total_is_the_checksum_of_the_lines(sandbox):
    names = awkward(sandbox)
    lines = raw(sandbox, "sha256sum", "--", *names)
    for ranks in RANKS:
        outcome = sandbox.run("--run-dir", f"run-{ranks}", "digest", "--total", *names, program=MPBATCH, ranks=ranks)
        equal((outcome.exit, outcome.out), (0, f"{hashlib.sha256(lines).hexdigest()}  -\n"), outcome)
        outcome = sandbox.run("--resume", "--run-dir", f"run-{ranks}", "digest", "--total", *names, program=MPBATCH)
        equal(outcome.out, f"{hashlib.sha256(lines).hexdigest()}  -\n")


def case_directories_are_walked_in_order(sandbox):
    for name in ("in/b/2", "in/a/1", "in/c", "in/b/x/3", "in/empty"):
        sandbox.write(name, name.encode() * (name != "in/empty"))
    sandbox.path("in/link").symlink_to("c")
    for ranks in RANKS:
        outcome = sandbox.run("--no-journal", "digest", "in", "in/c", "in/b", program=MPBATCH, ranks=ranks)
        equal(outcome.exit, 0, outcome)
        found = [line.split("  ")[1] for line in outcome.out.splitlines()]
        equal([name for name in found if name != "in/link"],
              ["in/a/1", "in/b/2", "in/b/x/3", "in/c", "in/empty", "in/c", "in/b/2", "in/b/x/3"])
        raw(sandbox, "sha256sum", "--check", "--strict", stdin=outcome.out.encode())


def case_what_cannot_be_read_fails_and_the_others_are_there(sandbox):
    good = ["in/1", "in/2", "in/3"]
    for name in good:
        sandbox.write(name, name.encode())
    sandbox.path("in/sub").mkdir()
    os.mkfifo(sandbox.path("fifo"))
    sandbox.path("broken").symlink_to("nowhere")
    bad = {"missing": "no such file", "fifo": "not a regular file", "/dev/null": "not a regular file",
           "broken": "a dangling symbolic link", "in/1/x": "Not a directory"}
    if os.geteuid():
        sandbox.write("secret", b"x")
        sandbox.path("secret").chmod(0)
        bad["secret"] = "Permission denied"
    else:
        print("        (root may read every file: the unreadable one is left out)")
    wanted = raw(sandbox, "sha256sum", *good).decode()
    names = ["in/1", *list(bad)[:2], "in/2", *list(bad)[2:], "in/3"]
    for ranks in RANKS:
        outcome = sandbox.run("--run-dir", f"run-{ranks}", "digest", *names, program=MPBATCH, ranks=ranks)
        equal((outcome.exit, outcome.out), (1, wanted), outcome)
        for name, why in bad.items():
            (line,) = [line for line in outcome.err.splitlines() if line.startswith(f"mpbatch: '{name}': ")]
            assert why in line, line
    outcome = sandbox.run("--no-journal", "digest", "--files-from", "-", program=MPBATCH, stdin=b"in/1\nin/sub\nin/2\n")
    equal((outcome.exit, len(outcome.out.splitlines())), (1, 2), outcome)
    assert "'in/sub': " in outcome.err, outcome


def case_an_empty_directory(sandbox):
    sandbox.path("in").mkdir()
    for ranks in RANKS:
        outcome = sandbox.run("--run-dir", f"run-{ranks}", "digest", "-o", "sums", "in", program=MPBATCH, ranks=ranks)
        equal((outcome.exit, sandbox.path("sums").read_bytes()), (0, b""), outcome)


def case_a_file_that_changed_is_read_again(sandbox):
    for number in range(5):
        sandbox.write(f"in/{number}", b"old")
    equal(sandbox.run("digest", "-o", "sums", "in", program=MPBATCH).exit, 0)
    sandbox.write("in/3", b"new!")
    outcome = sandbox.run("--resume", "digest", "-o", "sums", "in", program=MPBATCH)
    assert "1 done, 4 done before, 0 failed" in outcome.out, outcome
    raw(sandbox, "sha256sum", "--check", "--strict", "sums")


def peak_mb(sandbox, *command):
    outcome = sandbox.run("-c", RUN, *command, program=sys.executable)
    equal((outcome.exit, outcome.err), (0, ""), outcome)
    return int(outcome.out.splitlines()[-1]) / 1024


def case_memory_does_not_grow_with_the_file(sandbox):
    sandbox.write("large", random.Random(1).randbytes(1 << 20))
    os.truncate(sandbox.path("large"), 2 << 30)
    found = peak_mb(sandbox, MPBATCH, "--quiet", "digest", "-o", "sums", "large")
    equal(sandbox.path("sums").read_bytes(), raw(sandbox, "sha256sum", "large"))
    print(f"        one file of 2 GB: {found:.0f} MB")
    assert found < LIMIT_MB or os.environ.get("SANITIZE"), found


def case_memory_does_not_grow_with_the_number_of_files(sandbox):
    for number in range(30000):
        sandbox.write(f"in/{number % 100}/{number}", b"%d" % number)
    found = peak_mb(sandbox, MPBATCH, "--quiet", "digest", "-o", "sums", "in")
    equal(len(sandbox.path("sums").read_bytes().splitlines()), 30000)
    raw(sandbox, "sha256sum", "--check", "--strict", "--quiet", "sums")
    print(f"        30000 files: {found:.0f} MB")
    assert found < LIMIT_MB or os.environ.get("SANITIZE"), found


main(globals())
