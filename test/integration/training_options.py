#!/usr/bin/python3
"""Trains with options of taktc, and the same way with PyTorch, and compares.

    training_options.py MODEL SCHEDULE OPTIMIZER [--freeze=GLOB,…]
                        [--parameter-group=GLOB:SETTINGS …] [--clip-value=V]
                        [--clip-norm=V]

MODEL is a network of test/models/export.py, OPTIMIZER one of compare_pytorch.py.
Gradients of the first minibatch agree within 1e-5, as do weights after 20 updates: an
option that does nothing changes these by more. SCHEDULE may have microbatches:
zb-h1/4. What the options mean is written once more here, in PyTorch's terms:

    --freeze           requires_grad = False
    --parameter-group  the optimizer's param_groups
    --clip-value       torch.nn.utils.clip_grad_value_
    --clip-norm        torch.nn.utils.clip_grad_norm_; gradients are the scaled ones

What is not trained has to stay as it is, bit for bit, and to have no gradient.
"""

import argparse
import fnmatch
import os
import sys
import tempfile

import numpy
import torch

import compare_pytorch
from compare_pytorch import BATCH, EXTRA, ITERATIONS, MODELS, OPTIMIZERS
from harness import run
from takt.compare import largest_error
from takt.pytorch_training import cross_entropy, train


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("schedule")
    parser.add_argument("optimizer", choices=OPTIMIZERS)
    parser.add_argument("--freeze", default="")
    parser.add_argument("--parameter-group", action="append", default=[])
    parser.add_argument("--clip-value", type=float)
    parser.add_argument("--clip-norm", type=float)
    return parser.parse_args()


def matches(name, pattern):
    return fnmatch.fnmatchcase(name, pattern)


def freeze(model, patterns):
    for name, parameter in model.named_parameters():
        if any(matches(name, pattern) for pattern in patterns.split(",")):
            parameter.requires_grad_(False)


def parameter_groups(trained, texts, rate, decay):
    """The optimizer's param_groups: those of the texts, then all others."""
    groups = []
    for text in texts:
        pattern, settings = text.rsplit(":", 1)
        given = {key: float(value) for key, value in
                 (setting.split("=") for setting in settings.split(","))}
        groups.append((pattern, {
            "params": [], "weight_decay": given.get("weight-decay", decay),
            "lr": rate * given.get("learning-rate-factor", 1)}))
    groups.append(("*", {"params": []}))
    for name, parameter in trained.items():
        group = next(g for pattern, g in groups if matches(name, pattern))
        group["params"].append(parameter)
    assert all(group["params"] for _, group in groups[:-1]), "an empty group"
    return [group for _, group in groups if group["params"]]


def make_stepper(arguments, trained):
    plain = OPTIMIZERS[arguments.optimizer](trained.values())
    defaults = plain.defaults
    groups = parameter_groups(trained, arguments.parameter_group, defaults["lr"],
                              defaults["weight_decay"])
    return type(plain)(groups, **defaults)


def train_pytorch(arguments, image, label):
    """(gradients of the first minibatch, weights at the end, the model's weights)"""
    model = compare_pytorch.pytorch_model(arguments.model)
    initial = {key: p.detach().numpy().copy() for key, p in model.named_parameters()}
    freeze(model, arguments.freeze)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}

    scaled = {}  # as the first update is given them

    def clip():
        if arguments.clip_norm:
            torch.nn.utils.clip_grad_norm_(trained.values(), arguments.clip_norm)
            for name, parameter in trained.items():
                scaled.setdefault(name, parameter.grad.numpy().copy())
        if arguments.clip_value:
            torch.nn.utils.clip_grad_value_(trained.values(), arguments.clip_value)

    _, gradients, final = train(
        trained, make_stepper(arguments, trained),
        cross_entropy(model, image, label, BATCH), ITERATIONS, clip)
    return scaled or gradients, final, initial


def train_takt(arguments, image, label):
    """The same of the compiled program. It starts with the model's weights as a
    file, so that the weights it saves are all."""
    def flags():
        schedule, _, microbatches = arguments.schedule.partition("/")
        yield f"--schedule={schedule}"
        yield f"--optimizer={arguments.optimizer}"
        if microbatches:
            yield f"--microbatches={microbatches}"
        if arguments.freeze:
            yield f"--freeze={arguments.freeze}"
        for group in arguments.parameter_group:
            yield f"--parameter-group={group}"
        if arguments.clip_value:
            yield f"--clip-value={arguments.clip_value}"
        if arguments.clip_norm:
            yield f"--clip-norm={arguments.clip_norm}"
        yield from EXTRA[arguments.optimizer]

    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        numpy.savez(path("data.npz"), image=image, label=label)
        numpy.savez(path("initial.npz"), **{
            key: p.detach().numpy() for key, p in
            compare_pytorch.pytorch_model(arguments.model).named_parameters()})
        run("taktc", compare_pytorch.without_dropout(arguments.model, directory),
            f"--batch={BATCH}", "--processors=3", *flags(), "-o", path("p.takt"))
        common = ("takt-run", path("p.takt"), f"--data={path('data.npz')}",
                  f"--weights={path('initial.npz')}", "--no-shuffle")
        run(*common, f"--iterations={ITERATIONS}", "--verify")
        run(*common, "--iterations=1", f"--save-gradients={path('g.npz')}")
        run(*common, f"--iterations={ITERATIONS}", f"--save-weights={path('w.npz')}")
        return dict(numpy.load(path("g.npz"))), dict(numpy.load(path("w.npz")))


def check_frozen(initial, theirs, gradients, weights):
    frozen = set(initial) - set(theirs)
    for name in frozen:
        if name in gradients:
            sys.exit(f"'{name}' is frozen and has a gradient")
        if not numpy.array_equal(weights[name], initial[name]):
            sys.exit(f"'{name}' is frozen and has changed")
    return len(frozen)


def main():
    arguments = parse_arguments()
    generator = numpy.random.default_rng(7)
    samples = BATCH * ITERATIONS
    shape = (samples, *MODELS[arguments.model][1])
    image = generator.standard_normal(shape).astype(numpy.float32)
    label = generator.integers(0, 10, samples)
    theirs, final, initial = train_pytorch(arguments, image, label)
    gradients, weights = train_takt(arguments, image, label)
    frozen = check_frozen(initial, theirs, gradients, weights)
    gradient = largest_error(gradients, theirs)
    weight = largest_error(weights, final)
    print(f"{' '.join(sys.argv[1:])}: {len(theirs)} parameters, {frozen} frozen, "
          f"gradients within {gradient[0]:.1e} ({gradient[1]}), "
          f"weights after {ITERATIONS} updates within {weight[0]:.1e} ({weight[1]})")
    if not (gradient[0] < 1e-5 and weight[0] < 1e-5 and len(theirs) > 0):
        sys.exit("PyTorch disagrees")


if __name__ == "__main__":
    main()
