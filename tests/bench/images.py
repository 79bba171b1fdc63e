#!/usr/bin/python3
"""mpthumb beside Pillow in a ProcessPoolExecutor: the same images, blur and box, in alternating rounds.

Wall and CPU seconds are those of the whole process tree: this program adopts what a run leaves behind, waits
for all of it, and reads what the kernel charged. Each figure is the median of the rounds; a ratio says how
many times less than Pillow. Started by scripts/bench.
"""
import argparse
import os
import pathlib
import platform
import shutil
import statistics
import sys
import tempfile

from measure import adopt, machine, measure

MPTHUMB = os.environ.get("MPTHUMB", "mpthumb")
PILLOW = [sys.executable, str(pathlib.Path(__file__).with_name("pillow_pool.py"))]
ENOUGH_BYTES = 100 << 20  # a smaller folder is repeated, so that start-up does not decide
IMAGE_NAMES = (".jpg", ".jpeg", ".png")


def programs(workers):
    """Label -> command line for a folder of images and one of thumbnails."""
    options = ["--quiet", "--blur", "2", "--size", "50x50", "--quality", "75"]
    return {
        "Pillow, ProcessPoolExecutor": lambda images, thumbs: [*PILLOW, images, thumbs, str(workers)],
        f"mpirun -n {workers} mpthumb": lambda images, thumbs: [
            "mpirun", "--use-hwthread-cpus", "-n", str(workers), MPTHUMB, "-j", "1", *options, "-o", thumbs, images],
        f"mpthumb -j {workers}": lambda images, thumbs: [
            MPTHUMB, "-j", str(workers), *options, "-o", thumbs, images],
    }


def repeated(folder, scratch):
    """A folder of links to the images of `folder`, each as often as it takes; (path, files, bytes, times)."""
    sources = [path for path in sorted(pathlib.Path(folder).iterdir())
               if path.suffix.lower() in IMAGE_NAMES and path.is_file()]
    if not sources:
        sys.exit(f"bench: no images in {folder}")
    size = sum(path.stat().st_size for path in sources)
    times = max(1, -(-ENOUGH_BYTES // size))
    target = scratch / "images"
    target.mkdir()
    for number in range(times):
        for path in sources:
            (target / f"{number}-{path.name}").symlink_to(path.resolve())
    return target, len(sources) * times, size * times, times


def bench(folder, rounds, workers):
    with tempfile.TemporaryDirectory(prefix="mpthumb-bench-") as scratch_name:
        scratch = pathlib.Path(scratch_name)
        images, files, size, times = repeated(folder, scratch)
        for path in images.iterdir():
            path.read_bytes()  # from memory for everyone
        print(f"\n{folder}: {files} files, {size / 2**20:.0f} MiB"
              f"{f' (each image {times} times)' if times > 1 else ''}", flush=True)
        figures = {label: [] for label in programs(workers)}
        for _ in range(rounds):
            for label, command in programs(workers).items():
                thumbs = scratch / "thumbs"
                figures[label].append(measure(command(str(images), str(thumbs)))[1:])
                written = sum(len(names) for _, _, names in os.walk(thumbs))
                if written != files:
                    sys.exit(f"bench: {label} wrote {written} thumbnails of {files}")
                shutil.rmtree(thumbs)
    print(f"{'':30} {'wall s':>8} {'CPU s':>8} {'images/s':>9} {'wall x':>7} {'CPU x':>7}")
    reference = None
    for label, runs in figures.items():
        wall, cpu = (statistics.median(column) for column in zip(*runs))
        reference = reference or (wall, cpu)
        print(f"{label:30} {wall:8.2f} {cpu:8.2f} {files / wall:9.0f} {reference[0] / wall:7.2f}"
              f" {reference[1] / cpu:7.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench images")
    parser.add_argument("folders", nargs="*", metavar="DIR")
    parser.add_argument("--default", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    adopt()
    import PIL
    print(f"{machine()}\nPillow {PIL.__version__}, Python {platform.python_version()};"
          f" blur 2, box 50x50, JPEG quality 75; {arguments.workers} workers;"
          f" medians of {arguments.rounds} alternating rounds; x: times less than Pillow")
    for folder in arguments.folders or arguments.default:
        bench(folder, arguments.rounds, arguments.workers)


main()
