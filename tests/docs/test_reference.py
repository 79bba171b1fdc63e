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
MPTHUMB_MANUAL, MPBATCH_MANUAL = pages.ROOT / "src/cli/mpthumb.1", pages.ROOT / "src/cli/mpbatch.1"
LIBRARY_MANUAL, LIBRARY_HEADER = pages.ROOT / "src/batch/mpbatch.3", pages.ROOT / "src/batch/include/mpbatch.h"
MANUALS = sorted((pages.ROOT / "src").rglob("*.[1-9]"))
DESCRIBED_BY_MPTHUMB = "thumbnail"  # the job whose options mpthumb(1) describes
README_LINES_MAX = 150
OPTION = r"(?<![\w-])--[a-z][a-z-]+[a-z]"

# Options of other programs that the documentation uses.
FOREIGN = {
    "mpirun": "--bind-to --enable-recovery --hostfile --map-by --mca --oversubscribe --with-ft --version",
    "Slurm": "--array --cpus-per-task --kill-on-bad-exit --mpi --nodes --ntasks-per-node --signal --time --version",
    "scripts/": "--profile --quick",
    "others": "--build --cflags --exclude --install --libs --parallel --prefix --preserve-status --test-dir",
}


def problems(found):
    assert not found, "\n   " + "\n   ".join(found)


def help_entries(sandbox, program, *job):
    """{option: default} of the --help of a program or of one of its jobs; None is no default."""
    text = sandbox.run(*job, "--help", program=program).out
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


def jobs(sandbox):
    listed = sandbox.run("--help", program=MPBATCH).out.split("\nJobs\n")[1].split("\n\n")[0]
    names = re.findall(r"^  (\S+)", listed, re.M)
    assert DESCRIBED_BY_MPTHUMB in names and len(names) > 3, names
    return names


def merged(tables):
    """The union of several tables of options, whose defaults must not contradict each other."""
    union = {}
    for table in tables:
        for option, default in table.items():
            equal(union.setdefault(option, default), default, option)
    return union


def case_options_of_help_and_manual_agree(sandbox):
    """The same options, with the same defaults. mpthumb(1) describes the options of its job, mpbatch(1) all others."""
    helped = {MPTHUMB_MANUAL: help_entries(sandbox, MPTHUMB),
              MPBATCH_MANUAL: merged([help_entries(sandbox, MPBATCH), *(help_entries(sandbox, MPBATCH, job)
                                      for job in jobs(sandbox) if job != DESCRIBED_BY_MPTHUMB)])}
    wrong = []
    for manual, wanted in helped.items():
        described, name = manual_entries(manual), manual.name
        assert len(wanted) > 20, wanted
        wrong += [f"{name} lacks {option}" for option in sorted(wanted.keys() - described.keys())]
        wrong += [f"{name} has {option}, and --help does not" for option in sorted(described.keys() - wanted.keys())]
        wrong += [f"{name}: {option}: default {described[option]}, in --help {wanted[option]}"
                  for option in sorted(wanted.keys() & described.keys()) if wanted[option] != described[option]]
    problems(wrong)
    equal(help_entries(sandbox, MPBATCH, DESCRIBED_BY_MPTHUMB), helped[MPTHUMB_MANUAL], "mpbatch thumbnail and mpthumb")


def completed_options(shell, script, program, job):
    """The long options that a completion script offers for a job of a program; job "": the program has no other."""
    if shell == "fish":
        condition = f"-n '__fish_seen_subcommand_from {job}' " if job else ""
        return {f"--{name}" for name in re.findall(rf"^complete -c {program} {condition}-l (\S+)", script, re.M)}
    function = script.split(f"_mpb_{program}() {{\n")[1].split("\n}\n")[0]
    part = function.split(f"\n    {job})\n")[1].split(";;")[0] if job else function
    if shell == "bash":
        part = re.search(r"^        words=\((.*?)\)", part, re.M)[1]
        return set(re.findall(r"(?<!\S)--\S+", part))
    return set(re.findall(r"['{,](--[a-z-]+)=?[}[]", part))


def case_completions_have_every_option(sandbox):
    """The shells complete for each job exactly the options of its --help."""
    wrong = []
    for shell in ("bash", "zsh", "fish"):
        script = sandbox.run("completions", shell, program=MPBATCH).out
        for program, path, job in [("mpthumb", MPTHUMB, ""), *(("mpbatch", MPBATCH, job) for job in jobs(sandbox))]:
            wanted = set(help_entries(sandbox, path, *([job] if job else [])))
            found = completed_options(shell, script, program, job)
            wrong += [f"{shell}: {program} {job}: {option}" for option in sorted(wanted ^ found)]
    problems(wrong)


def case_every_option_that_is_mentioned_exists(sandbox):
    known = set(" ".join(FOREIGN.values()).split())
    for program in (MPTHUMB, MPBATCH):
        known |= set(re.findall(OPTION, sandbox.run("--help", program=program).out))
    for job in jobs(sandbox):
        known |= set(help_entries(sandbox, MPBATCH, job))
    for example in pages.ROOT.glob("tests/examples/*.c"):
        known |= {f"--{name}" for name in re.findall(r'\{\.name = "([a-z-]+)",\s*\.type = ', example.read_text(encoding="utf-8"))}
    wrong = []
    for page in pages.PAGES:
        text = re.sub(r"\]\([^)]*\)|<!--.*?-->", "", page.read_text(encoding="utf-8"))
        wrong += [f"{pages.name(page)}: {option}" for option in sorted(set(re.findall(OPTION, text)) - known)]
    problems(wrong)


def case_manuals_are_free_of_warnings(_):
    if not shutil.which("groff"):
        print("        groff is not installed: left out")
        return
    assert len(MANUALS) > 3, MANUALS
    for manual in MANUALS:
        done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", "-K", "utf8", str(manual)],
                              capture_output=True, text=True, check=False)
        equal((done.returncode, done.stderr), (0, ""), manual.name)


def case_manuals_have_their_sections(_):
    for manual in (MPTHUMB_MANUAL, MPBATCH_MANUAL):
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


def case_names_of_the_libraries_exist(_):
    """Every mpp_, MPP_, mpb_ and MPB_ name of the documentation is one of the headers, the build or the scripts."""
    sources = [*(pages.ROOT / "src").rglob("*.h"), *(pages.ROOT / "tests").rglob("*.h"),
               *pages.ROOT.rglob("CMakeLists.txt"), *(pages.ROOT / "scripts").iterdir()]
    names = r"\b(?:mp[pb]|MP[PB])_\w+"
    known = set()
    for source in sources:
        known |= set(re.findall(names, source.read_text(encoding="utf-8")))
    wrong = []
    for page in [*pages.LINKED, *MANUALS]:
        for name in sorted(set(re.findall(names, page.read_text(encoding="utf-8"))) - known):
            if not (name.endswith("_") and any(each.startswith(name) for each in known)):
                wrong.append(f"{pages.name(page)}: {name}")
    problems(wrong)


def case_the_manual_of_the_library_has_every_name(_):
    """mpbatch(3) has the prototype of each function of mpbatch.h, and each value and each member of a struct."""
    header = re.sub(r"/\*.*?\*/", "", LIBRARY_HEADER.read_text(encoding="utf-8"), flags=re.S)
    manual = LIBRARY_MANUAL.read_text(encoding="utf-8").replace("\\-", "-")
    synopsis = manual.split("\n.SH SYNOPSIS\n")[1].split("\n.SH ")[0]
    functions = set(re.findall(r"^MPP_API [^;(]*?(mpb_\w+)\(", header, re.M))
    assert len(functions) > 10, functions
    wrong = [f"no prototype of {name}" for name in sorted(functions - set(re.findall(r"mpb_\w+", synopsis)))]
    words = set(re.findall(r"\w+", manual))
    names = set(re.findall(r"\bMPB_\w+", header))
    for body in re.findall(r"^struct mpb_\w+ \{\n(.*?)^\};", header, re.S | re.M):
        for declared in re.findall(r"^    \S[^;]*;", body, re.M):
            names |= set(re.findall(r"\(\*(\w+)\)", declared) or re.findall(r"(\w+)(?=[,;])", declared))
    assert len(names) > 60, names
    problems(wrong + [f"it does not mention {name}" for name in sorted(names - words)])


def case_the_manual_of_the_library_quotes_its_example(_):
    """The program in mpbatch(3) is greet.c, without the comment at its head."""
    manual = LIBRARY_MANUAL.read_text(encoding="utf-8")
    quoted = manual.split(".SH EXAMPLES")[1].split(".EX\n")[1].split(".EE\n")[0].replace("\\-", "-").replace("\\e", "\\")
    example = (pages.ROOT / "tests/examples/greet.c").read_text(encoding="utf-8")
    equal(quoted, example[example.index("#include"):])


main(globals())
