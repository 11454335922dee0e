"""Checks that what --plan calls the largest is the largest: it fits, and one more does not.

usage: plan_edges.py MODEL_DIR FLAG...

The flags must name a memory. A plan that is refused must say so in one line and still be printed whole.
"""

import json
import subprocess
import sys


def plan(*flags):
    done = subprocess.run(["glm-compile", "--plan=json", *sys.argv[1:], *flags], capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    found = json.loads(done.stdout)
    if done.returncode != (0 if found["fits"] else 1) or len(errors) != (0 if found["fits"] else 1):
        sys.exit(f"{flags}: exit code and errors must follow from fits, but found {done.returncode} and {done.stderr}")
    if not found["fits"] and errors != ["error: " + found["verdict"]]:
        sys.exit(f"{flags}: error must be the verdict, but found {errors}")
    return found


def main():
    start = plan()
    context, batch, most = start["max_context"], start["max_batch"], start["context"]
    cases = [(context, start["sequences"], True), (most, batch, True), (most, batch + 1, False)]
    if context < start["max_positions"]:
        cases.append((context + 1, start["sequences"], False))
    for length, sequences, fits in cases:
        if length == 0 or sequences == 0:
            continue
        found = plan(f"--max-model-len={length}", f"--max-sequences={sequences}")
        if found["fits"] != fits:
            sys.exit(f"{sequences} sequences of {length} must {'fit' if fits else 'not fit'}, but found {found['verdict']}")
    print(f"{context} tokens, {batch} sequences of {most}")


if __name__ == "__main__":
    main()
