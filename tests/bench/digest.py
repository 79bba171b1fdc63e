#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares `mpbatch digest` with `xargs sha256sum` in alternating rounds: many files, and one large file. Started by
scripts/bench."""
import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

from measure import become_subreaper, machine, measure

MPBATCH = pathlib.Path(os.environ["MPTHUMB_BUILD"]) / "src/cli/mpbatch"


def make(folder, count, size):
    folder.mkdir()
    for number in range(count):
        with open(folder / f"{number:05}", "wb") as stream:
            for _ in range(size >> 20):
                stream.write(os.urandom(1 << 20))


def compare(folder, workers, rounds):
    """Medians of (wall, CPU) seconds of both; their lines must be the same."""
    ours = [MPBATCH, "-j", str(workers), "--quiet", "--no-journal", "digest", "."]
    theirs = ["sh", "-c", f"find . -type f | LC_ALL=C sort | xargs -P{workers} -n16 sha256sum"]
    times = {0: [], 1: []}
    for turn in range(rounds):
        lines = {}
        for which in ((0, 1), (1, 0))[turn % 2]:
            run = measure((ours, theirs)[which], cwd=folder, stdout=subprocess.PIPE)
            times[which].append((run.wall, run.cpu))
            lines[which] = sorted(run.stdout.splitlines())
        assert lines[0] == lines[1], "the digests differ"
    return [tuple(map(statistics.median, zip(*times[which]))) for which in (0, 1)]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench digest")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    become_subreaper()
    print(machine())
    print(f"{'files':>24} {'digest: wall s':>15} {'CPU s':>7} {'sha256sum: wall s':>18} {'CPU s':>7} {'wall':>6} {'CPU':>6}")
    for count, size in ((3000, 1 << 20), (1, 2 << 30)):
        with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as name:
            make(pathlib.Path(name, "files"), count, size)
            (wall, cpu), (their_wall, their_cpu) = compare(pathlib.Path(name, "files"), arguments.workers,
                                                           arguments.rounds)
        print(f"{count:10} of {size >> 20:6} MiB {wall:15.2f} {cpu:7.2f} {their_wall:18.2f} {their_cpu:7.2f}"
              f" {their_wall / wall:5.1f}x {their_cpu / cpu:5.1f}x", flush=True)


if __name__ == "__main__":
    main()
