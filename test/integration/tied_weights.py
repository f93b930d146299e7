#!/usr/bin/python3
"""Trains a network whose parameters several nodes share, and compares.

    tied_weights.py gemm|transpose SCHEDULE … [--delayed]

A small language model: the table that tokens are looked up in is that of the last
layer, as a Gemm's transposed operand or through a Transpose and a MatMul, and one
square weight is that of two hidden layers. Every schedule (of microbatches:
zb-h1/4), on 1 to 5 processors, gives bit for bit what the sequential interpreter
does; with --delayed that is all, otherwise gradients of the first minibatch and
weights after 20 updates are PyTorch's.
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

BATCH, ITERATIONS, RATE, TOKENS, WORDS, WIDTH = 8, 20, 0.1, 5, 12, 16


def make_weights(generator):
    shapes = {"table": (WORDS, WIDTH), "square": (WIDTH, WIDTH), "bias": (WIDTH,)}
    return {name: (generator.standard_normal(shape) / 4).astype(numpy.float32)
            for name, shape in shapes.items()}


def make_model(weights, form):
    """Tokens are looked up and averaged, then two layers with one weight."""
    nodes = [helper.make_node("Gather", ["table", "tokens"], ["words"], "embed"),
             helper.make_node("ReduceMean", ["words"], ["h0"], "mean", axes=[1],
                              keepdims=0)]
    for i in range(2):
        nodes.append(helper.make_node("Gemm", [f"h{i}", "square", "bias"], [f"g{i}"],
                                      f"hidden{i}"))
        nodes.append(helper.make_node("Tanh", [f"g{i}"], [f"h{i + 1}"], f"tanh{i}"))
    if form == "gemm":
        nodes.append(helper.make_node("Gemm", ["h2", "table"], ["logits"], "project",
                                      transB=1))
    else:
        nodes.append(helper.make_node("Transpose", ["table"], ["columns"], "turn",
                                      perm=[1, 0]))
        nodes.append(helper.make_node("MatMul", ["h2", "columns"], ["logits"],
                                      "project"))
    graph = helper.make_graph(
        nodes, "tied",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", TOKENS])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", WORDS])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)],
                             ir_version=8)


def forward(w, tokens):
    h = w["table"][tokens].mean(dim=1)
    for _ in range(2):
        h = torch.tanh(h @ w["square"] + w["bias"])
    return h @ w["table"].T


def train_pytorch(weights, tokens, label):
    """(gradients of the first minibatch, weights at the end)"""
    w = {name: torch.from_numpy(value.copy()).requires_grad_()
         for name, value in weights.items()}
    _, gradients, final = train(
        w, torch.optim.SGD(w.values(), lr=RATE, momentum=0.9),
        cross_entropy(lambda x: forward(w, x), tokens, label, BATCH), ITERATIONS)
    return gradients, final


def main():
    form, schedules = sys.argv[1], [a for a in sys.argv[2:] if a != "--delayed"]
    delayed = "--delayed" in sys.argv
    generator = numpy.random.default_rng(3)
    weights = make_weights(generator)
    tokens = generator.integers(0, WORDS, (BATCH * ITERATIONS, TOKENS))
    label = generator.integers(0, WORDS, BATCH * ITERATIONS)
    gradients, final = train_pytorch(weights, tokens, label)
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        onnx.save(make_model(weights, form), path("tied.onnx"))
        numpy.savez(path("data.npz"), tokens=tokens, label=label)
        for schedule in schedules:
            name, _, microbatches = schedule.partition("/")
            for processors in range(1, 6):
                run("taktc", path("tied.onnx"), f"--batch={BATCH}",
                    f"--processors={processors}", f"--schedule={name}",
                    f"--microbatches={microbatches or 1}", "--optimizer=momentum",
                    f"--learning-rate={RATE}", "-o", path("p.takt"))
                common = ("takt-run", path("p.takt"), f"--data={path('data.npz')}",
                          "--no-shuffle")
                run(*common, f"--iterations={ITERATIONS}", "--verify")
                if delayed:
                    continue
                run(*common, "--iterations=1", f"--save-gradients={path('g.npz')}")
                run(*common, f"--iterations={ITERATIONS}",
                    f"--save-weights={path('w.npz')}")
                worst = [largest_error(numpy.load(path(file)), expected)
                         for file, expected in (("g.npz", gradients), ("w.npz", final))]
                if not all(error < 1e-5 for error, _ in worst):
                    sys.exit(f"{form} {schedule} P={processors}: PyTorch disagrees: "
                             f"gradients {worst[0]}, weights {worst[1]}")
            print(f"{form} {schedule}: as it should be")


if __name__ == "__main__":
    main()
