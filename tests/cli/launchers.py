# SPDX-License-Identifier: MIT
"""The MPI launchers that the tests know, one row for each. `launcher()` is the one of $MPIRUN."""
import dataclasses
import functools
import os
import pathlib
import re
import signal
import subprocess

MPIRUN = os.environ.get("MPIRUN") or "mpirun"
LOCAL_SSH = pathlib.Path(__file__).resolve().with_name("local_ssh.sh")
if os.geteuid() == 0:
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


@dataclasses.dataclass(frozen=True)
class Launcher:
    mpi: str                    # the name in --version of the programs, up to the version
    version: str                # a regular expression for what `mpirun --version` prints; its group is the version
    rank_variable: str          # the environment variable that holds a process's rank
    options: tuple = ()         # of every run
    oversubscribe: tuple = ()   # to start more ranks than there are cores
    survive: tuple = ()         # to let the other ranks live when one dies
    separate_hosts: bool = False  # they live only on other hosts
    survive_status: int = 0     # the exit status if a rank other than 0 was killed by SIGKILL
    forgets_status: bool = False  # the exit status may be 0 after it has forwarded a signal
    noise: bytes = rb"(?!)"     # a regular expression for what the launcher itself prints on stderr


LAUNCHERS = (
    # -q suppresses the message about an exit status that is not 0.
    Launcher("Open MPI", r"\((?:Open MPI|OpenRTE)\) (4\.\S+)", "OMPI_COMM_WORLD_RANK", options=("-q",),
             oversubscribe=("--oversubscribe",), survive=("--enable-recovery",)),
    Launcher("Open MPI", r"\((?:Open MPI|OpenRTE)\) (5\.\S+)", "OMPI_COMM_WORLD_RANK",
             options=("--map-by", ":oversubscribe"), survive=("--with-ft", "ulfm"),
             noise=rb"-{60,}\n(?:prterun|mpirun|Primary job).*?-{60,}\n"),
    Launcher("MPICH", r"HYDRA build details:\s+Version: +(\S+)", "PMI_RANK", survive=("-disable-auto-cleanup",),
             separate_hosts=True, survive_status=int(signal.SIGKILL), forgets_status=True),
)


@functools.lru_cache(maxsize=None)
def detect():
    """The launcher, and the name of its MPI as --version of the programs prints it."""
    text = subprocess.run([MPIRUN, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True).stdout
    for row in LAUNCHERS:
        found = re.search(row.version, text)
        if found:
            return row, f"{row.mpi} {found[1]}"
    raise RuntimeError(f"{MPIRUN}: no row of LAUNCHERS fits: {text}")


def words(ranks, survive=False):
    """The words of the command line that precede the program; none if `ranks` is 0. survive: ranks that are not killed
    live on."""
    if ranks == 0:
        return []
    row, _ = detect()
    found = [MPIRUN, *row.options]
    if survive:
        found += row.survive
    if survive and row.separate_hosts:  # each rank has a host of its own, which is this one
        found += ["-launcher", "ssh", "-launcher-exec", str(LOCAL_SSH),
                  "-hosts", ",".join(f"host{rank}" for rank in range(ranks))]
    if ranks > len(os.sched_getaffinity(0)):
        found += row.oversubscribe
    return [*found, "-n", str(ranks)]


def rank_of(pid):
    """The rank of a process; None if the launcher has given it none, or it does not exist."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            environment = stream.read().split(b"\0")
    except OSError:
        return None
    name = os.fsencode(detect()[0].rank_variable) + b"="
    return next((int(word[len(name):]) for word in environment if word.startswith(name)), None)
