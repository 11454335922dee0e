#!/usr/bin/env python3
"""Checks the habits of the house that a program can check: who may include whom, and what may stand in a file.

usage: layers.py ROOT

Prints one line per finding, `PATH[:LINE]: SUBJECT RULE, but FOUND`, and exits with 1 if there is any.
"""

import re
import sys
from pathlib import Path

# A room and the rooms that it may include, itself aside. A trailing /* stands for every room below. Rooms that are not
# named here have no edges at all, so that a new room is placed in the picture before it is used.
EDGES = {
    "dialect": [],
    "passes/model": ["dialect"],
    "passes/kernel": ["dialect"],
    "passes/verify": ["dialect"],
    "codegen/target": ["dialect", "runtime/artifact"],
    "codegen/builder": ["dialect", "codegen/target", "runtime/artifact"],
    "codegen/schedule": ["dialect", "codegen/builder", "codegen/target", "runtime/artifact"],
    "codegen/linalg": ["dialect", "codegen/builder", "codegen/schedule", "codegen/target", "runtime/artifact"],
    "codegen/llvm": ["dialect", "runtime/artifact"],
    "codegen/x86": ["dialect", "codegen/builder", "codegen/linalg", "codegen/llvm", "codegen/schedule", "codegen/target", "runtime/artifact"],
    "codegen/nvptx": ["dialect", "codegen/builder", "codegen/linalg", "codegen/llvm", "codegen/schedule", "codegen/target", "runtime/artifact"],
    "codegen/emit": ["dialect", "codegen/schedule", "codegen/target", "runtime/artifact"],
    "codegen/pipeline": ["dialect", "passes/*", "codegen/*", "runtime/artifact"],
    "runtime/artifact": [],
    "runtime/cuda": [],
    "runtime/device": ["runtime/artifact", "runtime/cuda"],
    "runtime/ptx": ["runtime/artifact", "runtime/cuda"],
    "runtime/memory": ["runtime/artifact", "runtime/device"],
    "runtime/comm": ["runtime/artifact", "runtime/device"],
    "runtime/exec": ["runtime/artifact", "runtime/device", "runtime/memory", "runtime/comm"],
    "runtime/glm-run": ["runtime/artifact", "runtime/device", "runtime/memory", "runtime/comm", "runtime/exec"],
    "frontend/config": ["runtime/artifact", "dialect"],
    "frontend/plan": ["runtime/artifact", "dialect", "frontend/config"],
    "frontend/import": ["runtime/artifact", "dialect", "frontend/config"],
    "frontend/quantize": ["runtime/artifact", "frontend/config"],
    # The main asks the target, runs the pipeline, has the code written and calls the emitter; it knows no pass and no kernel.
    "frontend/glm-compile": ["runtime/artifact", "dialect", "frontend/*", "codegen/pipeline", "codegen/target", "codegen/llvm",
                             "codegen/x86", "codegen/nvptx", "codegen/emit"],
    "frontend/glm-quantize": ["runtime/artifact", "frontend/config", "frontend/quantize"],
    "test": ["dialect", "passes/*", "codegen/*", "runtime/*", "frontend/*"],
}

TREES = ("dialect", "passes", "codegen", "runtime", "frontend", "test")
HARD_LIMIT = 800
SOURCES = {".h", ".cpp", ".td"}
CODE = SOURCES | {".py", ".mlir", ".cmake", ".test"}
TEXT = CODE | {".md", ".txt", ".in", ".json", ""}
SKIPPED = {".git", "build", "__pycache__"}
ATTRACTORS = {"utils", "util", "common", "misc", "experimental", "helpers"}
COMPILER_HEADERS = ("mlir", "llvm", "llvm-c", "mlir-c", "lld", "clang")

INCLUDE = re.compile(r'\s*(?:#\s*)?include\s+([<"])([^>"]+)[>"]')
# Built from halves, so that this file and its test stay clean themselves.
SLEEPING = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
CHIP_NAME = re.compile(r"\bsm" r"_")
PRIVATE_PATH = re.compile(r"/(?:ho" r"me|ro" r"ot|wo" r"rk)/|\.\./sha" r"red\b")


def roomOf(path):
    """The room that a relative path lies in: two levels deep, one for dialect and test."""
    parts = path.split("/")
    if parts[0] in ("dialect", "test"):
        return parts[0]
    return "/".join(parts[:2])


def mayInclude(room, other):
    allowed = EDGES.get(room, [])
    return room == other or other in allowed or other.split("/")[0] + "/*" in allowed


def checkInclude(place, room, bracket, header):
    top = header.split("/")[0]
    if top in COMPILER_HEADERS:
        if room.startswith("runtime/"):
            yield f"{place}: runtime/ must not include LLVM or MLIR, but found {header}"
    elif top in TREES:
        other = roomOf(header)
        if not mayInclude(room, other):
            yield f"{place}: {room} must not include {other}, but found {header}"
    elif bracket == '"':
        yield f"{place}: an include of ours must start at the root, but found \"{header}\""


def checkLines(path, lines):
    room = roomOf(path)
    suffix = Path(path).suffix
    mayNameChips = path.startswith(("codegen/target/", "runtime/ptx/", "test/")) or suffix == ".md"
    for number, line in enumerate(lines, 1):
        place = f"{path}:{number}"
        include = INCLUDE.match(line) if suffix in SOURCES else None
        if include:
            yield from checkInclude(place, room, *include.groups())
        if SLEEPING.search(line):
            yield f"{place}: work must be done or left out, but found a note to do it later"
        if PRIVATE_PATH.search(line):
            yield f"{place}: paths must not name one machine, but found {PRIVATE_PATH.search(line).group()}"
        if not mayNameChips and CHIP_NAME.search(line):
            yield f"{place}: only codegen/target and runtime/ptx may name chips, but found one"


def checkFile(root, path):
    suffix = path.suffix
    name = path.relative_to(root).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    if suffix in CODE and len(lines) > HARD_LIMIT:
        yield f"{name}: a file must have at most {HARD_LIMIT} lines, but found {len(lines)}"
    if suffix == ".h" and "#pragma once" not in lines:
        yield f"{name}: a header must say #pragma once, but found none"
    yield from checkLines(name, lines)


def checkFolder(root, folder, files):
    name = folder.relative_to(root).as_posix()
    if folder.name in ATTRACTORS:
        yield f"{name}: a helper must live with its first caller, but found a folder called {folder.name}"
    if name.split("/")[0] not in TREES or not any(file.suffix in SOURCES for file in files):
        return
    present = {file.name for file in files}
    # Rooms of tests are explained by the room that they test.
    needed = ["CMakeLists.txt"] if name.startswith("test/") else ["CMakeLists.txt", "README.md"]
    for required in needed:
        if required not in present:
            yield f"{name}: a folder with sources must have a {required}, but found none"
    if roomOf(name) not in EDGES:
        yield f"{name}: a room must have a row in test/layers.py, but found none"


def folders(root):
    """Every folder of the tree with its files; build products and artifacts aside."""
    entries = sorted(root.iterdir())
    yield root, [entry for entry in entries if entry.is_file() and entry.name not in SKIPPED]
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink() and entry.name not in SKIPPED and entry.suffix != ".glm":
            yield from folders(entry)


def check(root):
    for folder, files in folders(root):
        yield from checkFolder(root, folder, files)
        for file in files:
            if file.suffix in TEXT:
                yield from checkFile(root, file)


def main():
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    findings = list(check(Path(sys.argv[1])))
    print("\n".join(findings) if findings else "layers: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
