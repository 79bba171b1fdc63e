#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Two inputs with the same output name: the second one is an error, the first one is processed as if it were alone."""
from harness import equal, main


def collide(sandbox, *arguments, first, second, output):
    """Runs mpthumb and checks that `output` is the thumbnail of `first`, and that an error names `second`."""
    outcome = sandbox.run(*arguments)
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    assert f"'{second}'" in outcome.errors[0], outcome
    alone = sandbox.run("-o", "alone", first)
    equal(alone.exit, 0, alone)
    equal(list(sandbox.tree("alone").values()), [sandbox.tree("thumbs")[output]], "the thumbnail of the first")


def case_flat(sandbox):
    sandbox.images("photos/a/1.jpg", "photos/b/1.jpg")
    collide(sandbox, "--flat", "photos", first="photos/a/1.jpg", second="photos/b/1.jpg", output="1.jpg")
    equal(sandbox.names("thumbs"), ["1.jpg"])


def case_named_files(sandbox):
    sandbox.images("b/1.jpg", "a/1.jpg")
    collide(sandbox, "b/1.jpg", "a/1.jpg", first="b/1.jpg", second="a/1.jpg", output="1.jpg")


def case_format(sandbox):
    sandbox.images("photos/1.jpg", "photos/1.png")
    outcome = sandbox.run("--format", "png", "photos")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    equal(sandbox.names("thumbs"), ["1.png"])


def case_directories_with_the_same_name(sandbox):
    sandbox.images("x/photos/1.jpg", "y/photos/1.jpg", "y/photos/2.jpg")
    outcome = sandbox.run("x/photos", "y/photos")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    equal(sandbox.names("thumbs"), ["photos/1.jpg", "photos/2.jpg"])


def case_suffix(sandbox):
    sandbox.images("photos/1.jpg", "photos/1_t.jpg")
    equal(sandbox.run("--suffix", "_t", "photos").exit, 0)
    equal(sandbox.names("thumbs"), ["1_t.jpg", "1_t_t.jpg"])


def case_same_file_twice(sandbox):
    sandbox.images("1.jpg")
    outcome = sandbox.run("1.jpg", "1.jpg")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)


def case_file_where_a_directory_must_be(sandbox):
    """The thumbnail of one file has the name that another one needs as a directory."""
    sandbox.images("x/a.jpg", "y/a.jpg/1.jpg")
    outcome = sandbox.run("x/a.jpg", "--flat", "y")
    equal(outcome.exit, 0, outcome)
    sandbox.write("list", b"a.jpg\na.jpg/1.jpg\n")
    outcome = sandbox.run("--files-from", "list")
    assert outcome.exit == 1 and outcome.errors, outcome


def case_the_same_inputs_are_refused_on_any_number_of_ranks(sandbox):
    for number in range(40):
        sandbox.image(f"photos/{number % 4}/{number // 8}.jpg", size=(30, 20), seed=number)
    found = []
    for ranks in (0, 3):
        outcome = sandbox.run("-v", "--flat", "-o", f"out{ranks}", "photos", ranks=ranks)
        found.append((outcome.exit, sorted(outcome.errors), sandbox.tree(f"out{ranks}")))
    equal(found[0][0], 1)
    equal(found[0], found[1])


main(globals())
