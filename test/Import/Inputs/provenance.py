"""provenance.py MODEL: a model with the metadata that PyTorch's exporter gives the
graph's values, which are newer than the installed onnx package's classes."""

import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

KIND = "pkg.torch.export.graph_signature.InputSpec.kind"
FROM = "pkg.onnxscript.optimizer.folded_from"
# Initializers, and what is said of them.
WEIGHTS = {
    "layer.weight": (KIND, "PARAMETER"),
    "layer.table": (KIND, "BUFFER"),
    "number": (KIND, "CONSTANT_TENSOR"),
    "val_3": (FROM, "['layer.other']"),
    "expand": (FROM, "['offset', 'val_1']"),
    "embedding_1": (FROM, "['arange', 'places.weight', 'val_7']"),
    "cos": (FROM, "['arange_1', 'mul', 'unsqueeze_2', 'val_8']"),
    "val_9": (FROM, "['val_10', 'val_11']"),
    "unsqueeze_14": (FROM, "['arange', 'cos', 'mul', 'rotary.rates', 'val_2']"),
    "val_20": (FROM, "['y1', 'val_12']"),
    "plain": None,
}


def field(number, payload):
    """Of bytes, fewer than 128 of them or 16 thousand."""
    size = len(payload)
    length = bytes([size]) if size < 128 else bytes([size % 128 + 128, size // 128])
    return bytes([number << 3 | 2]) + length + payload


def information(name, said):
    info = helper.make_tensor_value_info(name, TensorProto.FLOAT, [3])
    entry = b"".join(field(i + 1, text.encode()) for i, text in enumerate(said))
    info.MergeFromString(field(4, entry))
    return info


nodes, last = [], "x"
for i, name in enumerate(WEIGHTS):
    nodes.append(helper.make_node("Mul", [last, name], [f"y{i}"]))
    last = f"y{i}"
graph = helper.make_graph(
    nodes, "provenance", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
    [helper.make_tensor_value_info(last, TensorProto.FLOAT, [2, 3])],
    [numpy_helper.from_array(np.full(3, 0.5, "f4"), name) for name in WEIGHTS],
    value_info=[information(name, said) for name, said in WEIGHTS.items() if said])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
model.ir_version = 10
save(model, sys.argv[1])
