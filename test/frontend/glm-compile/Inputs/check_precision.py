"""Checks the table of glm-compile --print-precision=json against the checkpoint that it speaks of.

usage: check_precision.py MODEL_DIR TABLE.json

The rows have the promised fields, and their bytes sum to those of all tensors but the scalars of packed ones.
"""

import json
import sys
from pathlib import Path

FIELDS = ["pattern", "count", "stored", "computed", "bytes", "rule", "source"]


def stored(folder):
    tensors = {}
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        header.pop("__metadata__", None)
        tensors.update(header)
    return tensors


def size(entry):
    begin, end = entry["data_offsets"]
    return end - begin


def main():
    rows = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    for row in rows:
        if list(row) != FIELDS:
            return f"fields must be {FIELDS}, but found {list(row)}"
        if row["stored"] not in ("bf16", "f16", "f32", "nvfp4") or row["computed"] not in ("bf16", "f16", "f32", "nvfp4"):
            return f"types must be known, but found {row}"
    tensors = stored(Path(sys.argv[1]))
    expected, found = sum(map(size, tensors.values())), sum(row["bytes"] for row in rows)
    if found != expected:
        return f"bytes must sum to {expected}, but found {found}"
    print(f"{len(rows)} rows, {found} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
