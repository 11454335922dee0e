#!/usr/bin/env python3
"""Compares what two drivers computed: files TEST.NUMBER.TYPE.AGREEMENT that Program::download wrote.

usage: compare.py FOLDER FOLDER

Lists every result that differs. Fails if a result is missing, or if one differs that must agree in every bit."""
import array
import math
import pathlib
import sys

CODES = {"f32": "f", "f64": "d", "s32": "i", "u32": "I", "u16": "H", "u8": "B"}


def values(path):
    return array.array(CODES[path.name.split(".")[2]], path.read_bytes())


def difference(a, b):
    """|a - b| of the larger magnitude; infinite where only one is a number."""
    if math.isnan(a) and math.isnan(b):
        return 0.0  # other bits of a NaN
    if not math.isfinite(a) or not math.isfinite(b):
        return math.inf
    return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0


def describe(left, right):
    """How two arrays of the same type differ, or None."""
    if left.tobytes() == right.tobytes():
        return None
    if len(left) != len(right):
        return f"{len(left)} values against {len(right)}"
    size = left.itemsize
    bits = [x.tobytes() for x in (left, right)]
    places = [i for i in range(len(left)) if bits[0][i * size:(i + 1) * size] != bits[1][i * size:(i + 1) * size]]
    worst = max(places, key=lambda i: difference(left[i], right[i]))
    return (f"{len(places)} of {len(left)} values differ, relatively by up to {difference(left[worst], right[worst]):.3g}: "
            f"at {worst} {left[worst]!r} against {right[worst]!r}")


def main(first, second):
    names = sorted({p.name for folder in (first, second) for p in folder.iterdir()})
    differing = failing = 0
    for name in names:
        if not (first / name).exists() or not (second / name).exists():
            what, fails = "only one driver has it", True
        else:
            what, fails = describe(values(first / name), values(second / name)), name.endswith(".bits")
        if what:
            print(f"{name}: {what}")
            differing += 1
            failing += fails
    print(f"{len(names)} results: {len(names) - differing} equal in every bit, {differing - failing} equal within the bound that "
          f"both were held to, {failing} differing")
    return 1 if failing or not names else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
