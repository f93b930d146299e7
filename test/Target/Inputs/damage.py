"""Damages a program in many ways and expects of a tool that it refuses each.

usage: damage.py PROGRAM.takt DIRECTORY TOOL [options…]

Cuts the file off and flips single bits of it. The tool gets each damaged file as
its first argument and runs in the empty DIRECTORY; it has to exit with 1, print
nothing but one line that names the file and the place, and leave no file behind.
"""

import os
import random
import re
import subprocess
import sys

HEADER_BYTES, SECTION_ENTRY_BYTES, SECTIONS = 128, 48, 17
TABLE_END = HEADER_BYTES + SECTIONS * SECTION_ENTRY_BYTES


def damaged(program, choose):
    """Yields what was done and the bytes."""
    sizes = [0, 7, HEADER_BYTES - 1, HEADER_BYTES, TABLE_END, len(program) - 1]
    for size in sizes + choose.sample(range(TABLE_END, len(program)), 4):
        yield f"cut off at {size}", program[:size]
    places = [choose.randrange(HEADER_BYTES) for _ in range(6)]
    places += [choose.randrange(HEADER_BYTES, TABLE_END) for _ in range(6)]
    places += [choose.randrange(TABLE_END, len(program)) for _ in range(8)]
    for place in places:
        bit = choose.randrange(8)
        changed = bytearray(program)
        changed[place] ^= 1 << bit
        yield f"bit {bit} of byte {place} flipped", bytes(changed)


def problem(command, path, directory):
    """What the tool did wrong, or None."""
    run = subprocess.run(
        command[:1] + [path] + command[1:],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    said = run.stderr.decode(errors="replace")
    if run.returncode != 1:
        return f"exit code {run.returncode}, expected 1"
    if run.stdout:
        return f"output {run.stdout[:80]}, expected none"
    if not re.fullmatch(r"[^\n]*error: [^\n]*, offset \d+: [^\n]+\n", said):
        return f"expected one line with the place, got {said!r}"
    if os.path.basename(path) not in said:
        return f"expected the file's name, got {said!r}"
    if os.listdir(directory):
        return f"left files behind: {os.listdir(directory)}"
    return None


def main():
    program_path, directory, *command = sys.argv[1:]
    with open(program_path, "rb") as file:
        program = file.read()
    os.makedirs(directory)
    path = os.path.abspath(directory + ".takt")
    failures = tried = 0
    for what, content in damaged(program, random.Random(1)):
        with open(path, "wb") as file:
            file.write(content)
        wrong = problem(command, path, directory)
        tried += 1
        if wrong:
            failures += 1
            print(f"{command[0]}: {what}: {wrong}", file=sys.stderr)
    print(f"{tried} damaged files, {failures} not refused as they should be")
    sys.exit(failures != 0)


main()
