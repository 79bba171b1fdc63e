#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ranks are killed under launchers that let the other ranks live: `mpirun --with-ft ulfm` of Open MPI 5, and on one
host `mpirun --enable-recovery` of Open MPI 4 and `mpiexec -disable-auto-cleanup` of MPICH. The run continues, all files
are done, and no input is lost."""
import os
import select
import signal
import subprocess

import journal_reader
import launchers
import process_tree
from harness import MPTHUMB, RUN_TIMEOUT_S, equal, launcher, main

FILES = 300


def ranks(root):
    """rank -> pid"""
    return {launchers.rank_of(pid): pid for pid, name in process_tree.below(root).items() if name == "mpthumb"}


def run_and_kill(sandbox, victims, survive, count=4):
    """Runs mpthumb and kills the ranks `victims` after the 20th line. survive: the other ranks live on. Returns the exit
    status and the rest of stdout."""
    for number in range(FILES):
        sandbox.image(f"images/{number:03}.jpg", size=(640, 480), seed=number % 9)
    with open(sandbox.path("stderr"), "wb") as stderr:
        run = subprocess.Popen([*launcher(count, survive), MPTHUMB, "-j", "1", "-v", "--exact", "images"],
                               cwd=sandbox.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
    for _ in range(20):
        assert run.stdout.readline().endswith(b" was processed...\n"), sandbox.path("stderr").read_text()
    found = ranks(run.pid)
    equal(sorted(found), list(range(count)))
    for victim in victims:
        os.kill(found[victim], signal.SIGKILL)
    out = run.stdout.read().decode()
    return run.wait(RUN_TIMEOUT_S), out


def doorbells(pids):
    """{(inode, name)} of the abstract Unix datagram sockets of these processes."""
    inodes = set()
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            link = os.readlink(f"/proc/{pid}/fd/{fd}")
            if link.startswith("socket:["):
                inodes.add(link[len("socket:["):-1])
    return {socket for socket in abstract_sockets() if socket[0] in inodes}


def abstract_sockets():
    """{(inode, name)} of all abstract Unix datagram sockets of this network namespace."""
    found = set()
    with open("/proc/net/unix", encoding="ascii", errors="backslashreplace") as stream:
        for line in stream:
            words = line.split()  # address, references, protocol, flags, type, state, inode, name
            if len(words) == 8 and words[4] == "0002" and words[7].startswith("@"):
                found.add((words[6], words[7]))
    return found


def check(sandbox, status, out, victims):
    equal(status, launchers.detect()[0].survive_status, sandbox.path("stderr").read_text() + out)
    assert f"4 ranks ({len(victims)} lost)" in out, out
    records = journal_reader.read(sandbox.path("thumbs/.mpthumb/journal.jsonl"))[1]
    equal(sorted(record["source"] for record in records), [f"images/{number:03}.jpg" for number in range(FILES)])
    equal({record["status"] for record in records}, {"done"})
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))
    equal(journal_reader.temporary_files(sandbox.path("thumbs")), [])


def case_one_rank_is_killed(sandbox):
    check(sandbox, *run_and_kill(sandbox, [2], True), [2])


def case_all_but_rank_0_are_killed(sandbox):
    check(sandbox, *run_and_kill(sandbox, [1, 2, 3], True), [1, 2, 3])


def case_rank_0_is_killed(sandbox):
    """The run ends; --resume completes it."""
    status, _ = run_and_kill(sandbox, [0], False)
    assert status != 0
    outcome = sandbox.run("--exact", "--resume", "images")
    equal(outcome.exit, 0, outcome)
    undisturbed = sandbox.run("--exact", "-o", "undisturbed", "images")
    equal((undisturbed.exit, sandbox.tree("thumbs")), (0, sandbox.tree("undisturbed")))


def case_nothing_is_left_behind(sandbox):
    """After mpirun and all ranks were killed, none of their doorbells is left."""
    for number in range(FILES):
        sandbox.image(f"images/{number:03}.jpg", size=(640, 480), seed=number % 9)
    run = sandbox.start("-j", "1", "-v", "--exact", "images", ranks=4)
    assert run.stdout.readline().endswith(b" was processed...\n"), sandbox.path("stderr").read_text()
    found = ranks(run.pid)
    equal(sorted(found), [0, 1, 2, 3])
    names = doorbells(found.values())
    equal(len(names), 4, names)
    pidfds = [os.pidfd_open(pid) for pid in found.values()]
    for pid in [run.pid, *found.values()]:
        os.kill(pid, signal.SIGKILL)
    run.stdout.read()
    run.wait(RUN_TIMEOUT_S)
    for pidfd in pidfds:  # a descriptor of a process is readable when it has ended
        assert select.select([pidfd], [], [], RUN_TIMEOUT_S)[0]
        os.close(pidfd)
    equal(names & abstract_sockets(), set())


main(globals())
