# SPDX-License-Identifier: MIT
"""The pages of the documentation, taken apart: code blocks with their marks, and the text around them."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", *DOCS]  # whose commands are run
LINKED = [*PAGES, *sorted((ROOT / "tests").rglob("*.md"))]  # whose links are followed
COMMANDS = ("sh", "console")
OTHER_LANGUAGES = ("c", "cmake", "json", "text")


class PageError(Exception):
    """A page breaks a rule of this documentation."""


class Block:
    """A fenced code block: its language, its lines, and the words of the HTML comment before it ("" if none)."""

    def __init__(self, page, line, language, mark):
        self.page, self.line, self.language, self.mark = page, line, language, mark
        self.lines = []

    @property
    def place(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"


def name(page):
    return str(page.relative_to(ROOT))


def parse(page):
    """(blocks, text): the page's code blocks, and its other lines, with empty lines where the blocks were."""
    blocks, text, block, mark, blank = [], [], None, "", True
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.fullmatch(r" {0,3}```(\w*)", line)
        if block is not None:
            if line.strip() == "```":
                blocks.append(block)
                block = None
            else:
                block.lines.append(line)
            text.append("")
            continue
        if fence:
            block = Block(page, number, fence[1], mark)
            if fence[1] not in COMMANDS + OTHER_LANGUAGES:
                raise PageError(f"{block.place}: a code block must say its language, not '{fence[1]}'")
            line = ""
        elif "```" in line:
            raise PageError(f"{name(page)}:{number}: a fence that is not understood")
        elif blank and re.match(r"(?: {4}|\t)\S", line):
            raise PageError(f"{name(page)}:{number}: an indented code block; fence it and say its language")
        comment = re.fullmatch(r"<!-- (.*) -->", line)
        mark = comment[1] if comment else mark if not line.strip() and not fence else ""
        blank = not line.strip()
        text.append(line)
    if block is not None:
        raise PageError(f"{block.place}: a code block that does not end")
    return blocks, text
