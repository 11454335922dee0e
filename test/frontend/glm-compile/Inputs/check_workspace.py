"""Compares the workspace that --plan counts with the arena that a compilation of the same shape planned.

usage: check_workspace.py PLAN.json NAME.glm

Both count the same buffers; the plan leaves out the alignment of each and a table of the experts, and takes the rows that
compete at three moments instead of all: 1 % or 4 KiB of difference, whichever is more, and never less than the arena by more.
"""

import json
import sys
from pathlib import Path


def main():
    counted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["workspace_bytes"]
    planned = json.loads((Path(sys.argv[2]) / "manifest.json").read_text(encoding="utf-8"))["arena_bytes"]
    if abs(counted - planned) > max(4096, planned // 100):
        return f"workspace must be near the arena's {planned}, but found {counted}"
    print(f"{counted} counted, {planned} planned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
