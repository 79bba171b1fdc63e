#!/usr/bin/python3
"""mpthumb on a file system that is far away: images per second with 5 ms added to every open of an input, beside
those without; medians of alternating rounds. Started by scripts/bench.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import tempfile

from images import repeated
from measure import adopt, machine, measure

MPTHUMB, SHIM = os.environ["MPTHUMB"], os.environ["SLOW_OPEN"]
FILES = 5000
WANTED = 0.90


def throughput(images, thumbs, workers, files, options, slow):
    environment = dict(os.environ)
    if slow:
        environment |= {"LD_PRELOAD": SHIM, "SLOW_BELOW": str(images), "SLOW_MS": "5"}
    command = [MPTHUMB, "--quiet", "-j", str(workers), *options, "-o", str(thumbs), str(images)]
    wall = measure(command, env=environment)[1]
    shutil.rmtree(thumbs)
    return files / wall


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench latency")
    parser.add_argument("folder", nargs="?", metavar="DIR")
    parser.add_argument("--default", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    adopt()
    ways = {"as it is": ([], False), "5 ms an open": ([], True),
            "5 ms an open, --read-ahead 0": (["--read-ahead", "0"], True)}
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as scratch_name:
        scratch = pathlib.Path(scratch_name)
        images, files, _, _ = repeated(arguments.folder or arguments.default, scratch, FILES)
        for path in images.iterdir():
            path.read_bytes()  # from memory
        rates = {label: [] for label in ways}
        for _ in range(arguments.rounds):
            for label, (options, slow) in ways.items():
                rates[label].append(
                    throughput(images, scratch / "thumbs", arguments.workers, files, options, slow))
    medians = {label: statistics.median(runs) for label, runs in rates.items()}
    plain = medians["as it is"]
    print(f"{machine()}\n{files} files, {arguments.workers} workers, medians of {arguments.rounds} rounds")
    for label, rate in medians.items():
        print(f"{label:30} {rate:8.0f} images/s  {100 * rate / plain:5.1f} %")
    ratio = medians["5 ms an open"] / plain
    print(f"wanted {100 * WANTED:.0f} %: {'met' if ratio >= WANTED else 'not met'}")


if __name__ == "__main__":
    main()
