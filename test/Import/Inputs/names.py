"""names.py MODEL: writes a model whose names steer terminals or are the
function's, and MODEL.broken, which no importer takes.
names.py --check FILE…: fails if a file has control characters but line feeds,
or is a .json file that is not valid JSON."""

import json
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


def weight(name, *shape):
    return numpy_helper.from_array(np.full(shape, 0.1, np.float32), name)


def tensor(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write(path, nodes, weights):
    graph = helper.make_graph(
        nodes, "bell\x07", [tensor("in\x1b[1m", 4, 6)], [tensor("out\x1b", 4, 3)], weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    save(model, path)


def make(path):
    red = "\x1b[31mred\n"
    nodes = [
        helper.make_node("MatMul", ["in\x1b[1m", "main"], ["a\r"], name="node\x1b[2J"),
        helper.make_node("MatMul", ["a\r", "main_"], ["b\x7f"], name="second\x9b"),
        helper.make_node("Add", ["b\x7f", red], ["out\x1b"], name=""),
    ]
    weights = [weight("main", 6, 5), weight("main_", 5, 3), weight(red, 3)]
    write(path, nodes, weights)
    bad = helper.make_node("Relu6\x1b", ["in\x1b[1m"], ["out\x1b"], name="bad\x1b[0m\x07")
    write(path + ".broken", [bad], [])


def check(paths):
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        text = data.decode("utf-8")
        found = {c for c in text if ord(c) < 32 or 127 <= ord(c) < 160} - {"\n"}
        assert not found, f"{path}: {found}"
        if path.endswith(".json"):
            json.loads(text)
    print(len(paths), "files without control characters")


if sys.argv[1] == "--check":
    check(sys.argv[2:])
else:
    make(sys.argv[1])
