#!/usr/bin/python3
"""Makes models whose weights lie in all the ways that ONNX knows.

    models.py KIND OUT.onnx

A perceptron of 4 inputs and 3 classes, and what KIND says: raw (raw data), field
(float_data), half (of float16), shared (the second bias is an Identity of the first), fill
(weights by ConstantOfShape), literal (all by Constant), external (in OUT.onnx.data),
constant (external, and so is a mask that is not trained), norm (batch
normalization), merged (the same, but vectors with equal values are one initializer, as
PyTorch's exporter has it, whose nodes say of which module they are), other (5 inputs), renamed, computed (a weight that a node computes),
unknown (raw, and fields that are in no version of ONNX).
"""

import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def tensor(name, shape, kind):
    generator = numpy.random.default_rng(len(name) + sum(shape))
    values = generator.standard_normal(shape).astype(numpy.float32)
    if kind == "half":
        values = values.astype(numpy.float16)
    if kind == "field":
        return helper.make_tensor(name, TensorProto.FLOAT, shape, values.flatten())
    return numpy_helper.from_array(values, name)


def say_module(node, path):
    """In the node's metadata, which the installed onnx package does not know."""
    def field(number, payload):
        return bytes([number << 3 | 2, len(payload)]) + payload
    scopes = ["", *path.split("."), node.name]
    scopes = [".".join(scopes[1:i + 1]) for i in range(len(scopes) - 1)] + [node.name]
    entry = (field(1, b"pkg.torch.onnx.name_scopes") + field(2, str(scopes).encode()))
    node.MergeFromString(field(9, entry))


def merge(tensors, nodes):
    """One tensor for both biases of products, and for what of the norm is equal."""
    tensors.pop("b2")
    for old, new in (("b1", "net.first.bias"), ("scale", "net.norm.weight"),
                     ("shift", "net.norm.bias")):
        tensors[new] = tensors.pop(old)
        tensors[new].name = new
    tensors.pop("mean")
    tensors.pop("var")
    names = {"b1": "net.first.bias", "b2": "net.first.bias", "scale": "net.norm.weight",
             "var": "net.norm.weight", "shift": "net.norm.bias", "mean": "net.norm.bias"}
    modules = {"gemm1": "net.first", "norm": "net.norm", "gemm2": "net.second"}
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        if node.name in modules:
            say_module(node, modules[node.name])


def make(kind):
    inputs = 5 if kind == "other" else 4
    w1 = "first.weight" if kind == "renamed" else "w1"
    shapes = {w1: (inputs, 6), "b1": (6,), "w2": (6, 6), "b2": (6,), "w3": (6, 3)}
    tensors = {name: tensor(name, shape, kind) for name, shape in shapes.items()}
    nodes = []
    if kind == "shared":
        tensors.pop("b2")
        nodes.append(helper.make_node("Identity", ["b1"], ["b2"], name="same"))
    if kind == "computed":
        tensors["half"] = tensors.pop("b2")
        tensors["half"].name = "half"
        nodes.append(helper.make_node("Add", ["half", "half"], ["b2"]))
    if kind == "fill":
        for name in ("b1", "b2"):
            tensors[name] = numpy_helper.from_array(numpy.array([6]), name + ".shape")
            nodes.append(helper.make_node(
                "ConstantOfShape", [name + ".shape"], [name], name=name + ".fill",
                value=helper.make_tensor("value", TensorProto.FLOAT, [1], [0.5])))
    if kind == "literal":
        # All of them: beside initializers, they would not be trained.
        for name in list(tensors):
            nodes.append(helper.make_node("Constant", [], [name], name=name + ".literal",
                                          value=tensors.pop(name)))
    nodes += [helper.make_node("Gemm", ["x", w1, "b1"], ["h1"], name="gemm1"),
              helper.make_node("Relu", ["h1"], ["r1"], name="relu1")]
    last = "r1"
    if kind in ("norm", "merged"):
        for name in ("scale", "shift", "mean", "var"):
            values = numpy.full(6, 1 if name in ("scale", "var") else 0, numpy.float32)
            tensors[name] = numpy_helper.from_array(values, name)
        nodes.append(helper.make_node("BatchNormalization",
                                      [last, "scale", "shift", "mean", "var"],
                                      ["n1", "new_mean", "new_var", "", ""],
                                      name="norm"))
        last = "n1"
    if kind == "constant":
        mask = numpy.arange(6) % 2 == 0
        tensors["mask"] = numpy_helper.from_array(mask, "mask")
        nodes.append(helper.make_node("Where", ["mask", last, last], ["masked"]))
        last = "masked"
    nodes += [helper.make_node("Gemm", [last, "w2", "b2"], ["h2"], name="gemm2"),
              helper.make_node("Tanh", ["h2"], ["r2"], name="tanh"),
              helper.make_node("MatMul", ["r2", "w3"], ["y"], name="matmul")]
    if kind == "merged":
        merge(tensors, nodes)
    element = TensorProto.FLOAT16 if kind == "half" else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes, "perceptron",
        [helper.make_tensor_value_info("x", element, [8, inputs])],
        [helper.make_tensor_value_info("y", element, [8, 3])],
        list(tensors.values()), doc_string="what must stay")
    return helper.make_model(graph, producer_name="models.py",
                             opset_imports=[helper.make_opsetid("", 13)])


def main():
    kind, path = sys.argv[1:3]
    model = make(kind)
    onnx.checker.check_model(model)
    if kind in ("external", "constant"):
        onnx.save_model(model, path, save_as_external_data=True, size_threshold=0,
                        location=path.split("/")[-1] + ".data")
        return
    data = model.SerializeToString()
    if kind == "unknown":
        # Field 100, of 3 bytes, in front of everything; and the graph's length in
        # five bytes.
        data = b"\xa2\x06\x03new" + data
        size = model.graph.ByteSize()
        prefix, body = data.split(model.graph.SerializeToString())
        short = prefix[:prefix.rindex(b"\x3a") + 1]
        length = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14 | 128,
                        128, 0])
        data = short + length + model.graph.SerializeToString() + body
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
