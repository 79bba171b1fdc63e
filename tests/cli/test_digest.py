#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mpbatch digest: the lines are those of sha256sum and xxhsum, whatever the files are called.

    test_digest.py full DIRECTORY     also measures 3 GB in many files and in one, beside sha256sum; not run by ctest
"""
import hashlib
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time

from engine_runs import MPBATCH, RANKS
from harness import RUN_TIMEOUT_S, equal, main

LIMIT_MB = 40
AWKWARD = [b"plain", b"two words", b"  leading and trailing  ", b"line\nbreak", b"back\\slash", b"carriage\rreturn",
           b"\\n", b"all\\of\n\rthem\\", b"not UTF-8 \xff\xfe", "\u00e4\u6f22".encode(), b"-", b"-dash", b"*star",
           b"'quote\"", b"tab\there", b"\x01\x7f", b"n" * 255, b"\\" * 255, b"\n" * 200]

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


# ---- On demand: large inputs, side by side with sha256sum ----

def timed(command, folder, out):
    before, begun_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(out, "wb") as stream:
        subprocess.run(command, cwd=folder, stdout=stream, stderr=subprocess.DEVNULL, shell=isinstance(command, str),
                       check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.monotonic() - begun_s,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def compare(folder, label, ours, theirs):
    """Five alternating rounds. The outputs must be the same, in any order."""
    rounds = [(timed(ours, folder, folder / "ours"), timed(theirs, folder, folder / "theirs")) for _ in range(5)]
    equal(sorted((folder / "ours").read_bytes().splitlines()), sorted((folder / "theirs").read_bytes().splitlines()))
    for what, at in (("wall", 0), ("CPU", 1)):
        mine, other = (statistics.median(one[side][at] for one in rounds) for side in (0, 1))
        print(f"{label}, {what}: mpbatch {mine:.2f} s, sha256sum {other:.2f} s, ratio {mine / other:.2f}")


def full(top):
    folder = pathlib.Path(top)
    if not (folder / "many").exists():
        generator = random.Random(3)
        for number in range(3000):
            path = folder / f"many/{number % 30}/{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(generator.randbytes(1 << 20))
        (folder / "one").write_bytes(generator.randbytes(1 << 20))
        os.truncate(folder / "one", 2 << 30)
    for arguments, label in (("many", "3 GB in 3000 files"), ("one", "one file of 2 GB")):
        done = subprocess.run([sys.executable, "-c", RUN, MPBATCH, "--quiet", "--no-journal", "digest", "-o", "sums",
                               arguments], cwd=folder, capture_output=True, check=True)
        print(f"{label}: largest process {int(done.stdout) / 1024:.1f} MB")
        compare(folder, label, [MPBATCH, "--quiet", "--no-journal", "-j", "2", "digest", arguments],
                f"find {arguments} -type f -print0 | xargs -0 -P2 -n 32 sha256sum")


if sys.argv[1:2] == ["full"]:
    full(sys.argv[2])
else:
    main(globals())
