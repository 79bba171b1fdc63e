#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures runs over millions of inputs: time and memory of rank 0, and when the first input is done. Started by
scripts/bench."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from measure import machine

BUILD = pathlib.Path(os.environ["MPTHUMB_BUILD"])
MPTHUMB, MPBATCH = BUILD / "src/cli/mpthumb", BUILD / "src/cli/mpbatch"
NAMES = (1, 100_000, 1_000_000, 4_000_000)
DIRECTORIES, FILES_EACH = 200, 1000
PIXEL = bytes.fromhex(  # a PNG with one gray pixel
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082")


def run(command):
    """Runs a command. Returns (wall seconds, largest resident memory of its process in MB)."""
    begun = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        sys.exit(f"bench: {command} ended with {status}")
    return time.monotonic() - begun, usage.ru_maxrss / 1024


def names(scratch, rounds):
    print("\nnames from a file, empty tasks, with a journal; 2 workers")
    print(f"{'names':>10} {'wall s':>8} {'files/s':>10} {'memory of rank 0, MB':>22}")
    for count in NAMES:
        listed = scratch / "names"
        with open(listed, "w", encoding="ascii") as stream:
            stream.writelines(f"data/images/{number % 1000:03}/{number:08}.jpg\n" for number in range(count))
        journal = scratch / "journal.jsonl"
        figures = []
        for _ in range(rounds):
            journal.unlink(missing_ok=True)  # otherwise it would be kept under another name
            figures.append(run([MPBATCH, "-j", "2", "--quiet", "--files-from", listed, "--journal", journal, "noop"]))
            with open(journal, "rb") as stream:
                written = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
            if written != count + 1:
                sys.exit(f"bench: {written} lines in the journal for {count} names")
        wall, memory = map(statistics.median, zip(*figures))
        print(f"{count:10} {wall:8.2f} {count / wall:10.0f} {memory:22.1f}", flush=True)


def tree(scratch, rounds):
    images = scratch / "images"
    for directory in range(DIRECTORIES):
        folder = images / f"{directory:03}"
        folder.mkdir(parents=True)
        (folder / "0000.png").write_bytes(PIXEL)
        for number in range(1, FILES_EACH):
            os.link(folder / "0000.png", folder / f"{number:04}.png")
    print(f"\na directory tree with {DIRECTORIES * FILES_EACH} images of one pixel; mpthumb -j 2 -v")
    firsts, walls = [], []
    for number in range(rounds):
        begun = time.monotonic()
        with subprocess.Popen([MPTHUMB, "-j", "2", "-v", "-o", scratch / f"thumbs-{number}", images],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            firsts.append(time.monotonic() - begun)
            process.stdout.read()
        walls.append(time.monotonic() - begun)
    print(f"the first is done after {statistics.median(firsts):.3f} s, the last after {statistics.median(walls):.1f} s")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench large")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{machine()}; medians of {arguments.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as name:
        scratch = pathlib.Path(name)
        names(scratch, arguments.rounds)
        tree(scratch, arguments.rounds)


if __name__ == "__main__":
    main()
