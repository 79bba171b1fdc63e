#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures what several ranks cost beside one process. Started by scripts/bench.

images  mpthumb on 2 and on 16 ranks of this host, beside one process with two workers
noop    tasks that do nothing, on 2 ranks, beside ProcessPoolExecutor
idle    the CPU time of 15 idle ranks while a 16th one is busy
hosts   mpthumb on three virtual hosts, beside one rank on one of them; needs root and iproute2

The programs to be compared run in alternating rounds. CPU seconds and context switches are those of the whole process
tree. "Net" is without what a program costs on the same ranks that only calls MPI_Init_thread and MPI_Finalize (median
of the rounds); this can be more than the whole run, because ranks that wait for each other yield the core all the time.
A ratio is that of two runs in the same round; printed are the median of the rounds, and the least and the greatest.
Images and thumbnails are in memory if there is room. Each run has its own output directory, and all are deleted at the
end: on ext4, creating files is slow where files were just deleted.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from compare_thumbnailers import check_written, images_in, repeated
from measure import become_subreaper, machine, measure, reap_orphans

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "cluster"))
from virtual_hosts import Hosts  # noqa: E402

BUILD = pathlib.Path(os.environ["MPTHUMB_BUILD"]).resolve()
MPTHUMB, MPBATCH = str(BUILD / "src/cli/mpthumb"), str(BUILD / "src/cli/mpbatch")
ONLY_INIT, POOL_TEST = str(BUILD / "tests/bench/only_init"), str(BUILD / "tests/mpi/pool_test")
TWO_RANKS = ["mpirun", "--use-hwthread-cpus", "-n", "2"]
SIXTEEN_RANKS = ["mpirun", "--oversubscribe", "-n", "16"]
THUMBNAIL_BYTES = 8192  # of memory: a page, its directory entry and inode, and a line of the journal
NOOP_TASKS, PYTHON_TASKS, PYTHON_CHUNK = 20_000_000, 1_000_000, 100
IDLE_S = 10
RANK_VARIABLE = b"OMPI_COMM_WORLD_RANK="


# ---- Rounds and figures ----

def alternate(rounds, runs):
    """Calls each function of {label: function(number of the round)}, in each second round in the opposite order.
    Returns {label: [what it returned]}."""
    results = {label: [] for label in runs}
    for number in range(rounds):
        for label in list(runs)[::-1 if number % 2 else 1]:
            results[label].append(runs[label](number))
    return results


def median_of(results, name):
    return statistics.median(getattr(run, name) for run in results)


def net(results, init, name):
    """A figure of each run without what only MPI_Init_thread and MPI_Finalize cost."""
    return [getattr(run, name) - (median_of(init, name) if init else 0) for run in results]


def ratios(ours, theirs):
    return [one / other for one, other in zip(ours, theirs)]


def figure(label, values, bar=None, least=False):
    """Prints the median, the smallest and the largest of the values, and what is wanted."""
    value = statistics.median(values)
    wanted = ""
    if bar is not None:
        met = value >= bar if least else value <= bar
        wanted = f"   wanted at {'least' if least else 'most'} {bar:g}: {'met' if met else 'not met'}"
    print(f"{label:60} {value:8.3f}   {min(values):.3f} to {max(values):.3f}{wanted}", flush=True)


def table(results, files):
    print(f"{'':40} {'wall s':>8} {'CPU s':>8} {'images/s':>9} {'switches':>9} {'per file':>9}")
    for label, runs in results.items():
        wall, switches = median_of(runs, "wall"), median_of(runs, "switches")
        rate = "" if label.startswith("only") else f"{files / wall:.0f}"
        print(f"{label:40} {wall:8.2f} {median_of(runs, 'cpu'):8.2f} {rate:>9} {switches:9.0f} {switches / files:9.2f}",
              flush=True)


# ---- Images ----

def copied(folder, scratch, least):
    """Copies the images of a folder and repeats them. Returns (path, files)."""
    originals = scratch / "originals"
    originals.mkdir()
    for path in images_in(folder):
        shutil.copyfile(path, originals / path.name)
    images, files, size, times = repeated(originals, scratch, least)
    print(f"{folder}, each image {times} times: {files} files, {size / 2**20:.0f} MiB, in {scratch.parent}", flush=True)
    return images, files


def bytes_needed(folder, least, outputs):
    """How much memory images and thumbnails need, generously."""
    return 2 * (sum(path.stat().st_size for path in images_in(folder)) + outputs * max(least, 2000) * THUMBNAIL_BYTES)


def folder_in_memory(needed):
    """/dev/shm, or None, which is the directory for temporary files, if there is no room."""
    shm = pathlib.Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free >= needed:
        return str(shm)
    return None


def thumbnail_run(scratch, label, words, images, files, run=measure):
    """A function that runs mpthumb with its own output directory in each round."""
    def call(number):
        thumbs = scratch / f"{label}-{number}"
        result = run([*words, "--quiet", "-o", str(thumbs), str(images)])
        check_written(label, thumbs, files)
        return result
    return call


def bench_images(rounds, folder, least):
    one, two, sixteen = "mpthumb -j 2", "mpirun -n 2 mpthumb -j 1", "mpirun --oversubscribe -n 16 mpthumb"
    init_two, init_sixteen = "only MPI_Init and Finalize, 2 ranks", "only MPI_Init and Finalize, 16 ranks"
    place = folder_in_memory(bytes_needed(folder, least, 3 * rounds))
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-", dir=place) as name:
        scratch = pathlib.Path(name)
        images, files = copied(folder, scratch, least)
        commands = {one: [MPTHUMB, "-j", "2"], two: [*TWO_RANKS, MPTHUMB, "-j", "1"],
                    sixteen: [*SIXTEEN_RANKS, MPTHUMB]}
        runs = {label: thumbnail_run(scratch, label, words, images, files) for label, words in commands.items()}
        runs[init_two] = lambda _: measure([*TWO_RANKS, ONLY_INIT])
        runs[init_sixteen] = lambda _: measure([*SIXTEEN_RANKS, ONLY_INIT])
        results = alternate(rounds, runs)
    table(results, files)
    print(f"\n{'net, beside ' + one:60} {'median':>8}   min to max")
    for label, init, bar, most_switches in ((two, init_two, 1.05, 4), (sixteen, init_sixteen, 1.06, None)):
        for what, title in (("wall", "wall x"), ("cpu", "CPU x")):
            figure(f"{label}: {title}", ratios(net(results[label], results[init], what), net(results[one], None, what)),
                   bar)
        switches = net(results[label], results[init], "switches")
        figure(f"{label}: switches per file", [number / files for number in switches], most_switches)


# ---- Tasks that do nothing ----

def bench_noop(rounds):
    ours, theirs, init = "mpirun -n 2 mpbatch noop -j 1", "ProcessPoolExecutor", "only MPI_Init and Finalize, 2 ranks"
    python = [sys.executable, str(HERE / "pool_python.py"), "processes", "map", str(PYTHON_TASKS), str(PYTHON_CHUNK)]
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as scratch:
        results = alternate(rounds, {
            ours: lambda _: measure([*TWO_RANKS, MPBATCH, "noop", "--quiet", "-j", "1", "--count", str(NOOP_TASKS)],
                                    cwd=scratch),
            theirs: lambda _: measure(python, stdout=subprocess.PIPE),
            init: lambda _: measure([*TWO_RANKS, ONLY_INIT]),
        })
    print(f"{NOOP_TASKS} tasks of mpbatch with two workers, {PYTHON_TASKS} of ProcessPoolExecutor.map(chunksize="
          f"{PYTHON_CHUNK})\n{'':60} {'median':>8}   min to max, million tasks/s")
    whole = [NOOP_TASKS / run.wall / 1e6 for run in results[ours]]
    inner = [NOOP_TASKS / wall / 1e6 for wall in net(results[ours], results[init], "wall")]
    their_whole = [PYTHON_TASKS / run.wall / 1e6 for run in results[theirs]]
    their_inner = [float(run.stdout) / 1e6 for run in results[theirs]]
    figure(f"{ours}, with start and end", whole)
    figure(f"{ours}, net", inner)
    figure(f"{theirs}, with start and end", their_whole)
    figure(f"{theirs}, without", their_inner)
    print(f"{'':60} {'median':>8}   min to max")
    figure("x, both with start and end", ratios(whole, their_whole), 4.5, least=True)
    figure("x, ours with start and end, ProcessPoolExecutor without", ratios(whole, their_inner), 4.5, least=True)
    figure("x, both without", ratios(inner, their_inner), 4.5, least=True)
    for label, tasks in ((ours, NOOP_TASKS), (theirs, PYTHON_TASKS)):
        figure(f"{label}: CPU us per task, with start and end", [run.cpu / tasks * 1e6 for run in results[label]])


# ---- Idle ranks ----

def cpu_seconds(pid):
    """The CPU time of a process with all its threads: its CPU-time clock, see clock_getcpuclockid(3). The times in
    /proc/PID/stat are too coarse, and those in /proc/PID/schedstat are of one thread."""
    return time.clock_gettime((~pid << 3) | 2)


def read_process(pid):
    """(parent, rank or None) of a process."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    rank = None
    with contextlib.suppress(OSError):
        for word in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if word.startswith(RANK_VARIABLE):
                rank = int(word[len(RANK_VARIABLE):])
    return int(stat.rpartition(")")[2].split()[1]), rank


def processes_of_ranks():
    """{process: (rank, CPU seconds)} of all ranks among the descendants of this process, and of their descendants."""
    known = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                known[int(entry)] = read_process(int(entry))

    def rank_of(pid):
        rank, ancestor = None, pid
        while ancestor in known and ancestor != os.getpid():
            rank = known[ancestor][1] if rank is None else rank
            ancestor = known[ancestor][0]
        return rank if ancestor == os.getpid() else None

    found = {}
    for pid in known:
        rank = rank_of(pid)
        if rank is not None:
            with contextlib.suppress(OSError):
                found[pid] = (rank, cpu_seconds(pid))
    return found


def wait_for_busy(job):
    """Waits until a process of a rank has been busy for two seconds, and returns it."""
    while job.poll() is None:
        for pid, (_, seconds) in processes_of_ranks().items():
            if seconds >= 2:
                return pid
        time.sleep(0.5)
    sys.exit("bench: no rank was busy")


def idle_round(_):
    """Returns (% of a core that the idle ranks needed, the greatest % of one of them, the busy rank, the number of
    processes that were counted)."""
    # The task takes long enough for 2 s at the start and the 10 s, even if it only gets a fraction of a core.
    with subprocess.Popen([*SIXTEEN_RANKS, POOL_TEST, "busy", "1", str(IDLE_S + 15)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as job:
        busy = wait_for_busy(job)
        time.sleep(1)
        before = processes_of_ranks()
        begun = time.monotonic()
        time.sleep(IDLE_S)
        seconds = time.monotonic() - begun
        after = processes_of_ranks()
        if job.wait():
            sys.exit("bench: pool_test failed")
    reap_orphans()
    if before.keys() != after.keys():
        sys.exit("bench: processes have started or ended while the ranks were idle")
    if after[busy][1] - before[busy][1] < 0.2 * seconds:
        sys.exit("bench: the busy worker was not busy")
    busy_rank = before[busy][0]
    ranks = {rank: 0 for rank, _ in before.values() if rank != busy_rank}
    counted = 0
    for pid, (rank, used) in after.items():
        if rank != busy_rank:
            ranks[rank] += 100 * (used - before[pid][1]) / seconds
            counted += 1
    if len(ranks) != 15:
        sys.exit(f"bench: {len(ranks)} idle ranks instead of 15")
    return sum(ranks.values()), max(ranks.values()), busy_rank, counted


def bench_idle(rounds):
    results = alternate(rounds, {"idle": idle_round})["idle"]
    busy_ranks = ", ".join(str(rank) for rank in sorted({run[2] for run in results}))
    processes = ", ".join(str(number) for number in sorted({run[3] for run in results}))
    print(f"16 ranks with one worker each, one of them busy; CPU time within {IDLE_S} s, as % of one core.\nCounted are"
          f" all ranks except the one with the busy worker (rank {busy_ranks} in these rounds),\nand all their"
          f" descendants: {processes} processes\n{'':60} {'median':>8}   min to max")
    figure("15 idle ranks together, % of one core", [run[0] for run in results], 0.1)
    figure("the one that needs most, % of one core", [run[1] for run in results])


# ---- Virtual hosts ----

@contextlib.contextmanager
def memory_for_all_hosts(needed):
    """A directory in memory, or else on disk. /dev/shm does not do, because each host has its own."""
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as name:
        target = pathlib.Path(name) / "shared"
        target.mkdir()
        available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        mounted = available >= needed and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={needed}", "tmpfs", str(target)], stderr=subprocess.DEVNULL,
            check=False).returncode
        try:
            (target / "bench").mkdir()
            yield target / "bench"
        finally:
            if mounted:
                subprocess.run(["umount", str(target)], check=True)


def lost_cpu_seconds(hosts):
    """The CPU time of processes whose parent has ended before them: the first process of a host inherits them and does
    not wait for them, so that measure() does not see them."""
    lost = 0
    for name in hosts.names:
        first = (hosts.directory / f"{name}.pid").read_text()
        for child in pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split():
            fields = pathlib.Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            lost += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return lost


def bench_hosts(rounds, folder, least):
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nsenter"):
        print("skipped: hosts: needs root and iproute2")
        return
    one, one_rank, three = "mpthumb -j 3", "mpirun -n 1 mpthumb -j 3", "mpirun --host h1,h2,h3 mpthumb -j 1"
    init_one, init_three = "only MPI_Init and Finalize, 1 host", "only MPI_Init and Finalize, 3 hosts"
    # The hosts are children of this process, so another one measures and waits for all its descendants.
    with memory_for_all_hosts(bytes_needed(folder, least, 3 * rounds)) as scratch, \
            tempfile.TemporaryDirectory(prefix="mpthumb-hosts-") as directory, Hosts(directory, 3) as hosts, \
            concurrent.futures.ProcessPoolExecutor(1, initializer=become_subreaper) as helper:
        def run(words):
            return helper.submit(measure, words).result()

        # Without --leave-session-attached, mpirun's daemons on other hosts leave its process tree.
        options = ["--leave-session-attached", "--bind-to", "none"]
        on_one, on_three = hosts.mpirun(["h1"], *options), hosts.mpirun(["h1", "h2", "h3"], *options)
        images, files = copied(folder, scratch, least)
        commands = {one: [*hosts.inside("h1"), MPTHUMB, "-j", "3"], one_rank: [*on_one, MPTHUMB, "-j", "3"],
                    three: [*on_three, MPTHUMB, "-j", "1"]}
        runs = {label: thumbnail_run(scratch, label, words, images, files, run) for label, words in commands.items()}
        runs[init_one] = lambda _: run([*on_one, ONLY_INIT])
        runs[init_three] = lambda _: run([*on_three, ONLY_INIT])
        results = alternate(rounds, runs)
        lost = lost_cpu_seconds(hosts)
    table(results, files)
    if lost:
        print(f"not counted: {lost:.2f} CPU seconds, in all rounds together, of processes that had lost their parent")
    print(f"\n{'net CPU x of three hosts':60} {'median':>8}   min to max")
    ours = net(results[three], results[init_three], "cpu")
    figure(f"beside {one} on one host", ratios(ours, net(results[one], None, "cpu")), 1.10)
    figure(f"beside {one_rank} on one host, net", ratios(ours, net(results[one_rank], results[init_one], "cpu")), 1.10)
    print("net wall x of three hosts")
    figure(f"beside {one} on one host", ratios(net(results[three], results[init_three], "wall"),
                                               net(results[one], None, "wall")))


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench ranks")
    parser.add_argument("--images", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=5000, metavar="N",
                        help="repeat the images until there are N files, and 100 MiB")
    parser.add_argument("--only", choices=["images", "noop", "idle", "hosts"])
    arguments = parser.parse_args()
    become_subreaper()
    print(f"{machine()}\nmedians of {arguments.rounds} alternating rounds")
    parts = {"images": lambda: bench_images(arguments.rounds, arguments.images, arguments.files),
             "noop": lambda: bench_noop(arguments.rounds),
             "idle": lambda: bench_idle(arguments.rounds),
             "hosts": lambda: bench_hosts(arguments.rounds, arguments.images, arguments.files)}
    for name, part in parts.items():
        if arguments.only in (None, name):
            print(f"\n{name}:", flush=True)
            part()


if __name__ == "__main__":
    main()
