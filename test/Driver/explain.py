"""Compares the totals of taktc --explain with those of the report.

    explain.py EXPLANATION.txt REPORT.json
"""

import json
import re
import sys


def main():
    with open(sys.argv[1]) as file:
        text = file.read()
    with open(sys.argv[2]) as file:
        model = json.load(file)["model"]
    macs = int(re.search(r"(\d+) forward MACs", text).group(1))
    operations, layers = re.search(r"(\d+) forward operations in (\d+) layers",
                                   text).groups()
    trainable = int(re.search(r"trainable: (\d+) elements", text).group(1))
    found = {"operations": int(operations), "layers": int(layers),
             "parameters": trainable, "forward_macs": macs}
    expected = {key: model[key] for key in found}
    if found != expected:
        sys.exit(f"the explanation has {found}, the report {expected}")
    layer_lines = text.split("\n\n")[0].splitlines()[1:]
    columns = text.index("MACs") + len("MACs")
    if sum(int(line[:columns].split()[-1]) for line in layer_lines) != macs:
        sys.exit("the layers' multiply-accumulates do not add up")


if __name__ == "__main__":
    main()
