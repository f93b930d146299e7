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
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch

from networks import NETWORKS

BATCH, STEPS, RATE, LIMIT = 2, 3, 0.05, 1e-4


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def export(model, inputs, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, tuple(inputs.values()), path, opset_version=16,
                          input_names=list(inputs), output_names=["y"],
                          do_constant_folding=False,
                          training=torch.onnx.TrainingMode.TRAINING)


def loss_of(kind, y, wanted):
    if kind == "mse":
        return torch.nn.functional.mse_loss(y, wanted)
    return torch.nn.functional.cross_entropy(y, wanted)


def train(model, inputs, wanted):
    """(loss and gradients of the first minibatch, weights at the end)"""
    stepper = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    first = None
    for step in range(STEPS):
        part = slice(step * BATCH, (step + 1) * BATCH)
        stepper.zero_grad()
        y = model(*[x[part] for x in inputs.values()])
        loss = loss_of(model.loss, y, wanted[part])
        loss.backward()
        if first is None:
            first = loss.item(), {name: p.grad.numpy().copy()
                                  for name, p in model.named_parameters()}
        stepper.step()
    return (*first, {name: p.detach().numpy()
                     for name, p in model.named_parameters()})


def worst(ours, theirs):
    """Largest relative error of a parameter, and whose. What is below a thousandth
    of the largest is rounding noise: a bias of the keys has no gradient."""
    floor = 1e-3 * max(numpy.linalg.norm(value) for value in theirs.values())
    errors = [(float(numpy.linalg.norm(ours[name] - value)
                     / max(numpy.linalg.norm(value), floor)), name)
              for name, value in theirs.items()]
    return max(errors)


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
    loss, gradients, weights = train(model, inputs, wanted)

    options = [f"--batch={BATCH}", f"--loss={model.loss}", "--optimizer=momentum",
               f"--learning-rate={RATE}"]
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
        ours = loss_of(model.loss, torch.from_numpy(outputs["y"]),
                       wanted[:BATCH]).item()
    with numpy.load(path("g.npz")) as trained:
        if set(trained) != set(gradients):
            sys.exit(f"{name}: trains {sorted(set(trained) ^ set(gradients))} or not")
    errors = [(abs(ours - loss) / abs(loss), "loss"),
              worst(numpy.load(path("g.npz")), gradients),
              worst(numpy.load(path("w.npz")), weights)]
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
