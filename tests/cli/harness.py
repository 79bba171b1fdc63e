# SPDX-License-Identifier: MIT
"""The harness of the command-line tests: a temporary directory for each case, and a runner for the cases of a file.

A case is a function `case_...(sandbox)` whose name says what it tests. It creates images in a temporary directory,
runs the program there, and checks the exit status, stdout, stderr and the files. Each test file ends with
`main(globals())`.

    MPTHUMB=build/src/cli/mpthumb tests/cli/test_output.py            all cases of the file
    MPTHUMB=build/src/cli/mpthumb tests/cli/test_output.py beside     those with "beside" in their name
"""
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

from PIL import Image

import launchers

MPTHUMB = os.environ.get("MPTHUMB", "mpthumb")
RUN_TIMEOUT_S = 240  # only to end a run that hangs
launcher = launchers.words
MISSED_RING = b"without a ring of the doorbell"  # wakeup.c: ranks failed to wake each other


class Skipped(Exception):
    """A case that cannot be run here; its text says why."""


def preloaded(shim, **variables):
    """The environment with LD_PRELOAD set to a library, and with further variables."""
    environment = dict(os.environ, LD_PRELOAD=shim, **variables)
    # A sanitizer's library is loaded before the preloaded one.
    environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return environment


class Outcome:
    """The result of a run: exit status, stdout and stderr as text (undecodable bytes as \\xHH)."""

    def __init__(self, exit_status, out, err):
        self.exit = exit_status
        self.out = out.decode(errors="backslashreplace")
        self.err = err.decode(errors="backslashreplace")

    @property
    def lines(self):
        """The lines on stdout, without the line about the pool."""
        return [line for line in self.out.splitlines() if not re.match(r"\d+ ranks?, ", line)]

    @property
    def pool(self):
        """The line about the pool, or ""."""
        return "".join(line for line in self.out.splitlines() if re.match(r"\d+ ranks?, ", line))

    @property
    def processed(self):
        """The lines that -v prints about files, sorted."""
        return sorted(line for line in self.lines if line.endswith(" was processed..."))

    @property
    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith("mpthumb: ")]

    def about(self, text):
        """The error lines that mention `text`."""
        return [line for line in self.errors if text in line]

    def __str__(self):
        return f"exit {self.exit}\n--- stdout\n{self.out}--- stderr\n{self.err}---"


def picture(size=(120, 80), mode="RGB", seed=0):
    """A smooth picture with some noise; each seed gives a different one."""
    width, height = size
    image = Image.linear_gradient("L").resize(size).rotate(37 * seed)
    noise = Image.effect_noise(size, 24)
    gray = Image.blend(image, noise, 0.3)
    if mode == "L":
        return gray
    rgb = Image.merge("RGB", (gray, gray.rotate(90).resize((width, height)), noise))
    return rgb.convert(mode)


class Sandbox:
    """The temporary directory of one case. Paths are relative to it, str or bytes."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mpthumb-cli-"))

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name):
        return pathlib.Path(os.path.join(os.fsencode(self.root), os.fsencode(name)).decode(
            errors="surrogateescape"))

    def write(self, name, content=b""):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def image(self, name, size=(120, 80), mode="RGB", seed=0, format=None, **options):
        """Creates an image file in `format`, or the format of the name's extension. Options are those of Pillow."""
        format = format or ("PNG" if os.fsencode(name).lower().endswith(b".png") else "JPEG")
        memory = io.BytesIO()
        picture(size, mode, seed).save(memory, format, **options)
        self.write(name, memory.getvalue())

    def images(self, *names, **options):
        for number, name in enumerate(names):
            self.image(name, seed=number, **options)

    def run(self, *arguments, ranks=0, stdin=b"", stdout=subprocess.PIPE, program=MPTHUMB, environment=None):
        """Runs mpthumb, or another program, and waits for it: without a launcher if `ranks` is 0, else under mpirun."""
        done = subprocess.run(launcher(ranks) + [program, *arguments], cwd=self.root, input=stdin,
                              stdout=stdout, stderr=subprocess.PIPE, timeout=RUN_TIMEOUT_S, env=environment)
        stderr = done.stderr
        if ranks:
            stderr = re.sub(launchers.detect()[0].noise, b"", stderr, flags=re.S)
        assert MISSED_RING not in stderr, stderr.decode(errors="backslashreplace")
        return Outcome(done.returncode, done.stdout or b"", stderr)

    def start(self, *arguments, ranks=0):
        """Starts mpthumb; the caller reads its stdout and waits for it. stderr goes to the file `stderr`."""
        with open(self.path("stderr"), "wb") as stderr:
            return subprocess.Popen(launcher(ranks) + [MPTHUMB, *arguments], cwd=self.root,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)

    def check_rings(self):
        """Fails if a run that was started wrote about messages without a ring to the file `stderr`."""
        path = self.path("stderr")
        assert not path.is_file() or MISSED_RING not in path.read_bytes(), path.read_text(errors="replace")

    def tree(self, name="."):
        """Path -> SHA-256 of each regular file below `name`, with relative paths; {} if `name` does not exist. Without
        the directory .mpthumb of the journal."""
        top = os.fsencode(self.path(name))
        found = {}
        for directory, directories, names in os.walk(top):
            directories[:] = [each for each in directories if each != b".mpthumb"]
            for file in names:
                path = os.path.join(directory, file)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as stream:
                        found[os.fsdecode(os.path.relpath(path, top))] = hashlib.sha256(
                            stream.read()).hexdigest()
        return found

    def names(self, name="."):
        return sorted(self.tree(name))

    def size(self, name):
        with Image.open(self.path(name)) as image:
            image.load()
            return image.size

    def format(self, name):
        with Image.open(self.path(name)) as image:
            return image.format


def equal(found, wanted, what=""):
    assert found == wanted, f"{what}\n   found: {found!r}\n  wanted: {wanted!r}"


def main(names):
    """Runs the cases of a test file, each in its own sandbox, and exits: with 77 if all were skipped."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failures = passed = 0
    for name, case in list(names.items()):
        if not name.startswith("case_") or wanted not in name:
            continue
        sandbox = Sandbox()
        try:
            case(sandbox)
            sandbox.check_rings()
            passed += 1
            print("ok    ", name[5:], flush=True)
        except Skipped as reason:
            print("skip  ", f"{name[5:]}: {reason}", flush=True)
        except Exception:  # a failed assertion, a missing file, a run that hangs
            failures += 1
            print("FAILED", name[5:], flush=True)
            traceback.print_exc(limit=-2, file=sys.stdout)
        finally:
            sandbox.close()
    sys.exit(1 if failures else 0 if passed else 77)
