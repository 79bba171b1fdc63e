#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""README, docs and manual pages agree with the programs and with each other: options, defaults, links, quoted code."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from harness import MPTHUMB, equal, main  # noqa: E402

import pages  # noqa: E402

MPBATCH = os.environ.get("MPBATCH", "mpbatch")
MANUALS = {MPTHUMB: pages.ROOT / "src/cli/mpthumb.1", MPBATCH: pages.ROOT / "src/cli/mpbatch.1"}
README_LINES_MAX = 150
OPTION = r"(?<![\w-])--[a-z][a-z-]+[a-z]"

# Options of other programs that the documentation uses.
FOREIGN = {
    "mpirun": "--bind-to --enable-recovery --hostfile --map-by --mca --oversubscribe --with-ft --version",
    "Slurm": "--array --cpus-per-task --mpi --nodes --ntasks-per-node --signal --time --version",
    "scripts/": "--profile --quick",
    "others": "--build --cflags --exclude --install --libs --parallel --prefix --preserve-status --test-dir",
}


def problems(found):
    assert not found, "\n   " + "\n   ".join(found)


def help_entries(sandbox, program):
    """{option: default} of a program's --help; None is no default."""
    text = sandbox.run("--help", program=program).out
    entries = {}
    for entry in re.split(r"\n(?=  (?:-\w, |    )--)", text)[1:]:
        entry = re.split(r"\n(?:\n|\S)", entry)[0]
        words = re.findall(r"(?:^|, )(--[a-z-]+)", entry.strip().split("  ")[0].split("\n")[0])
        words = words or re.findall(OPTION, entry.strip().split("  ")[0])
        default = re.search(r"\(default: ([^()]+)\)\s*$", " ".join(entry.split()))
        if entry.lstrip().startswith("-") and not words:
            words = re.findall(OPTION, entry)[:1]
        for word in words:
            entries[word] = default[1] if default else None
    return entries


def manual_entries(manual):
    """{option: default} of a manual page's OPTIONS."""
    source = re.sub(r"\\f[BIR]", "", manual.read_text(encoding="utf-8")).replace("\\-", "-")
    options = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH ", source, re.S | re.M)[1]
    entries = {}
    for entry in re.split(r"^\.TP\n", options, flags=re.M)[1:]:
        tag, _, rest = entry.partition("\n")
        default = re.search(r"^Default: (.+)\.$", re.split(r"^\.SS", rest, flags=re.M)[0], re.M)
        for word in re.findall(OPTION, tag):
            entries[word] = default[1] if default else None
    return entries


def case_options_of_help_and_manual_agree(sandbox):
    """The same options, with the same defaults."""
    wrong = []
    for program, manual in MANUALS.items():
        helped, described = help_entries(sandbox, program), manual_entries(manual)
        assert len(helped) > 10, helped
        name = manual.name
        wrong += [f"{name} lacks {option}" for option in sorted(helped.keys() - described.keys())]
        wrong += [f"{name} has {option}, and --help does not" for option in sorted(described.keys() - helped.keys())]
        wrong += [f"{name}: {option}: default {described[option]}, in --help {helped[option]}"
                  for option in sorted(helped.keys() & described.keys()) if helped[option] != described[option]]
    problems(wrong)


def case_every_option_that_is_mentioned_exists(sandbox):
    known = set(" ".join(FOREIGN.values()).split())
    for program in MANUALS:
        known |= set(help_entries(sandbox, program))
    wrong = []
    for page in pages.PAGES:
        text = re.sub(r"\]\([^)]*\)|<!--.*?-->", "", page.read_text(encoding="utf-8"))
        wrong += [f"{pages.name(page)}: {option}" for option in sorted(set(re.findall(OPTION, text)) - known)]
    problems(wrong)


def case_manuals_are_free_of_warnings(_):
    if not shutil.which("groff"):
        print("        groff is not installed: left out")
        return
    for manual in [*MANUALS.values(), pages.ROOT / "src/pool/mppool.3"]:
        done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", "-K", "utf8", str(manual)],
                              capture_output=True, text=True, check=False)
        equal((done.returncode, done.stderr), (0, ""), manual.name)


def case_manuals_have_their_sections(_):
    for manual in MANUALS.values():
        sections = re.findall(r"^\.SH (.*)$", manual.read_text(encoding="utf-8"), re.M)
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
            assert section in sections, f"{manual.name} has no {section}"


def case_the_readme_is_short(_):
    lines = len(pages.README.read_text(encoding="utf-8").splitlines())
    assert lines <= README_LINES_MAX, f"{lines} lines; at most {README_LINES_MAX}"


def first_line_not_quoted(lines, example):
    """(its number, the line) of the first line that the example lacks after the lines before it; None if there is none."""
    rest = iter(example.read_text(encoding="utf-8").splitlines())
    return next(((number, line) for number, line in enumerate(lines) if line not in rest), None)


def case_quoted_code_is_that_of_the_example(_):
    """Every block of C quotes whole lines of one of tests/examples, in their order."""
    wrong = []
    for page in pages.PAGES:
        for block in pages.parse(page)[0]:
            if block.language != "c" or page.name == "adding-a-codec.md":
                continue
            lines = [line for line in block.lines if line and not line.lstrip().startswith("/* in main")]
            missing = [first_line_not_quoted(lines, example) for example in sorted(pages.ROOT.glob("tests/examples/*.c"))]
            if all(missing):
                wrong.append(f"{block.place}: no example has these lines in this order; one lacks: {max(missing)[1]}")
    problems(wrong)


def anchors(page):
    """The fragments that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", "\n".join(pages.parse(page)[1]), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


def case_links_resolve(_):
    wrong = []
    for page in pages.LINKED:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, fragment = target.partition("#")
            to = (page.parent / path).resolve() if path else page
            if not to.exists():
                wrong.append(f"{pages.name(page)}: {target}: there is no such file")
            elif fragment and fragment not in anchors(to):
                wrong.append(f"{pages.name(page)}: {target}: no heading has this name")
    problems(wrong)


def case_every_page_is_linked_from_the_readme(_):
    text = pages.README.read_text(encoding="utf-8")
    problems([f"README.md does not link {pages.name(page)}" for page in pages.DOCS if f"](docs/{page.name})" not in text])


def case_every_heading_of_a_long_page_is_in_its_contents(_):
    """A page that begins with a list of its headings lists all of the second level."""
    wrong = []
    for page in pages.DOCS:
        text = "\n".join(pages.parse(page)[1])
        listed = set(re.findall(r"\]\(#([^)]+)\)", text.split("\n## ")[0]))
        second = {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
                  for heading in re.findall(r"^## (.*)$", text, re.M)}
        if listed:
            wrong += [f"{pages.name(page)}: {anchor}" for anchor in sorted(listed ^ second)]
    problems(wrong)


def case_files_that_are_named_exist(_):
    wrong = []
    for page in pages.LINKED:
        for path in re.findall(r"(?<![\w./~-])(?:src|jobs|scripts|slurm|tests|docs)/[\w./-]*\w", page.read_text(encoding="utf-8")):
            if not (pages.ROOT / path).exists() and "TOPIC" not in path:
                wrong.append(f"{pages.name(page)}: {path}")
    problems(wrong)


def case_names_of_the_library_exist(_):
    """Every mpp_ and MPP_ name of the documentation is one of the headers, the build or the scripts."""
    sources = [*(pages.ROOT / "src").rglob("*.h"), *pages.ROOT.rglob("CMakeLists.txt"), *(pages.ROOT / "scripts").iterdir()]
    known = set()
    for source in sources:
        known |= set(re.findall(r"\bmpp_\w+|\bMPP_\w+", source.read_text(encoding="utf-8")))
    wrong = []
    for page in pages.LINKED:
        for name in sorted(set(re.findall(r"\bmpp_\w+|\bMPP_\w+", page.read_text(encoding="utf-8"))) - known):
            if not (name.endswith("_") and any(each.startswith(name) for each in known)):
                wrong.append(f"{pages.name(page)}: {name}")
    problems(wrong)


main(globals())
