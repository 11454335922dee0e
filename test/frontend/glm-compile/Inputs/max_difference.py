"""Compares two safetensors files of float32 tensors.

usage: max_difference.py A B BOUND

Exits with 1 unless both hold the same tensors, none of them constant, and no value differs by more than BOUND.
"""

import array
import json
import sys
from pathlib import Path


def read(path):
    data = Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = array.array("f", data[start + begin : start + end])
    return tensors


def main():
    first, second, bound = read(sys.argv[1]), read(sys.argv[2]), float(sys.argv[3])
    if first.keys() != second.keys() or not first:
        return f"tensors differ: {sorted(first)} and {sorted(second)}"
    for name, values in first.items():
        others = second[name]
        if len(values) != len(others) or max(values) == min(values):
            return f"{name}: {len(values)} and {len(others)} values, largest {max(values)}"
        worst = max(abs(a - b) for a, b in zip(values, others))
        if not worst <= bound:
            return f"{name}: values must differ by at most {bound}, but found {worst}"
        print(f"{name}: {len(values)} values, largest difference {worst}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
