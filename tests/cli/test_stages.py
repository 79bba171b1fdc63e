#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Large results and stages: wordcount of the examples, and large_results.c. What comes out is compared with what Python
computes.

    test_stages.py full DIRECTORY     collects 40 results of 100 MB and is killed five times; not run by ctest
"""
import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import engine_runs
from engine_runs import LARGE_RESULTS, RANKS, SHARED_DATA, WORDCOUNT, Fed, file_sum, large_results_sum
from harness import equal, launcher, main

FILES, GROUP = 40, 16  # the first stage of wordcount merges so many results at once
RANK0_LIMIT_MB = 64


def peaks_mb(command, folder, watch=lambda run: None):
    """Exit status of a run, and the largest resident set of its first process, which is rank 0 without mpirun, and of
    all others in MB: VmHWM, which is read again and again."""
    with open(folder / "log", "ab") as log:
        run = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    rank0, others = 0.0, 0.0
    while run.poll() is None:
        watch(run)
        for pid in [run.pid, *engine_runs.process_tree.below(run.pid)]:
            try:
                text = pathlib.Path(f"/proc/{pid}/status").read_text()
                peak = int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) / 1024
            except (OSError, TypeError):
                continue
            if pid == run.pid:
                rank0 = max(rank0, peak)
            else:
                others = max(others, peak)
    return run.returncode, rank0, others


def words_of(number):
    generator = random.Random(number)
    return ["".join(chr(97 + word // 26 ** place % 26) for place in range(4))
            for word in (generator.randrange(20000) for _ in range(1000))]


def texts(sandbox):
    """Writes the files and returns what wordcount prints."""
    counted = collections.Counter()
    for number in range(FILES):
        words = words_of(number)
        counted.update(words)
        sandbox.write(f"texts/{number:02}", " ".join(words).encode())
    return "".join(f"{word} {count}\n" for word, count in sorted(counted.items()))


def stages(journal):
    """stage -> number of its lines with status done"""
    return collections.Counter(stage for stage, _, _ in engine_runs.done(journal))


ALL_STAGES = {0: FILES, 1: -(-FILES // GROUP), 2: 1}


def case_wordcount(sandbox):
    wanted = texts(sandbox)
    for ranks in RANKS:
        outcome = sandbox.run("-o", f"out/{ranks}", "texts", program=WORDCOUNT, ranks=ranks)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        equal(sandbox.path(f"out/{ranks}").read_text(), wanted)
        equal(stages(sandbox.path(f"out/{ranks}.run/journal.jsonl")), ALL_STAGES)
        outcome = sandbox.run("--no-journal", "texts", program=WORDCOUNT, ranks=ranks)
        equal((outcome.exit, outcome.out), (0, wanted), outcome.err)
    equal(engine_runs.leftovers(sandbox.root), [])


def case_nothing_is_left_but_journal_and_summary(sandbox):
    """Workers of 16 ranks start while the only task runs, and each of them makes the spool directory."""
    sandbox.write("one", b"a b")
    for turn in range(4):
        equal(sandbox.run("-o", f"out{turn}", "one", program=WORDCOUNT, ranks=16).exit, 0)
        equal(sorted(path.name for path in sandbox.path(f"out{turn}.run").iterdir()), ["journal.jsonl", "summary.json"])


def case_an_option_that_decides(sandbox):
    texts(sandbox)
    sandbox.write("texts/x", b"a bb ccc dddddd dddddd")
    outcome = sandbox.run("--shortest", "5", "-o", "out", "texts", program=WORDCOUNT)
    equal((outcome.exit, sandbox.path("out").read_text()), (0, "dddddd 2\n"), outcome)
    equal(sandbox.run("--resume", "--shortest", "4", "-o", "out", "texts", program=WORDCOUNT).exit, 2)


def case_few_and_no_results(sandbox):
    """One input, one group, one more than a group, files without words, and only inputs that fail."""
    for ranks in (0, 2):
        for count in (1, GROUP, GROUP + 1):
            for number in range(count):
                sandbox.write(f"few-{count}/{number}", b"word " * number)
            outcome = sandbox.run("-o", "out", f"few-{count}", program=WORDCOUNT, ranks=ranks)
            total = count * (count - 1) // 2
            equal((outcome.exit, sandbox.path("out").read_text()), (0, f"word {total}\n" if total else ""), outcome)
        outcome = sandbox.run("-o", "out", "missing/1", "missing/2", program=WORDCOUNT, ranks=ranks)
        equal((outcome.exit, sandbox.path("out").read_text()), (1, ""), outcome)


def case_inputs_that_fail_are_left_out(sandbox):
    """Exit status 1; when they are there, --retry-failed merges them with the others."""
    wanted = texts(sandbox)
    names = [f"texts/{number:02}" for number in range(FILES)]
    for ranks in RANKS:
        common = ("-o", f"out/{ranks}", *names)
        sandbox.path("texts/07").rename(sandbox.path("away"))
        outcome = sandbox.run(*common, program=WORDCOUNT, ranks=ranks)
        sandbox.path("away").rename(sandbox.path("texts/07"))
        equal(outcome.exit, 1, outcome)
        assert sandbox.path(f"out/{ranks}").read_text() != wanted
        outcome = sandbox.run("--retry-failed", *common, program=WORDCOUNT, ranks=ranks)
        equal((outcome.exit, sandbox.path(f"out/{ranks}").read_text()), (0, wanted), outcome)
        assert "1 done, 39 done before, 0 failed" in outcome.out, outcome
        equal(engine_runs.leftovers(sandbox.root), [])


def case_a_kill_in_the_first_round(sandbox):
    wanted = texts(sandbox)
    names = [f"texts/{number:02}" for number in range(FILES)]
    for ranks in RANKS:
        journal = sandbox.path(f"out/{ranks}.run/journal.jsonl")
        common = ("--journal-sync", "0.1", "-o", f"out/{ranks}")
        run = Fed(sandbox, *common, program=WORDCOUNT, ranks=ranks)
        run.feed(names[:25])
        run.until(lambda: len(engine_runs.records(journal)) == 25)
        run.kill()
        assert not sandbox.path(f"out/{ranks}").exists()
        outcome = sandbox.run("--resume", *common, *names, program=WORDCOUNT, ranks=ranks)
        equal((outcome.exit, sandbox.path(f"out/{ranks}").read_text()), (0, wanted), outcome)
        assert "15 done, 25 done before, 0 failed" in outcome.out, outcome
        equal(stages(journal), ALL_STAGES)
        equal(engine_runs.leftovers(sandbox.root), [])


def case_between_the_stages(sandbox):
    """A run that has done some of its stages continues behind them: the journal is cut off there."""
    wanted = texts(sandbox)
    for ranks in RANKS:
        out = f"out/{ranks}"
        common = ("--keep-spool", "-o", out, "texts")
        equal(sandbox.run(*common, program=WORDCOUNT, ranks=ranks).exit, 0)
        journal = sandbox.path(out + ".run/journal.jsonl")
        whole = journal.read_bytes().splitlines(True)
        for done in ({0: FILES}, {0: FILES, 1: 1}, {0: FILES, 1: 3}, {0: 30}):
            left, kept = dict(done), [whole[0]]
            for line in whole[1:]:
                (stage,) = re.findall(rb'"stage":(\d)', line) or [b"0"]
                if left.get(int(stage), 0):
                    left[int(stage)] -= 1
                    kept.append(line)
            journal.write_bytes(b"".join(kept))
            sandbox.path(out).unlink()
            outcome = sandbox.run("--resume", *common, program=WORDCOUNT, ranks=ranks)
            equal((outcome.exit, sandbox.path(out).read_text()), (0, wanted), outcome)
            equal(stages(journal), ALL_STAGES, "no task was done again")


def case_an_input_that_changes(sandbox):
    """Its results are made again in all stages, those of the other groups are not."""
    texts(sandbox)
    common = ("--keep-spool", "-o", "out", "texts")
    for ranks in RANKS:
        subprocess.run(["rm", "-rf", "out", "out.run"], cwd=sandbox.root, check=True)
        equal(sandbox.run(*common, program=WORDCOUNT, ranks=ranks).exit, 0)
        wanted = sandbox.path("out").read_text().splitlines()
        sandbox.write("texts/20", sandbox.path("texts/20").read_bytes() + b" zzzzz")
        outcome = sandbox.run("--resume", *common, program=WORDCOUNT, ranks=ranks)
        before = int((re.findall(r"zzzzz (\d+)", "\n".join(wanted)) or ["0"])[0])
        wanted = [line for line in wanted if not line.startswith("zzzzz ")] + [f"zzzzz {before + 1}"]
        equal((outcome.exit, sandbox.path("out").read_text().splitlines()), (0, wanted), outcome)
        equal(stages(sandbox.path("out.run/journal.jsonl")), {stage: count + 1 for stage, count in ALL_STAGES.items()})


def case_data_that_a_stage_shares(sandbox):
    """Rank 0 gathers it from all results of the round before. If it changes, all tasks of the stage run again."""
    names = [f"name-{number}" for number in range(10)] + ["x" * 3000]
    journal = sandbox.path("out.run/journal.jsonl")
    for ranks in RANKS:
        subprocess.run(["rm", "-rf", "out", "out.run"], cwd=sandbox.root, check=True)
        done = {}
        for inputs, stage_tasks in ((names[:10], 4), (names[:10], 0), (names, 4), (names, 0), (names[1:], 4)):
            outcome = sandbox.run("--resume", "--keep-spool", "-o", "out", *inputs, program=SHARED_DATA, ranks=ranks)
            longest = max(inputs, key=len)
            equal((outcome.exit, sandbox.path("out").read_text()),
                  (0, "".join(f"{longest} {name}\n" for name in inputs)), outcome)
            before, done = done, stages(journal)
            equal(done.get(1, 0) - before.get(1, 0), stage_tasks, f"{len(inputs)} inputs, {ranks} ranks")
    outcome = sandbox.run("-o", "none", "", program=SHARED_DATA)
    equal(outcome.exit, 75, "share has nothing to give")
    assert "there is no name" in outcome.err, outcome


def case_a_job_can_keep_its_results_elsewhere(sandbox):
    wanted = texts(sandbox)
    outcome = sandbox.run("--spool-dir", "elsewhere", "--keep-spool", "-o", "out", "texts", program=WORDCOUNT)
    equal(outcome.exit, 0, outcome)
    assert all(name.startswith("elsewhere/") for name in sandbox.names() if name.endswith(".spool"))
    assert sandbox.names("elsewhere")
    sandbox.path("out").unlink()
    outcome = sandbox.run("--resume", "--spool-dir", "elsewhere", "-o", "out", "texts", program=WORDCOUNT)
    equal((outcome.exit, sandbox.path("out").read_text()), (0, wanted), outcome)
    assert "0 done, 40 done before" in outcome.out, outcome
    assert not sandbox.path("elsewhere").exists()


def large_command(ranks, count, size, *words):
    return [*launcher(ranks), LARGE_RESULTS, "--quiet", "-j", "2", "--journal-sync", "0.1", "--size", size, "--count",
            str(count), "-o", "out", *words]


def case_large_results_in_order(sandbox):
    for ranks in RANKS:
        status, rank0, others = peaks_mb(large_command(ranks, 12, "8M"), sandbox.root)
        equal(status, 0, sandbox.path("log").read_text())
        equal(file_sum(sandbox.path("out")), large_results_sum(12, 8 << 20))
        if ranks == 0:
            print(f"        12 results of 8 MB: rank 0 {rank0:.0f} MB, others {others:.0f} MB")
            assert max(rank0, others) < RANK0_LIMIT_MB or os.environ.get("SANITIZE"), (rank0, others)
    equal(engine_runs.leftovers(sandbox.root), [])


def case_large_results_and_kills(sandbox):
    for ranks in RANKS:
        killed, late = kill_and_resume(sandbox.root, ranks, 12, "8M", 2)
        equal(file_sum(sandbox.path("out")), large_results_sum(12, 8 << 20), killed)
        done = engine_runs.done(sandbox.path("out.run/journal.jsonl"))
        assert late or len(done) == len(set(done)), f"a task was done again; {killed}"
        equal(engine_runs.leftovers(sandbox.root), [])
        subprocess.run(["rm", "-r", "out", "out.run"], cwd=sandbox.root, check=True)


def kill_and_resume(folder, ranks, count, size, times):
    """Kills a run `times` times, each time after some more tasks are done. Returns a text about it, and whether a kill
    came when the output was there already: then the spool may have been removed, and everything is done again."""
    journal, killed, late = folder / "out.run/journal.jsonl", [], False
    for number in range(1, times + 1):
        with open(folder / "log", "ab") as log:
            run = subprocess.Popen(large_command(ranks, count, size, "--resume"), cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
        wanted = number * (count - 2) // (times + 1)
        try:
            engine_runs.until(lambda: len(engine_runs.done(journal)) >= wanted, run)
        finally:
            engine_runs.kill_all(run)
        killed.append(len(engine_runs.done(journal)))
        late = late or (folder / "out").exists()
    status, rank0, others = peaks_mb(large_command(ranks, count, size, "--resume"), folder)
    equal(status, 0, (folder / "log").read_text())
    return f"killed after {killed} tasks; rank 0 {rank0:.0f} MB, others {others:.0f} MB", late


def case_small_results_wait_for_a_task_that_crashed(sandbox):
    """It is done again after others: memory is bounded, nothing hangs."""
    for ranks in (0, 2):
        mark = sandbox.path(f"mark-{ranks}")
        status, rank0, _ = peaks_mb(large_command(ranks, 200000, "300", "--crash", str(mark)), sandbox.root)
        equal((status, mark.exists()), (0, True), sandbox.path("log").read_text())
        equal(file_sum(sandbox.path("out")), large_results_sum(200000, 300))
        if ranks == 0:
            print(f"        200000 results of 300 bytes: rank 0 {rank0:.0f} MB")
            assert rank0 < RANK0_LIMIT_MB or os.environ.get("SANITIZE"), rank0


def case_small_results_wait_in_bounded_memory(sandbox):
    """The first task ends when the run does nothing any more, because enough results wait for it."""
    mark, journal, seen = sandbox.path("mark"), sandbox.path("out.run/journal.jsonl"), [0, 0]

    def release_when_idle(_):
        size = journal.stat().st_size if journal.exists() else 0
        seen[:] = (seen[0] + 1, seen[1]) if size == seen[1] else (0, size)
        if size > 1 << 20 and seen[0] == 200 and not mark.exists():
            mark.touch()
        time.sleep(0.005)  # there is nothing to wait for: poll
    status, rank0, _ = peaks_mb(large_command(0, 250000, "300", "--wait", str(mark)), sandbox.root, release_when_idle)
    equal(status, 0, sandbox.path("log").read_text())
    equal(file_sum(sandbox.path("out")), large_results_sum(250000, 300))
    print(f"        250000 results of 300 bytes: rank 0 {rank0:.0f} MB")
    assert rank0 < RANK0_LIMIT_MB or os.environ.get("SANITIZE"), rank0


def full(top):
    with tempfile.TemporaryDirectory(dir=top) as name:
        folder = pathlib.Path(name)
        wanted = large_results_sum(40, 100 << 20)
        for ranks in (0, 3):
            killed, _ = kill_and_resume(folder, ranks, 40, "100M", 5)
            print(f"{ranks} ranks, 40 results of 100 MB: {killed}", flush=True)
            equal(file_sum(folder / "out"), wanted)
            subprocess.run(["rm", "-r", "out", "out.run"], cwd=folder, check=True)
        status, rank0, others = peaks_mb(large_command(0, 40, "100M"), folder)
        equal((status, file_sum(folder / "out")), (0, wanted))
        print(f"undisturbed: rank 0 {rank0:.0f} MB, others {others:.0f} MB")


if sys.argv[1:2] == ["full"]:
    full(sys.argv[2])
else:
    main(globals())
