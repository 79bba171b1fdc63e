#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples can be built against an installed copy of the library, found by pkg-config, and run."""
import os
import pathlib
import re
import subprocess

from harness import equal, launcher, main

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"
SANITIZE = [f"-fsanitize={os.environ['SANITIZE']}"] if os.environ.get("SANITIZE") else []


def call(sandbox, *command, **options):
    done = subprocess.run(command, cwd=sandbox.root, capture_output=True, text=True, timeout=200, **options)
    equal(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def install(sandbox):
    """Installs into the directory `usr` of the sandbox. Returns the compiler flags from pkg-config."""
    call(sandbox, os.environ["CMAKE"], "--install", os.environ["BUILD"], "--prefix", str(sandbox.path("usr")))
    found = next(sandbox.path("usr").rglob("mppool.pc")).parent
    return call(sandbox, "pkg-config", "--cflags", "--libs", "mppool",
                env={**os.environ, "PKG_CONFIG_PATH": str(found)}).split()


def case_examples_build_and_run(sandbox):
    flags = install(sandbox)
    for name, arguments, wanted in [
            ("ordered_map", ["5"], "1\n4\n9\n16\n25\n"),
            ("as_completed", [], "".join(f"slept {n} tenths of a second\n" for n in (5, 10, 15))),
            ("cancel", [], "cancelled: yes\nthe pool goes on: 42\n"),
            ("initializer", ["three", "one"], "three is 3\none is 1\n"),
            ("timeouts", [], "the task ended in time\nthe task ran too long\nthe task still runs\n")]:
        call(sandbox, "mpicc", "-std=gnu17", "-Wall", "-Werror", *SANITIZE, "-o", name,
             str(EXAMPLES / f"{name}.c"), *flags)
        for ranks in (0, 2):
            equal(call(sandbox, *launcher(ranks), f"./{name}", *arguments), wanted, f"{name}, {ranks} ranks")


def case_hello(sandbox):
    call(sandbox, "mpicc", *SANITIZE, "-o", "hello", str(EXAMPLES / "hello.c"), *install(sandbox))
    lines = call(sandbox, *launcher(2), "./hello", "ada", "bob").splitlines()
    equal([line.split(", from")[0] for line in lines], ["Hello, ada", "Hello, bob"])


def case_programs_and_manuals_are_installed(sandbox):
    install(sandbox)
    names = {path.name for path in sandbox.path("usr").rglob("*") if path.is_file()}
    for wanted in ("mpthumb", "mpbatch", "mpthumb.1", "mpbatch.1", "mppool.3", "mppool.h", "mpp_error.h"):
        assert wanted in names, f"{wanted} is not among {names}"
    equal(call(sandbox, "usr/bin/mpbatch", "--version").splitlines()[0].split()[0], "mpbatch")


main(globals())
