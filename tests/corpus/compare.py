#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the pixels of mpthumb's thumbnails with those of Pillow, for all images in some folders that Pillow loads as
RGB, L, RGBA or LA. Started by scripts/compare.

Prints for several settings and each folder: how many thumbnails have the same size, and of these the PSNR (median, the
value that 99 % reach, and the worst) and the largest difference of one sample. Writes a contact sheet of the eight
worst thumbnails: mpthumb's, Pillow's, and their difference multiplied by eight. Pillow does not convert colours, nor
does --exact; for the other settings Pillow's thumbnail is converted to sRGB by the image's ICC profile. With --check
the exit status is 1 unless all thumbnails made with --exact are identical.
"""
import argparse
import collections
import concurrent.futures
import io
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import warnings

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFile, ImageFilter, ImageOps

MPTHUMB = os.environ.get("MPTHUMB", "mpthumb")
MODES = ("RGB", "L", "RGBA", "LA")
CORPUS = ("pngsuite", "kodak", "pngs", "exif-orientation", "exif-cameras", "sharp")
SKIPPED = 77
IDENTICAL = 99.0  # dB, stands for no difference
SETTINGS = {  # label -> (exact?, blur, box)
    "default, blur 2, 50x50": (False, 2, (50, 50)),
    "default, blur 0, 128x128": (False, 0, (128, 128)),
    **{f"exact, blur {blur}, {width}x{height}": (True, blur, (width, height))
       for width, height in ((50, 50), (128, 96), (224, 224), (1000, 1000)) for blur in (0, 2)},
}


def in_srgb(image, icc):
    """Converts an image to sRGB by its ICC profile. A broken profile, or one for other colours, is ignored."""
    colour = image.convert("L" if image.mode in ("L", "LA") else "RGB")
    try:
        colour = ImageCms.profileToProfile(colour, io.BytesIO(icc), ImageCms.createProfile("sRGB"), outputMode="RGB",
                                           renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                                           flags=ImageCms.FLAGS["BLACKPOINTCOMPENSATION"])
    except (ImageCms.PyCMSError, OSError):
        return image
    if image.mode in ("LA", "RGBA"):
        colour.putalpha(image.getchannel("A"))
    return colour


def pillow(path, exact, blur, box):
    """Pillow's thumbnail as RGBA. None if Pillow does not load the file, or loads it in another mode."""
    warnings.simplefilter("ignore")
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            turned = image.getexif().get(0x0112, 1) not in (0, 1)
            if turned or blur or not exact:
                image.load()  # so that thumbnail() does not decode it at a smaller scale
            if image.mode not in MODES:
                return None
            image = ImageOps.exif_transpose(image) if turned else image
            if blur:
                image = image.filter(ImageFilter.GaussianBlur(blur))
            image.thumbnail(box)
            image.info.pop("transparency", None)
            if image.info.get("icc_profile") and not exact:
                image = in_srgb(image, image.info["icc_profile"])
            return image.convert("RGBA")
    except Exception:  # Pillow raises many types of exceptions
        return None


def quality(ours, theirs):
    """(PSNR in dB, largest difference) of two images on a white background."""
    white = Image.new("RGBA", ours.size, "white")
    difference = ImageChops.difference(*(Image.alpha_composite(white, each).convert("RGB") for each in (ours, theirs)))
    histogram = difference.histogram()
    squares = sum(count * (value % 256) ** 2 for value, count in enumerate(histogram))
    if ImageChops.difference(ours, theirs).getbbox() is None and ours.tobytes() == theirs.tobytes():
        return IDENTICAL, 0
    largest = max(value % 256 for value, count in enumerate(histogram) if count)
    mean = squares / sum(histogram)
    return (min(10 * math.log10(255 ** 2 / mean), IDENTICAL - 1) if mean else IDENTICAL - 1), largest


def judge(arguments):
    """(path, same size?, dB, largest difference), or None if mpthumb or Pillow has no thumbnail."""
    path, thumbnail, setting = arguments
    theirs = pillow(path, *setting)
    if theirs is None or not os.path.exists(thumbnail):
        return None
    with Image.open(thumbnail) as image:
        ours = image.convert("RGBA")
    if ours.size != theirs.size:
        return path, False, 0, 255
    return path, True, *quality(ours, theirs)


def distinct(names):
    """The names that differ in more than their extension: their PNG thumbnails have different names."""
    stems = collections.Counter(os.path.splitext(name)[0] for name in names)
    return [name for name in names if stems[os.path.splitext(name)[0]] == 1]


def judge_folder(folder, names, setting, pool):
    exact, blur, box = setting
    with tempfile.TemporaryDirectory(prefix="mpthumb-compare-") as scratch:
        command = [MPTHUMB, "--quiet", "-f", "png", "--suffix=_", "-b", str(blur), "-s", f"{box[0]}x{box[1]}",
                   "-o", scratch, *(["--exact"] if exact else []), str(folder)]
        subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        work = [(folder / name, os.path.join(scratch, os.path.splitext(name)[0] + "_.png"), setting) for name in names]
        return [found for found in pool.map(judge, work, chunksize=4) if found]


def describe(label, folder, found):
    sizes = sum(1 for _, agrees, _, _ in found if agrees)
    decibels = sorted(decibel for _, _, decibel, _ in found)
    identical = sum(1 for decibel in decibels if decibel == IDENTICAL)
    return (f"{label:26} {folder.name:14} {len(found):5} {sizes:6} {identical:10} {statistics.median(decibels):8.1f}"
            f" {decibels[len(decibels) // 100]:8.1f} {decibels[0]:8.1f} {max(most for *_, most in found):8}")


def contact_sheet(file, worst):
    """A row for each of the worst: mpthumb's thumbnail, Pillow's, and their difference."""
    side = 256
    sheet = Image.new("RGB", (3 * side, len(worst) * (side + 16)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (decibel, label, setting, path) in enumerate(worst):
        with tempfile.TemporaryDirectory(prefix="mpthumb-compare-") as scratch:
            exact, blur, box = setting
            subprocess.run([MPTHUMB, "--quiet", "-f", "png", "-b", str(blur), "-s", f"{box[0]}x{box[1]}", "-o", scratch,
                            *(["--exact"] if exact else []), str(path)], stdin=subprocess.DEVNULL, check=False)
            made = list(pathlib.Path(scratch).rglob("*.png"))
            ours = Image.open(made[0]).convert("RGB")
        theirs = pillow(path, *setting).convert("RGB")
        both = [ours, theirs]
        if ours.size == theirs.size:
            both.append(ImageChops.difference(ours, theirs).point(lambda value: min(255, 8 * value)))
        draw.text((2, row * (side + 16) + 2), f"{decibel:.1f} dB  {label}  {path.name}", fill="black")
        for column, image in enumerate(both):
            sheet.paste(image.resize((side, side), Image.Resampling.NEAREST), (column * side, row * (side + 16) + 16))
    sheet.save(file)


def main():
    parser = argparse.ArgumentParser(prog="scripts/compare")
    parser.add_argument("folders", nargs="*", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--corpus", action="store_true", help=argparse.SUPPRESS)  # some folders below MPP_CORPUS
    parser.add_argument("--only", default="", help="only settings whose label contains this text")
    parser.add_argument("--sheet", default="compare.png",
                        help="file of the contact sheet; none: no sheet (default: compare.png)")
    parser.add_argument("--check", action="store_true", help="exit status 1 unless --exact is identical to Pillow")
    arguments = parser.parse_args()
    if arguments.corpus:
        corpus = pathlib.Path(os.environ.get("MPP_CORPUS") or "none")
        arguments.folders = [corpus / name for name in CORPUS if (corpus / name).is_dir()]
        if not arguments.folders:
            print("skipped: no corpus (MPP_CORPUS names its folder)")
            sys.exit(SKIPPED)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    print(f"{'':26} {'':14} files  sizes  identical   median     99 %    worst  largest")
    everything, failed = [], False
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for folder in arguments.folders:
            names = sorted(os.path.relpath(os.path.join(directory, file), folder)
                           for directory, _, files in os.walk(folder) for file in files)
            if len(names) > len(distinct(names)):
                print(f"{folder.name}: {len(names) - len(distinct(names))} files differ only in their extensions:"
                      " skipped")
            names = distinct(names)
            for label, setting in SETTINGS.items():
                if arguments.only not in label:
                    continue
                found = judge_folder(folder, names, setting, pool)
                if not found:
                    continue
                print(describe(label, folder, found), flush=True)
                different = [(decibel, label, setting, path) for path, _, decibel, _ in found if decibel < IDENTICAL]
                everything += different
                failed |= setting[0] and bool(different)
    worst = sorted(everything, key=lambda entry: entry[0])[:8]
    if worst and arguments.sheet != "none":
        contact_sheet(arguments.sheet, worst)
        print(f"the worst are in {arguments.sheet}:")
    for decibel, label, _, path in worst:
        print(f"{decibel:6.1f} dB  {label:26} {path}")
    sys.exit(1 if failed and arguments.check else 0)


if __name__ == "__main__":
    main()
