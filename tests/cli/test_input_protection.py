#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""No input is ever overwritten, and nothing is written outside the output directory, whatever the options are."""
import os

from harness import equal, main

MPBATCH = os.environ["MPBATCH"]
SAME_DIRECTORY = "mpthumb: the output directory is the input directory; use another --output or a --suffix"


def unchanged(sandbox, *arguments, ranks=0):
    """Runs mpthumb. All files that existed before must be unchanged. Returns the outcome and the new files."""
    before = sandbox.tree()
    outcome = sandbox.run(*arguments, ranks=ranks)
    after = sandbox.tree()
    changed = [name for name in before if after.get(name) != before[name]]
    equal(changed, [], f"{arguments} changed inputs: {outcome}")
    return outcome, sorted(set(after) - set(before))


def case_output_is_the_working_directory(sandbox):
    sandbox.images("a.jpg", "b.png")
    outcome, new = unchanged(sandbox, "-o", ".", "a.jpg", "b.png")
    equal((outcome.exit, len(outcome.errors), new), (1, 2, []), outcome)


def case_output_is_the_input_directory(sandbox):
    """One error for all files; with other inputs, one for each file that is in the way."""
    sandbox.images("images/a.jpg", "images/x/b.png", "c.jpg")
    outcome, new = unchanged(sandbox, "-o", "images", "images", ranks=2)
    equal((outcome.exit, outcome.errors, new), (2, [SAME_DIRECTORY], []), outcome)
    assert not sandbox.path("images/.mpthumb").exists()
    outcome, new = unchanged(sandbox, "-o", "images", "--dry-run", "images")
    equal((outcome.exit, outcome.errors, new), (2, [SAME_DIRECTORY], []), outcome)
    outcome, new = unchanged(sandbox, "-o", "images", "images/x", "c.jpg")
    equal((outcome.exit, len(outcome.errors), new), (1, 1, ["images/c.jpg"]), outcome)
    outcome, new = unchanged(sandbox, "-o", "images", "--suffix", "_t", "images")
    equal((outcome.exit, new), (0, ["images/a_t.jpg", "images/c_t.jpg", "images/x/b_t.png"]), outcome)


def case_output_is_the_input_directory_by_another_path(sandbox):
    sandbox.images("images/a.jpg", "images/x/b.png")
    os.symlink("images", sandbox.path("alias"))
    for output in ("alias", "images/x/..", "./images/", str(sandbox.path("images"))):
        outcome, new = unchanged(sandbox, "-o", output, "images")
        equal((outcome.exit, outcome.errors, new), (2, [SAME_DIRECTORY], []), f"{output}: {outcome}")


def case_output_within_the_input_directory(sandbox):
    """Thumbnails of the first run must not become inputs of the second one."""
    sandbox.images("images/a.jpg")
    outcome, new = unchanged(sandbox, "-o", "images/thumbs", "images")
    equal((outcome.exit, new), (0, ["images/thumbs/a.jpg"]), outcome)
    outcome = sandbox.run("-o", "images/thumbs", "images")
    equal(sandbox.names("images"), ["a.jpg", "thumbs/a.jpg"], outcome)


def case_beside_without_suffix(sandbox):
    sandbox.images("a.jpg")
    outcome, new = unchanged(sandbox, "--beside", "a.jpg")
    assert new == [] and outcome.exit in (1, 2) and outcome.errors, outcome


def case_beside_with_empty_suffix(sandbox):
    sandbox.images("a.jpg")
    outcome, new = unchanged(sandbox, "--beside", "--suffix", "", "a.jpg")
    assert new == [] and outcome.exit in (1, 2) and outcome.errors, outcome


def case_beside_twice(sandbox):
    """A second run finds the thumbnails of the first one among its inputs."""
    sandbox.images("d/a.jpg", "d/b.jpg")
    outcome, new = unchanged(sandbox, "--beside", "--suffix", "_t", "d")
    equal((outcome.exit, new), (0, ["d/a_t.jpg", "d/b_t.jpg"]), outcome)
    for inputs in (["d"], ["d/a.jpg", "d/a_t.jpg", "d/b.jpg", "d/b_t.jpg"]):
        outcome = sandbox.run("-v", "--beside", "--suffix", "_t", *inputs, ranks=2)
        equal((outcome.exit, sandbox.names("d")), (0, ["a.jpg", "a_t.jpg", "b.jpg", "b_t.jpg"]), outcome)


def case_beside_and_a_named_input(sandbox):
    """The thumbnail of a.jpg would be a_t.jpg, which is an input, too: it is too large to be a thumbnail."""
    sandbox.images("a.jpg", "a_t.jpg")
    for order in (("a.jpg", "a_t.jpg"), ("a_t.jpg", "a.jpg")):
        outcome, new = unchanged(sandbox, "--beside", "--suffix", "_t", *order)
        equal((outcome.exit, len(outcome.about("'a.jpg'")), new), (1, 1, ["a_t_t.jpg"]), outcome)
        sandbox.path("a_t_t.jpg").unlink()


def case_suffix_and_an_input_in_the_output_directory(sandbox):
    sandbox.images("d/a.jpg", "d/a_t.jpg")
    outcome, _ = unchanged(sandbox, "-o", "d", "--suffix", "_t", "d")
    equal((outcome.exit, len(outcome.about("'d/a.jpg'"))), (1, 1), outcome)


def case_hard_link_of_an_input_in_the_output(sandbox):
    sandbox.images("images/a.jpg")
    sandbox.path("thumbs").mkdir()
    os.link(sandbox.path("images/a.jpg"), sandbox.path("thumbs/a.jpg"))
    before = sandbox.tree("images")
    sandbox.run("images")
    equal(sandbox.tree("images"), before)


def case_symbolic_link_in_the_output_is_replaced_not_followed(sandbox):
    sandbox.images("images/a.jpg")
    sandbox.write("precious", b"do not touch")
    sandbox.path("thumbs").mkdir()
    os.symlink("../precious", sandbox.path("thumbs/a.jpg"))
    unchanged(sandbox, "images")
    equal(sandbox.path("precious").read_bytes(), b"do not touch")


def case_symbolic_link_to_a_directory_in_the_output(sandbox):
    """A link in the output directory leads to a directory outside: nothing is written through it."""
    sandbox.images("images/sub/a.jpg", "images/b.jpg")
    sandbox.path("outside").mkdir()
    sandbox.path("thumbs").mkdir()
    os.symlink("../outside", sandbox.path("thumbs/sub"))
    outcome = sandbox.run("images")
    equal(sandbox.names("outside"), [], outcome)
    equal((outcome.exit, len(outcome.about("'images/sub/a.jpg'"))), (1, 1), outcome)
    equal(sandbox.names("thumbs"), ["b.jpg"])


def case_output_directory_may_itself_be_a_link(sandbox):
    sandbox.images("images/a.jpg")
    sandbox.path("disk").mkdir()
    os.symlink("disk", sandbox.path("thumbs"))
    equal(sandbox.run("images").exit, 0)
    equal(sandbox.names("disk"), ["a.jpg"])


def case_old_thumbnails_are_replaced(sandbox):
    sandbox.images("images/a.jpg")
    sandbox.write("thumbs/a.jpg", b"old")
    equal(sandbox.run("images").exit, 0)
    equal(sandbox.size("thumbs/a.jpg"), (50, 33))


def case_no_temporary_files_are_left(sandbox):
    sandbox.images(*(f"images/{number}.jpg" for number in range(20)))
    sandbox.write("images/bad.jpg", b"\xff\xd8\xff\xe0 and no more")
    sandbox.run("images", ranks=2)
    equal(len(sandbox.names("thumbs")), 20)
    equal([name for name in sandbox.names() if os.path.basename(name).startswith(".")], [])


def case_output_is_a_file(sandbox):
    sandbox.images("images/a.jpg")
    sandbox.write("thumbs", b"a file")
    outcome, new = unchanged(sandbox, "images")
    assert outcome.exit != 0 and outcome.errors and new == [], outcome


def case_the_output_file_is_an_input(sandbox):
    """The file that --output names is not replaced if it is an input, however it is named."""
    sandbox.write("d/a", b"1")
    sandbox.write("d/b", b"2")
    sandbox.write("list", b"d/b\nd/a\n")
    os.symlink("d/a", sandbox.path("link"))
    for inputs in (["d"], ["d/b", "d/../d/a"], ["--files-from", "list"], ["link"]):
        outcome = sandbox.run("digest", "-o", "d/a", *inputs, program=MPBATCH)
        equal((outcome.exit, len(outcome.err.splitlines())), (2, 1), f"{inputs}: {outcome}")
        equal(sandbox.path("d/a").read_bytes(), b"1")
        assert "is an input, too; use another --output" in outcome.err, outcome
    outcome = sandbox.run("digest", "--resume", "-o", "d/a", "d", program=MPBATCH)
    equal((outcome.exit, sandbox.path("d/a").read_bytes()), (2, b"1"), outcome)
    outcome = sandbox.run("digest", "--exclude", "a", "-o", "d/a", "d", program=MPBATCH)
    equal((outcome.exit, sandbox.path("d/a").read_text().split()[1:]), (0, ["d/b"]), outcome)


def case_the_run_directory_is_no_input(sandbox):
    sandbox.write("d/a", b"1")
    for _ in range(2):
        outcome = sandbox.run("digest", "-o", "d/sums", "d", program=MPBATCH)
        equal((outcome.exit, sandbox.path("d/sums").read_text().split()[1:]), (0, ["d/a"]), outcome)
        sandbox.path("d/sums").unlink()


main(globals())
