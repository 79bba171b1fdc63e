#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""All broken files of PngSuite are refused, and the error line names the fault. They are in the directory pngsuite of
MPP_CORPUS; without it the test is skipped."""
import os
import pathlib
import subprocess
import sys
import tempfile

MPTHUMB = os.environ.get("MPTHUMB", "mpthumb")
SKIPPED = 77
FAULTS = {
    "xc1n0g08": "Invalid color type in IHDR",
    "xc9n2c08": "Invalid color type in IHDR",
    "xcrn0g04": "signature is damaged",  # CR only
    "xcsn0g01": "IDAT: CRC error",
    "xd0n2c08": "bit depth",
    "xd3n2c08": "bit depth",
    "xd9n2c08": "bit depth",
    "xdtn0g01": "there is no picture in it (IDAT)",
    "xhdn0g08": "IHDR: CRC error",
    "xlfn0g04": "signature is damaged",  # LF only
    "xs1n0g01": "signature is damaged",
    "xs2n0g01": "signature is damaged",
    "xs4n0g01": "signature is damaged",
    "xs7n0g01": "signature is damaged",
}


def main():
    corpus = os.environ.get("MPP_CORPUS")
    if not corpus:
        print("skipped: no corpus (MPP_CORPUS names its folder)")
        sys.exit(SKIPPED)
    files = sorted((pathlib.Path(corpus) / "pngsuite").glob("x*.png"))
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([MPTHUMB, "-v", "-o", scratch, *files], capture_output=True, text=True, check=False)
        left = [name for name in os.listdir(scratch) if name != ".mpthumb"]
    problems = []
    for file in files:
        lines = [line for line in done.stderr.splitlines() if f"'{file}'" in line]
        fault = FAULTS.get(file.stem)
        if fault is None or len(lines) != 1 or fault not in lines[0]:
            problems.append(f"{file.name}: wanted {fault!r}, found {lines}")
    if done.returncode != 1 or left or len(files) != len(FAULTS):
        problems.append(f"exit {done.returncode}, {len(files)} files, thumbnails {left}")
    print("\n".join(problems) or f"{len(files)} files are refused, and the error lines name the faults")
    sys.exit(1 if problems else 0)


main()
