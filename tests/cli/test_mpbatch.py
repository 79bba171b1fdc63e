#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mpbatch: tasks by number and by input, with and without ranks, and its options."""
import os
import re

import journal_reader
from harness import equal, main

MPBATCH = os.environ["MPBATCH"]
LAST = r"(\d+) done, (\d+) failed, [\d.]+ tasks/s\. It took [\d.]+ second\(s\) to finish"


def counts(outcome):
    return tuple(int(number) for number in re.fullmatch(LAST, outcome.lines[-1]).groups())


def workers_of(outcome):
    found = [re.fullmatch(r"Executing our Task on Process (\d+), rank (\d+), host (\S+)", line)
             for line in outcome.lines[:-1]]
    assert all(found), str(outcome)
    return [(int(match[1]), int(match[2])) for match in found]


def case_whoami_on_four_ranks(sandbox):
    outcome = sandbox.run("whoami", "--count", "8", ranks=4, program=MPBATCH)
    equal((outcome.exit, outcome.err, counts(outcome)), (0, "", (8, 0)), str(outcome))
    equal(len(workers_of(outcome)), 8)


def case_spin_keeps_a_core_busy(sandbox):
    outcome = sandbox.run("-j", "1", "spin", "--count", "2", ranks=2, program=MPBATCH)
    equal((outcome.exit, counts(outcome)), (0, (2, 0)), str(outcome))
    equal(len(outcome.lines), 1)


def case_max_workers_limits_all_ranks_together(sandbox):
    outcome = sandbox.run("--max-workers", "3", "whoami", "--count", "40", ranks=4, program=MPBATCH)
    equal(outcome.exit, 0, str(outcome))
    assert len(set(workers_of(outcome))) <= 3, str(outcome)
    assert 3 not in {rank for _, rank in workers_of(outcome)}, str(outcome)


def case_max_tasks_per_worker_replaces_them(sandbox):
    outcome = sandbox.run("-j", "1", "--max-tasks-per-worker", "2", "whoami", "--count", "7", program=MPBATCH)
    equal((outcome.exit, counts(outcome)), (0, (7, 0)), str(outcome))
    pids = [pid for pid, _ in workers_of(outcome)]
    equal(max(pids.count(pid) for pid in pids), 2)
    equal(len(set(pids)), 4)


def case_in_process_is_one_process(sandbox):
    outcome = sandbox.run("--in-process", "whoami", "--count", "3", program=MPBATCH)
    equal(outcome.exit, 0, str(outcome))
    equal(len(set(workers_of(outcome))), 1)


def case_noop_in_large_numbers(sandbox):
    outcome = sandbox.run("noop", "--count", "200000", ranks=2, program=MPBATCH)
    equal((outcome.exit, outcome.err, counts(outcome)), (0, "", (200000, 0)), str(outcome))


def case_a_timeout_fails_only_its_task(sandbox):
    outcome = sandbox.run("-j", "1", "--timeout", "0.001", "spin", "--count", "2", program=MPBATCH)
    equal((outcome.exit, counts(outcome)), (1, (0, 2)), str(outcome))
    equal(len(outcome.err.splitlines()), 2)
    assert "'task 0': it ran longer than the limit of 0.001 s and was ended" in outcome.err, str(outcome)


def case_usage_errors(sandbox):
    for arguments, message in [
            ([], "no job was named"),
            (["nothing", "--count", "1"], "there is no job 'nothing'"),
            (["thumbnail", "--count", "1"], "--count means nothing for 'thumbnail': its inputs are files"),
            (["noop"], "nothing to do: use --count, name inputs, or use --files-from"),
            (["noop", "--count", "1", "x"], "--count and inputs cannot be used together"),
            (["noop", "--verify", "x"], "--verify means nothing for 'noop': it does not write a file for each input"),
            (["noop", "--count", "0"], "--count takes a whole number from 1 to 1000000000000000, not '0'"),
            (["noop", "--count", "1", "--timeout", "soon"], "--timeout takes seconds as a decimal number"),
            (["noop", "--count", "1", "--memory-limit", "2X"], "--memory-limit takes a number of bytes"),
            (["--bogus"], "unknown option '--bogus'")]:
        for ranks in (0, 2):
            outcome = sandbox.run(*arguments, ranks=ranks, program=MPBATCH)
            equal(outcome.exit, 2, str(outcome))
            equal(outcome.out, "")
            equal([message in line for line in outcome.err.splitlines()], [True], str(outcome))


def case_help_lists_the_jobs(sandbox):
    outcome = sandbox.run("--help", program=MPBATCH)
    equal(outcome.exit, 0)
    for job in ("whoami", "spin", "noop"):
        assert f"\n  {job} " in outcome.out, str(outcome)


def case_names_from_a_list_and_a_journal(sandbox):
    """Each name is a task and has a line in the journal, whatever bytes it contains."""
    names = [b"one", b"two words", b"t\xe4b\there", b"line\nbreak"]
    outcome = sandbox.run("--files-from", "-", "-0", "--journal", "j.jsonl", "noop", "first", program=MPBATCH, ranks=2,
                        stdin=b"\0".join(names))
    equal((outcome.exit, counts(outcome)), (0, (5, 0)), str(outcome))
    final = journal_reader.final(sandbox.path("j.jsonl"))
    equal(sorted(os.fsencode(source) for source in final), sorted([b"first", *names]))
    equal({record["status"] for record in final.values()}, {"done"})
    sandbox.path("dir").mkdir()
    for name, message in (("missing", "cannot open the list 'missing'"), ("dir", "the list 'dir' is a directory")):
        outcome = sandbox.run("--files-from", name, "noop", program=MPBATCH)
        equal((outcome.exit, len(outcome.err.splitlines()), message in outcome.err), (2, 1, True), str(outcome))


def case_a_link_where_the_journal_belongs(sandbox):
    """Nothing is written where it leads."""
    sandbox.path("outside").mkdir()
    os.symlink("outside", sandbox.path("noop.run"))
    outcome = sandbox.run("noop", "--count", "1", program=MPBATCH)
    equal((outcome.exit, outcome.err), (2, "mpbatch: 'noop.run' is not a directory; remove it\n"), str(outcome))
    equal(list(sandbox.path("outside").iterdir()), [])
    outcome = sandbox.run("noop", "--run-dir", "outside", "--count", "1", program=MPBATCH)
    equal((outcome.exit, sandbox.names("outside")), (0, ["journal.jsonl", "summary.json"]), str(outcome))


def case_a_second_run_of_a_number_of_tasks(sandbox):
    for count, wanted in (("3", (3, 0)), ("3", (0, 0)), ("5", (2, 0))):
        outcome = sandbox.run("--resume", "noop", "--count", count, program=MPBATCH)
        done, failed = re.match(r"(\d+) done.*?, (\d+) failed", outcome.lines[-1]).groups()
        equal((outcome.exit, (int(done), int(failed))), (0, wanted), str(outcome))
    headers, records = journal_reader.read(sandbox.path("noop.run/journal.jsonl"))
    equal(([header["job"] for header in headers], len(records)), (["noop"] * 3, 5))


main(globals())
