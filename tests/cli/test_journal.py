#!/usr/bin/python3
"""The journal, and what later runs make of it: --resume, --retry-failed, --skip-existing, --verify, --shard; the job
log and summary.json."""
import csv
import hashlib
import json
import os
import shutil

import journals
from harness import equal, main

JOURNAL = "thumbs/.mpthumb/journal.jsonl"
OLD_NS = 1_600_000_000_123_456_789


def mixed(scene):
    """Four good ones, two of them in a directory, one broken, one that is no image."""
    scene.images("images/1.jpg", "images/2.png", "images/sub/3.jpg", "images/sub/4.jpeg")
    scene.write("images/broken.jpg", b"\xff\xd8\xff")
    scene.write("images/notes.txt", b"hello")


def count(outcome, what):
    """The number before a word in the last line."""
    words = outcome.lines[-1].replace(",", "").split()
    return int(words[words.index(what) - 1]) if what in words else 0


def summary(scene, path="thumbs/.mpthumb/summary.json"):
    return json.loads(scene.path(path).read_text())


def case_each_input_has_its_line(scene):
    mixed(scene)
    for name in scene.names("images"):
        os.utime(scene.path(f"images/{name}"), ns=(OLD_NS, OLD_NS))
    equal(scene.run("images", ranks=2).exit, 1)
    headers, records = journals.read(scene.path(JOURNAL))
    equal(len(headers), 1)
    equal(headers[0]["options"]["--size"], "50x50")
    equal(sorted(record["source"] for record in records), [f"images/{name}" for name in scene.names("images")])
    by_source = {record["source"]: record for record in records}
    good = by_source["images/sub/3.jpg"]
    wanted = {"source": "images/sub/3.jpg", "size": scene.path("images/sub/3.jpg").stat().st_size,
              "mtime": 1600000000.1234567, "output": "sub/3.jpg", "width": 50, "height": 33, "status": "done",
              "error": None, "attempts": 1, "host": os.uname().nodename}
    equal({key: good[key] for key in wanted}, wanted)
    assert good["rank"] in (0, 1) and good["ms"] > 0 and len(good["xxh3"]) == 16
    text = scene.path(JOURNAL).read_text()
    assert '"mtime":1600000000.123456789,' in text  # all nine digits
    bad = by_source["images/broken.jpg"]
    equal((bad["status"], bad["output"], bad["xxh3"]), ("failed", None, None))
    assert "broken" in bad["error"] or "truncated" in bad["error"] or "JPEG" in bad["error"], bad
    equal(by_source["images/notes.txt"]["status"], "skipped")


def case_names_that_are_not_utf8(scene):
    name = b"images/\xe4 \"quoted\"\n.jpg"
    scene.image(name)
    equal(scene.run("images").exit, 0)
    (record,) = journals.read(scene.path(JOURNAL))[1]
    equal(os.fsencode(record["source"]), name)
    equal(os.fsencode(record["output"]), name[7:])
    outcome = scene.run("--resume", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 0), outcome)


def case_resume_does_what_is_left(scene):
    mixed(scene)
    scene.image("images/sub/5.jpg")
    scene.run("images")
    before = scene.tree("thumbs")
    outcome = scene.run("--resume", "images", ranks=3)
    equal((outcome.exit, count(outcome, "done")), (1, 0), outcome)  # the broken one is tried, and still broken
    equal(len(outcome.about("broken.jpg")), 1)
    stamps = {name: scene.path(f"thumbs/{name}").stat().st_mtime_ns for name in before}
    os.unlink(scene.path("thumbs/1.jpg"))
    scene.image("images/2.png", seed=9)  # another picture
    os.utime(scene.path("images/sub/3.jpg"), ns=(OLD_NS, OLD_NS))  # touched
    status = scene.path("images/sub/4.jpeg").stat()
    scene.image("images/sub/4.jpeg", size=(90, 90))  # of another size, and yet of the same time
    os.utime(scene.path("images/sub/4.jpeg"), ns=(status.st_atime_ns, status.st_mtime_ns))
    scene.image("images/new.jpg", seed=5)
    outcome = scene.run("--resume", "images")
    equal((outcome.exit, count(outcome, "done")), (1, 5), outcome)
    same = [name for name in before if scene.path(f"thumbs/{name}").stat().st_mtime_ns == stamps[name]]
    equal(same, ["sub/5.jpg"])
    scene.run("-o", "anew", "images")
    equal(scene.tree("thumbs"), scene.tree("anew"))
    equal(len(journals.read(scene.path(JOURNAL))[0]), 3)


def case_resume_before_the_first_run(scene):
    scene.images("images/1.jpg")
    equal(scene.run("--resume", "images").exit, 0)
    equal(scene.names("thumbs"), ["1.jpg"])


def case_other_options_are_refused(scene):
    scene.images("images/1.jpg")
    scene.run("images")
    for options, named in ((["-b", "3"], "--blur '2', and here it is '3'"), (["-s", "60x50"], "--size '50x50'"),
                           (["--exact"], "--exact 'no'"), (["--background", "black"], "--background 'ffffff'"),
                           (["--flat"], "--flat 'no'"), (["--suffix", "_x"], "--suffix ''")):
        outcome = scene.run("--resume", *options, "images")
        equal(outcome.exit, 2, outcome)
        equal(len(outcome.about(named)), 1, outcome)
    equal(scene.run("--resume", "-j", "1", "--timeout", "7", "-v", "images").exit, 0)  # these decide on no output


def case_a_new_run_sets_the_journal_aside(scene):
    scene.images("images/1.jpg")
    scene.run("images")
    first = scene.path(JOURNAL).read_bytes()
    scene.run("-b", "3", "images")
    equal(scene.path(JOURNAL + ".old").read_bytes(), first)


def case_two_runs_on_one_journal(scene):
    """The second is refused, while the first waits for more names."""
    scene.images("images/1.jpg", "images/2.jpg")
    reader, writer = os.pipe()
    import subprocess
    from harness import MPTHUMB
    with subprocess.Popen([MPTHUMB, "-v", "--files-from", "-"], cwd=scene.root, stdin=reader,
                          stdout=subprocess.PIPE) as run:
        os.close(reader)
        os.write(writer, b"images/1.jpg\n")
        equal(run.stdout.readline(), b"images/1.jpg was processed...\n")
        for options in ([], ["--resume"]):
            outcome = scene.run(*options, "images")
            equal((outcome.exit, len(outcome.about("is being written by another run"))), (2, 1), outcome)
        equal(scene.run("--journal", "mine.jsonl", "-o", "thumbs", "images").exit, 0)
        os.write(writer, b"images/2.jpg\n")
        os.close(writer)
        equal(run.wait(), 0)
    equal(sorted(journals.final(scene.path(JOURNAL))), ["images/1.jpg", "images/2.jpg"])


def case_retry_failed(scene):
    mixed(scene)
    scene.run("images")
    scene.image("images/new.jpg")
    outcome = scene.run("--retry-failed", "images")
    equal((outcome.exit, count(outcome, "done")), (1, 0), outcome)
    scene.image("images/broken.jpg")
    outcome = scene.run("--retry-failed", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 1), outcome)
    equal(sorted(scene.names("thumbs")), ["1.jpg", "2.png", "broken.jpg", "sub/3.jpg", "sub/4.jpeg"])
    outcome = scene.run("--retry-failed", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 0), outcome)


def case_skip_existing(scene):
    mixed(scene)
    scene.write("thumbs/1.jpg", b"whatever")
    outcome = scene.run("--skip-existing", "images")
    equal((outcome.exit, count(outcome, "done")), (1, 3), outcome)
    equal(scene.path("thumbs/1.jpg").read_bytes(), b"whatever")
    equal(journals.final(scene.path(JOURNAL))["images/1.jpg"]["status"], "skipped")


def case_verify(scene):
    mixed(scene)
    scene.run("images")
    os.unlink(scene.path("images/broken.jpg"))
    journal = scene.path(JOURNAL).read_bytes()
    outcome = scene.run("--verify", "images")
    equal((outcome.exit, len(outcome.about("notes.txt"))), (1, 1), outcome)  # which nobody says is done
    os.unlink(scene.path("images/notes.txt"))
    equal(scene.run("--verify", "images", ranks=2).exit, 0)
    content = bytearray(scene.path("thumbs/2.png").read_bytes())
    content[-20] ^= 1
    scene.write("thumbs/2.png", content)
    os.unlink(scene.path("thumbs/sub/3.jpg"))
    outcome = scene.run("--verify", "images")
    equal((outcome.exit, len(outcome.errors)), (1, 2), outcome)
    equal(len(outcome.about("'images/2.png': its thumbnail 2.png is not the one that was written")), 1, outcome)
    equal(len(outcome.about("'images/sub/3.jpg': its thumbnail sub/3.jpg is not there")), 1, outcome)
    equal(scene.path(JOURNAL).read_bytes(), journal)  # nothing was written
    outcome = scene.run("--resume", "--verify", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 2), outcome)
    equal(scene.run("--verify", "images").exit, 0)
    shutil.rmtree(scene.path("thumbs"))
    equal(scene.run("--verify", "images").exit, 2)


def case_shards(scene):
    """No file twice, none missed; each shard has a journal of its own."""
    names = [f"images/{number:02}.jpg" for number in range(30)]
    for number, name in enumerate(names):
        scene.image(name, size=(40, 30), seed=number)
    seen = []
    for shard in range(1, 5):
        equal(scene.run("--shard", f"{shard}/4", "images").exit, 0)
        part = journals.final(scene.path(f"thumbs/.mpthumb/journal-{shard}-of-4.jsonl"))
        equal(summary(scene, f"thumbs/.mpthumb/summary-{shard}-of-4.json")["done"], len(part))
        seen += part
    equal(sorted(seen), names)
    equal(len(scene.names("thumbs")), 30)
    for wrong in ("0/4", "5/4", "4", "a/b", "1/0", "1/4x"):
        equal(scene.run("--shard", wrong, "images").exit, 2)


def case_joblog(scene):
    mixed(scene)
    scene.run("--joblog", "log.tsv", "images")
    scene.run("--joblog", "log.tsv", "--resume", "images")
    with open(scene.path("log.tsv"), newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    equal(rows[0], "Seq Host Starttime JobRuntime Send Receive Exitval Signal Command".split())
    equal([int(row[0]) for row in rows[1:]], list(range(1, 9)))  # six, and the two that are not done
    by_command = {row[8]: row for row in rows[1:7]}
    good, bad = by_command["mpthumb images/1.jpg"], by_command["mpthumb images/broken.jpg"]
    equal((good[6], good[7], good[4], good[5]),
          ("0", "0", str(scene.path("images/1.jpg").stat().st_size), str(scene.path("thumbs/1.jpg").stat().st_size)))
    equal((bad[6], bad[7]), ("1", "0"))


def case_summary(scene):
    mixed(scene)
    for number in range(8):
        scene.write(f"images/{number}.jpg.jpg", b"\xff\xd8\xff")
    equal(scene.run("images", ranks=2).exit, 1)
    found = summary(scene)
    wanted = {"exit_status": 1, "stopped_by": None, "done": 4, "already_done": 0, "failed": 9, "skipped": 1,
              "ranks_lost": 0}
    equal({key: found[key] for key in wanted}, wanted)
    equal(sum(cause["count"] for cause in found["causes"]), 9)
    assert all(cause["examples"] and cause["message"] for cause in found["causes"])
    equal(len(found["ranks"]), 2)
    equal(sum(rank["tasks"] for rank in found["ranks"]), 14)
    assert all(0 <= rank["busy_share"] <= 1.01 for rank in found["ranks"]), found


def case_max_failures(scene):
    for number in range(400):
        scene.write(f"images/{number:03}.jpg", b"\xff\xd8\xff")
    outcome = scene.run("-j", "1", "--max-failures", "10", "images")
    equal(outcome.exit, 75, outcome)
    equal(len(outcome.about("(--max-failures)")), 1, outcome)
    found = summary(scene)
    assert 10 <= found["failed"] < 400 and found["exit_status"] == 75, found
    equal(scene.run("-j", "1", "--max-failures", "20%", "-o", "other", "images").exit, 75)
    assert 100 <= summary(scene, "other/.mpthumb/summary.json")["failed"] < 400
    scene.images("good/1.jpg", "good/2.jpg")
    equal(scene.run("--max-failures", "1", "-o", "good_ones", "good").exit, 0)
    for wrong in ("0", "-1", "x", "101%", "5%%"):
        equal(scene.run("--max-failures", wrong, "images").exit, 2)


def case_no_journal(scene):
    scene.images("images/1.jpg")
    scene.run("--no-journal", "images")
    assert not scene.path("thumbs/.mpthumb").exists()
    scene.run("--beside", "--suffix", "_t", "images")
    equal(scene.names("images"), ["1.jpg", "1_t.jpg"])
    equal(scene.run("--beside", "--suffix", "_t", "--resume", "images").exit, 2)
    equal(scene.run("--beside", "--suffix", "_t", "--resume", "--journal", "j.jsonl", "images").exit, 0)
    outcome = scene.run("--beside", "--suffix", "_t", "--resume", "--journal", "j.jsonl", "images")
    equal((outcome.exit, count(outcome, "done")), (0, 0), outcome)
    equal(scene.run("--no-journal", "--resume", "images").exit, 2)


def case_a_link_in_the_journals_place(scene):
    """Nothing is written outside of the output directory."""
    scene.images("images/1.jpg")
    scene.write("outside/victim", b"precious")
    scene.path("thumbs").mkdir()
    os.symlink("../outside", scene.path("thumbs/.mpthumb"))
    outcome = scene.run("images")
    equal((outcome.exit, len(outcome.about("is no directory"))), (2, 1), outcome)
    os.unlink(scene.path("thumbs/.mpthumb"))
    scene.path("thumbs/.mpthumb").mkdir()
    os.symlink("../../outside/victim", scene.path(JOURNAL))
    os.symlink("../../outside/victim", scene.path("thumbs/.mpthumb/summary.json"))
    outcome = scene.run("images")
    equal((outcome.exit, len(outcome.about("symbolic link"))), (2, 1), outcome)
    os.unlink(scene.path(JOURNAL))
    outcome = scene.run("images")
    equal((outcome.exit, len(outcome.about("summary.json"))), (75, 1), outcome)
    equal(scene.tree("outside"), {"victim": hashlib.sha256(b"precious").hexdigest()})


def case_dry_run_of_a_resume(scene):
    scene.images("images/1.jpg", "images/2.jpg")
    equal(scene.run("--dry-run", "--resume", "images").out.count("->"), 2)
    assert not scene.path("thumbs").exists()
    scene.run("images/1.jpg", "-o", "thumbs")
    journal = scene.path(JOURNAL).read_bytes()
    outcome = scene.run("--dry-run", "--resume", "images/1.jpg", "images/2.jpg")
    equal(outcome.out.count("->"), 1, outcome)
    equal(scene.path(JOURNAL).read_bytes(), journal)


def case_a_journal_that_cannot_be(scene):
    scene.images("images/1.jpg")
    scene.path("dir").mkdir()
    for journal, named in (("dir", "directory"), ("none/j.jsonl", "No such file"), ("/dev/full", "no regular file")):
        outcome = scene.run("--journal", journal, "images")
        equal(outcome.exit, 2, outcome)
        equal(len(outcome.about("journal")), 1, outcome)
    scene.write("notes.txt", b"my notes\n")
    outcome = scene.run("--resume", "--journal", "notes.txt", "images")
    equal((outcome.exit, scene.path("notes.txt").read_bytes()), (2, b"my notes\n"), outcome)


main(globals())
