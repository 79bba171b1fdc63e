#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the pool with concurrent.futures and mpi4py.futures: empty tasks, two workers. Started by scripts/bench.

speed   tasks per second, with a future for each task and with map; the time from a submit to its result on an idle
        pool; and the CPU time per task of all processes, including start-up. Medians of rounds that alternate
        between the three pools.
rank0   the CPU time that a rank needs for a message. Those of scripts/simulate come from other hosts.
idle    the throughput of one worker beside 15 idle ranks, compared with its throughput alone.
"""
import argparse
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

from measure import become_subreaper, machine, measure

BUILD = pathlib.Path(os.environ["MPTHUMB_BUILD"]) / "tests"
POOL_SPEED = str(BUILD / "bench/pool_speed")
PYTHON = str(pathlib.Path(__file__).with_name("pool_python.py"))
MPIRUN = ["mpirun", "--oversubscribe", "-n"]
OURS, PROCESSES, MPI = "mppool", "ProcessPoolExecutor", "mpi4py.futures"
COMMANDS = {
    OURS: [POOL_SPEED],
    PROCESSES: [sys.executable, PYTHON, "processes"],
    MPI: [*MPIRUN, "3", sys.executable, "-m", "mpi4py.futures", PYTHON, "mpi"],
}

# What is measured: title, the arguments of each program, whether more is better.
SPEEDS = (
    ("one future per task", {OURS: "submit 1000000", PROCESSES: "submit 20000", MPI: "submit 20000"}, True),
    ("map, chunks of 1", {OURS: "map 1000000 1", PROCESSES: "map 20000 1", MPI: "map 20000 1"}, True),
    ("map, chunks of 100", {OURS: "map 5000000 100", PROCESSES: "map 1000000 100", MPI: "map 1000000 100"}, True),
    ("map, best chunk size", {OURS: "map 10000000", PROCESSES: "map 1000000 100", MPI: "map 1000000 100"}, True),
    ("round trip, us", {OURS: "trip 2000", PROCESSES: "trip 2000", MPI: "trip 2000"}, False),
)


def speed(rounds):
    print(f"{'':24} {OURS:>12} {PROCESSES:>20} {'x':>6} {MPI:>16} {'x':>6}   CPU us per task")
    for title, arguments, more in SPEEDS:
        figures = {name: [] for name in COMMANDS}
        cpu = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, command in COMMANDS.items():
                words = arguments[name].split()
                run = measure([*command, *words], stdout=subprocess.PIPE, env={**os.environ, "POOL_WORKERS": "2"})
                figures[name].append(float(run.stdout))
                cpu[name].append(run.cpu / int(words[1]) * 1e6)
        ours, processes, mpi = (statistics.median(figures[name]) for name in COMMANDS)
        against = [ours / other if more else other / ours for other in (processes, mpi)]
        costs = ", ".join(f"{statistics.median(cpu[name]):.2f}" for name in COMMANDS)
        print(f"{title:24} {ours:12.0f} {processes:20.0f} {against[0]:6.1f} {mpi:16.0f} {against[1]:6.1f}   {costs}",
              flush=True)


def rank0(rounds):
    without_doorbell = {**os.environ, "LD_PRELOAD": str(BUILD / "shim/libno_doorbell.so"), "NO_DOORBELL_RANK": "1"}
    print("\nA message of 256 bytes takes a rank so many ns of CPU time:")
    for title, environment in (("of the same host", None), ("of another host (without a doorbell)", without_doorbell)):
        runs = []
        for _ in range(rounds):
            text = measure([*MPIRUN, "2", str(BUILD / "bench/rank0_cost")], stdout=subprocess.PIPE,
                           env=environment).stdout
            runs.append([float(number) for number in re.search(r"receive (\d+) ns, send (\d+) ns", text).groups()])
        receive, send = (statistics.median(column) for column in zip(*runs))
        print(f"  {title}: {receive:.0f} to receive, {send:.0f} to send")


def busy(ranks):
    text = measure([*MPIRUN, str(ranks), str(BUILD / "mpi/pool_test"), "busy", "1"], stdout=subprocess.PIPE).stdout
    return float(re.search(r"busy: (\d+)", text).group(1))


def idle(rounds):
    share = []
    for _ in range(rounds):
        alone, beside = busy(1), busy(16)
        share.append(100 * beside / alone)
    print(f"A busy worker beside 15 idle ranks has {statistics.median(share):.1f} % of the throughput that it has alone"
          f" (worst of {rounds} rounds {min(share):.1f} %)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench pool")
    parser.add_argument("--rounds", type=int, default=5)
    rounds_wanted = parser.parse_args().rounds
    import mpi4py
    become_subreaper()
    print(f"{machine()}\nPython {platform.python_version()}, mpi4py {mpi4py.__version__}; two workers, empty"
          f" tasks, tasks/s; x: how many times faster mppool is; medians of {rounds_wanted} alternating rounds")
    speed(rounds_wanted)
    rank0(rounds_wanted)
    idle(rounds_wanted)
