#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the batch engine gives every job: resuming, shards, limits, early stops, and its options. The jobs are whoami,
spin, digest and thumbnail."""
import collections
import fcntl
import os
import re
import signal
import subprocess

import engine_runs
import process_tree
from engine_runs import LARGE_RESULTS, MPBATCH, RANKS, Fed
from harness import MPTHUMB, RUN_TIMEOUT_S, equal, launcher, main

WHOAMI_JOURNAL = "whoami.run/journal.jsonl"


def batch(sandbox, *words, ranks=0, **options):
    return sandbox.run(*words, ranks=ranks, program=MPBATCH, **options)


def counts(outcome):
    """The numbers of the summary, such as {"done": 2, "done before": 1, "failed": 0}."""
    last = (outcome.lines or outcome.err.splitlines())[-1]
    return {words: int(number) for number, words in re.findall(r"(\d+) (done before|done|failed|skipped)", last)}


def files(sandbox, count, size=50):
    """Small files with different contents; returns their names."""
    names = [f"in/{number:03}" for number in range(count)]
    for number, name in enumerate(names):
        sandbox.write(name, b"%d " % number * size)
    return names


# ---- One engine under two names ----

def case_thumbnails_of_both_programs_are_the_same(sandbox):
    sandbox.images("images/1.jpg", "images/sub/2.png", "images/3.jpg")
    sandbox.write("images/bad.jpg", b"\xff\xd8\xff")
    wanted = sandbox.run("-o", "out/mpthumb", "-v", "images")
    for ranks in RANKS:
        outcome = batch(sandbox, "thumbnail", "-v", "-o", f"out/{ranks}", "images", ranks=ranks)
        equal((outcome.exit, counts(outcome)), (1, {"done": 3, "failed": 1}), outcome)
        equal(outcome.processed, wanted.processed)
        equal(outcome.err.replace("mpbatch: ", "mpthumb: "), wanted.err)
        equal(sandbox.tree(f"out/{ranks}"), sandbox.tree("out/mpthumb"))
    other = sandbox.run("--resume", "-o", "out/2", "images")
    equal(counts(other), {"done": 0, "done before": 3, "failed": 1}, "mpthumb continues a run of mpbatch")


# ---- Resuming ----

def case_after_a_kill_only_what_is_left_is_done(sandbox):
    """Nobody reads the output, so that the run waits in the middle until it is killed."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    command = [MPBATCH, "--journal-sync", "0.1", "whoami", "--count", "1000"]
    run = subprocess.Popen(command, cwd=sandbox.root, stdin=subprocess.DEVNULL, stdout=writer,
                           stderr=subprocess.DEVNULL)
    os.close(writer)
    journal = sandbox.path(WHOAMI_JOURNAL)
    engine_runs.until(lambda: len(engine_runs.records(journal)) >= 10, run)
    engine_runs.kill_all(run)
    os.close(reader)
    before = len(engine_runs.done(journal))
    assert before < 1000, before
    outcome = batch(sandbox, "--resume", "whoami", "--count", "1000")
    equal((outcome.exit, counts(outcome)), (0, {"done": 1000 - before, "done before": before, "failed": 0}), outcome)
    equal(len([line for line in outcome.lines if line.startswith("Executing")]), 1000 - before)
    done = engine_runs.done(journal)
    equal(sorted(done), sorted((0, f"task {number}", 0) for number in range(1000)))
    outcome = batch(sandbox, "--resume", "whoami", "--count", "1000", ranks=2)
    equal((outcome.exit, counts(outcome)), (0, {"done": 0, "done before": 1000, "failed": 0}), outcome)


def case_after_a_kill_with_ranks(sandbox):
    names = [f"word {number}" for number in range(60)]
    for ranks in RANKS:
        run = Fed(sandbox, "--run-dir", f"run-{ranks}", "--journal-sync", "0.1", "whoami", ranks=ranks)
        journal = sandbox.path(f"run-{ranks}/journal.jsonl")
        run.feed(names[:20])
        run.until(lambda: len(engine_runs.records(journal)) == 20)
        run.kill()
        outcome = batch(sandbox, "--run-dir", f"run-{ranks}", "--resume", "whoami", *names, ranks=ranks)
        equal((outcome.exit, counts(outcome)), (0, {"done": 40, "done before": 20, "failed": 0}), outcome)


def case_the_same_line_twice_is_two_tasks(sandbox):
    for ranks in RANKS:
        common = ("--run-dir", f"run-{ranks}", "whoami", "--files-from", "-")
        outcome = batch(sandbox, *common, stdin=b"a\nb\na\n", ranks=ranks)
        equal((outcome.exit, counts(outcome)), (0, {"done": 3, "failed": 0}), outcome)
        equal(sorted(engine_runs.done(sandbox.path(f"run-{ranks}/journal.jsonl"))),
              [(0, "a", 0), (0, "a", 1), (0, "b", 0)])
        outcome = batch(sandbox, *common, "--resume", stdin=b"a\na\nb\na\nb\n", ranks=ranks)
        equal((outcome.exit, counts(outcome)), (0, {"done": 2, "done before": 3, "failed": 0}), outcome)


def case_a_journal_that_ends_within_a_line(sandbox):
    """A run that continues it does the task of that line again, and no other one."""
    names = files(sandbox, 12)
    common = ("digest", "-o", "sums", *names)
    equal(batch(sandbox, *common).exit, 0)
    wanted = sandbox.path("sums").read_bytes()
    journal = sandbox.path("sums.run/journal.jsonl")
    whole = journal.read_bytes()
    for cut in (1, 20, len(whole.splitlines(True)[-1])):  # the last one removes the whole line
        journal.write_bytes(whole[:-cut])
        sandbox.path("sums").unlink()
        outcome = batch(sandbox, "--resume", *common)
        equal((outcome.exit, counts(outcome)), (0, {"done": 1, "done before": 11, "failed": 0}), outcome)
        equal(sandbox.path("sums").read_bytes(), wanted)
        equal(len(set(engine_runs.done(journal))), 12)


def case_damaged_lines_of_a_journal(sandbox):
    names = files(sandbox, 12)
    common = ("digest", "-o", "sums", *names)
    equal(batch(sandbox, *common).exit, 0)
    wanted = sandbox.path("sums").read_bytes()
    journal = sandbox.path("sums.run/journal.jsonl")
    lines = journal.read_bytes().splitlines(True)
    lines[3] = lines[3].replace(b'"status"', b'"st\x00tus"')
    lines[7] = b"\n"
    journal.write_bytes(b"".join(lines))
    outcome = batch(sandbox, "--resume", *common)
    equal((outcome.exit, counts(outcome)), (0, {"done": 2, "done before": 10, "failed": 0}), outcome)
    assert "2 damaged lines of the journal were ignored" in outcome.err, outcome
    equal(sandbox.path("sums").read_bytes(), wanted)


def case_retry_failed_does_only_what_failed(sandbox):
    names = files(sandbox, 8)
    wanted = batch(sandbox, "--no-journal", "digest", *names).out
    for ranks in RANKS:
        common = ("--run-dir", f"run-{ranks}", "digest", "-o", f"sums-{ranks}", *names)
        for name in (names[2], names[5]):
            sandbox.path(name).rename(sandbox.path(name + ".away"))
        outcome = batch(sandbox, *common, ranks=ranks)
        equal((outcome.exit, counts(outcome)), (1, {"done": 6, "failed": 2}), outcome)
        equal(len(sandbox.path(f"sums-{ranks}").read_bytes().splitlines()), 6)
        for name in (names[2], names[5]):
            sandbox.path(name + ".away").rename(sandbox.path(name))
        outcome = batch(sandbox, "--retry-failed", *common, ranks=ranks)
        equal((outcome.exit, counts(outcome)), (0, {"done": 2, "done before": 6, "failed": 0}), outcome)
        equal(sandbox.path(f"sums-{ranks}").read_text(), wanted)
        journal = sandbox.path(f"run-{ranks}/journal.jsonl")
        equal([record["was"] for record in engine_runs.records(journal) if "was" in record], ["failed"] * 2)
    equal(batch(sandbox, "--retry-failed", "--run-dir", "none", "whoami", "a").exit, 2)


def case_retry_failed_does_not_write_an_incomplete_output(sandbox):
    """Some inputs were never processed: --retry-failed leaves them out, so the output would not be complete."""
    names = files(sandbox, 6)
    equal(batch(sandbox, "digest", "-o", "sums", *names[:3], "missing").exit, 1)
    sandbox.path("sums").unlink()
    sandbox.write("missing")
    outcome = batch(sandbox, "--retry-failed", "digest", "-o", "sums", *names, "missing")
    equal((outcome.exit, sandbox.path("sums").exists()), (75, False), outcome)
    outcome = batch(sandbox, "--resume", "digest", "-o", "sums", *names, "missing")
    equal((outcome.exit, len(sandbox.path("sums").read_text().splitlines())), (0, 7), outcome)


# ---- Shards and limits ----

def case_shards_are_the_whole(sandbox):
    names = files(sandbox, 30)
    whole = batch(sandbox, "--no-journal", "digest", "in").out.splitlines()
    equal(len(whole), 30)
    for ranks in RANKS:
        parts = []
        for shard in ("1/3", "2/3", "3/3"):
            outcome = batch(sandbox, "--shard", shard, "--run-dir", f"run-{ranks}", "digest", "in", ranks=ranks)
            equal(outcome.exit, 0, outcome)
            part = outcome.out.splitlines()
            equal(part, [line for line in whole if line in part], "in the order of the inputs")
            assert 0 < len(part) < 30, part
            parts += part
        equal(sorted(parts), sorted(whole))
        equal(sorted(path.name for path in sandbox.path(f"run-{ranks}").glob("*.jsonl")),
              [f"journal-{number}-of-3.jsonl" for number in (1, 2, 3)])
    outcome = batch(sandbox, "--shard", "2/3", "--journal", "j", "whoami", *names)
    equal(outcome.exit, 0, outcome)
    outcome = batch(sandbox, "--resume", "--shard", "1/3", "--journal", "j", "whoami", *names)
    equal((outcome.exit, "was written with --shard '2/3', but this run has '1/3'" in outcome.err), (2, True), outcome)


def case_max_failures(sandbox):
    names = files(sandbox, 40)
    for ranks in RANKS:
        common = ("-j", "1", "--chunk", "1", "--run-dir", f"run-{ranks}", "digest", "-o", f"sums-{ranks}")
        missing = [f"missing/{number}" for number in range(400)]
        outcome = batch(sandbox, "--max-failures", "3", *common, *missing, *names, ranks=ranks)
        equal(outcome.exit, 75, outcome)
        assert re.search(r"stopped early: \d+ of \d+ files failed \(--max-failures\); ", outcome.err), outcome
        assert not sandbox.path(f"sums-{ranks}").exists()
        outcome = batch(sandbox, "--resume", *common, *missing, *names, ranks=ranks)
        equal((outcome.exit, len(sandbox.path(f"sums-{ranks}").read_text().splitlines())), (1, 40), outcome)


def stop_and_resume(sandbox, ranks, stop, reason, *options, program_output="sums"):
    """A digest of 40 files of which 15 are done when the run is stopped, then --resume."""
    names = files(sandbox, 40)
    wanted = batch(sandbox, "--no-journal", "digest", *names).out
    run = Fed(sandbox, "-v", *options, "--run-dir", f"run-{ranks}", "digest", "-o", program_output, ranks=ranks)
    run.feed(names[:15])
    run.until(lambda: run.text("stdout").count(" was processed...\n") == 15)
    stop(run)
    equal((run.end(), sandbox.path(program_output).exists()), (75, False), run.text())
    assert f"stopped early: {reason}; run the same command with --resume to continue" in run.text(), run.text()
    equal(engine_runs.leftovers(sandbox.root), [])
    outcome = batch(sandbox, "--resume", "--run-dir", f"run-{ranks}", "digest", "-o", program_output, *names,
                    ranks=ranks)
    equal((outcome.exit, counts(outcome)), (0, {"done": 25, "done before": 15, "failed": 0}), outcome)
    equal(sandbox.path(program_output).read_text(), wanted)
    sandbox.path(program_output).unlink()


def case_sigterm_then_resume(sandbox):
    for ranks in RANKS:
        stop_and_resume(sandbox, ranks, Fed.stop, "received SIGTERM")


def case_time_limit(sandbox):
    for ranks in (0, 2):
        stop_and_resume(sandbox, ranks, lambda run: None, "the time limit is close", "--time-limit", "4")


def case_resumed_standard_output_is_printed_from_the_first_on(sandbox):
    names = files(sandbox, 40)
    wanted = batch(sandbox, "--no-journal", "digest", *names).out
    for ranks in RANKS:
        common = ("--run-dir", f"run-{ranks}", "digest")
        run = Fed(sandbox, "-v", *common, ranks=ranks)
        run.feed(names[:15])
        run.until(lambda: run.text().count(" was processed...\n") == 15)
        run.stop()
        equal(run.end(), 75, run.text())
        assert wanted.startswith(run.text("stdout")), "it is a beginning of the whole"
        outcome = batch(sandbox, *common, "--resume", *names, ranks=ranks)
        equal((outcome.exit, outcome.out), (0, wanted), outcome)
        equal(outcome.err.count("all results are printed again, from the first on"), 1, outcome)
        assert "25 done, 15 done before, 0 failed" in outcome.err, outcome


# ---- Results ----

def case_results_are_in_the_order_of_the_inputs(sandbox):
    """The first file takes longest, so that all others end before it."""
    names = files(sandbox, 50)
    sandbox.write("large")
    os.truncate(sandbox.path("large"), 200 << 20)
    for ranks in RANKS:
        outcome = batch(sandbox, "-v", "-j", "2", "--chunk", "1", "--run-dir", f"run-{ranks}", "digest", "-o", "sums",
                        "large", *names, ranks=ranks)
        equal(outcome.exit, 0, outcome)
        assert not outcome.lines[0].startswith("large "), outcome
        equal([line.split("  ")[1] for line in sandbox.path("sums").read_text().splitlines()], ["large", *names])


def open_reader(sandbox, names, ranks):
    """A digest whose output goes to a small pipe. A list has the names: hydra crashes on more than 1000 arguments."""
    sandbox.write("names", "".join(f"{name}\n" for name in names).encode())
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with open(sandbox.path("stderr"), "wb") as err:
        process = subprocess.Popen([*launcher(ranks), MPBATCH, "--run-dir", f"run-{ranks}", "digest", "--files-from",
                                    "names"], cwd=sandbox.root, stdin=subprocess.DEVNULL, stdout=writer, stderr=err)
    os.close(writer)
    return os.fdopen(reader, "rb", buffering=0), process


def case_a_stop_before_the_first_task(sandbox):
    """Rank 0 waits for a writer of the FIFO."""
    os.mkfifo(sandbox.path("fifo"))
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen([MPBATCH, "noop", "--files-from", "fifo"], cwd=sandbox.root, text=True,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        engine_runs.until(lambda: "mpp-worker" in process_tree.below(process.pid).values(), process)
        process.send_signal(number)
        error = process.communicate(timeout=RUN_TIMEOUT_S)[1]
        equal((process.returncode, error), (75, f"mpbatch: stopped early: received {number.name}; no task was begun\n"))


def is_pending(pid, number):
    """Whether the process has not taken this signal yet; it waits for signals with sigtimedwait."""
    with open(f"/proc/{pid}/status", encoding="ascii") as stream:
        return int(re.search(r"ShdPnd:\s*(\w+)", stream.read())[1], 16) >> number - 1 & 1


def case_a_list_that_is_cut_off_by_a_stop(sandbox):
    """A launcher that gets SIGTERM closes standard input. What has come until then is not the whole list."""
    for number in range(5):
        mark, run = sandbox.path(f"mark-{number}"), f"run-{number}"
        fed = Fed(sandbox, "--size", "10", "--wait", str(mark), "--run-dir", run, "-o", "out", program=LARGE_RESULTS)
        fed.feed(["task 0", "task 1"])
        fed.until(lambda: sandbox.path(f"{run}/journal.jsonl").exists())
        os.close(fed.names)
        fed.names = os.dup(0)
        fed.stop()
        fed.until(lambda: not is_pending(fed.process.pid, signal.SIGTERM))
        mark.touch()
        equal((fed.end(), sandbox.path("out").exists()), (75, False), fed.text())


def case_a_closed_pipe_stops_the_run(sandbox):
    """As in `mpbatch digest ... | head -1`. mpirun reads all the output itself."""
    names = files(sandbox, 3000)
    stream, process = open_reader(sandbox, names, 0)
    with stream:
        assert stream.read(10), "the first line"
    equal(process.wait(RUN_TIMEOUT_S), 75)
    error = sandbox.path("stderr").read_text()
    assert "stopped early: cannot write to standard output: Broken pipe; " in error, error
    outcome = batch(sandbox, "--resume", "--run-dir", "run-0", "digest", *names)
    equal((outcome.exit, len(outcome.out.splitlines())), (0, 3000), outcome.err)


def case_a_closed_pipe_behind_mpirun(sandbox):
    """The ranks end. mpirun of Open MPI 4, which got the error, sometimes does not."""
    names = files(sandbox, 3000)
    stream, process = open_reader(sandbox, names, 2)
    with stream:
        assert stream.read(10), "the first line"
    watch = process_tree.Watch(process_tree.below(process.pid))
    equal(watch.survivors(RUN_TIMEOUT_S), [])
    process.kill()
    process.wait(RUN_TIMEOUT_S)
    equal(batch(sandbox, "--resume", "--run-dir", "run-2", "digest", "--files-from", "names", ranks=2).exit, 0)


def case_a_slow_reader_gets_everything(sandbox):
    names = files(sandbox, 1000)
    wanted = batch(sandbox, "--no-journal", "digest", *names).out
    for ranks in RANKS:
        stream, process = open_reader(sandbox, names, ranks)
        found = b""
        with stream:
            while part := stream.read(97):
                found += part
        equal((process.wait(RUN_TIMEOUT_S), found.decode() == wanted), (0, True))


def case_sigterm_while_the_output_is_blocked(sandbox):
    """The run ends when the output is read, and what it had printed was right."""
    names = files(sandbox, 3000)
    wanted = batch(sandbox, "--no-journal", "digest", *names).out
    stream, process = open_reader(sandbox, names, 0)
    with stream:
        found = stream.read(10)
        process.send_signal(signal.SIGTERM)
        found += b"".join(iter(lambda: stream.read(65536), b""))
    status = process.wait(RUN_TIMEOUT_S)
    assert wanted.startswith(found.decode()), "a beginning of the whole"
    equal(status, 0 if len(found) == len(wanted) else 75)


# ---- Options ----

def case_joblog(sandbox):
    names = files(sandbox, 5)
    for ranks in RANKS:
        outcome = batch(sandbox, "--joblog", f"log-{ranks}", "--no-journal", "digest", *names, "missing", ranks=ranks)
        equal(outcome.exit, 1, outcome)
        head, *lines = sandbox.path(f"log-{ranks}").read_text().splitlines()
        equal(head.split("\t"), ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal",
                                 "Command"])
        rows = [line.split("\t") for line in lines]
        equal(sorted((row[8].split()[-1], row[6], row[7]) for row in rows),
              sorted([(name, "0", "0") for name in names] + [("missing", "1", "0")]))
        equal([row[0] for row in rows], [str(number) for number in range(1, 7)])


def case_dry_run_writes_nothing(sandbox):
    names = files(sandbox, 5)
    before = sandbox.names()
    for ranks in RANKS:
        for words in (["digest", *names], ["digest", "-o", "sums", *names], ["whoami", *names]):
            outcome = batch(sandbox, "--dry-run", *words, ranks=ranks)
            equal((outcome.exit, outcome.err), (0, ""), outcome)
            equal(outcome.lines, [*names, "Dry run: 5 to do, 0 failed; nothing was written"])
            equal(sandbox.names(), before)
    equal(sorted(os.listdir(sandbox.root)), ["in"])


def case_verbose_and_quiet(sandbox):
    names = files(sandbox, 5)
    for ranks in RANKS:
        common = ("--no-journal", "digest", "-o", "sums", *names)
        outcome = batch(sandbox, "-v", *common, ranks=ranks)
        equal(outcome.processed, [f"{name} was processed..." for name in names])
        outcome = batch(sandbox, "--quiet", *common, ranks=ranks)
        equal((outcome.exit, outcome.out, outcome.err), (0, "", ""))
        outcome = batch(sandbox, "-v", "--no-journal", "digest", *names, ranks=ranks)
        equal(len(outcome.out.splitlines()), 5, "nothing but the results is on stdout")
        equal(outcome.err.count(" was processed...\n"), 5, outcome)


def pids(outcome):
    return collections.Counter(re.findall(r"on Process (\d+)", outcome.out))


def case_workers(sandbox):
    for ranks in RANKS:
        outcome = batch(sandbox, "--no-journal", "--max-workers", "2", "whoami", "--count", "50", ranks=ranks)
        equal((outcome.exit, sum(pids(outcome).values())), (0, 50), outcome)
        assert len(pids(outcome)) <= 2, outcome
        outcome = batch(sandbox, "--no-journal", "-j", "1", "--max-tasks-per-worker", "3", "whoami", "--count", "30",
                        ranks=ranks)
        equal((outcome.exit, sum(pids(outcome).values()), max(pids(outcome).values())), (0, 30, 3), outcome)
        outcome = batch(sandbox, "--no-journal", "--in-process", "whoami", "--count", "20", ranks=ranks)
        equal(sum(pids(outcome).values()), 20)
        assert len(pids(outcome)) <= max(ranks, 1), outcome


def case_in_process_results(sandbox):
    names = files(sandbox, 20)
    wanted = batch(sandbox, "--no-journal", "digest", *names).out
    for ranks in RANKS:
        outcome = batch(sandbox, "--in-process", "--run-dir", f"run-{ranks}", "digest", *names, ranks=ranks)
        equal((outcome.exit, outcome.out), (0, wanted), outcome)


def case_include_and_exclude(sandbox):
    for name in ("in/a.txt", "in/b.dat", "in/sub/c.txt", "in/sub/d.log", "named.log"):
        sandbox.write(name, name.encode())

    def found(*words, ranks):
        outcome = batch(sandbox, "--no-journal", *words, "digest", "in", "named.log", ranks=ranks)
        equal(outcome.exit, 0, outcome)
        return [line.split("  ")[1] for line in outcome.out.splitlines()]
    for ranks in (0, 2):
        equal(sorted(found("--include", "*.txt", "--include", "*.dat", ranks=ranks)),
              ["in/a.txt", "in/b.dat", "in/sub/c.txt", "named.log"])
        equal(sorted(found("--exclude", "sub/*", ranks=ranks)), ["in/a.txt", "in/b.dat", "named.log"])
        equal(sorted(found("--include", "*.txt", "--exclude", "sub/*", ranks=ranks)), ["in/a.txt", "named.log"])


def case_timeout(sandbox):
    for ranks in (0, 2):
        outcome = batch(sandbox, "--no-journal", "-j", "1", "--timeout", "0.001", "spin", "--count", "3", ranks=ranks)
        equal((outcome.exit, counts(outcome)), (1, {"done": 0, "failed": 3}), outcome)
        equal(outcome.err.count("it ran longer than the limit of 0.001 s"), 3, outcome)


def case_options_that_mean_nothing_are_refused_with_a_reason(sandbox):
    for job, option, reason in [
            ("whoami", ["--include", "x"], "its inputs are not files"),
            ("whoami", ["--exclude", "x"], "its inputs are not files"),
            ("digest", ["--count", "3"], "its inputs are files"),
            ("thumbnail", ["--count", "3"], "its inputs are files"),
            ("whoami", ["-o", "x"], "it writes no output"),
            ("digest", ["--skip-existing"], "it does not write a file for each input"),
            ("digest", ["--verify"], "it does not write a file for each input"),
            ("whoami", ["--verify"], "it does not write a file for each input"),
            ("whoami", ["--spool-dir", "x"], "it has no results to collect"),
            ("thumbnail", ["--keep-spool"], "it has no results to collect"),
            ("whoami", ["--read-ahead", "1"], "it reads nothing ahead")]:
        for words in ([job, *option, "x"], [*option, job, "x"]):
            name = {"-o": "--output"}.get(option[0], option[0])
            outcome = batch(sandbox, *words)
            equal((outcome.exit, outcome.out), (2, ""), outcome)
            assert f"mpbatch: {name} means nothing for '{job}': {reason}; " in outcome.err, outcome
    equal(os.listdir(sandbox.root), [])


def case_combinations_that_are_refused(sandbox):
    for words, message in [
            (["whoami"], "nothing to do: use --count, name inputs, or use --files-from"),
            (["whoami", "--count", "2", "x"], "--count and inputs cannot be used together"),
            (["digest"], "no input: name files or directories, or give --files-from"),
            (["-v", "--quiet", "whoami", "x"], "--verbose and --quiet cannot be used together"),
            (["-0", "whoami", "x"], "--null needs --files-from"),
            (["--no-journal", "--resume", "whoami", "x"], "--no-journal cannot be used with --journal, --resume, "),
            (["--no-journal", "--journal", "j", "whoami", "x"], "--no-journal cannot be used with --journal"),
            (["thumbnail", "--skip-existing", "--verify", "x"], "--skip-existing and --verify cannot be used together"),
            (["--shard", "4/3", "whoami", "x"], "--shard takes I/N with I from 1 to N, not '4/3'"),
            (["--max-failures", "0", "whoami", "x"], "--max-failures takes N of at least 1"),
            (["--time-limit", "soon", "whoami", "x"], "--time-limit takes seconds as a decimal number"),
            (["digest", "--algorithm", "md5", "x"], "md5")]:
        for ranks in (0, 2):
            outcome = batch(sandbox, *words, ranks=ranks)
            equal((outcome.exit, outcome.out), (2, ""), outcome)
            equal(outcome.err.count(message), 1, outcome)
    equal(os.listdir(sandbox.root), [])


def case_a_journal_of_another_job(sandbox):
    equal(batch(sandbox, "--journal", "j", "whoami", "x").exit, 0)
    before = sandbox.path("j").read_bytes()
    for ranks in (0, 2):
        outcome = batch(sandbox, "--resume", "--journal", "j", "noop", "x", ranks=ranks)
        equal(outcome.exit, 2, outcome)
        equal(outcome.err.count("the journal 'j' was written by the job 'whoami', not 'noop'; "), 1, outcome)
    equal(sandbox.path("j").read_bytes(), before)


def case_options_that_decide_must_be_the_same(sandbox):
    names = files(sandbox, 5)
    common = ("digest", "-o", "sums", *names)
    equal(batch(sandbox, *common).exit, 0)
    wanted = sandbox.path("sums").read_bytes()
    outcome = batch(sandbox, "--resume", *common, "--algorithm", "xxh3")
    equal(outcome.exit, 2, outcome)
    assert "was written with --algorithm 'sha256', but this run has 'xxh3'" in outcome.err, outcome
    equal(sandbox.path("sums").read_bytes(), wanted)
    outcome = batch(sandbox, "--resume", *common, "--total")  # this one decides on no result of a task
    equal((outcome.exit, counts(outcome)), (0, {"done": 0, "done before": 5, "failed": 0}), outcome)


def case_list(sandbox):
    names = [b"in/one", b"in/two words", b"in/line\nbreak", b"in/t\xe4st"]
    for name in names:
        sandbox.write(name, name)
    outcome = batch(sandbox, "digest", "-o", "sums", *names, "missing", "gone\nnow", "missing")
    equal(outcome.exit, 1, outcome)

    def listed(*words):
        done = subprocess.run([MPBATCH, "list", *words], cwd=sandbox.root, stdin=subprocess.DEVNULL,
                              capture_output=True, check=True, timeout=RUN_TIMEOUT_S)
        return sorted(done.stdout.split(b"\0")[:-1])
    equal(listed("sums.run", "--status", "failed", "-0"), [b"gone\nnow", b"missing"])
    equal(listed("sums.run", "--status", "done", "-0"), sorted(names))
    equal(listed("sums.run/journal.jsonl", "-0"), sorted([*names, b"gone\nnow", b"missing"]))
    sandbox.write("missing")
    sandbox.write("gone\nnow")
    failed = b"\0".join(listed("sums.run", "--status", "failed", "-0")) + b"\0"
    outcome = batch(sandbox, "--no-journal", "digest", "--files-from", "-", "-0", stdin=failed)
    equal((outcome.exit, len(outcome.out.splitlines())), (0, 2), outcome)
    for words in (["list"], ["list", "sums.run", "--status", "odd"]):
        outcome = batch(sandbox, *words)
        equal((outcome.exit, "; try mpbatch --help" in outcome.err), (2, True), outcome)
    for words in (["list", "in"], ["list", "none"]):
        outcome = batch(sandbox, *words)
        equal((outcome.exit, "try" in outcome.err), (2, False), outcome)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([MPBATCH, "list", "sums.run"], cwd=sandbox.root, stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=RUN_TIMEOUT_S)
    equal((done.returncode, done.stderr), (70, "mpbatch: cannot write the names: No space left on device\n"))


def case_an_input_is_never_overwritten(sandbox):
    names = files(sandbox, 20)
    before = sandbox.tree("in")
    for ranks in (0, 2):
        for words, stdin in (["in/001", "./in/000"], b""), (["--files-from", "-"], b"in/001\nin/000\n"):
            outcome = batch(sandbox, "--run-dir", "run", "digest", "-o", "in/000", *words, stdin=stdin, ranks=ranks)
            equal((outcome.exit, sandbox.tree("in")), (2, before), outcome)
            assert "is an input, too; use another --output" in outcome.err, outcome
    equal(batch(sandbox, "--no-journal", "digest", *names).exit, 0)


def case_an_output_in_the_directory_of_the_inputs(sandbox):
    """The next run wants it to be left out: it could be an input."""
    files(sandbox, 20)
    for ranks in RANKS:
        outcome = batch(sandbox, "digest", "--exclude", "sums", "-o", "in/sums", "in", ranks=ranks)
        equal((outcome.exit, len(sandbox.path("in/sums").read_text().splitlines())), (0, 20), outcome)
        equal(batch(sandbox, "digest", "-o", "in/sums", "in", ranks=ranks).exit, 2)


def case_shards_have_outputs_of_their_own(sandbox):
    files(sandbox, 20)
    for number in "1", "2":
        equal(batch(sandbox, "digest", "--shard", f"{number}/2", "-o", "sums", "in").exit, 0)
    found = "".join(sandbox.path(f"sums-{number}-of-2").read_text() for number in (1, 2)).splitlines()
    equal((len(found), sorted(found)), (20, sorted(batch(sandbox, "--no-journal", "digest", "in").out.splitlines())))


def case_a_done_line_without_its_result_proves_nothing(sandbox):
    names = files(sandbox, 3)
    wanted = batch(sandbox, "digest", "-o", "sums", "in").exit, sandbox.path("sums").read_text()
    journal = sandbox.path("sums.run/journal.jsonl")
    text = journal.read_text()
    for odd in ("", '"result":{"hex":"zz"},', '"result":{},', '"result":null,', '"result":{"spool":"1-0-0"},'):
        journal.write_text(re.sub(r'"result":\{[^}]*\},', odd, text, count=1))
        outcome = batch(sandbox, "digest", "--resume", "-o", "sums", "in")
        equal((outcome.exit, sandbox.path("sums").read_text()), wanted, f"{odd}: {outcome}")
        equal(counts(outcome), {"done": 1, "done before": len(names) - 1, "failed": 0}, odd)


def case_a_second_run_harms_nothing_of_the_first(sandbox):
    """It finds the journal locked, and has not touched the output and the job log."""
    words = ("--wait", str(sandbox.path("mark")), "--size", "10", "--run-dir", "run", "-o", "out", "--joblog", "log")
    fed = Fed(sandbox, *words, "--journal-sync", "0.1", program=LARGE_RESULTS)
    fed.feed(["task 1", "task 0"])
    fed.until(lambda: sandbox.path("log").exists() and "task 1" in sandbox.path("log").read_text())
    outcome = sandbox.run(*words, "task 2", program=LARGE_RESULTS)
    equal(outcome.exit, 2, outcome)
    assert "is being written by another run" in outcome.err, outcome
    assert "task 1" in sandbox.path("log").read_text()
    sandbox.path("mark").touch()
    os.close(fed.names)
    fed.names = os.dup(0)
    equal((fed.end(), len(sandbox.path("out").read_bytes())), (0, 20), fed.text())


def case_a_file_that_is_no_journal_stays(sandbox):
    files(sandbox, 3)
    before = sandbox.tree("in")
    outcome = batch(sandbox, "--journal", "in/001", "digest", "-o", "sums", "in")
    equal((outcome.exit, sandbox.tree("in")), (2, before), outcome)
    sandbox.write("list", b"in/001\n")
    outcome = batch(sandbox, "digest", "--files-from", "list", "-o", "list")
    equal((outcome.exit, sandbox.path("list").read_bytes()), (2, b"in/001\n"), outcome)


main(globals())
