#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The journal, the options of later runs that use it (--resume, --retry-failed, --skip-existing, --verify), --shard,
the job log and summary.json."""
import csv
import hashlib
import json
import os
import shutil
import time

import journal_reader
from harness import equal, main

JOURNAL = "thumbs/.mpthumb/journal.jsonl"
OLD_NS = 1_600_000_000_123_456_789


def mixed_inputs(sandbox):
    """Four good images, two of them in a subdirectory, one broken image, and one file that is not an image."""
    sandbox.images("images/1.jpg", "images/2.png", "images/sub/3.jpg", "images/sub/4.jpeg")
    sandbox.write("images/broken.jpg", b"\xff\xd8\xff")
    sandbox.write("images/notes.txt", b"hello")


def count(outcome, what):
    """The number before a word in the last line."""
    words = outcome.lines[-1].replace(",", "").split()
    return int(words[words.index(what) - 1]) if what in words else 0


def summary(sandbox, path="thumbs/.mpthumb/summary.json"):
    return json.loads(sandbox.path(path).read_text())


def case_each_input_has_a_line(sandbox):
    mixed_inputs(sandbox)
    for name in sandbox.names("images"):
        os.utime(sandbox.path(f"images/{name}"), ns=(OLD_NS, OLD_NS))
    before_s = time.time()
    equal(sandbox.run("images", ranks=2).exit, 1)
    headers, records = journal_reader.read(sandbox.path(JOURNAL))
    equal([(header["format"], header["job"], header["run"]) for header in headers], [(2, "thumbnail", 1)])
    equal(headers[0]["options"]["--size"], "50x50")
    equal(sorted(record["source"] for record in records), [f"images/{name}" for name in sandbox.names("images")])
    by_source = {record["source"]: record for record in records}
    good = by_source["images/sub/3.jpg"]
    wanted = {"source": "images/sub/3.jpg", "size": sandbox.path("images/sub/3.jpg").stat().st_size,
              "mtime": 1600000000.1234567, "output": "sub/3.jpg", "width": 50, "height": 33, "status": "done",
              "attempts": 1, "host": os.uname().nodename}
    equal({key: good[key] for key in wanted}, wanted)
    assert good["rank"] in (0, 1) and good["worker"] >= 0 and good["ms"] > 0 and len(good["xxh3"]) == 16
    equal([key for key in ("error", "was", "stage", "occurrence") if key in good], [])  # they do not apply
    assert all(abs(record["end"] - before_s) < 3600 for record in records), records
    text = sandbox.path(JOURNAL).read_text()
    assert '"mtime":1600000000.123456789,' in text  # all nine digits
    bad = by_source["images/broken.jpg"]
    equal((bad["status"], "output" in bad, "xxh3" in bad), ("failed", False, False))
    assert "broken" in bad["error"] or "truncated" in bad["error"] or "JPEG" in bad["error"], bad
    notes = by_source["images/notes.txt"]
    equal((notes["status"], notes["error"]), ("skipped", "neither its name nor its content is that of an image"))
    equal(sandbox.run("--resume", "images").exit, 1)
    headers, records = journal_reader.read(sandbox.path(JOURNAL))
    equal([header["run"] for header in headers], [1, 2])
    equal({record["source"]: record["was"] for record in records[6:]},
          {"images/broken.jpg": "failed", "images/notes.txt": "skipped"})


def case_names_that_are_not_utf8(sandbox):
    name = b"images/\xe4 \"quoted\"\n.jpg"
    sandbox.image(name)
    equal(sandbox.run("images").exit, 0)
    (record,) = journal_reader.read(sandbox.path(JOURNAL))[1]
    equal(os.fsencode(record["source"]), name)
    equal(os.fsencode(record["output"]), name[7:])
    outcome = sandbox.run("--resume", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 0), outcome)


def case_resume_does_the_rest(sandbox):
    mixed_inputs(sandbox)
    sandbox.image("images/sub/5.jpg")
    sandbox.run("images")
    before = sandbox.tree("thumbs")
    outcome = sandbox.run("--resume", "images", ranks=3)
    equal((outcome.exit, count(outcome, "done")), (1, 0), outcome)  # the broken one fails again
    equal(len(outcome.about("broken.jpg")), 1)
    stamps = {name: sandbox.path(f"thumbs/{name}").stat().st_mtime_ns for name in before}
    os.unlink(sandbox.path("thumbs/1.jpg"))
    sandbox.image("images/2.png", seed=9)  # another picture
    os.utime(sandbox.path("images/sub/3.jpg"), ns=(OLD_NS, OLD_NS))  # touched
    status = sandbox.path("images/sub/4.jpeg").stat()
    sandbox.image("images/sub/4.jpeg", size=(90, 90))  # another size, but the same time
    os.utime(sandbox.path("images/sub/4.jpeg"), ns=(status.st_atime_ns, status.st_mtime_ns))
    sandbox.image("images/new.jpg", seed=5)
    outcome = sandbox.run("--resume", "images")
    equal((outcome.exit, count(outcome, "done")), (1, 5), outcome)
    same = [name for name in before if sandbox.path(f"thumbs/{name}").stat().st_mtime_ns == stamps[name]]
    equal(same, ["sub/5.jpg"])
    sandbox.run("-o", "again", "images")
    equal(sandbox.tree("thumbs"), sandbox.tree("again"))
    equal(len(journal_reader.read(sandbox.path(JOURNAL))[0]), 3)


def case_resume_before_the_first_run(sandbox):
    sandbox.images("images/1.jpg")
    equal(sandbox.run("--resume", "images").exit, 0)
    equal(sandbox.names("thumbs"), ["1.jpg"])


def case_other_options_are_refused(sandbox):
    sandbox.images("images/1.jpg")
    sandbox.run("images")
    for options, named in ((["-b", "3"], "--blur '2', but this run has '3'"), (["-s", "60x50"], "--size '50x50'"),
                           (["--exact"], "--exact 'no'"), (["--background", "black"], "--background 'ffffff'"),
                           (["--flat"], "--flat 'no'"), (["--suffix", "_x"], "--suffix ''")):
        outcome = sandbox.run("--resume", *options, "images")
        equal(outcome.exit, 2, outcome)
        equal(len(outcome.about(named)), 1, outcome)
    equal(sandbox.run("--resume", "-j", "1", "--timeout", "7", "-v", "images").exit, 0)  # no effect on outputs


def case_a_new_run_renames_the_old_journal(sandbox):
    sandbox.images("images/1.jpg")
    sandbox.run("images")
    first = sandbox.path(JOURNAL).read_bytes()
    sandbox.run("-b", "3", "images")
    equal(sandbox.path(JOURNAL + ".old").read_bytes(), first)


def case_two_runs_on_one_journal(sandbox):
    """A second run is refused while the first one waits for more names."""
    sandbox.images("images/1.jpg", "images/2.jpg")
    reader, writer = os.pipe()
    import subprocess
    from harness import MPTHUMB
    with subprocess.Popen([MPTHUMB, "-v", "--files-from", "-"], cwd=sandbox.root, stdin=reader,
                          stdout=subprocess.PIPE) as run:
        os.close(reader)
        os.write(writer, b"images/1.jpg\n")
        equal(run.stdout.readline(), b"images/1.jpg was processed...\n")
        for options in ([], ["--resume"]):
            outcome = sandbox.run(*options, "images")
            equal((outcome.exit, len(outcome.about("is being written by another run"))), (2, 1), outcome)
        equal(sandbox.run("--journal", "mine.jsonl", "-o", "thumbs", "images").exit, 0)
        os.write(writer, b"images/2.jpg\n")
        os.close(writer)
        equal(run.wait(), 0)
    equal(sorted(journal_reader.final(sandbox.path(JOURNAL))), ["images/1.jpg", "images/2.jpg"])


def case_retry_failed(sandbox):
    mixed_inputs(sandbox)
    sandbox.run("images")
    sandbox.image("images/new.jpg")
    outcome = sandbox.run("--retry-failed", "images")
    equal((outcome.exit, count(outcome, "done")), (1, 0), outcome)
    for options in ([], [], ["--dry-run"]):
        outcome = sandbox.run("--retry-failed", *options, "-o", "other", "images")
        error = "--retry-failed continues an earlier run, but 'other/.mpthumb/journal.jsonl' has none"
        equal((outcome.exit, len(outcome.about(error))), (2, 1), outcome)
    sandbox.image("images/broken.jpg")
    outcome = sandbox.run("--retry-failed", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 1), outcome)
    equal(sorted(sandbox.names("thumbs")), ["1.jpg", "2.png", "broken.jpg", "sub/3.jpg", "sub/4.jpeg"])
    outcome = sandbox.run("--retry-failed", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 0), outcome)


def case_skip_existing(sandbox):
    mixed_inputs(sandbox)
    sandbox.write("thumbs/1.jpg", b"whatever")
    outcome = sandbox.run("--skip-existing", "images")
    equal((outcome.exit, count(outcome, "done")), (1, 3), outcome)
    equal(sandbox.path("thumbs/1.jpg").read_bytes(), b"whatever")
    equal(journal_reader.final(sandbox.path(JOURNAL))["images/1.jpg"]["status"], "skipped")


def case_verify(sandbox):
    mixed_inputs(sandbox)
    sandbox.run("images")
    os.unlink(sandbox.path("images/broken.jpg"))
    journal = sandbox.path(JOURNAL).read_bytes()
    outcome = sandbox.run("--verify", "images")
    equal((outcome.exit, outcome.lines), (0, ["4 verified, 0 failed, 1 skipped; nothing was written"]), outcome)
    os.unlink(sandbox.path("images/notes.txt"))
    outcome = sandbox.run("--verify", "images", ranks=2)
    equal((outcome.exit, outcome.lines), (0, ["4 verified, 0 failed; nothing was written"]), outcome)
    sandbox.image("images/new.jpg")
    outcome = sandbox.run("--verify", "images")
    equal(len(outcome.about("'images/new.jpg': the journal does not say that it is done")), 1, outcome)
    equal(outcome.exit, 1, outcome)
    os.unlink(sandbox.path("images/new.jpg"))
    content = bytearray(sandbox.path("thumbs/2.png").read_bytes())
    content[-20] ^= 1
    sandbox.write("thumbs/2.png", content)
    os.unlink(sandbox.path("thumbs/sub/3.jpg"))
    outcome = sandbox.run("--verify", "images")
    equal((outcome.exit, len(outcome.errors)), (1, 2), outcome)
    for error in ("'images/2.png': its output 'thumbs/2.png' does not match the checksum in the journal",
                  "'images/sub/3.jpg': its output 'thumbs/sub/3.jpg' is missing"):
        equal(len(outcome.about(error)), 1, outcome)
    equal(sandbox.path(JOURNAL).read_bytes(), journal)  # unchanged
    outcome = sandbox.run("--resume", "--verify", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 2), outcome)
    equal(sandbox.run("--verify", "images").exit, 0)
    shutil.rmtree(sandbox.path("thumbs"))
    equal(sandbox.run("--verify", "images").exit, 2)
    assert not sandbox.path("thumbs").exists()


def case_runs_that_write_nothing(sandbox):
    """They leave the summary and the job log of the run before as they are."""
    mixed_inputs(sandbox)
    equal(sandbox.run("--joblog", "log.tsv", "images").exit, 1)
    paths = [sandbox.path(name) for name in ("log.tsv", JOURNAL, "thumbs/.mpthumb/summary.json")]
    before = [path.read_bytes() for path in paths]
    for words in (["--dry-run"], ["--verify"], ["--dry-run", "--resume"], ["--dry-run", "--resume", "--verify"]):
        outcome = sandbox.run("--joblog", "log.tsv", *words, "images")
        assert "nothing was written" in outcome.out, outcome
        equal([path.read_bytes() for path in paths], before, words)
    sandbox.run("--joblog", "new.tsv", "--dry-run", "images")
    assert not sandbox.path("new.tsv").exists()


def case_shards(sandbox):
    """Each file is in exactly one shard; each shard has its own journal."""
    names = [f"images/{number:02}.jpg" for number in range(30)]
    for number, name in enumerate(names):
        sandbox.image(name, size=(40, 30), seed=number)
    seen = []
    for shard in range(1, 5):
        equal(sandbox.run("--shard", f"{shard}/4", "images").exit, 0)
        part = journal_reader.final(sandbox.path(f"thumbs/.mpthumb/journal-{shard}-of-4.jsonl"))
        equal(summary(sandbox, f"thumbs/.mpthumb/summary-{shard}-of-4.json")["done"], len(part))
        seen += part
    equal(sorted(seen), names)
    equal(len(sandbox.names("thumbs")), 30)
    for wrong in ("0/4", "5/4", "4", "a/b", "1/0", "1/4x"):
        equal(sandbox.run("--shard", wrong, "images").exit, 2)


def case_joblog(sandbox):
    mixed_inputs(sandbox)
    sandbox.run("--joblog", "log.tsv", "images")
    sandbox.run("--joblog", "log.tsv", "--resume", "images")
    with open(sandbox.path("log.tsv"), newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    equal(rows[0], "Seq Host Starttime JobRuntime Send Receive Exitval Signal Command".split())
    equal([int(row[0]) for row in rows[1:]], list(range(1, 9)))  # six inputs, then the two that are not done
    by_command = {row[8]: row for row in rows[1:7]}
    good, bad = by_command["mpthumb images/1.jpg"], by_command["mpthumb images/broken.jpg"]
    equal((good[6], good[7], good[4], good[5]),
          ("0", "0", str(sandbox.path("images/1.jpg").stat().st_size),
           str(sandbox.path("thumbs/1.jpg").stat().st_size)))
    equal((bad[6], bad[7]), ("1", "0"))


def case_summary(sandbox):
    mixed_inputs(sandbox)
    for number in range(8):
        sandbox.write(f"images/{number}.jpg.jpg", b"\xff\xd8\xff")
    equal(sandbox.run("images", ranks=2).exit, 1)
    found = summary(sandbox)
    wanted = {"exit_status": 1, "stopped_by": None, "done": 4, "already_done": 0, "failed": 9, "skipped": 1,
              "ranks_lost": 0, "ranks_polling": 0, "job": "thumbnail"}
    equal({key: found[key] for key in wanted}, wanted)
    equal(sum(cause["count"] for cause in found["causes"]), 9)
    assert all(cause["examples"] and cause["message"] for cause in found["causes"])
    equal(len(found["ranks"]), 2)
    equal(sum(rank["tasks"] for rank in found["ranks"]), 14)
    assert all(0 <= rank["busy_share"] <= 1.01 for rank in found["ranks"]), found


def case_max_failures(sandbox):
    # Several hundred tasks that short are on their way when the limit is reached, and still end. With 2000 inputs most
    # are never begun, so a run that stops can be told from one that does not.
    for number in range(2000):
        sandbox.write(f"images/{number:04}.jpg", b"\xff\xd8\xff")
    outcome = sandbox.run("-j", "1", "--max-failures", "10", "images")
    equal(outcome.exit, 75, outcome)
    equal(len(outcome.about("(--max-failures)")), 1, outcome)
    found = summary(sandbox)
    assert 10 <= found["failed"] < 2000 and found["exit_status"] == 75, found
    equal(sandbox.run("-j", "1", "--max-failures", "20%", "-o", "other", "images").exit, 75)
    assert 100 <= summary(sandbox, "other/.mpthumb/summary.json")["failed"] < 2000
    sandbox.images("good/1.jpg", "good/2.jpg")
    equal(sandbox.run("--max-failures", "1", "-o", "good_ones", "good").exit, 0)
    for wrong in ("0", "-1", "x", "101%", "5%%"):
        equal(sandbox.run("--max-failures", wrong, "images").exit, 2)


def case_no_journal(sandbox):
    sandbox.images("images/1.jpg")
    sandbox.run("--no-journal", "images")
    assert not sandbox.path("thumbs/.mpthumb").exists()
    sandbox.run("--beside", "--suffix", "_t", "images")
    equal(sandbox.names("images"), ["1.jpg", "1_t.jpg"])
    equal(sandbox.run("--beside", "--suffix", "_t", "--resume", "images").exit, 2)
    equal(sandbox.run("--beside", "--suffix", "_t", "--resume", "--journal", "j.jsonl", "images").exit, 0)
    outcome = sandbox.run("--beside", "--suffix", "_t", "--resume", "--journal", "j.jsonl", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 0), outcome)
    equal(sandbox.run("--no-journal", "--resume", "images").exit, 2)


def case_a_link_where_the_journal_belongs(sandbox):
    """Nothing is written outside the output directory."""
    sandbox.images("images/1.jpg")
    sandbox.write("outside/victim", b"precious")
    sandbox.path("thumbs").mkdir()
    os.symlink("../outside", sandbox.path("thumbs/.mpthumb"))
    outcome = sandbox.run("images")
    equal((outcome.exit, len(outcome.about("is not a directory"))), (2, 1), outcome)
    os.unlink(sandbox.path("thumbs/.mpthumb"))
    sandbox.path("thumbs/.mpthumb").mkdir()
    os.symlink("../../outside/victim", sandbox.path(JOURNAL))
    os.symlink("../../outside/victim", sandbox.path("thumbs/.mpthumb/summary.json"))
    outcome = sandbox.run("images")
    equal((outcome.exit, len(outcome.about("symbolic link"))), (2, 1), outcome)
    os.unlink(sandbox.path(JOURNAL))
    outcome = sandbox.run("images")
    equal((outcome.exit, len(outcome.about("summary.json"))), (75, 1), outcome)
    equal(sandbox.tree("outside"), {"victim": hashlib.sha256(b"precious").hexdigest()})


def case_dry_run_of_a_resume(sandbox):
    sandbox.images("images/1.jpg", "images/2.jpg")
    equal(sandbox.run("--dry-run", "--resume", "images").out.count("->"), 2)
    assert not sandbox.path("thumbs").exists()
    sandbox.run("images/1.jpg", "-o", "thumbs")
    journal = sandbox.path(JOURNAL).read_bytes()
    outcome = sandbox.run("--dry-run", "--resume", "images/1.jpg", "images/2.jpg")
    equal(outcome.out.count("->"), 1, outcome)
    equal(sandbox.path(JOURNAL).read_bytes(), journal)


def case_a_journal_that_cannot_be_opened(sandbox):
    sandbox.images("images/1.jpg")
    sandbox.path("dir").mkdir()
    for journal, named in (("dir", "directory"), ("none/j.jsonl", "No such file"), ("/dev/full", "not a regular file")):
        outcome = sandbox.run("--journal", journal, "images")
        equal(outcome.exit, 2, outcome)
        equal(len(outcome.about("journal")), 1, outcome)
    for content in (b"my notes\n", b"my important text", bytes(100_000)):
        sandbox.write("notes.txt", content)
        for option in ("--resume", "--verify"):
            outcome = sandbox.run(option, "--journal", "notes.txt", "images")
            equal((outcome.exit, len(outcome.about("'notes.txt' is not a journal"))), (2, 1), outcome)
            equal(sandbox.path("notes.txt").read_bytes(), content, outcome)


def case_a_run_killed_in_its_first_line_is_resumed(sandbox):
    sandbox.images("images/1.jpg")
    sandbox.run("images")
    header = sandbox.path(JOURNAL).read_bytes().splitlines()[0]
    for size in (0, 1, 12, 30, len(header)):
        sandbox.write(JOURNAL, header[:size])
        outcome = sandbox.run("--resume", "images")
        equal((outcome.exit, count(outcome, "done")), (0, 1), outcome)
        equal(len(journal_reader.read(sandbox.path(JOURNAL))[0]), 1)


main(globals())
