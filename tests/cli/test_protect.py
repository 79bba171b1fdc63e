#!/usr/bin/python3
"""An input is never overwritten, and nothing is written outside the output directory, whatever is asked for."""
import os

from harness import equal, main


def unchanged(scene, *arguments, ranks=0):
    """Runs; every file that was there before must still be there with the same bytes."""
    before = scene.tree()
    outcome = scene.run(*arguments, ranks=ranks)
    after = scene.tree()
    changed = [name for name in before if after.get(name) != before[name]]
    equal(changed, [], f"{arguments} changed inputs: {outcome}")
    return outcome, sorted(set(after) - set(before))


def case_output_is_the_working_directory(scene):
    scene.images("a.jpg", "b.png")
    outcome, new = unchanged(scene, "-o", ".", "a.jpg", "b.png")
    equal((outcome.exit, len(outcome.errors), new), (1, 2, []), outcome)


def case_output_is_the_input_directory(scene):
    scene.images("images/a.jpg", "images/x/b.png")
    outcome, new = unchanged(scene, "-o", "images", "images", ranks=2)
    equal((outcome.exit, len(outcome.errors), new), (1, 2, []), outcome)


def case_output_is_the_input_directory_by_another_path(scene):
    scene.images("images/a.jpg", "images/x/b.png")
    os.symlink("images", scene.path("alias"))
    for output in ("alias", "images/x/..", "./images/", str(scene.path("images"))):
        outcome, new = unchanged(scene, "-o", output, "images")
        equal((outcome.exit, len(outcome.errors), new), (1, 2, []), f"{output}: {outcome}")


def case_output_within_the_input_directory(scene):
    """Thumbnails of the first run must not become inputs of the second or change."""
    scene.images("images/a.jpg")
    outcome, new = unchanged(scene, "-o", "images/thumbs", "images")
    equal((outcome.exit, new), (0, ["images/thumbs/a.jpg"]), outcome)
    outcome = scene.run("-o", "images/thumbs", "images")
    equal(scene.names("images"), ["a.jpg", "thumbs/a.jpg"], outcome)


def case_beside_without_suffix(scene):
    scene.images("a.jpg")
    outcome, new = unchanged(scene, "--beside", "a.jpg")
    assert new == [] and outcome.exit in (1, 2) and outcome.errors, outcome


def case_beside_with_empty_suffix(scene):
    scene.images("a.jpg")
    outcome, new = unchanged(scene, "--beside", "--suffix", "", "a.jpg")
    assert new == [] and outcome.exit in (1, 2) and outcome.errors, outcome


def case_beside_twice(scene):
    """The second run over a directory meets the thumbnails of the first one as inputs."""
    scene.images("d/a.jpg", "d/b.jpg")
    outcome, new = unchanged(scene, "--beside", "--suffix", "_t", "d")
    equal((outcome.exit, new), (0, ["d/a_t.jpg", "d/b_t.jpg"]), outcome)
    for inputs in (["d"], ["d/a.jpg", "d/a_t.jpg", "d/b.jpg", "d/b_t.jpg"]):
        outcome = scene.run("-v", "--beside", "--suffix", "_t", *inputs, ranks=2)
        equal((outcome.exit, scene.names("d")), (0, ["a.jpg", "a_t.jpg", "b.jpg", "b_t.jpg"]), outcome)


def case_beside_meets_a_named_input(scene):
    """The thumbnail of a.jpg would be a_t.jpg, which is too large to be one of ours, whichever is named first."""
    scene.images("a.jpg", "a_t.jpg")
    for order in (("a.jpg", "a_t.jpg"), ("a_t.jpg", "a.jpg")):
        outcome, new = unchanged(scene, "--beside", "--suffix", "_t", *order)
        equal((outcome.exit, len(outcome.about("'a.jpg'")), new), (1, 1, ["a_t_t.jpg"]), outcome)
        scene.path("a_t_t.jpg").unlink()


def case_suffix_meets_an_input_in_the_output_directory(scene):
    scene.images("d/a.jpg", "d/a_t.jpg")
    outcome, _ = unchanged(scene, "-o", "d", "--suffix", "_t", "d")
    equal((outcome.exit, len(outcome.about("'d/a.jpg'"))), (1, 1), outcome)


def case_hard_link_of_an_input_in_the_output(scene):
    scene.images("images/a.jpg")
    scene.path("thumbs").mkdir()
    os.link(scene.path("images/a.jpg"), scene.path("thumbs/a.jpg"))
    before = scene.tree("images")
    scene.run("images")
    equal(scene.tree("images"), before)


def case_symbolic_link_in_the_output_is_replaced_not_followed(scene):
    scene.images("images/a.jpg")
    scene.write("precious", b"do not touch")
    scene.path("thumbs").mkdir()
    os.symlink("../precious", scene.path("thumbs/a.jpg"))
    unchanged(scene, "images")
    equal(scene.path("precious").read_bytes(), b"do not touch")


def case_symbolic_link_to_a_directory_in_the_output(scene):
    """A directory of the output tree that is a link leads outside: nothing is written through it."""
    scene.images("images/sub/a.jpg", "images/b.jpg")
    scene.path("outside").mkdir()
    scene.path("thumbs").mkdir()
    os.symlink("../outside", scene.path("thumbs/sub"))
    outcome = scene.run("images")
    equal(scene.names("outside"), [], outcome)
    equal((outcome.exit, len(outcome.about("'images/sub/a.jpg'"))), (1, 1), outcome)
    equal(scene.names("thumbs"), ["b.jpg"])


def case_output_directory_may_itself_be_a_link(scene):
    scene.images("images/a.jpg")
    scene.path("disk").mkdir()
    os.symlink("disk", scene.path("thumbs"))
    equal(scene.run("images").exit, 0)
    equal(scene.names("disk"), ["a.jpg"])


def case_old_thumbnails_are_replaced(scene):
    scene.images("images/a.jpg")
    scene.write("thumbs/a.jpg", b"old")
    equal(scene.run("images").exit, 0)
    equal(scene.size("thumbs/a.jpg"), (50, 33))


def case_no_temporary_files_stay(scene):
    scene.images(*(f"images/{number}.jpg" for number in range(20)))
    scene.write("images/bad.jpg", b"\xff\xd8\xff\xe0 and no more")
    scene.run("images", ranks=2)
    equal(len(scene.names("thumbs")), 20)
    equal([name for name in scene.names() if os.path.basename(name).startswith(".")], [])


def case_output_is_a_file(scene):
    scene.images("images/a.jpg")
    scene.write("thumbs", b"a file")
    outcome, new = unchanged(scene, "images")
    assert outcome.exit != 0 and outcome.errors and new == [], outcome


main(globals())
