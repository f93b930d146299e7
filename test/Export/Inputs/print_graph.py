#!/usr/bin/python3
"""Prints inputs, outputs and nodes of an ONNX model."""

import sys

import onnx


def describe(info):
    tensor = info.type.tensor_type
    name = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    dims = "x".join(str(dim.dim_value) for dim in tensor.shape.dim)
    return f"{info.name} {name} {dims or 'scalar'}"


def main():
    model = onnx.load(sys.argv[1])
    onnx.checker.check_model(model, full_check=True)
    initializers = {tensor.name for tensor in model.graph.initializer}
    print("opset", model.opset_import[0].version)
    for info in model.graph.input:
        print("input", describe(info), *["optional"] * (info.name in initializers))
    for info in model.graph.output:
        print("output", describe(info))
    for node in model.graph.node:
        print(f"{node.op_type} ({', '.join(node.input)}) -> {', '.join(node.output)}")


if __name__ == "__main__":
    main()
