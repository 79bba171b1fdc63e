#!/usr/bin/python3
"""Any number of ranks and workers: the same bytes, the same exit status, the same lines."""
from harness import equal, main


def fill(scene):
    for number in range(24):
        scene.image(f"images/{number % 3}/{number}.jpg", size=(200 + 7 * number, 150), seed=number)
        scene.image(f"images/{number % 5}/{number}.png", size=(90, 60 + 5 * number), seed=number,
                    mode=("RGB", "RGBA", "L", "P")[number % 4])


def case_same_bytes(scene):
    fill(scene)
    wanted = None
    for label, ranks, arguments in (("none", 0, []), ("one", 1, []), ("two", 2, []), ("five", 5, ["-j", "2"]),
                                    ("wide", 0, ["-j", "7"])):
        outcome = scene.run(*arguments, "-o", label, "images", ranks=ranks)
        equal(outcome.exit, 0, f"{label}: {outcome}")
        found = scene.tree(label)
        equal(len(found), 48, label)
        wanted = wanted or found
        equal(found, wanted, f"{label} differs from none")


def case_exit_status_comes_through_mpirun(scene):
    scene.images("images/a.jpg", "images/b.jpg")
    for ranks in (1, 2, 3):
        equal(scene.run("images", ranks=ranks).exit, 0, ranks)
    scene.write("images/c.jpg", b"")
    for ranks in (1, 2, 3):
        outcome = scene.run("images", ranks=ranks)
        equal((outcome.exit, len(outcome.errors)), (1, 1), outcome)


def case_one_summary(scene):
    scene.images("images/a.jpg", "images/b.jpg")
    outcome = scene.run("images", ranks=3)
    equal(outcome.out.count("It took"), 1, outcome)


def case_fewer_files_than_ranks(scene):
    scene.images("images/a.jpg")
    outcome = scene.run("-v", "images", ranks=5)
    equal((outcome.exit, outcome.processed), (0, ["images/a.jpg was processed..."]), outcome)


def case_no_files_at_all(scene):
    scene.path("images").mkdir()
    equal(scene.run("images", ranks=3).exit, 0)


def case_each_file_once(scene):
    """Stolen tasks are done once: as many lines as files, no two the same."""
    for number in range(300):
        scene.image(f"images/{number:03}.png", size=(24, 16), seed=number)
    outcome = scene.run("-v", "images", ranks=5)
    equal(outcome.exit, 0, outcome)
    equal(outcome.processed, [f"images/{number:03}.png was processed..." for number in range(300)])


main(globals())
