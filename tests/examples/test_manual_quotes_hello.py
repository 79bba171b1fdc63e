#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program in the manual page mppool(3) is hello.c, without the comment at its head."""
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
manual = (HERE.parents[1] / "src/pool/mppool.3").read_text(encoding="utf-8")
example = (HERE / "hello.c").read_text(encoding="utf-8")

quoted = manual.split(".SH EXAMPLES")[1].split(".EX\n")[1].split(".EE\n")[0]
quoted = quoted.replace("\\-", "-").replace("\\e", "\\")
if quoted != example[example.index("#include"):]:
    sys.exit("the program in src/pool/mppool.3 differs from tests/examples/hello.c")
