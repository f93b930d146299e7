"""Prints the examples of the train dialect's descriptions as MLIR to parse.

Usage: examples.py DIRECTORY-OF-TD-FILES

An example is one statement with free operands: it gets a function that has them
as arguments, and a parameter where it names one. Each is a split-file section.
Fails when an operation has no example of its own.
"""

import pathlib
import re
import sys
import textwrap


def type_start(statement):
    """End of the ` : ` that separates the operation from its types."""
    return statement.rindex("} :" if "} :" in statement else " : ") + 3


def wrap(statement):
    """The statement as a module of its own."""
    if statement.startswith(("module", "train.parameter")):
        return statement
    statement = " ".join(statement.split())
    operation = statement.split(" = ", 1)[-1] if statement[0] == "%" else statement
    head = operation[: type_start(operation)].split("{")[0].rsplit(" :", 1)[0]
    names = re.findall(r"%\w+", head)
    types = operation[type_start(operation) :].strip()
    if types.startswith("("):
        listed = re.findall(r"tensor<[^>]*>", types[: types.index(")")])
    else:
        listed = [types] * len(names)
    assert len(names) == len(listed), statement
    arguments = ", ".join(f"{n}: {t}" for n, t in zip(names, listed))
    parameter = ""
    if match := re.search(r"@[\w.]+", head):
        parameter = (
            f"train.parameter {match[0]} : {types} = dense<0.0> "
            "{kind = #train.parameter_kind<trainable>}\n"
        )
    return f"{parameter}func.func @example({arguments}) {{\n  {statement}\n  return\n}}"


def main():
    sections = []
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.td")):
        text = path.read_text(encoding="utf-8")
        operations = re.findall(r"def Train_\w+Op\b[^{]*?<\"(\w+)\"", text)
        examples = re.findall(r"```mlir\n(.*?)```", text, flags=re.S)
        joined = "\n".join(examples)
        for operation in operations:
            if not re.search(rf"train\.{operation}\b", joined):
                sys.exit(f"{path.name}: train.{operation} has no example")
        sections += [wrap(textwrap.dedent(e).strip()) for e in examples]
    print("\n// -----\n".join(sections))


if __name__ == "__main__":
    main()
