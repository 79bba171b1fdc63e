#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The tests of pool_speed.c with Python pools: concurrent.futures or mpi4py.futures, two workers.

    pool_python.py processes submit|map|trip N [CHUNK]
    mpirun -n 3 python3 -m mpi4py.futures pool_python.py mpi submit|map|trip N [CHUNK]

Prints one number: tasks/s, or the median microseconds of a round trip.
"""
import statistics
import sys
import time


def noop(_):
    return None


def submit(pool, count, _):
    begun = time.perf_counter()
    futures = [pool.submit(noop, None) for _ in range(count)]
    for future in futures:
        future.result()
    return count / (time.perf_counter() - begun)


def in_order(pool, count, chunk):
    begun = time.perf_counter()
    done = sum(1 for _ in pool.map(noop, range(count), chunksize=chunk))
    assert done == count
    return count / (time.perf_counter() - begun)


def trip(pool, count, _):
    times = []
    for _ in range(count):
        time.sleep(0.0003)
        begun = time.perf_counter()
        pool.submit(noop, None).result()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e6


def main(kind, test, count, chunk=1):
    if kind == "mpi":
        from mpi4py.futures import MPIPoolExecutor as Executor
    else:
        from concurrent.futures import ProcessPoolExecutor as Executor
    with Executor(2) as pool:
        in_order(pool, 1000, 1)
        print(f"{ {'submit': submit, 'map': in_order, 'trip': trip}[test](pool, int(count), int(chunk)):.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
