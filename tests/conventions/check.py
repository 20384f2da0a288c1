#!/usr/bin/env python3
"""Holds the tree against the house rules: module order, sizes, getenv, includes, README's map.

Prints one line a violation and exits 1 when there is any. See docs and tests/conventions/modules.txt.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = {".cpp", ".h", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
POSIX = re.compile(r"^(sys|netinet|arpa|linux|net/if|asm)/|^[a-z_0-9]+\.h$")
problems = []


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    return [ROOT / line for line in out.stdout.splitlines() if (ROOT / line).is_file()]


def table():
    rows = {}
    for line in (ROOT / "tests/conventions/modules.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            module, may, system = (cell.split() for cell in line.split("|"))
            rows[module[0]] = (set(may), system)
    return rows


def problem(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def row_for(path, rows):
    stem = str(path.relative_to(ROOT)).split(".")[0]
    for length in range(stem.count("/") + 1, 0, -1):
        key = "/".join(stem.split("/")[:length])
        if key in rows:
            return key, rows[key]
    return None, None


def check_include(path, number, target, modules, key, row):
    first = target.split("/")[0]
    module = key.split("/")[0]
    if target.startswith(".."):
        problem(path, number, f'"{target}": include by module path, never by ".."')
    elif first in modules and "/" in target:
        if first != module and first not in row[0]:
            problem(path, number, f"{key} may not include {first} (tests/conventions/modules.txt)")
    elif "/" in target or "." in target:
        allowed = any(target == entry or target.startswith(entry + "/") for entry in row[1])
        if not allowed and not POSIX.match(target):
            problem(path, number, f"{key} may not include <{target}> (tests/conventions/modules.txt)")


def check_source(path, modules, rows):
    text = path.read_text(errors="replace")
    lines = text.splitlines()
    limit = 800 if path.suffix in (".cu", ".cuh") else 500
    if len(lines) > limit and not path.name.endswith(".table.cpp"):
        problem(path, len(lines), f"{len(lines)} lines, {limit} allowed")
    key, row = row_for(path, rows)
    in_module = key is not None
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        if match := INCLUDE.match(line):
            if match.group(1).endswith(".cpp"):
                problem(path, number, "a .cpp is never included")
            if in_module:
                check_include(path, number, match.group(1), modules, key, row)
        if in_module:
            if "getenv" in code and path.relative_to(ROOT).parts[:2] != ("net", "config.cpp"):
                problem(path, number, "getenv outside net/config")
            if "std::regex" in code:
                problem(path, number, "std::regex is forbidden")
        if re.search(r"co_await [^;]*\(\s*\[", code) or re.search(r"co_await [^;]*,\s*\[[&=\w]*\]\s*\(", code):
            problem(path, number, "a lambda is built inside a co_await argument: name it first")
        if re.search(r"Task<.*=\s*[\w:]*\b[A-Z]\w+\{", code):
            problem(path, number, "a default argument builds an aggregate, which is inside a co_await of whoever leaves it out: name a constant")
        if re.search(r"co_await [\w:.>-]+\([^;]*\b[A-Z]\w+\{", code):
            problem(path, number, "an aggregate is built inside a co_await argument: name it first")


def check_map():
    readme = ROOT / "README.md"
    if not readme.exists():
        return
    text = readme.read_text()
    for folder in sorted(p.name for p in ROOT.iterdir() if (p / "CMakeLists.txt").exists()):
        if f"{folder}/" not in text:
            problem(readme, 1, f"the map does not name {folder}/")


def check_example():
    """The pages show the embedding examples as they are run."""
    for name, example in (("README.md", "embed_example.cpp"), ("docs/embedding.md", "embed_example.c"), ("docs/embedding.md", "embed_example.py")):
        page = ROOT / name
        if page.exists() and (ROOT / "tests/embed" / example).read_text() not in page.read_text():
            problem(page, 1, f"the embedding example differs from tests/embed/{example}")


def check_ops():
    """Each entry of Ops has a reference and a test."""
    ops = ROOT / "engine/ops/ops.h"
    if not ops.exists():
        return
    names = re.findall(r"\(\*(\w+)\)\(", ops.read_text())
    references = " ".join(p.read_text() for p in (ROOT / "engine/ops").glob("*.ref.cpp"))
    tests = " ".join(p.read_text() for p in (ROOT / "tests/engine").rglob("*.cpp"))
    for name in names:
        if not re.search(rf"\b{name}\b", references):
            problem(ops, 1, f"op {name} has no reference")
        if not re.search(rf"\b{name}\b", tests):
            problem(ops, 1, f"op {name} has no test")


# What reaches people, and the one file in which it may stand: everything else writes into the outbox.
LEAVING = [
    (re.compile(r"\binsert into outbox\b"), {"store/outbox.cpp"}),
    (re.compile(r"\b(?!tx)\w+(\.|->)send\("), {"server/bridges/outbound.cpp"}),
    (re.compile(r'"(send|edit|forward|copy)Message'), {"server/bridges/telegram.cpp"}),
    (re.compile(r'"messaging_product"'), {"server/bridges/whatsapp.cpp"}),
]
SPEAKING = ("server/bridges/", "app/", "agents/", "store/outbox", "tools/")


def check_outbox(files):
    for path in files:
        name = str(path.relative_to(ROOT))
        if path.suffix not in SOURCE or not name.startswith(SPEAKING):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for leaves, where in LEAVING:
                if leaves.search(line.split("//")[0]) and name not in where:
                    problem(path, number, f"what leaves for people goes through the outbox; only {', '.join(where)} may do this")


def main():
    rows = table()
    modules = {key for key in rows if "/" not in key}
    files = tracked()
    for path in files:
        if path.suffix in SOURCE and "data" not in path.parts:
            check_source(path, modules, rows)
    check_map()
    check_example()
    check_ops()
    check_outbox(files)
    size = sum(p.stat().st_size for p in files)
    if size > 20 * 2**20:
        problems.append(f"tracked files take {size >> 20} MiB, 20 allowed")
    print("\n".join(problems) if problems else f"conventions hold in {len(files)} files")
    return 1 if problems else 0


sys.exit(main())
