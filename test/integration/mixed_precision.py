#!/usr/bin/python3
"""Trains a model whose weights and activations have 16 bits, and compares.

    mixed_precision.py float16|bfloat16 SCHEDULE …

A convolution, a batch normalization, a pool and two layers, the second with a weight
that is used twice. Gradients of the first minibatch and weights after 20 updates are
those of the same model in f32 as far as 16 bits tell numbers apart, and as close to
them as PyTorch's with the same types (bfloat16 only: PyTorch's CPU convolutions take
no float16). Every schedule (of microbatches: zb-h1/4), on 1 to 4 processors, gives bit
for bit what the sequential interpreter does, on 3 of them with activations made again.
Masters move by steps that 16 bits would lose, a scale of the loss keeps gradients that
they would, and the exported model has its own types.
"""

import os
import sys
import tempfile

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from harness import run
from takt.compare import largest_error
from takt.pytorch_training import cross_entropy, train

BATCH, ITERATIONS, RATE, CLASSES, HIDDEN = 8, 20, 0.05, 5, 12
# Half a unit in the last place, relative: gradients are off by a few of them.
EPSILON = {"float16": 2.0 ** -11, "bfloat16": 2.0 ** -8, "float": 2.0 ** -24}
TYPES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16,
         "float": TensorProto.FLOAT}


def make_weights(kind):
    """Numbers that the type has, so that models of all types begin alike."""
    generator = numpy.random.default_rng(1)
    shapes = {"filter": (6, 1, 3, 3), "scale": (6,), "shift": (6,),
              "dense": (6 * 9, HIDDEN), "square": (HIDDEN, HIDDEN),
              "out": (HIDDEN, CLASSES), "bias": (CLASSES,)}
    weights = {name: torch.from_numpy(generator.standard_normal(shape) / 3)
               for name, shape in shapes.items()}
    weights["scale"] += 1
    if kind != "float":
        weights = {name: w.to(getattr(torch, kind)) for name, w in weights.items()}
    return {name: w.float().numpy() for name, w in weights.items()}


def initializer(name, value, kind):
    if kind == "bfloat16":
        raw = (numpy.ascontiguousarray(value, "<f4").view("<u4") >> 16).astype("<u2")
        return helper.make_tensor(name, TYPES[kind], value.shape, raw.tobytes(), raw=True)
    return numpy_helper.from_array(
        value.astype("f2" if kind == "float16" else "f4"), name)


def make_model(weights, kind):
    def node(*arguments, **attributes):
        return helper.make_node(*arguments, **attributes)

    nodes = [node("Conv", ["x", "filter"], ["c"], "conv", kernel_shape=[3, 3]),
             node("BatchNormalization", ["c", "scale", "shift", "mean", "var"],
                  ["n", "mean_out", "var_out"], "norm", training_mode=1),
             node("Relu", ["n"], ["r"], "relu"),
             node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
             node("Flatten", ["p"], ["f"], "flatten"),
             node("MatMul", ["f", "dense"], ["h0"], "dense"),
             node("MatMul", ["h0", "square"], ["s0"], "square0"),
             node("Tanh", ["s0"], ["h1"], "tanh0"),
             node("MatMul", ["h1", "square"], ["s1"], "square1"),
             node("Tanh", ["s1"], ["h2"], "tanh1"),
             node("Gemm", ["h2", "out", "bias"], ["logits"], "out")]
    statistics = {"mean": numpy.zeros(6, "f4"), "var": numpy.ones(6, "f4")}
    graph = helper.make_graph(
        nodes, "mixed",
        [helper.make_tensor_value_info("x", TYPES[kind], ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TYPES[kind], ["N", CLASSES])],
        [initializer(name, value, kind) for name, value in weights.items()]
        + [initializer(name, value, "float") for name, value in statistics.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)],
                             ir_version=8)


def forward(w, x):
    """In the type that x has, of weights that are kept in f32."""
    w = {name: value.to(x.dtype) for name, value in w.items()}
    c = torch.nn.functional.conv2d(x, w["filter"])
    n = torch.nn.functional.batch_norm(
        c, None, None, w["scale"], w["shift"], training=True)
    p = torch.nn.functional.max_pool2d(torch.relu(n), 2)
    h = p.flatten(1) @ w["dense"]
    for _ in range(2):
        h = torch.tanh(h @ w["square"])
    return h @ w["out"] + w["bias"]


def train_pytorch(weights, data, kind):
    w = {name: torch.from_numpy(value.copy()).requires_grad_()
         for name, value in weights.items()}
    model = lambda x: forward(w, x.to(getattr(torch, kind))).float()
    _, gradients, final = train(
        w, torch.optim.SGD(w.values(), lr=RATE, momentum=0.9),
        cross_entropy(model, data["x"], data["label"], BATCH), ITERATIONS)
    return gradients, final


class Trainer:
    """taktc and takt-run on one model."""

    def __init__(self, directory, kind, model, data):
        self.directory, self.kind = directory, kind
        self.model, self.data = self.path("model.onnx"), self.path("data.npz")
        onnx.save(model, self.model)
        numpy.savez(self.data, **data)

    def path(self, file):
        return os.path.join(self.directory, f"{self.kind}-{file}")

    def compile(self, *options, rate=RATE):
        run("taktc", self.model, f"--batch={BATCH}", "--optimizer=momentum",
            f"--learning-rate={rate}", *options, "-o", self.path("p.takt"))

    def run(self, *options):
        return run("takt-run", self.path("p.takt"), f"--data={self.data}",
                   "--no-shuffle", *options)

    def results(self):
        """(gradients of the first minibatch, weights at the end)"""
        self.run("--iterations=1", f"--save-gradients={self.path('g.npz')}")
        self.run(f"--iterations={ITERATIONS}", f"--save-weights={self.path('w.npz')}")
        return numpy.load(self.path("g.npz")), numpy.load(self.path("w.npz"))


def expect(holds, message):
    if not holds:
        sys.exit(message)


def check_numbers(short, wide, weights, data, kind):
    """Against f32, and against PyTorch's distance from that."""
    short.compile("--schedule=sequential")
    gradients, final = short.results()
    expected, expected_final = train_pytorch(weights, data, "float32")
    wide.compile("--schedule=sequential")
    error, name = largest_error(wide.results()[0], expected)
    expect(error < 1e-5, f"f32: PyTorch disagrees about {name}: {error}")
    error, name = largest_error(gradients, expected)
    final_error, final_name = largest_error(final, expected_final)
    print(f"{kind}: gradients off by {error:.2g} ({name}), weights by "
          f"{final_error:.2g} ({final_name})")
    expect(all(gradients[name].dtype == numpy.float32 for name in expected),
           "gradients are not in f32")
    expect(error < 16 * EPSILON[kind], f"gradient of {name} is off by {error}")
    expect(final_error < 32 * EPSILON[kind],
           f"weight {final_name} is off by {final_error}")
    if kind == "bfloat16":
        theirs = largest_error(train_pytorch(weights, data, kind)[0], expected)
        print(f"{kind}: PyTorch's gradients off by {theirs[0]:.2g} ({theirs[1]})")
        expect(error < 2 * theirs[0], f"gradient of {name} is off by {error}, "
               f"PyTorch's at most by {theirs[0]}")


def check_masters(short, weights, kind):
    """Steps of a thousandth of the type's last place add up, and the model that is
    exported has them rounded to its own types."""
    exported = short.path("out.onnx")
    short.compile("--schedule=sequential", rate=RATE * EPSILON[kind] / 100)
    short.run(f"--iterations={ITERATIONS}", f"--save-weights={short.path('w.npz')}",
              f"--model={short.model}", f"--save-onnx={exported}")
    final = numpy.load(short.path("w.npz"))
    expect((final["square"] != weights["square"]).mean() > 0.9, "masters do not move")
    for before, after in zip(onnx.load(short.model).graph.initializer,
                             onnx.load(exported).graph.initializer):
        expect(before.data_type == after.data_type,
               f"{before.name} has another type in the exported model")
    first = onnx.load(exported).graph.initializer[0]
    raw = numpy.frombuffer(first.raw_data, "<u2").copy()
    rounded = torch.from_numpy(final[first.name]).to(getattr(torch, kind))
    expect((rounded.view(torch.int16).numpy().view("<u2").ravel() == raw).all(),
           "an exported weight is not the rounded master")


def check_scale(short, wide, kind):
    """Inputs so small that gradients of the filter vanish in float16."""
    options = ["--schedule=sequential", "--loss=mse"]
    errors = []
    for scale in ("1", "4096"):
        for trainer in (wide, short):
            trainer.compile(*options, f"--loss-scale={scale}")
            trainer.run("--iterations=1", f"--save-gradients={trainer.path('g.npz')}")
        errors.append(largest_error(numpy.load(short.path("g.npz")),
                                    numpy.load(wide.path("g.npz")))[0])
    print(f"{kind}: small gradients off by {errors[0]:.2g}, with the loss scaled by "
          f"{errors[1]:.2g}")
    expect(errors[1] < 16 * EPSILON[kind], f"scaled gradients are off by {errors[1]}")
    expect(kind != "float16" or errors[0] > 4 * errors[1],
           "the test's gradients do not vanish")


def check_schedules(short, schedules, kind):
    for schedule in schedules:
        name, _, microbatches = schedule.partition("/")
        for processors in range(1, 5):
            recompute = "full" if processors == 3 else "none"
            short.compile(f"--processors={processors}", f"--schedule={name}",
                          f"--microbatches={microbatches or 1}", "--loss-scale=64",
                          f"--recompute={recompute}")
            short.run(f"--iterations={ITERATIONS}", "--verify")
        print(f"{kind} {schedule}: the sequential interpreter's bits")


def main():
    kind, schedules = sys.argv[1], sys.argv[2:]
    generator = numpy.random.default_rng(2)
    weights = make_weights(kind)
    count = BATCH * ITERATIONS
    data = {"x": generator.standard_normal((count, 1, 8, 8)).astype("f2").astype("f4"),
            "label": generator.integers(0, CLASSES, count)}
    data["x"] = torch.from_numpy(data["x"]).bfloat16().float().numpy()
    small = {"x": data["x"],
             "target": (1e-4 * generator.standard_normal((count, CLASSES))).astype("f4")}
    with tempfile.TemporaryDirectory() as directory:
        short = Trainer(directory, kind, make_model(weights, kind), data)
        wide = Trainer(directory, "float", make_model(weights, "float"), data)
        check_numbers(short, wide, weights, data, kind)
        check_masters(short, weights, kind)
        check_schedules(short, schedules, kind)
        # Outputs of about the targets' size.
        faint = {name: value * (1e-4 if name in ("out", "bias") else 1)
                 for name, value in weights.items()}
        check_scale(Trainer(directory, kind, make_model(faint, kind), small),
                    Trainer(directory, "float", make_model(faint, "float"), small), kind)


if __name__ == "__main__":
    main()
