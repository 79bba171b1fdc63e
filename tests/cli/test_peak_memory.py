#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory does not grow with the image: for 100 megapixels, no process needs more than 64 MB."""
import subprocess
import sys

from harness import MPTHUMB, equal, main

LIMIT_MB = 64
WIDTH, HEIGHT = 12000, 8400

# Run in a separate process, because its own memory would be measured as well.
MAKE = """
import sys
from PIL import Image
name, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
noise = Image.effect_noise((width // 8, height // 8), 60).resize((width, height), Image.BILINEAR)
light = Image.linear_gradient("L").resize((width, height))
picture = Image.merge("RGB", (Image.blend(light, noise, 0.4), Image.blend(noise, light, 0.3), noise))
picture.save(name, **({"compress_level": 1} if name.endswith("png") else
                      {"quality": 85, "progressive": "progressive" in name}))
"""

# Prints the largest resident set of mpthumb and all its descendants, in kilobytes.
RUN = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_is_small(sandbox, name):
    subprocess.run([sys.executable, "-c", MAKE, sandbox.path(name), str(WIDTH), str(HEIGHT)], check=True)
    outcome = sandbox.run("-c", RUN, MPTHUMB, "--quiet", "-j", "1", "-b", "2", name,
                        program=sys.executable)
    equal((outcome.exit, outcome.err), (0, ""), outcome)
    equal(sandbox.size("thumbs/" + name), (50, 35))
    peak_mb = int(outcome.out) / 1024
    print(f"{name}: {peak_mb:.0f} MB")
    assert peak_mb <= LIMIT_MB, f"{name}: {peak_mb:.0f} MB, more than {LIMIT_MB}"


def case_baseline_jpeg(sandbox):
    peak_is_small(sandbox, "baseline.jpg")


def case_progressive_jpeg(sandbox):
    peak_is_small(sandbox, "progressive.jpg")


def case_png(sandbox):
    peak_is_small(sandbox, "picture.png")


main(globals())
