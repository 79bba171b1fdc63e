#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every command in README.md, CONTRIBUTING.md and docs/ is run, or is marked with the reason why it is not.

A page is one session: its blocks run in their order, in one temporary checkout that has folders of images. A block of
`sh` must succeed. In a block of `console` the lines that begin with "$ " are commands, and the lines below each are
compared with what it prints: numbers with a decimal point and those of four or more digits may differ, "..." stands
for anything, and what mpirun forwards may come in any order. A comment before the block says what is special:

    <!-- not run: REASON -->            it is not run
    <!-- run where jq is installed -->  it is run only there
    <!-- numbers vary -->               the output may differ in every number
    <!-- run slowly -->                 every input takes three seconds longer to open

Whole commands inside sentences are run as well, after the blocks of their page; NOT_RUN below says which are not.

    MPTHUMB=build/src/cli/mpthumb SLOW_OPEN=build/tests/shim/libslow_open.so tests/docs/test_commands.py [PAGE]
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from harness import MPTHUMB, preloaded  # noqa: E402
import launchers  # noqa: E402
from PIL import Image  # noqa: E402

import pages  # noqa: E402

PATIENCE_S = 120
BUILD = pathlib.Path(os.path.abspath(MPTHUMB)).parents[2]
MARKS = r"not run: (?P<reason>.{10,})|run where (?P<program>\S+) is installed|(?P<vary>numbers vary)|(?P<slow>run slowly)"
SENTINEL = "@@@ "

# Commands inside sentences: one is run here, unless it stands in a block of its page as well or has a reason below.
COMMAND = r"(?:\w+=\S+ )*(?:\./)?(?:scripts/[\w-]+|mpthumb|mpbatch|mpirun|srun|sbatch|cmake|ctest|mpicc|kill|export|lfs) "
NOT_RUN = {
    "cmake -S . -B build -DMPP_TESTS=OFF && cmake --build build -j": "it builds the project, as scripts/run does",
    "MPP_CORPUS=DIR scripts/bench images": "a benchmark takes minutes",
    "scripts/bench pool": "a benchmark takes minutes",
    "scripts/fuzz webp": "there is no such format yet",
    "lfs setstripe -c 1 thumbs": "needs Lustre",
    "kill -USR1": "the name of a signal; cli_early_stop sends it",
    "srun --version": "needs Slurm",
    "srun --mpi=list": "needs Slurm",
    "srun --mpi=pmix": "needs Slurm",
    "srun --mpi=pmi2": "needs Slurm",
}
OPEN_MPI = r"mpirun.* --(?:bind-to|enable-recovery|hostfile|map-by|mca|oversubscribe|with-ft)\b"
FRAGMENT = (r"(?:mpirun(?: -\S+(?: \d+| none| ulfm)?)+|cmake --install|mpthumb -v|mpthumb -j 2|mpirun -n 2 mpthumb -j 1|"
            r"mpbatch (?:digest|list|thumbnail))")

# What the checkout has instead of programs that would install packages or build the project.
STUBS = {
    "dpkg-query": "#!/bin/sh\nprintf 'ii '\n",
    "cmake": '#!/bin/sh\n[ "$1" = --install ] || exit 0\nexec {cmake} "$@"\n',
    "mpicc": '#!/bin/sh\nexec {mpicc} {sanitize} "$@"\n',
}


def make_images(folder):
    """12 images of 2 megapixels, always the same, in a folder and one below it; three smaller ones in another."""
    chance = random.Random(12)
    (folder / "images/trip").mkdir(parents=True)
    (folder / "photos").mkdir()
    gradient = Image.linear_gradient("L")
    names = [f"images/{'trip/' if number > 8 else ''}{number:02}.{'png' if number == 12 else 'jpg'}"
             for number in range(1, 13)]
    for number, name in enumerate([*names, "photos/a.jpg", "photos/b.jpg", "photos/c.jpg"]):
        size = (640, 480) if name.startswith("photos") else (1600, 1200) if number % 3 else (1200, 1600)
        noise = Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))
        light = gradient.rotate(37 * number).resize(size)
        Image.merge("RGB", (Image.blend(light, noise, 0.1), light, noise.point(lambda value: value // 4))).save(
            folder / name, **({} if name.endswith("png") else {"quality": 75}))


class Checkout:
    """A temporary checkout in which the commands of a page are run."""

    def __init__(self, images):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mpthumb-docs-"))
        for folder in ("images", "photos"):
            shutil.copytree(images / folder, self.root / folder)
        for folder in ("scripts", "slurm", "tests/examples"):
            shutil.copytree(pages.ROOT / folder, self.root / folder)
        (self.root / "build").symlink_to(BUILD)
        (self.root / "hosts").write_text("localhost slots=16\n")
        (self.root / "state").mkdir()
        (self.root / "bin").mkdir()
        sanitize = os.environ.get("SANITIZE")
        for program, text in STUBS.items():
            stub = self.root / "bin" / program
            stub.write_text(text.format(cmake=os.environ.get("CMAKE") or shutil.which("cmake"),
                                        mpicc=shutil.which("mpicc"),
                                        sanitize=f"-fsanitize={sanitize}" if sanitize else ""))
            stub.chmod(0o755)
        path = [str(self.root / "bin"), str(BUILD / "src/cli"), os.environ["PATH"]]
        if os.path.dirname(launchers.MPIRUN):
            path.insert(2, os.path.dirname(launchers.MPIRUN))
        self.environment = dict(os.environ, PATH=os.pathsep.join(path), HOME=str(self.root), LC_ALL="C.UTF-8",
                                OMPI_MCA_rmaps_base_oversubscribe="1",
                                PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")
        self.environment.pop("SLURM_JOB_END_TIME", None)
        self.state = ""  # what a block exports, the next one has

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, script, slow):
        """Runs a script; (exit status, what it printed). Exported variables stay for the next one."""
        file = self.root / "state/script"
        kept = self.root / "state/exports"
        file.write_text(f"{self.state}trap 'export -p >{kept}' EXIT\n{script}")
        environment = self.environment
        if slow:
            shim = preloaded(os.environ["SLOW_OPEN"], SLOW_BELOW="images/", SLOW_MS="3000")
            environment = dict(environment, **{name: shim[name] for name in shim if shim[name] != os.environ.get(name)})
        done = subprocess.run(["bash", str(file)], cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE_S, env=environment, check=False)
        exported = kept.read_text() if kept.exists() else ""
        wanted = [line for line in exported.splitlines() if re.match(r"declare -x (?:PATH|PKG_CONFIG_PATH|OMPI_\w+)=", line)]
        self.state = "".join(line + "\n" for line in wanted)
        return done.returncode, done.stdout.decode(errors="backslashreplace")


def reason_of_launcher(text):
    """Why commands cannot be run with this launcher, or ""."""
    mpi = launchers.detect()[0].mpi
    return f"these are options of Open MPI, and this is {mpi}" if mpi != "Open MPI" and re.search(OPEN_MPI, text) else ""


# ---- What a console block says, and what was printed ----

def steps(block):
    """[(command, lines that it should print)]."""
    found = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0] + "\n" + line, [])
        elif found:
            found[-1][1].append(line)
        else:
            raise pages.PageError(f"{block.place}: output before the first command")
    if not found:
        raise pages.PageError(f"{block.place}: no command in it; a command begins with '$ '")
    return found


def without_alarms(lines):
    """Without what mpirun itself says, which differs between versions of Open MPI, and without the lines of progress
    that a slow machine gets."""
    text = "".join(line + "\n" for line in lines if not re.match(r"\d+ of \d+ files, .* left$", line))
    return re.sub(r"^-{60,}\n(?:.*\n)*?-{60,}\n", "", text, flags=re.M).splitlines()


def pattern(line, vary, ranks_vary):
    pool = re.match(r"(\d+) ranks?, \d+ workers?", line)
    if pool:
        return (r"\d+" if vary or ranks_vary else pool[1]) + r" ranks?, \d+ workers?.*"
    words = re.escape(line).replace(re.escape("..."), ".*")
    words = re.sub(r"\d+(?:\\\.\d+)+|\d{4,}", r"[\\d.]+", words)
    if vary:
        words = re.sub(r"(?<!\\)\b\d+\b", r"\\d+", words)
        words = words.replace(r"\ done,", r"\ done(?:,\ \d+\ done\ before)?,")
    return words


def compare(wanted, found, command, vary):
    """None, or what differs."""
    wanted, found = without_alarms(wanted), without_alarms(found)
    if re.search(r"\bmpirun\b|scripts/run", command):
        wanted, found = sorted(wanted), sorted(found)
    whole = "".join(r"(?:.*\n)*" if line == "..." else pattern(line, vary, "scripts/run" in command) + r"\n"
                    for line in wanted)
    if re.fullmatch(whole, "".join(line + "\n" for line in found)):
        return None
    return "\n  ".join(["the page says:", *wanted, "it prints:", *found])


def run_console(checkout, block, vary, slow):
    commands = steps(block)
    script = "".join(f"{{ {command}\n}}; s=$?; printf '\\n{SENTINEL}%d\\n' $s; (exit $s)\n" for command, _ in commands)
    printed = checkout.run(script, slow)[1]
    parts = re.split(rf"\n{SENTINEL}(\d+)\n", printed)
    outputs = [(parts[i], int(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]
    wrong = [f"{block.place}: {len(outputs)} of {len(commands)} commands came to their end\n{printed}"
             ] if len(outputs) != len(commands) else []
    for number, ((command, wanted), (output, status)) in enumerate(zip(commands, outputs)):
        differs = compare(wanted, output.splitlines(), command, vary and command != "echo $?")
        shows_status = number + 1 < len(commands) and commands[number + 1][0] == "echo $?"
        if differs:
            wrong.append(f"{block.place}: $ {command}\n  {differs}")
        elif status and not shows_status:
            wrong.append(f"{block.place}: $ {command}\n  exit status {status}: show it with 'echo $?'")
    return wrong


def run_block(checkout, block):
    """(what was wrong, "" or why it was not run)."""
    mark = re.fullmatch(f"(?:{MARKS})(?:, (?:{re.sub('[?]P<[a-z]+>', '', MARKS)}))*", block.mark) if block.mark else None
    if block.mark and not mark:
        return [f"{block.place}: a mark that is not known: {block.mark}"], ""
    if mark and mark["reason"]:
        return [], mark["reason"]
    if mark and mark["program"] and not shutil.which(mark["program"]):
        return [], f"{mark['program']} is not installed"
    if reason_of_launcher(block.text):
        return [], reason_of_launcher(block.text)
    vary, slow = "numbers vary" in block.mark, "run slowly" in block.mark
    if block.language == "console":
        return run_console(checkout, block, vary, slow), ""
    status, printed = checkout.run("set -e\n" + block.text, slow)
    return ([f"{block.place}: exit status {status}\n{block.text}{printed}"] if status else []), ""


def run_sentences(checkout, page, blocks, lines):
    """(what was wrong, why commands were not run) for the commands inside the sentences of a page."""
    wrong, left_out = [], []
    text = " ".join(re.sub(r"<!--.*?-->", "", "\n".join(lines), flags=re.S).split())
    shown = "".join(block.text for block in blocks)
    for command in dict.fromkeys(re.findall(r"`([^`]+)`", text)):
        if not re.match(COMMAND, command) or re.fullmatch(FRAGMENT, command) or command in shown:
            continue
        reason = NOT_RUN.get(command) or reason_of_launcher(command)
        if reason:
            left_out.append(f"{pages.name(page)}: {command}: {reason}")
            continue
        status, printed = checkout.run("set -e\n" + command.replace("DIR", "usr") + "\n", False)
        if status:
            wrong.append(f"{pages.name(page)}: `{command}`: exit status {status}\n{printed}")
    return wrong, left_out


def run_page(page, images):
    """(number of blocks that were run, what was wrong, why blocks were not run)."""
    wrong, left_out, ran = [], [], 0
    checkout = Checkout(images)
    try:
        blocks, lines = pages.parse(page)
        for block in blocks:
            if block.language not in pages.COMMANDS:
                if any(line.startswith("$ ") for line in block.lines):
                    wrong.append(f"{block.place}: commands in a block of {block.language}: they would not be run")
                continue
            problems, reason = run_block(checkout, block)
            wrong += problems
            left_out += [f"{block.place}: {reason}"] if reason else []
            ran += not reason
        problems, reasons = run_sentences(checkout, page, blocks, lines)
        wrong += problems
        left_out += reasons
    except pages.PageError as error:
        wrong.append(str(error))
    finally:
        checkout.close()
    return ran, wrong, left_out


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = False
    with tempfile.TemporaryDirectory(prefix="mpthumb-docs-images-") as images:
        make_images(pathlib.Path(images))
        for page in pages.PAGES:
            if wanted not in pages.name(page):
                continue
            ran, wrong, left_out = run_page(page, pathlib.Path(images))
            print("FAILED" if wrong else "ok    ", f"{pages.name(page)}: {ran} blocks of commands run, {len(left_out)} not")
            print("".join(f"        not run: {reason}\n" for reason in left_out), end="")
            print("".join(f"{problem}\n" for problem in wrong), end="", flush=True)
            failed |= bool(wrong)
    sys.exit(failed)


main()
