#!/usr/bin/python3
"""Checks what --save-onnx wrote.

    weights.py ORIGINAL.onnx WRITTEN.onnx WEIGHTS.npz [NEW=OLD…]

All tensors of WRITTEN that WEIGHTS names have its values, rounded to the file's
type; everything else is as in ORIGINAL, and onnx.checker accepts it. NEW in WRITTEN is
what OLD was in ORIGINAL. Prints the nodes that differ and the initializers that are
new.
"""

import sys

import numpy
import onnx
from onnx import numpy_helper


def tensors(model):
    """By name: initializers and what Constant nodes hold."""
    found = {t.name: t for t in model.graph.initializer}
    found.update({node.output[0]: node.attribute[0].t for node in model.graph.node
                  if node.op_type == "Constant"})
    return found


def without_data(model, names):
    """The model without the elements of those tensors."""
    stripped = onnx.ModelProto()
    stripped.CopyFrom(model)
    for t in tensors(stripped).values():
        if t.name in names:
            for field in ("raw_data", "float_data", "int32_data", "external_data",
                          "data_location"):
                t.ClearField(field)
    return stripped


def main():
    original, written = (onnx.load(path, load_external_data=False)
                         for path in sys.argv[1:3])
    weights = numpy.load(sys.argv[3])
    onnx.checker.check_model(sys.argv[2])
    found = tensors(onnx.load(sys.argv[2]))
    names = [name for name in weights if name in found]
    changed = 0
    for name in names:
        values = numpy_helper.to_array(found[name])
        expected = weights[name].astype(values.dtype)
        assert numpy.array_equal(values, expected), name
    for before, after in zip(original.graph.node, written.graph.node):
        if before != after:
            assert before.output == after.output and before.name == after.name
            inputs = [f" {new}" for old, new in zip(before.input, after.input)
                      if old != new and before.op_type == after.op_type]
            print(f"{before.name}: {before.op_type} -> {after.op_type}"
                  f"{','.join(inputs)}")
            before.CopyFrom(after)
            changed += 1
    for new, old in (text.split("=") for text in sys.argv[4:]):
        before = tensors(onnx.load(sys.argv[1]))[old]
        assert numpy.array_equal(*map(numpy_helper.to_array, (found[new], before)))
        print(f"{new} is what {old} was")
    known = {t.name for t in original.graph.initializer}
    for t in [t for t in written.graph.initializer if t.name not in known]:
        print(f"{t.name}: new")
        written.graph.initializer.remove(t)
    a, b = (without_data(model, names) for model in (original, written))
    assert a == b, "something else changed"
    print(f"{len(names)} weights")


if __name__ == "__main__":
    main()
