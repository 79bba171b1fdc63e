#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The rules of the source tree that no compiler checks: names are unique, no files depend on each other in a circle,
every file names its licence, and one style of tests for null and failure.

    BUILD=build tests/structure/test_structure.py
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ["BUILD"])
LONGEST_FILE = 560  # lines of a source file in src/ and jobs/
MPI_FILE = "src/pool/transport/transport_mpi.c"  # the only one that includes <mpi.h>

# What it uses. All of it is in version 3.0 of the MPI standard, which every MPI of today has.
MPI_NAMES = set("""
    MPI_Abort MPI_Allgather MPI_Allreduce MPI_Bcast MPI_Comm_dup MPI_Comm_free MPI_Comm_rank MPI_Comm_set_errhandler MPI_Comm_size
    MPI_Comm_split_type MPI_Error_string MPI_Finalize MPI_Finalized MPI_Gather MPI_Get_count MPI_Get_library_version
    MPI_Init_thread MPI_Initialized MPI_Iprobe MPI_Irecv MPI_Isend MPI_Query_thread MPI_Request_free MPI_Test
    MPI_Comm MPI_Request MPI_Status
    MPI_ANY_SOURCE MPI_BYTE MPI_COMM_TYPE_SHARED MPI_COMM_WORLD MPI_ERRORS_RETURN MPI_INFO_NULL MPI_INT MPI_MAX_ERROR_STRING
    MPI_MAX_LIBRARY_VERSION_STRING MPI_MIN MPI_SOURCE MPI_STATUS_IGNORE MPI_THREAD_SERIALIZED MPI_THREAD_SINGLE
""".split())


def files(*folders, suffixes=(".c", ".h")):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)


def name(path):
    return str(path.relative_to(ROOT))


def included(path):
    return re.findall(r'#include "(?:[\w./]*/)?([\w.]+)"', path.read_text())


def repeated(places):
    """(key, place) pairs -> a line for each key that stands in several places."""
    found = collections.defaultdict(list)
    for key, place in places:
        found[key].append(place)
    return [f"{key}: {', '.join(where)}" for key, where in found.items() if len(where) > 1]


def file_names_are_unique():
    stems = {path.with_suffix("") for path in files("src", "jobs", "tests")}
    return repeated((path.name, name(path)) for path in sorted(stems))


def struct_names_are_unique():
    """Test programs may repeat each other's names, but not those of the program."""
    defined = re.compile(r"^(?:static )?(?:const )?(?:struct|enum|union) (\w+) \{", re.M)
    own = [(tag, name(path)) for path in files("src", "jobs") for tag in defined.findall(path.read_text())]
    taken = dict(own)
    tests = [(tag, name(path)) for path in files("tests") for tag in defined.findall(path.read_text())]
    return repeated(own) + [f"{tag}: {taken[tag]}, {place}" for tag, place in tests if tag in taken]


def circles(edges):
    """The strongly connected components of more than one node (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def symbols(path):
    """The global names that an object file defines, and those it needs."""
    lines = subprocess.run(["nm", "-g", str(path)], capture_output=True, text=True, check=True).stdout.splitlines()
    fields = [line.split() for line in lines if line.strip()]
    return ({field[-1] for field in fields if field[-2] not in "Uwv"},
            {field[-1] for field in fields if field[-2] in "Uwv"})


def calls():
    """{file: files whose functions it calls}, without endings, from the symbol tables of the object files."""
    objects = {}
    for path in sorted((BUILD / "src").rglob("*.c.o")) + sorted((BUILD / "jobs").rglob("*.c.o")):
        source = re.sub(r"CMakeFiles/[^/]+\.dir/", "", str(path.relative_to(BUILD)))[:-2]
        if (ROOT / source).exists():
            objects[source.removesuffix(".c")] = symbols(path)
    assert len(objects) > 50, f"only {len(objects)} object files below {BUILD}"
    owner = {symbol: source for source, (defined, _) in objects.items() for symbol in defined if symbol != "main"}
    return {source: {owner[symbol] for symbol in needed if symbol in owner} for source, (_, needed) in objects.items()}


def includes():
    """{file: files whose headers it includes}, without endings; a header and its source are one."""
    headers = {path.name: name(path).removesuffix(".h") for path in files("src", "jobs", suffixes=(".h",))}
    edges = collections.defaultdict(set)
    for path in files("src", "jobs"):
        edges[name(path.with_suffix(""))] |= {headers[header] for header in included(path) if header in headers}
    return edges


def no_files_depend_on_each_other():
    edges = calls()
    for source, used in includes().items():
        edges.setdefault(source, set()).update(used)
    edges = {source: used - {source} for source, used in edges.items()}
    return [" <-> ".join(circle) for circle in circles(edges)]


def includes_go_down_only():
    """base <- pool, base <- image, base <- files, {files, pool} <- batch, all of these <- jobs <- cli. Inside the pool:
    include <- {schedule, transport}, transport <- worker, all of these <- executor. Above the pool only its public
    header."""
    public = "base pool/include"
    pool = f"{public} pool/transport pool/schedule pool/worker pool/executor"
    below = {"base": "base", "image": "base image", "files": "base files", "batch": f"{public} files batch",
             "jobs": f"{public} image files batch jobs", "cli": f"{public} image files batch jobs cli", "pool/include": public,
             "pool/transport": f"{public} pool/transport", "pool/schedule": f"{public} pool/schedule",
             "pool/worker": f"{public} pool/transport pool/worker", "pool/executor": pool}

    def room(path):
        parts = path.relative_to(ROOT).parts
        return parts[0] if parts[0] == "jobs" else "/".join(parts[1:3]) if parts[1] == "pool" else parts[1]

    home = {path.name: room(path) for path in files("src", "jobs", suffixes=(".h",))}
    return [f"{name(path)} includes {header}" for path in files("src", "jobs")
            for header in included(path)
            if header in home and home[header] not in below[room(path)].split()]


def without_ulfm(text):
    """The lines of a source outside preprocessor directives and outside the blocks of `#if HAVE_ULFM`, by number."""
    blocks, kept = [], {}
    for number, line in enumerate(re.sub(r"/\*.*?\*/", lambda comment: re.sub(r"[^\n]", "", comment[0]), text,
                                         flags=re.S).splitlines(), 1):
        directive = re.match(r"#\s*(if|else|elif|endif)", line)
        if directive:
            if directive[1] == "if":
                blocks.append(line.split() == ["#if", "HAVE_ULFM"])
            elif directive[1] == "endif":
                blocks.pop()
            else:
                blocks[-1] = False
        if not line.startswith("#") and not any(blocks):
            kept[number] = line
    return kept


def only_the_transport_calls_mpi():
    """One file includes <mpi.h>. It uses names of the MPI standard, and MPIX_ or OMPI_ only where ULFM is optional."""
    broken = [f"{name(path)} includes <mpi.h>" for path in files("src", "jobs")
              if name(path) != MPI_FILE and re.search(r"#\s*include [<\"]mpi(?:-ext)?\.h", path.read_text())]
    for number, line in without_ulfm((ROOT / MPI_FILE).read_text()).items():
        for used in re.findall(r"\b(?:MPI|P?MPIX|OMPI|MPIR|MPID|PMPI)_\w+", line):
            if used not in MPI_NAMES:
                broken.append(f"{MPI_FILE}:{number} uses {used}: if it is in the MPI standard, add it to MPI_NAMES")
    return broken


def sources_name_their_licence():
    listed = []
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                                check=False).stdout.split()
    code = [ROOT / line for line in listed
            if re.search(r"\.(c|h|cc|py|mjs|sh|sbatch|cmake|yml)$|(^|/)CMakeLists\.txt$|^scripts/|^\.ci/", line)]
    if not code:  # a tree without its git history
        code = files("src", "jobs", "tests")
    return [f"{name(path)} has no SPDX-License-Identifier" for path in code
            if path.exists() and "SPDX-License-Identifier: MIT" not in path.read_text()[:400]]


def one_style_of_tests():
    """`!p` and not `p == NULL`; `if (f())` and not `f() == -1`."""
    odd = re.compile(r"[!=]= ?NULL\b|\) ?[!=]= ?-1\b")
    return [f"{name(path)}:{number}: {line.strip()}" for path in files("src", "jobs", "tests")
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if odd.search(line) and "getopt" not in line]


def files_are_short():
    return [f"{name(path)} has {count} lines, at most {LONGEST_FILE}" for path in files("src", "jobs")
            if (count := len(path.read_text().splitlines())) > LONGEST_FILE]


def lines_are_short():
    """clang-format breaks lines of code, but leaves comments alone."""
    return [f"{name(path)}:{number} has {len(line)} columns, at most 100"
            for path in files("src", "jobs", "tests") if "clang-format off" not in path.read_text()
            for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > 100]


def main():
    failed = False
    for rule in (file_names_are_unique, struct_names_are_unique, no_files_depend_on_each_other, includes_go_down_only,
                 only_the_transport_calls_mpi, sources_name_their_licence, one_style_of_tests, files_are_short,
                 lines_are_short):
        broken = rule()
        failed = failed or bool(broken)
        print(f"{rule.__name__}: {'broken' if broken else 'kept'}")
        for line in broken:
            print(f"    {line}")
    sys.exit(1 if failed else 0)


main()
