#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Simulates a slow network file system: images per second with a delay of 5 ms added to each open of an input,
compared with those without a delay. Medians of alternating rounds. Started by scripts/bench.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import tempfile

from compare_thumbnailers import repeated
from measure import become_subreaper, machine, measure

MPTHUMB, SHIM = os.environ["MPTHUMB"], os.environ["SLOW_OPEN"]
FILES = 5000
WANTED = 0.90


def throughput(images, thumbs, workers, files, options, slow):
    environment = dict(os.environ)
    if slow:
        environment |= {"LD_PRELOAD": SHIM, "SLOW_BELOW": str(images), "SLOW_MS": "5"}
    command = [MPTHUMB, "--quiet", "-j", str(workers), *options, "-o", str(thumbs), str(images)]
    wall = measure(command, env=environment).wall
    shutil.rmtree(thumbs)
    return files / wall


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench latency")
    parser.add_argument("folder", nargs="?", metavar="DIR")
    parser.add_argument("--default", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    become_subreaper()
    settings = {"no delay": ([], False), "5 ms per open": ([], True),
            "5 ms per open, --read-ahead 0": (["--read-ahead", "0"], True)}
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as scratch_name:
        scratch = pathlib.Path(scratch_name)
        images, files, _, _ = repeated(arguments.folder or arguments.default, scratch, FILES)
        for path in images.iterdir():
            path.read_bytes()  # so that it is in the page cache
        rates = {label: [] for label in settings}
        for _ in range(arguments.rounds):
            for label, (options, slow) in settings.items():
                rates[label].append(
                    throughput(images, scratch / "thumbs", arguments.workers, files, options, slow))
    medians = {label: statistics.median(runs) for label, runs in rates.items()}
    plain = medians["no delay"]
    print(f"{machine()}\n{files} files, {arguments.workers} workers, medians of {arguments.rounds} rounds")
    for label, rate in medians.items():
        print(f"{label:30} {rate:8.0f} images/s  {100 * rate / plain:5.1f} %")
    ratio = medians["5 ms per open"] / plain
    print(f"wanted {100 * WANTED:.0f} %: {'met' if ratio >= WANTED else 'not met'}")


if __name__ == "__main__":
    main()
