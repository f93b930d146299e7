"""Compares what nodes of models became (taktc --explain) with what the page of
operators (taktc --print-operator-reference) says that they become.

    operators.py PAGE.md MODEL.onnx …
"""

import re
import subprocess
import sys


def read_page(path):
    """Words of what an operator becomes, with its limits, by operator."""
    becomes = {}
    with open(path) as file:
        for line in file:
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 9 and cells[1] not in ("operator", "---"):
                words = re.findall(r"\w+", cells[3] + " " + cells[7])
                becomes[cells[1]] = (set(words), set(cells[2].split(", ")))
    return becomes


def read_nodes(model):
    """(operator, version, operations) of every node that is not folded."""
    text = subprocess.run(["taktc", model, "--batch=2", "--explain"], check=True,
                          capture_output=True, text=True).stdout
    table = text.split("\n\n")[1].splitlines()
    begin, became = table[0].index("operator"), table[0].index("became")
    task = table[0].index("in task")
    for line in table[1:]:
        if not line[begin:became].strip():
            continue  # the loss
        operator, version = line[begin:became].split()
        operations = re.sub(r" x\d+", "", line[became:task]).strip()
        if operations != "folded":
            yield operator, version, set(operations.split(", "))


def main():
    page, nodes = read_page(sys.argv[1]), 0
    for model in sys.argv[2:]:
        for operator, version, operations in read_nodes(model):
            words, versions = page[operator]
            nodes += 1
            if not operations <= words or version not in versions:
                sys.exit(f"{model}: {operator} {version} became {operations}, the page "
                         f"says {words} of versions {versions}")
    print(f"{nodes} nodes are as the page says")
    if nodes < 100:
        sys.exit("expected at least 100 nodes")


if __name__ == "__main__":
    main()
