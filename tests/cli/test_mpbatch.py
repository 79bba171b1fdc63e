#!/usr/bin/python3
"""mpbatch: jobs by number and by input, on ranks, and what its options promise."""
import os
import re

import journals
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


def case_whoami_on_four_ranks(scene):
    outcome = scene.run("whoami", "--count", "8", ranks=4, program=MPBATCH)
    equal((outcome.exit, outcome.err, counts(outcome)), (0, "", (8, 0)), str(outcome))
    equal(len(workers_of(outcome)), 8)


def case_spin_keeps_a_core_busy(scene):
    outcome = scene.run("-j", "1", "spin", "--count", "2", ranks=2, program=MPBATCH)
    equal((outcome.exit, counts(outcome)), (0, (2, 0)), str(outcome))
    equal(len(outcome.lines), 1)


def case_max_workers_bounds_all_ranks(scene):
    outcome = scene.run("--max-workers", "3", "whoami", "--count", "40", ranks=4, program=MPBATCH)
    equal(outcome.exit, 0, str(outcome))
    assert len(set(workers_of(outcome))) <= 3, str(outcome)
    assert 3 not in {rank for _, rank in workers_of(outcome)}, str(outcome)


def case_max_tasks_per_worker_replaces_them(scene):
    outcome = scene.run("-j", "1", "--max-tasks-per-worker", "2", "whoami", "--count", "7", program=MPBATCH)
    equal((outcome.exit, counts(outcome)), (0, (7, 0)), str(outcome))
    pids = [pid for pid, _ in workers_of(outcome)]
    equal(max(pids.count(pid) for pid in pids), 2)
    equal(len(set(pids)), 4)


def case_in_process_is_one_process(scene):
    outcome = scene.run("--in-process", "whoami", "--count", "3", program=MPBATCH)
    equal(outcome.exit, 0, str(outcome))
    equal(len(set(workers_of(outcome))), 1)


def case_noop_in_large_numbers(scene):
    outcome = scene.run("noop", "--count", "200000", ranks=2, program=MPBATCH)
    equal((outcome.exit, outcome.err, counts(outcome)), (0, "", (200000, 0)), str(outcome))


def case_a_timeout_costs_its_task_only(scene):
    outcome = scene.run("-j", "1", "--timeout", "0.001", "spin", "--count", "2", program=MPBATCH)
    equal((outcome.exit, counts(outcome)), (1, (0, 2)), str(outcome))
    equal(len(outcome.err.splitlines()), 2)
    assert "'task 0': it ran longer than the limit of 0.001 s and was ended" in outcome.err, str(outcome)


def case_usage_errors(scene):
    for arguments, said in [
            ([], "no job: name one"),
            (["nothing", "--count", "1"], "no job is named 'nothing'"),
            (["thumbnail", "--count", "1"], "no job is named 'thumbnail'"),
            (["noop"], "nothing to do: give --count, inputs or --files-from"),
            (["noop", "--count", "1", "x"], "--count and inputs exclude each other"),
            (["noop", "--count", "0"], "--count takes a whole number from 1"),
            (["noop", "--count", "1", "--timeout", "soon"], "--timeout takes a number of seconds"),
            (["noop", "--count", "1", "--memory-limit", "2X"], "--memory-limit takes bytes"),
            (["--bogus"], "unknown or ambiguous option '--bogus'")]:
        for ranks in (0, 2):
            outcome = scene.run(*arguments, ranks=ranks, program=MPBATCH)
            equal(outcome.exit, 2, str(outcome))
            equal(outcome.out, "")
            equal([said in line for line in outcome.err.splitlines()], [True], str(outcome))


def case_help_lists_the_jobs(scene):
    outcome = scene.run("--help", program=MPBATCH)
    equal(outcome.exit, 0)
    for job in ("whoami", "spin", "noop"):
        assert f"\n  {job} " in outcome.out, str(outcome)


def case_names_from_a_list_and_a_journal(scene):
    """Each name is a task, and has its line in the journal, whatever it is made of."""
    names = [b"one", b"two words", b"t\xe4b\there", b"line\nbreak"]
    outcome = scene.run("--files-from", "-", "-0", "--journal", "j.jsonl", "noop", "first", program=MPBATCH, ranks=2,
                        stdin=b"\0".join(names))
    equal((outcome.exit, counts(outcome)), (0, (5, 0)), str(outcome))
    final = journals.final(scene.path("j.jsonl"))
    equal(sorted(os.fsencode(source) for source in final), sorted([b"first", *names]))
    equal({record["status"] for record in final.values()}, {"done"})
    equal(scene.run("--files-from", "missing", "noop", program=MPBATCH).exit, 2)


main(globals())
