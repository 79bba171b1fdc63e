#!/usr/bin/python3
"""How well work is spread over ranks, and what idle ranks cost. Started by scripts/bench.

steal   1,600 sleeping tasks, the first half 100 times as long as the rest, on 16 ranks of one worker: seconds
        beside the ideal, which is the time the workers spent in tasks, evenly spread.
idle    what one worker gets through in two seconds while 15 other ranks idle, beside what it does alone.
"""
import argparse
import os
import re
import statistics
import subprocess

POOL_TEST = os.environ["POOL_TEST"]
MPIRUN = ["mpirun", "--oversubscribe", "-n"]


def run(ranks, scenario, pattern):
    command = [*MPIRUN, str(ranks), POOL_TEST, scenario, "1"]
    text = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    return [float(number) for number in re.search(pattern, text).groups()]


def steal(rounds):
    over = []
    for _ in range(rounds):
        wall, ideal, steals, tasks = run(
            16, "steal", r"([\d.]+) s, ideal ([\d.]+) s .*, (\d+) steals of (\d+) tasks")
        over.append(100 * (wall / ideal - 1))
        print(f"steal  {wall:.3f} s, ideal {ideal:.3f} s: {over[-1]:.1f} % over, "
              f"{steals:.0f} steals of {tasks:.0f} tasks")
    print(f"steal  median {statistics.median(over):.1f} % over the ideal, worst {max(over):.1f} %")


def idle(rounds):
    share = []
    for _ in range(rounds):
        alone, = run(1, "busy", r"busy: (\d+)")
        beside, = run(16, "busy", r"busy: (\d+)")
        share.append(100 * beside / alone)
        print(f"idle   alone {alone:.0f} rounds/s, beside 15 idle ranks {beside:.0f}: {share[-1]:.1f} %")
    print(f"idle   median {statistics.median(share):.1f} % of the throughput alone, worst {min(share):.1f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench spread")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    steal(arguments.rounds)
    idle(arguments.rounds)
