"""Prints the examples of the stream dialect's descriptions as MLIR to parse.

Usage: examples.py DIRECTORY-OF-TD-FILES

Records are put into a program, instructions into a processor, an attribute onto
a module. Each is a split-file section. Fails when an operation has no example.
"""

import pathlib
import re
import sys
import textwrap

PROGRAM = 'stream.program "m" by "list" interval 1 batch 1 machine "" {{\n{}\n}}'


def wrap(example, instructions):
    """The example as a module of its own."""
    if example.startswith("stream.program"):
        return example
    if example.startswith("#"):
        return f"module attributes {{stream.example = {example}}} {{}}"
    if re.match(r"stream\.(\w+)", example)[1] in instructions:
        example = f"stream.processor {{\n{example}\n}}"
    return PROGRAM.format(example)


# Mnemonic and example among the arguments of an instruction's class.
INSTRUCTION = r': Stream_Instruction<"(\w+)",\s*"[^"]*",\s*"[^"]*",\s*"([^"]*)">'


def examples_in(text):
    """Examples in a block or inline, and those of instructions."""
    yield from re.findall(r"```mlir\n(.*?)```", text, flags=re.S)
    for example in re.findall(r"Example:\s*`([^`]*)`\n", text):
        yield " ".join(example.split())
    for name, example in re.findall(INSTRUCTION, text):
        yield f"stream.{name}{example}"


def main():
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted(pathlib.Path(sys.argv[1]).glob("*.td"))
    ]
    text = "\n".join(texts)
    instructions = {name for name, _ in re.findall(INSTRUCTION, text)}
    examples = [textwrap.dedent(e).strip() for t in texts for e in examples_in(t)]
    joined = "\n".join(examples)
    for operation in re.findall(r"def Stream_\w+Op\b[^{;]*?<\"(\w+)\"", text):
        if not re.search(rf"stream\.{operation}\b", joined):
            sys.exit(f"stream.{operation} has no example")
    print("\n// -----\n".join(wrap(e, instructions) for e in examples))


if __name__ == "__main__":
    main()
