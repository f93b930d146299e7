#!/usr/bin/python3
"""Trains networks of networks.py with taktc and takt-run, and with PyTorch.

    compare_networks.py NETWORK…

Each is exported by torch.onnx.export, as one trains: without folding. What is trained
must be the module's parameters and nothing else. The loss of the first minibatch, the gradient
of every parameter there, and every weight after three steps with momentum must be
PyTorch's within 1e-4; a pipelined program must train to the very bits of the
sequential interpreter.
"""

import os
import sys
import tempfile

import numpy
import torch

from harness import run
from networks import NETWORKS
from takt.compare import largest_error
from takt.networks import export
from takt.pytorch_training import train

BATCH, STEPS, RATE, LIMIT = 2, 3, 0.05, 1e-4


def loss_of(model, y, wanted):
    if model.loss == "mse":
        return torch.nn.functional.mse_loss(y, wanted)
    return torch.nn.functional.cross_entropy(y.movedim(model.class_axis, 1), wanted)


def compare(name, directory):
    def path(file):
        return os.path.join(directory, file)

    torch.manual_seed(1)
    model = NETWORKS[name]().train()
    arrays = model.data(numpy.random.default_rng(7), BATCH * STEPS)
    numpy.savez(path("d.npz"), **arrays)
    wanted = torch.from_numpy(arrays.pop("target" if model.loss == "mse" else "label"))
    inputs = {key: torch.from_numpy(value) for key, value in arrays.items()}
    export(model, {key: value[:BATCH] for key, value in inputs.items()}, path("m.onnx"))

    def minibatch_loss(i):
        part = slice(i * BATCH, (i + 1) * BATCH)
        return loss_of(model, model(*[x[part] for x in inputs.values()]), wanted[part])

    loss, gradients, weights = train(
        dict(model.named_parameters()),
        torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9), minibatch_loss, STEPS)

    options = [f"--batch={BATCH}", f"--loss={model.loss}", "--optimizer=momentum",
               f"--learning-rate={RATE}", *getattr(model, "options", [])]
    data = [f"--data={path('d.npz')}", "--no-shuffle"]
    run("taktc", path("m.onnx"), *options, "--processors=2", "--schedule=list",
        "-o", path("p.takt"))
    run("takt-run", path("p.takt"), *data, "--iterations=1",
        f"--save-gradients={path('g.npz')}", f"--save-outputs={path('o.npz')}")
    run("takt-run", path("p.takt"), *data, f"--iterations={STEPS}",
        f"--save-weights={path('w.npz')}")
    run("taktc", path("m.onnx"), *options, "--processors=3", "--schedule=layerpipe",
        "-o", path("q.takt"))
    if "identical" not in run("takt-run", path("q.takt"), *data, "--verify",
                              f"--iterations={STEPS}"):
        sys.exit(f"{name}: the pipelined program is not the interpreter's")
    with numpy.load(path("o.npz")) as outputs:
        ours = loss_of(model, torch.from_numpy(outputs["y"]), wanted[:BATCH]).item()
    with numpy.load(path("g.npz")) as trained:
        if set(trained) != set(gradients):
            sys.exit(f"{name}: trains {sorted(set(trained) ^ set(gradients))} or not")
    errors = [(abs(ours - loss) / abs(loss), "loss"),
              largest_error(numpy.load(path("g.npz")), gradients),
              largest_error(numpy.load(path("w.npz")), weights)]
    print(f"{name}: {len(weights)} parameters; loss, gradients, weights within "
          + ", ".join(f"{error:.1e} ({whose})" for error, whose in errors))
    if not all(error < LIMIT for error, _ in errors):
        sys.exit(f"{name}: PyTorch disagrees")


def main():
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as directory:
            compare(name, directory)


if __name__ == "__main__":
    main()
