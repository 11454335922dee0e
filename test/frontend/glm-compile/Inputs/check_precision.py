"""Checks the table of glm-compile --print-precision=json against the checkpoint that it speaks of.

usage: check_precision.py MODEL_DIR TABLE.json

The rows have the promised fields, and count every tensor of the checkpoint but the scales of activations, byte for byte.
"""

import json
import sys
from pathlib import Path

FIELDS = ["pattern", "count", "stored", "computed", "bytes", "rule", "source"]


TYPES = ("bf16", "f16", "f32", "nvfp4")
SCALES = ("weight_scale", "weight_scale_2", "weight_global_scale", "input_scale", "input_global_scale")


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
        if row["stored"] not in TYPES or row["computed"] not in TYPES + ("refused",):
            return f"types must be known, but found {row}"
    tensors = stored(Path(sys.argv[1]))
    weights = sum(not name.endswith(SCALES) for name in tensors)
    payload = sum(size(entry) for name, entry in tensors.items() if not name.endswith(("input_scale", "input_global_scale")))
    found = (sum(row["count"] for row in rows), sum(row["bytes"] for row in rows))
    if found != (weights, payload):
        return f"rows must count {weights} weights and {payload} bytes, but found {found}"
    print(f"{len(rows)} rows, {weights} weights, {payload} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
