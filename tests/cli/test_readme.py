#!/usr/bin/python3
"""The README keeps step with the program and with the example that it quotes."""
import pathlib
import re

from harness import main

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def case_quoted_lines_are_those_of_the_example(scene):
    example = iter((ROOT / "tests/examples/hello.c").read_text(encoding="utf-8").splitlines())
    quoted = re.search(r"```c\n(.*?)```", README, re.S).group(1).splitlines()
    for line in quoted:
        assert not line or line.startswith("    /* in main") or line in example, f"not in hello.c in this order: {line}"


def case_options_are_those_of_help(scene):
    words = r"(?<![\w-])--[a-z][a-z-]+"
    table = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
    told, known = set(re.findall(words, table)), set(re.findall(words, scene.run("--help").out))
    assert told == known, f"in one but not in the other: {told ^ known}"


main(globals())
