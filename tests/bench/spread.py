#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures how evenly work is spread over ranks. Started by scripts/bench.

steal   1,600 sleeping tasks, the first half 100 times as long as the rest, on 16 ranks with one worker each: the run
        time, compared with the ideal, which is the total time of all tasks divided by the number of workers.
pareto  19,200 sleeping tasks with Pareto times (alpha 1.5, mean 20 ms) on 64 ranks: the run time, compared with the
        lower bound max(total / N, longest task), and with list scheduling without overhead ("greedy"). Each round has
        different times.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess

BUILD = pathlib.Path(os.environ["MPTHUMB_BUILD"]) / "tests"
MPIRUN = ["mpirun", "--oversubscribe", "-n"]


def run(ranks, command, pattern):
    text = subprocess.run([*MPIRUN, str(ranks), *map(str, command)], check=True, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True).stdout
    return [float(number) for number in re.search(pattern, text).groups()]


def steal(rounds):
    over = []
    for _ in range(rounds):
        wall, ideal, steals, tasks = run(16, [BUILD / "mpi/pool_test", "steal", 1],
                                         r"([\d.]+) s, ideal ([\d.]+) s .*, (\d+) steals of (\d+) tasks")
        over.append(100 * (wall / ideal - 1))
        print(f"steal   {wall:.3f} s, ideal {ideal:.3f} s: {over[-1]:.1f} % over, "
              f"{steals:.0f} steals of {tasks:.0f} tasks", flush=True)
    print(f"steal   median {statistics.median(over):.1f} % over the ideal, worst {max(over):.1f} %")


def pareto(rounds):
    of_greedy = []
    for seed in range(1, rounds + 1):
        wall, bound, of_bound, greedy = run(64, [BUILD / "bench/pareto", 300, 20, seed],
                                            r"([\d.]+) s, bound ([\d.]+) s: ([\d.]+) %; greedy ([\d.]+) %")
        of_greedy.append(100 * of_bound / greedy)
        print(f"pareto  {wall:.3f} s, bound {bound:.3f} s: {of_bound:.1f} % of the bound; greedy {greedy:.1f} %: "
              f"{of_greedy[-1]:.1f} % of greedy", flush=True)
    print(f"pareto  median {statistics.median(of_greedy):.1f} % of greedy, worst {min(of_greedy):.1f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench spread")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    steal(arguments.rounds)
    pareto(arguments.rounds)
