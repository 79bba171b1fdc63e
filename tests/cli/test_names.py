#!/usr/bin/python3
"""Two inputs with one output name: the second is an error, the first stands as if it were alone."""
from harness import equal, main


def collide(scene, *arguments, first, second, output):
    """Runs, and asserts that `first` was written to `output` and `second` was refused by name."""
    outcome = scene.run(*arguments)
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    assert f"'{second}'" in outcome.errors[0], outcome
    alone = scene.run("-o", "alone", first)
    equal(alone.exit, 0, alone)
    equal(list(scene.tree("alone").values()), [scene.tree("thumbs")[output]], "the first one's bytes")


def case_flat(scene):
    scene.images("photos/a/1.jpg", "photos/b/1.jpg")
    collide(scene, "--flat", "photos", first="photos/a/1.jpg", second="photos/b/1.jpg", output="1.jpg")
    equal(scene.names("thumbs"), ["1.jpg"])


def case_named_files(scene):
    scene.images("b/1.jpg", "a/1.jpg")
    collide(scene, "b/1.jpg", "a/1.jpg", first="b/1.jpg", second="a/1.jpg", output="1.jpg")


def case_format(scene):
    scene.images("photos/1.jpg", "photos/1.png")
    outcome = scene.run("--format", "png", "photos")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    equal(scene.names("thumbs"), ["1.png"])


def case_directories_of_one_name(scene):
    scene.images("x/photos/1.jpg", "y/photos/1.jpg", "y/photos/2.jpg")
    outcome = scene.run("x/photos", "y/photos")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)
    equal(scene.names("thumbs"), ["photos/1.jpg", "photos/2.jpg"])


def case_suffix(scene):
    scene.images("photos/1.jpg", "photos/1_t.jpg")
    equal(scene.run("--suffix", "_t", "photos").exit, 0)
    equal(scene.names("thumbs"), ["1_t.jpg", "1_t_t.jpg"])


def case_same_file_twice(scene):
    scene.images("1.jpg")
    outcome = scene.run("1.jpg", "1.jpg")
    equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)


def case_file_where_a_directory_must_be(scene):
    """The thumbnail of a named file stands where another one needs a directory."""
    scene.images("x/a.jpg", "y/a.jpg/1.jpg")
    outcome = scene.run("x/a.jpg", "--flat", "y")
    equal(outcome.exit, 0, outcome)
    scene.write("list", b"a.jpg\na.jpg/1.jpg\n")
    outcome = scene.run("--files-from", "list")
    assert outcome.exit == 1 and outcome.errors, outcome


def case_any_number_of_ranks_refuses_the_same(scene):
    for number in range(40):
        scene.image(f"photos/{number % 4}/{number // 8}.jpg", size=(30, 20), seed=number)
    found = []
    for ranks in (0, 3):
        outcome = scene.run("-v", "--flat", "-o", f"out{ranks}", "photos", ranks=ranks)
        found.append((outcome.exit, sorted(outcome.errors), scene.tree(f"out{ranks}")))
    equal(found[0][0], 1)
    equal(found[0], found[1])


main(globals())
