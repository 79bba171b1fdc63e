#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The examples can be built against an installed copy of the libraries, found by pkg-config and by CMake, and run."""
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


def install(sandbox, library="mppool"):
    """Installs into the directory `usr` of the sandbox. Returns the compiler flags from pkg-config."""
    call(sandbox, os.environ["CMAKE"], "--install", os.environ["BUILD"], "--prefix", str(sandbox.path("usr")))
    found = next(sandbox.path("usr").rglob(f"{library}.pc")).parent
    return call(sandbox, "pkg-config", "--cflags", "--libs", library,
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


def count_words(sandbox, program):
    sandbox.path("texts").mkdir(exist_ok=True)
    sandbox.path("texts/1").write_text("to be or not to be\n")
    sandbox.path("texts/2").write_text("to do is to be")
    for ranks in (0, 2):
        equal(call(sandbox, *launcher(ranks), program, "--shortest", "2", "--quiet", "texts"),
              "be 3\ndo 1\nis 1\nnot 1\nor 1\nto 4\n", f"{program}, {ranks} ranks")


def case_wordcount_by_pkg_config(sandbox):
    flags = install(sandbox, "mpbatch")
    call(sandbox, "mpicc", "-std=gnu17", "-Wall", "-Werror", *SANITIZE, "-o", "wordcount",
         str(EXAMPLES / "wordcount.c"), *flags)
    count_words(sandbox, "./wordcount")


def case_wordcount_by_cmake(sandbox):
    install(sandbox)
    sandbox.path("project").mkdir()
    sandbox.path("project/CMakeLists.txt").write_text(f"""cmake_minimum_required(VERSION 3.20)
project(wordcount C)
find_package(mpbatch 0.2 REQUIRED)
add_executable(wordcount {EXAMPLES / "wordcount.c"})
target_link_libraries(wordcount PRIVATE mpbatch::mpbatch)
""")
    call(sandbox, os.environ["CMAKE"], "-S", "project", "-B", "made", f"-DCMAKE_PREFIX_PATH={sandbox.path('usr')}",
         f"-DCMAKE_C_FLAGS={' '.join(SANITIZE)}")
    call(sandbox, os.environ["CMAKE"], "--build", "made")
    count_words(sandbox, "made/wordcount")


def globals_of(archive):
    """The global names that the members of an archive define, without those of sanitizers."""
    listed = subprocess.run(["nm", "-g", "--defined-only", str(archive)], capture_output=True, text=True, check=True)
    names = {line.split()[2] for line in listed.stdout.splitlines() if len(line.split()) == 3}
    return {name for name in names if not name.startswith("__")}


def case_the_libraries_define_their_public_names_only(sandbox):
    install(sandbox)
    usr = sandbox.path("usr")
    text = "".join(header.read_text() for header in usr.rglob("*.h"))
    for library, prefix, least in (("mppool", "mpp", 20), ("mpbatch", "mpb", 10)):
        declared = set(re.findall(rf"^MPP_API [^;(]*?({prefix}_\w+)\(", text, re.M))
        assert len(declared) > least, declared
        equal(globals_of(next(usr.rglob(f"lib{library}.a"))), declared)


def case_a_program_may_use_the_names_of_private_functions(sandbox):
    """A program that defines log_line, and every other private name of the library, does not change the library."""
    flags = install(sandbox)
    private = globals_of(pathlib.Path(os.environ["BUILD"]) / "src/pool/libmppool_private.a")
    private = sorted(name for name in private if not name.startswith("mpp_"))
    assert "log_line" in private and len(private) > 100, private
    sandbox.path("names.c").write_text("#include <stdlib.h>\n" + "".join(
        f"void {name}(void);\nvoid {name}(void)\n{{\n    abort();\n}}\n" for name in private))
    call(sandbox, "mpicc", *SANITIZE, "-o", "hello", str(EXAMPLES / "hello.c"), "names.c", *flags)
    for ranks in (0, 2):
        lines = call(sandbox, *launcher(ranks), "./hello", "ada").splitlines()
        equal([line.split(", from")[0] for line in lines], ["Hello, ada"])


def case_programs_and_manuals_are_installed(sandbox):
    install(sandbox)
    names = {path.name for path in sandbox.path("usr").rglob("*") if path.is_file()}
    for wanted in ("mpthumb", "mpbatch", "mpthumb.1", "mpbatch.1", "mppool.3", "mppool.h", "mpp_error.h", "mpbatch.h",
                   "mpbatch.3", "mpbatch-journal.5", "wordcount.c",
                   "mpthumb.sbatch", "hello.c", "README.md", "CONTRIBUTING.md", "SECURITY.md"):
        assert wanted in names, f"{wanted} is not among {names}"
    equal(call(sandbox, "usr/bin/mpbatch", "--version").splitlines()[0].split()[0], "mpbatch")


main(globals())
