#!/usr/bin/python3
"""Which files become inputs: directories, links, lists, and the names that file systems allow."""
import os

from harness import equal, main


def case_directory_is_mirrored(scene):
    scene.images("photos/a.jpg", "photos/x/b.png", "photos/x/y/c.jpeg")
    equal(scene.run("-o", "out", "photos").exit, 0)
    equal(scene.names("out"), ["a.jpg", "x/b.png", "x/y/c.jpeg"])


def case_directory_with_slash_is_the_same(scene):
    scene.images("photos/a.jpg", "photos/x/b.png")
    equal(scene.run("-o", "out", "photos/").exit, 0)
    equal(scene.names("out"), ["a.jpg", "x/b.png"])


def case_several_directories_go_below_their_names(scene):
    scene.images("one/a.jpg", "two/a.jpg", "deep/er/a.jpg")
    outcome = scene.run("one", "two/", "deep/er")
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), ["er/a.jpg", "one/a.jpg", "two/a.jpg"])


def case_named_file_goes_by_its_base_name(scene):
    scene.images("photos/x/b.jpg")
    equal(scene.run("photos/x/b.jpg").exit, 0)
    equal(scene.names("thumbs"), ["b.jpg"])


def case_flat_takes_base_names(scene):
    scene.images("photos/a.jpg", "photos/x/b.png", "photos/x/y/c.jpeg")
    equal(scene.run("--flat", "photos").exit, 0)
    equal(scene.names("thumbs"), ["a.jpg", "b.png", "c.jpeg"])


def case_other_files_are_skipped(scene):
    scene.images("photos/a.jpg")
    scene.write("photos/notes.txt", b"no image")
    scene.write("photos/empty", b"")
    outcome = scene.run("photos")
    equal((outcome.exit, outcome.errors), (0, []), outcome)
    equal(scene.names("thumbs"), ["a.jpg"])
    assert "2 skipped" in outcome.lines[-1], outcome


def case_content_makes_an_image(scene):
    scene.image("photos/IMG0001", format="JPEG")
    scene.image("photos/scan.dat", format="PNG")
    equal(scene.run("photos").exit, 0)
    equal(scene.names("thumbs"), ["IMG0001", "scan.dat"])
    equal(scene.format("thumbs/IMG0001"), "JPEG")


def case_links_to_files_are_followed_to_directories_not(scene):
    scene.images("elsewhere/real.jpg", "photos/a.jpg")
    os.symlink("../elsewhere/real.jpg", scene.path("photos/link.jpg"))
    os.symlink("../elsewhere", scene.path("photos/more"))
    os.symlink(".", scene.path("photos/loop"))
    outcome = scene.run("photos")
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), ["a.jpg", "link.jpg"])


def case_empty_directory_is_no_error(scene):
    scene.path("photos").mkdir()
    equal(scene.run("photos").exit, 0)


def case_list_by_lines(scene):
    scene.images("a/1.jpg", "b/2.jpg")
    scene.write("list", b"a/1.jpg\nb/2.jpg\n")
    outcome = scene.run("--files-from", "list")
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), ["a/1.jpg", "b/2.jpg"])


def case_list_without_last_newline(scene):
    scene.images("a/1.jpg", "b/2.jpg")
    scene.write("list", b"a/1.jpg\nb/2.jpg")
    equal(scene.run("--files-from=list").exit, 0)
    equal(scene.names("thumbs"), ["a/1.jpg", "b/2.jpg"])


def case_list_absolute_path_loses_its_slash(scene):
    scene.images("a/1.jpg")
    path = str(scene.path("a/1.jpg"))
    equal(scene.run("--files-from", "-", stdin=path.encode() + b"\n").exit, 0)
    equal(scene.names("thumbs"), [path.lstrip("/")])


def case_list_from_stdin_under_mpirun(scene):
    scene.images("a/1.jpg", "a/2 with blanks.jpg", "a/3'quote\".jpg")
    names = b"a/1.jpg\0a/2 with blanks.jpg\0a/3'quote\".jpg\0"
    outcome = scene.run("-0", "--files-from", "-", "-o", "out", ranks=2, stdin=names)
    equal(outcome.exit, 0, outcome)
    equal(scene.names("out"), ["a/1.jpg", "a/2 with blanks.jpg", "a/3'quote\".jpg"])


def case_list_refuses_dot_dot(scene):
    scene.images("up.jpg", "in/ok.jpg")
    scene.path("in/work").mkdir()
    scene.write("list", b"in/../up.jpg\n../up.jpg\nin/ok.jpg\nin/work/..\n")
    outcome = scene.run("--files-from", "list")
    equal(outcome.exit, 1, outcome)
    equal(len(outcome.errors), 3, outcome)
    equal(scene.names("thumbs"), ["in/ok.jpg"])


def case_list_names_a_missing_file(scene):
    scene.images("ok.jpg")
    scene.write("list", b"gone.jpg\nok.jpg\n")
    outcome = scene.run("--files-from", "list")
    equal((outcome.exit, len(outcome.about("'gone.jpg'"))), (1, 1), outcome)
    equal(scene.names("thumbs"), ["ok.jpg"])


def case_list_that_is_missing(scene):
    outcome = scene.run("--files-from", "gone")
    assert outcome.exit != 0 and len(outcome.about("gone")) == 1, outcome


def case_list_with_an_image_that_is_none(scene):
    scene.write("notes.txt", b"no image")
    outcome = scene.run("--files-from", "-", stdin=b"notes.txt\n")
    equal((outcome.exit, len(outcome.about("'notes.txt'"))), (1, 1), outcome)


STRANGE = [b"with\nnewline.jpg", b"latin1-\xe9\xff.jpg", b" blank .jpg", b"-v.jpg", b"quote'\".jpg",
           b"tab\t.jpg", b"percent%s%n.jpg", "\u00fc\u20ac\u65e5.jpg".encode(), b"back\\slash.jpg"]


def case_strange_names_in_a_directory(scene):
    for name in STRANGE:
        scene.image(b"photos/" + name)
    outcome = scene.run("-v", "photos", ranks=2)
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), sorted(os.fsdecode(name) for name in STRANGE))
    equal(len([line for line in outcome.lines if line.startswith("photos/")]), len(STRANGE), outcome)
    equal(len(outcome.processed), len(STRANGE), f"a newline in a name must not make two lines: {outcome}")


def case_strange_names_in_a_list(scene):
    for name in STRANGE:
        scene.image(b"photos/" + name)
    outcome = scene.run("-0", "--files-from", "-", stdin=b"\0".join(b"photos/" + name for name in STRANGE))
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs/photos"), sorted(os.fsdecode(name) for name in STRANGE))


def case_strange_names_in_errors_stay_one_line(scene):
    scene.write(b"photos/with\nnewline.jpg", b"")
    scene.write(b"photos/esc\x1b[31m.jpg", b"")
    outcome = scene.run("photos")
    equal((outcome.exit, len(outcome.err.splitlines())), (1, 2), outcome)
    assert "\x1b" not in outcome.err, outcome


def case_name_of_255_bytes(scene):
    name = "n" * 251 + ".jpg"
    scene.images(f"photos/{name}")
    outcome = scene.run("photos")
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), [name])


def case_double_dash_ends_options(scene):
    scene.images("-v.jpg")
    equal(scene.run("--", "-v.jpg").exit, 0)
    equal(scene.names("thumbs"), ["-v.jpg"])


main(globals())
