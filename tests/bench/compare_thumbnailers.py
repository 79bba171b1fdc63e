#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares mpthumb with other programs that make thumbnails: the same images and box, in alternating rounds.

Pillow in a ProcessPoolExecutor does the same work, with the blur. The others have no blur: Pillow with draft mode,
vipsthumbnail, and sharp if npm can install it. Wall and CPU seconds are those of a command with all its descendants.
Each figure is the median of the rounds; x is how many times more the program of this row needs than mpthumb. Started by
scripts/bench.
"""
import argparse
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

from measure import become_subreaper, machine, measure

MPTHUMB = os.environ.get("MPTHUMB", "mpthumb")
HERE = pathlib.Path(__file__).parent
ENOUGH_BYTES = 100 << 20  # images of smaller folders are repeated, so that start-up does not matter
IMAGE_NAMES = (".jpg", ".jpeg", ".png")
WANTED = {"imagenet": 6, "photos": 14, "pngs": 6.5}  # how many times less CPU than Pillow with the blur
WANTED_OF_SHARP = {"pngs": 1.8}
WITH_BLUR, SHARP = "Pillow, with blur", "sharp, no blur"


def find_sharp():
    """(directory, None): where npm has installed sharp, outside the checkout; or (None, why it is not available)."""
    if not shutil.which("npm") or not shutil.which("node"):
        return None, "npm is not installed"
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "mpthumb-bench"
    if not (cache / "node_modules" / "sharp").is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(cache), "sharp"],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            return None, "npm cannot install it"
    return cache, None


def programs(workers):
    """({label: function from an image folder and an output folder to a command line}, {skipped program: why}). mpthumb
    is the last one."""
    options = ["--quiet", "--blur", "2", "--size", "50x50", "--quality", "75"]
    pillow = [sys.executable, str(HERE / "pillow_pool.py")]
    known = {
        WITH_BLUR: lambda images, thumbs: [*pillow, images, thumbs, str(workers)],
        "Pillow, no blur": lambda images, thumbs: [*pillow, images, thumbs, str(workers), "0"],
    }
    skipped = {}
    if shutil.which("vipsthumbnail"):
        known["vipsthumbnail, no blur"] = lambda images, thumbs: [
            "sh", "-c", 'mkdir -p "$2" && cd "$1" && find . -type l -print0 | VIPS_CONCURRENCY=1 '
            'xargs -0 -n 100 -P "$3" vipsthumbnail --size 50x50 -o "$2/%s.jpg[Q=75]"', "sh", images, thumbs,
            str(workers)]
    else:
        skipped["vipsthumbnail"] = "it is not installed"
    cache, why = find_sharp()
    if cache:
        known[SHARP] = lambda images, thumbs: [
            "node", str(HERE / "sharp_pool.mjs"), str(cache), images, thumbs, str(workers)]
    else:
        skipped["sharp"] = why
    known[f"mpirun -n {workers} mpthumb -j 1"] = lambda images, thumbs: [
        "mpirun", "--use-hwthread-cpus", "-n", str(workers), MPTHUMB, "-j", "1", *options, "-o", thumbs, images]
    known[f"mpthumb -j {workers}"] = lambda images, thumbs: [
        MPTHUMB, "-j", str(workers), *options, "-o", thumbs, images]
    return known, skipped


def images_in(folder):
    sources = [path for path in sorted(pathlib.Path(folder).iterdir())
               if path.suffix.lower() in IMAGE_NAMES and path.is_file()]
    return sources or sys.exit(f"bench: no images in {folder}")


def repeated(folder, scratch, least):
    """Creates a folder of links to the images in `folder`, each as many times as needed for ENOUGH_BYTES and `least`
    files. Returns (path, files, bytes, times)."""
    sources = images_in(folder)
    size = sum(path.stat().st_size for path in sources)
    times = max(1, -(-ENOUGH_BYTES // size), -(-least // len(sources)))
    target = scratch / "images"
    target.mkdir()
    for number in range(times):
        for path in sources:
            (target / f"{number}-{path.name}").symlink_to(path.resolve())
    return target, len(sources) * times, size * times, times


def check_written(label, thumbs, files):
    written = sum(len(names) for directory, _, names in os.walk(thumbs) if not directory.endswith("/.mpthumb"))
    if written != files:
        sys.exit(f"bench: {label} wrote {written} thumbnails of {files}")


def verdict(wanted, ratio):
    return "" if wanted is None else f"   wanted {wanted:g}: {'met' if ratio >= wanted else 'not met'}"


def report(folder, files, figures):
    """Prints a row for each program, and how many times more than mpthumb it needs."""
    name = pathlib.Path(folder).name
    medians = {label: [statistics.median(column) for column in zip(*runs)] for label, runs in figures.items()}
    wall, cpu = list(medians.values())[-1]
    print(f"{'':30} {'wall s':>8} {'CPU s':>8} {'images/s':>9} {'wall x':>7} {'CPU x':>7}")
    for label, (its_wall, its_cpu) in medians.items():
        wanted = None
        if label == WITH_BLUR:
            wanted = WANTED.get(name)
        elif label == SHARP and name in WANTED_OF_SHARP:
            wanted = WANTED_OF_SHARP[name]
        elif "mpthumb" not in label and name in WANTED:
            wanted = 1
        print(f"{label:30} {its_wall:8.2f} {its_cpu:8.2f} {files / its_wall:9.0f} {its_wall / wall:7.2f}"
              f" {its_cpu / cpu:7.2f}{verdict(wanted, its_cpu / cpu)}", flush=True)


def bench(folder, rounds, least, known):
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as scratch_name:
        scratch = pathlib.Path(scratch_name)
        images, files, size, times = repeated(folder, scratch, least)
        for path in images.iterdir():
            path.read_bytes()  # so that it is in the page cache
        print(f"\n{folder}: {files} files, {size / 2**20:.0f} MiB"
              f"{f' (each image {times} times)' if times > 1 else ''}", flush=True)
        figures = {label: [] for label in known}
        for number in range(rounds):
            for label, command in known.items():
                # Each run has its own directory, and all are deleted at the end: on ext4, creating files is slow where
                # files were just deleted.
                thumbs = scratch / f"{label}-{number}"
                run = measure(command(str(images), str(thumbs)))
                figures[label].append((run.wall, run.cpu))
                check_written(label, thumbs, files)
    report(folder, files, figures)


def profile(folder, rounds):
    """Prints how much time each stage of making thumbnails takes."""
    print(f"\n{folder}: ", end="", flush=True)
    subprocess.run([os.environ["STAGE_TIMES"], str(rounds), *map(str, images_in(folder))], check=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench images")
    parser.add_argument("folders", nargs="*", metavar="DIR")
    parser.add_argument("--default", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="print the time of each stage instead")
    parser.add_argument("--files", type=int, default=0, metavar="N", help="repeat the images until there are N files")
    arguments = parser.parse_args()
    become_subreaper()
    if arguments.profile:
        for folder in arguments.folders or arguments.default:
            profile(folder, arguments.rounds)
        return
    import PIL
    known, skipped = programs(arguments.workers)
    print(f"{machine()}\nPillow {PIL.__version__}, Python {platform.python_version()};"
          f" blur 2, box 50x50, JPEG quality 75; {arguments.workers} workers;"
          f" medians of {arguments.rounds} alternating rounds; x: how many times more than mpthumb")
    for label, why in skipped.items():
        print(f"skipped: {label}: {why}")
    for folder in arguments.folders or arguments.default:
        bench(folder, arguments.rounds, arguments.files, known)


if __name__ == "__main__":
    main()
