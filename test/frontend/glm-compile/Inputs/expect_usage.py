"""Checks usage errors of glm-compile: exit code 2, exactly one line on stderr, nothing on stdout.

usage: expect_usage.py CASES.json

CASES is a list of [words, line]; the line is compared whole.
"""

import json
import subprocess
import sys


def failures(cases):
    for words, line in cases:
        done = subprocess.run(["glm-compile", *words], capture_output=True, text=True, check=False)
        found = (done.returncode, done.stdout, done.stderr)
        if found != (2, "", f"error: {line}\n"):
            yield f"{words}: expected 2 and {line!r}, but found {found}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    found = list(failures(cases))
    print("\n".join(found) or f"{len(cases)} usage errors")
    return 1 if found or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
