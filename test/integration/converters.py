#!/usr/bin/python3
"""Models as converters from TensorFlow, Keras and JAX write them, in the forms of
opsets 7 to 25, train as the same formulas in PyTorch: images of NHWC between
transpositions, one-sided pads, normalizations and softmax spelled out, Einsum, weights
that are inputs too, and what was an attribute once and is an input now."""

import os
import sys
import tempfile

import numpy
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from harness import run
from takt.compare import largest_error
from takt.pytorch_training import train

BATCH, CLASSES, STEPS, RATE = 4, 5, 3, 0.05


class Writer:
    """Nodes of one opset, each with one output."""

    def __init__(self, opset, weights):
        self.opset, self.nodes, self.initializers = opset, [], []
        for name, value in weights.items():
            self.initializers.append(numpy_helper.from_array(value, name))

    def node(self, kind, *inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [f"{kind}_{len(self.nodes)}"],
                                           **attributes))
        return self.nodes[-1].output[0]

    def constant(self, values, kind="i8"):
        return self.node("Constant", value=numpy_helper.from_array(
            numpy.array(values, kind)))

    def moved(self, since, kind, x, name, values, **attributes):
        """With an attribute that is an input since an opset."""
        if self.opset < since:
            return self.node(kind, x, **{name: values}, **attributes)
        return self.node(kind, x, self.constant(values), **attributes)

    def pad(self, x, pads):
        return self.moved(11, "Pad", x, "pads", pads)

    def squeeze(self, x, axes):
        return self.moved(13, "Squeeze", x, "axes", axes)

    def mean(self, x, axes):
        return self.moved(18, "ReduceMean", x, "axes", axes, keepdims=1)

    def sum(self, x, axes):
        return self.moved(13, "ReduceSum", x, "axes", axes, keepdims=1)

    def clip(self, x, low, high):
        if self.opset < 11:
            return self.node("Clip", x, min=low, max=high)
        return self.node("Clip", x, self.constant(low, "f4"), self.constant(high, "f4"))

    def slice(self, x, starts, ends, axes):
        if self.opset < 10:
            return self.node("Slice", x, starts=starts, ends=ends, axes=axes)
        return self.node("Slice", x, *map(self.constant, (starts, ends, axes)))

    def enlarge(self, x):
        scales = [1.0, 1.0, 2.0, 2.0]
        if self.opset < 9:
            return self.node("Upsample", x, scales=scales, mode="nearest")
        scales = self.constant(scales, "f4")
        if self.opset < 11:
            return self.node("Upsample" if self.opset < 10 else "Resize", x, scales,
                             mode="nearest")
        return self.node("Resize", x, "", scales, mode="nearest",
                         coordinate_transformation_mode="asymmetric",
                         nearest_mode="floor")

    def normalize(self, x, *weights):
        old = {"spatial": 1} if self.opset < 9 else {}
        return self.node("BatchNormalization", x, *weights, epsilon=1e-3, **old)

    def dropout(self, x):
        if self.opset < 12:
            return self.node("Dropout", x, ratio=0.0)
        return self.node("Dropout", x, self.constant(0.0, "f4"), self.constant(True, "?"))

    def write(self, path, x, shape, y):
        def information(name, dims):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)

        # Before version 4 of the format initializers had to be inputs.
        listed = [information(tensor.name, tensor.dims) for tensor in self.initializers]
        graph = helper.make_graph(
            [*self.nodes, helper.make_node("Identity", [y], ["y"])], "converted",
            [*listed, information(x, ["unk__1", *shape])],
            [information("y", ["unk__2", CLASSES])], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 3 if self.opset < 9 else 13 if self.opset > 20 else 8
        onnx.save(model, path)


class Keras:
    """A mobile block: tf2onnx transposes around what works on channels first."""
    SHAPE, OPSETS = (8, 8, 3), (7, 8, 9, 10, 11, 13, 18, 25)

    @staticmethod
    def weights(f):
        return {"conv/kernel": f(8, 3, 3, 3), "bn/gamma": f(8), "bn/beta": f(8),
                "bn/mean": f(8), "bn/variance": abs(f(8)) + 0.5,
                "depthwise": f(8, 1, 3, 3), "depthwise/bias": f(8, 1, 1),
                "dense/kernel": f(8, CLASSES), "dense/bias": f(CLASSES)}

    CONSTANT = {"bn/mean", "bn/variance"}

    @staticmethod
    def write(w, x):
        h = w.pad(w.node("Transpose", x, perm=[0, 3, 1, 2]), [0, 0, 0, 0, 0, 0, 1, 1])
        h = w.node("Conv", h, "conv/kernel", strides=[2, 2])
        h = w.clip(w.normalize(h, "bn/gamma", "bn/beta", "bn/mean", "bn/variance"), 0.0, 6.0)
        h = w.node("Conv", h, "depthwise", group=8, auto_pad="SAME_UPPER")
        h = w.node("LeakyRelu", w.node("Add", h, "depthwise/bias"), alpha=0.3)
        h = w.slice(w.enlarge(h), [1, -7], [2 ** 31 - 1, 8], [2, 3])
        h = w.node("Transpose", w.dropout(h), perm=[0, 2, 3, 1])
        h = w.squeeze(w.mean(h, [1, 2]), [1, 2])
        h = w.node("Mul", h, w.node("Softmax", h, axis=1))
        return w.node("Add", w.node("MatMul", h, "dense/kernel"), "dense/bias")

    @staticmethod
    def torch(p, x):
        h = F.conv2d(F.pad(x.permute(0, 3, 1, 2), (0, 1, 0, 1)), p["conv/kernel"], stride=2)
        h = F.batch_norm(h, p["bn/mean"], p["bn/variance"], p["bn/gamma"], p["bn/beta"],
                         eps=1e-3).clamp(0, 6)
        h = F.conv2d(h, p["depthwise"], padding=1, groups=8) + p["depthwise/bias"]
        h = F.interpolate(F.leaky_relu(h, 0.3), scale_factor=2, mode="nearest")
        h = h[:, :, 1:, 1:].mean((2, 3))
        h = h * h.softmax(1)
        return h @ p["dense/kernel"] + p["dense/bias"]


class Jax:
    """A transformer's layer, in which everything is spelled out."""
    SHAPE, OPSETS, CONSTANT = (6, 8), (12, 13, 18, 25), set()

    @staticmethod
    def weights(f):
        return {"ln/scale": f(8), "ln/bias": f(8), "query": f(8, 2, 4), "key": f(8, 2, 4),
                "value": f(8, 2, 4), "out": f(2, 4, 8), "dense": f(8, CLASSES)}

    @staticmethod
    def write(w, x):
        def number(value):
            return w.constant(value, "f4")

        centred = w.node("Sub", x, w.mean(x, [-1]))
        variance = w.mean(w.node("Mul", centred, centred), [-1])
        rate = w.node("Reciprocal", w.node("Sqrt", w.node("Add", variance, number(1e-6))))
        scale = w.node("Expand", w.node("Reshape", "ln/scale", w.constant([1, 1, 8])),
                       w.node("Shape", x))
        h = w.node("Add", w.node("Mul", w.node("Mul", centred, rate), scale), "ln/bias")
        q, k, v = (w.node("Einsum", h, name, equation="bld,dhk->blhk")
                   for name in ("query", "key", "value"))
        scores = w.node("Einsum", q, k, equation="bqhk,bmhk->bhqm")
        mask = w.constant(numpy.tril(numpy.ones((1, 1, 6, 6))), "?")
        scores = w.node("Where", mask, w.node("Mul", scores, number(0.5)), number(-1e30))
        top = w.node("ReduceMax", scores, axes=[-1], keepdims=1) if w.opset < 18 else (
            w.node("ReduceMax", scores, w.constant([-1]), keepdims=1))
        powers = w.node("Exp", w.node("Sub", scores, top))
        shares = w.node("Div", powers, w.sum(powers, [-1]))
        mixed = w.node("Einsum", shares, v, equation="bhqm,bmhk->bqhk")
        h = w.node("Add", x, w.node("Einsum", mixed, "out", equation="bqhk,hkd->bqd"))
        cube = w.node("Mul", w.node("Pow", h, number(3.0)), number(0.044715))
        curve = w.node("Tanh", w.node("Mul", w.node("Add", h, cube), number(0.7978846)))
        half = w.node("Mul", w.node("Add", curve, number(1.0)), number(0.5))
        pooled = w.squeeze(w.mean(w.node("Mul", h, half), [1]), [1])
        return w.node("Einsum", pooled, "dense", equation="bd,dc->bc")

    @staticmethod
    def torch(p, x):
        h = F.layer_norm(x, (8,), p["ln/scale"], p["ln/bias"], eps=1e-6)
        q, k, v = (torch.einsum("bld,dhk->blhk", h, p[n]) for n in ("query", "key", "value"))
        scores = torch.einsum("bqhk,bmhk->bhqm", q, k) / 2
        scores = scores.masked_fill(torch.ones(6, 6).tril() == 0, -1e30)
        mixed = torch.einsum("bhqm,bmhk->bqhk", scores.softmax(-1), v)
        h = x + torch.einsum("bqhk,hkd->bqd", mixed, p["out"])
        h = 0.5 * h * (1 + torch.tanh(0.7978846 * (h + 0.044715 * h ** 3)))
        return h.mean(1) @ p["dense"]


def compare(kind, opset, directory):
    """Errors of gradients and weights, and whose they are."""
    def path(file):
        return os.path.join(directory, file)

    generator = numpy.random.default_rng(3)
    weights = kind.weights(lambda *shape: generator.standard_normal(shape).astype("f4"))
    x = generator.standard_normal((BATCH * STEPS, *kind.SHAPE)).astype("f4")
    label = generator.integers(0, CLASSES, BATCH * STEPS)
    numpy.savez(path("d.npz"), x=x, label=label)
    writer = Writer(opset, weights)
    writer.write(path("m.onnx"), "x", kind.SHAPE, kind.write(writer, "x"))
    run("taktc", path("m.onnx"), f"--dim=unk__1={BATCH}", "--loss=softmax-cross-entropy",
        "--optimizer=momentum", f"--learning-rate={RATE}", "--processors=2",
        "--schedule=list", "-o", path("p.takt"))
    data = [f"--data={path('d.npz')}", "--no-shuffle"]
    run("takt-run", path("p.takt"), *data, "--iterations=1",
        f"--save-gradients={path('g.npz')}")
    run("takt-run", path("p.takt"), *data, f"--iterations={STEPS}",
        f"--save-weights={path('w.npz')}")
    tensors = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    trained = {name: value.requires_grad_() for name, value in tensors.items()
               if name not in kind.CONSTANT}

    def loss_of(i):
        part = slice(i * BATCH, (i + 1) * BATCH)
        return F.cross_entropy(kind.torch(tensors, torch.from_numpy(x[part])),
                               torch.from_numpy(label[part]))

    _, gradients, final = train(
        trained, torch.optim.SGD(trained.values(), lr=RATE, momentum=0.9), loss_of, STEPS)
    with numpy.load(path("g.npz")) as found:
        if set(found) != set(trained):
            sys.exit(f"opset {opset}: trains {sorted(set(found) ^ set(trained))} or not")
        return largest_error(found, gradients), largest_error(
            numpy.load(path("w.npz")), final)


def main():
    agree = True
    for kind in (Keras, Jax):
        for opset in kind.OPSETS:
            with tempfile.TemporaryDirectory() as directory:
                errors = compare(kind, opset, directory)
            good = all(error < 1e-4 for error, _ in errors)
            agree &= good
            print(f"{kind.__name__}, opset {opset}: gradients, weights within "
                  + ", ".join(f"{error:.1e} ({whose})" for error, whose in errors)
                  + ("" if good else " DIFFERS"))
    if not agree:
        sys.exit("PyTorch disagrees")


if __name__ == "__main__":
    main()
