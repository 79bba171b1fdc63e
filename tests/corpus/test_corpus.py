#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares mpthumb with Pillow for all files of the corpus: files that Pillow loads must have a thumbnail of the same
size as Pillow's, all others an error line. exceptions.txt lists the files for which the two differ on purpose. The
test fails if another file differs, and if a listed file does not differ any more.

    MPP_CORPUS=DIR MPTHUMB=build/src/cli/mpthumb tests/corpus/test_corpus.py
"""
import collections
import concurrent.futures
import fnmatch
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "cli"))
from harness import MPTHUMB, launcher  # noqa: E402

BOX = (50, 50)
IMAGE_NAMES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")
RUN_TIMEOUT_S = 300
SKIPPED = 77


def pillow_size(path):
    """The size of Pillow's thumbnail; None if it cannot load the file as JPEG or PNG."""
    warnings.simplefilter("ignore")
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            image.load()
            try:
                seen = ImageOps.exif_transpose(image)
            except Exception:  # metadata that Pillow cannot parse does not make the image bad
                seen = image.copy()
            seen.thumbnail(BOX)
            return seen.size
    except Exception:  # Pillow raises many types of exceptions
        return None


def size_of(path):
    with Image.open(path) as image:
        image.load()
        return image.size


def judge(name, expected, thumbnail, error_lines):
    """How mpthumb differs from Pillow for one file, in a word; None if it does not."""
    if error_lines > 1 or (error_lines and thumbnail):
        return "reported-twice"
    if expected and not thumbnail:
        return "refused" if error_lines else "skipped"
    if expected:
        return None if size_of(thumbnail) == expected else "size"
    if thumbnail:
        return "accepted"
    if not error_lines and name.lower().endswith(IMAGE_NAMES):
        return "skipped"
    return None


def exceptions():
    """[(difference, glob)] of exceptions.txt, whose lines are `difference glob: reason`."""
    found = []
    for line in (HERE / "exceptions.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, reason = line.partition(": ")
            assert reason, f"exceptions.txt: no reason in {line!r}"
            difference, pattern = head.split(maxsplit=1)
            found.append((difference, pattern))
    return found


def main():
    corpus = pathlib.Path(os.environ.get("MPP_CORPUS", ""))
    if not os.environ.get("MPP_CORPUS") or not corpus.is_dir():
        print("skipped: no corpus (MPP_CORPUS names its folder)")
        sys.exit(SKIPPED)
    corpus = corpus.resolve()
    names = sorted(os.path.relpath(os.path.join(directory, file), corpus)
                   for directory, _, files in os.walk(corpus) for file in files)

    with tempfile.TemporaryDirectory(prefix="mpthumb-corpus-") as scratch, \
            concurrent.futures.ProcessPoolExecutor() as pool:
        thumbs = pathlib.Path(scratch)
        run = subprocess.run([*launcher(3), MPTHUMB, "-v", "-o", scratch, str(corpus)],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=RUN_TIMEOUT_S)
        expected = dict(zip(names, pool.map(pillow_size, [corpus / name for name in names], chunksize=8)))
        errors = run.stderr.decode(errors="backslashreplace").splitlines()
        reported = collections.Counter(line.split("'")[1] for line in errors if line.startswith("mpthumb: '"))
        made = {os.path.relpath(os.path.join(directory, file), thumbs)
                for directory, _, files in os.walk(thumbs) for file in files if not directory.endswith("/.mpthumb")}
        differences = {}
        for name in names:
            thumbnail = thumbs / name if name in made else None
            difference = judge(name, expected[name], thumbnail, reported[str(corpus / name)])
            if difference:
                differences[name] = difference

    problems = []
    if run.returncode != 1:
        problems.append(f"exit status {run.returncode}, 1 is expected")
    problems += [f"a worker died: {line}" for line in errors if "SIG" in line or "worker" in line]
    problems += [f"a thumbnail without an input: {name}" for name in sorted(made - set(names))]
    used = set()
    for name, difference in differences.items():
        matching = [entry for entry in exceptions() if entry[0] == difference and fnmatch.fnmatch(name, entry[1])]
        used.update(matching)
        if not matching:
            line = next((line for line in errors if f"{name}'" in line), "")
            problems.append(f"{difference} {name}: Pillow says {expected[name]}; {line}")
    problems += [f"exceptions.txt lists a file that does not differ any more: {' '.join(entry)}"
                 for entry in exceptions() if entry not in used]

    print(run.stdout.decode(errors="replace"), end="")
    print(f"{len(names)} files; Pillow loads {sum(1 for size in expected.values() if size)};"
          f" {len(made)} thumbnails, {sum(reported.values())} error lines;"
          f" {len(differences)} differ from Pillow, as listed in exceptions.txt")
    for problem in problems:
        print("FAILED", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
