#!/usr/bin/python3
"""Where an operator has no derivative: the one that PyTorch takes.

Each case is a node of one model with a parameter of its own, whose elements are kinks
and their neighbours; the loss is a weighted sum of everything. Prints the cases where
the gradients of takt-run are not those of torch.autograd.
"""

import os
import sys
import tempfile

import numpy
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from harness import run

ZERO = [-1.5, -0.5, 0, 0, 0.5, 1.5]
SIX = [-4, -3, -1, 0, 1, 2.5, 3, 4]
TIES = [[1, 3, 3, 2], [2, 2, 2, 2], [0, -1, -1, 0], [0, 0, 0, -3]]
OTHER = [[1, 2, 3, 3], [2, 1, 2, 3], [0, 0, -1, 1], [1, 0, 0, -3]]


def number(value):
    return numpy.array(value, "f4")


def case(operator, values, reference, *others, **attributes):
    """Others: operands behind the first, parameters too where their rank is not 0 and
    they are floats."""
    return operator, values, reference, others, attributes


CASES = [
    case("Relu", ZERO, F.relu),
    case("Abs", ZERO, torch.abs),
    case("Sign", ZERO, torch.sign),
    case("Floor", ZERO, torch.floor),
    case("Ceil", SIX, torch.ceil),
    case("Round", ZERO, torch.round),
    case("LeakyRelu", ZERO, lambda x: F.leaky_relu(x, 0.25), alpha=0.25),
    case("Elu", ZERO, lambda x: F.elu(x, 0.5), alpha=0.5),
    case("Celu", ZERO, lambda x: F.celu(x, 0.5), alpha=0.5),
    case("Selu", ZERO, F.selu),
    case("PRelu", ZERO, F.prelu, number([0.25])),
    case("HardSigmoid", SIX, F.hardsigmoid, alpha=1 / 6, beta=0.5),
    case("HardSwish", SIX, F.hardswish),
    case("Clip", SIX, lambda x: torch.clamp(x, -1, 3), number(-1), number(3)),
    case("ThresholdedRelu", SIX, lambda x: F.threshold(x, 1, 0), alpha=1.0),
    case("Shrink", SIX, lambda x: F.softshrink(x, 1), lambd=1.0, bias=1.0),
    case("Shrink", SIX, lambda x: F.hardshrink(x, 1), lambd=1.0, bias=0.0),
    case("Softsign", ZERO, F.softsign),
    case("Max", TIES, torch.maximum, number(OTHER)),
    case("Min", TIES, torch.minimum, number(OTHER)),
    case("ReduceMax", TIES, lambda x, axes: torch.amax(x, 1), numpy.array([1]),
         keepdims=0),
    case("ReduceMin", TIES, lambda x, axes: torch.amin(x, 0), numpy.array([0]),
         keepdims=0),
    case("ReduceL1", TIES, lambda x, axes: torch.norm(x, 1, 1), numpy.array([1]),
         keepdims=0),
    case("ReduceProd", TIES, lambda x, axes: torch.prod(x, 1), numpy.array([1]),
         keepdims=0),
    case("MaxPool", [[TIES]], lambda x: F.max_pool2d(x, 2), kernel_shape=[2, 2],
         strides=[2, 2]),
    case("MaxPool", [[TIES]], lambda x: F.max_pool2d(x, 3, 1, 1), kernel_shape=[3, 3],
         pads=[1, 1, 1, 1]),
    case("GlobalMaxPool", [[TIES]], lambda x: F.max_pool2d(x, 4)),
    case("Pow", ZERO, lambda x: x ** 2, number(2)),
    case("Pow", ZERO, lambda x: x ** 1, number(1)),
    case("Mul", ZERO, torch.mul, number(ZERO[::-1])),
    case("Where", ZERO, lambda x: x),
    case("ScatterElements", TIES,
         lambda x, i, u: torch.scatter_reduce(x, 1, i, u, "amax"),
         numpy.array([[0, 0], [1, 2], [3, 3], [1, 0]]),
         number([[1, 1], [2, 5], [0, 0], [0, -1]]), axis=1, reduction="max"),
    case("ScatterElements", TIES,
         lambda x, i, u: torch.scatter_reduce(x, 1, i, u, "prod"),
         numpy.array([[0, 0], [1, 2], [3, 3], [1, 0]]),
         number([[1, 0], [2, 5], [0, 0], [0, -1]]), axis=1, reduction="mul"),
    case("CumSum", ZERO, lambda x: torch.cumsum(x, 0), numpy.array(0)),
    case("ReduceL2", [[3, 4], [0, 0]], lambda x, axes: torch.norm(x, 2, 1), numpy.array([1]),
         keepdims=0),
    case("LpPool", [[[3, 4, 0, 0]]], lambda x: F.lp_pool1d(x, 2, 2), kernel_shape=[2],
         strides=[2]),
]


def is_parameter(array):
    return array.dtype == numpy.float32 and array.ndim > 0


def build():
    """The model, its parameters' gradients from PyTorch, and the size of its loss's
    operand."""
    nodes, constants, flat, expected, size = [], [], [], {}, 0
    for number_of, (operator, values, reference, others, attributes) in enumerate(CASES):
        name = f"{number_of}.{operator}"
        arrays = [number(values), *others]
        names = [f"{name}.{i}" for i in range(len(arrays))]
        constants += [numpy_helper.from_array(array, key) for key, array in zip(names, arrays)]
        inputs = list(names)
        if operator == "Where":
            # The condition is on the kink itself.
            nodes.append(helper.make_node("Less", [names[0], "zero"], [name + ".less"]))
            inputs = [name + ".less", names[0], names[0]]
        nodes += [helper.make_node(operator, inputs, [name + ".y"], name=name, **attributes),
                  helper.make_node("Flatten", [name + ".y"], [name + ".row"], axis=0,
                                   name=name + ".row")]
        flat.append(name + ".row")
        tensors = [torch.tensor(array, requires_grad=is_parameter(array)) for array in arrays]
        used = [tensor for tensor, array in zip(tensors, arrays)
                if array.ndim > 0 and array.dtype != bool]
        y = reference(*used)
        weights = 1 + (size + torch.arange(y.numel())) % 7
        (y.flatten() * weights).sum().backward()
        size += y.numel()
        expected.update((key, tensor.grad.numpy()) for key, tensor in zip(names, tensors)
                        if tensor.requires_grad)
    nodes += [helper.make_node("Concat", flat, ["together"], axis=1, name="together"),
              helper.make_node("Mul", ["together", "weights"], ["weighted"], name="weighted"),
              helper.make_node("ReduceSum", ["weighted", "one"], ["sum"], name="sum")]
    constants += [numpy_helper.from_array(number(0), "zero"),
                  numpy_helper.from_array(numpy.array([1]), "one")]
    graph = helper.make_graph(
        nodes, "kinks", [helper.make_tensor_value_info("weights", TensorProto.FLOAT, [1, size])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [1, 1])], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)],
                             ir_version=8), expected, size


def gradients(model, size):
    with tempfile.TemporaryDirectory() as directory:
        def path(name):
            return os.path.join(directory, name)
        onnx.save(model, path("kinks.onnx"))
        weights = (1 + numpy.arange(size) % 7).astype("f4")[None]
        # The loss is the square of the distance, whose derivative is 1 here.
        numpy.savez(path("forward.npz"), weights=weights)
        run("taktc", path("kinks.onnx"), "--batch=1", "--mode=forward", "-o", path("f.takt"))
        run("takt-run", path("f.takt"), f"--data={path('forward.npz')}",
            f"--save-outputs={path('sum.npz')}")
        target = numpy.load(path("sum.npz"))["sum"] - number(0.5)
        numpy.savez(path("data.npz"), weights=weights, target=target)
        run("taktc", path("kinks.onnx"), "--batch=1", "--loss=mse", "--schedule=sequential",
            "-o", path("t.takt"))
        run("takt-run", path("t.takt"), f"--data={path('data.npz')}", "--iterations=1",
            "--no-shuffle", f"--save-gradients={path('gradients.npz')}")
        return dict(numpy.load(path("gradients.npz")))


def main():
    model, expected, size = build()
    found = gradients(model, size)
    differ = 0
    for name, theirs in expected.items():
        ours = found.get(name, numpy.zeros_like(theirs))
        if not numpy.allclose(ours, theirs, 1e-5, 1e-5, equal_nan=True):
            differ += 1
            print(f"{name} differs:\n{ours}\nPyTorch:\n{theirs}")
    print(f"kinks: {len(expected) - differ} gradients are PyTorch's, {differ} differ")
    sys.exit(1 if differ or not expected else 0)


if __name__ == "__main__":
    main()
