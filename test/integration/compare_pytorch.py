#!/usr/bin/python3
"""Trains with taktc and takt-run, and with PyTorch, and compares.

    compare_pytorch.py MODEL SCHEDULE OPTIMIZER

MODEL is a network of test/models/export.py. Compared are the gradients of the
first minibatch (relative error of each parameter's gradient below 1e-4) and the
weights after 20 updates (below 1e-3: rounding differences grow while training).
Batch normalization's running variance is left out: PyTorch keeps the unbiased
variance, ONNX the population variance.
"""

import os
import sys
import tempfile

import numpy
import onnx
import torch
from onnx import numpy_helper

from harness import model_file, run
from takt.compare import largest_error
from takt.networks import digits_resnet
from takt.pytorch_training import cross_entropy, train
import export

MODELS = {"lenet": (export.lenet, (1, 28, 28)),
          "vgg-block": (export.vgg_block, (3, 16, 16)),
          "resnet-block": (export.resnet_block, (3, 16, 16)),
          "mobile-block": (export.MobileBlock, (3, 16, 16)),
          "convnext-block": (export.convnext_block, (3, 16, 16)),
          "digits-resnet8": (lambda: digits_resnet(8), (1, 8, 8))}
BATCH, ITERATIONS, RATE = 8, 20, 0.02
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=RATE),
    "momentum": lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.001),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.001, weight_decay=0.1),
}
EXTRA = {"sgd": [f"--learning-rate={RATE}"], "momentum": [f"--learning-rate={RATE}"],
         "adam": ["--learning-rate=0.001"],
         "adamw": ["--learning-rate=0.001", "--weight-decay=0.1"]}


def without_dropout(name, directory):
    """The model's file, dropout ratios set to 0: generators differ."""
    model = onnx.load(model_file(name))
    ratios = {node.input[1] for node in model.graph.node
              if node.op_type == "Dropout" and len(node.input) > 1}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] in ratios:
            node.attribute[0].t.CopyFrom(
                numpy_helper.from_array(numpy.array(0, dtype=numpy.float32)))
    path = os.path.join(directory, name + ".onnx")
    onnx.save(model, path)
    return path


def pytorch_model(name):
    torch.manual_seed(1)
    model = MODELS[name][0]().train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    # The weights come from the file, whatever generator made them.
    file = onnx.load(model_file(name))
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
              for t in file.graph.initializer}
    state = {key: values.get(key, value) for key, value in model.state_dict().items()}
    model.load_state_dict(state)
    missing = [key for key, _ in model.named_parameters() if key not in values]
    assert not missing, f"not in the ONNX file: {missing}"
    return model


def main():
    name, schedule, optimizer = sys.argv[1:4]
    generator = numpy.random.default_rng(7)
    samples = BATCH * ITERATIONS
    image = generator.standard_normal((samples, *MODELS[name][1])).astype(numpy.float32)
    label = generator.integers(0, 10, samples)
    model = pytorch_model(name)
    _, theirs, final = train(
        dict(model.named_parameters()), OPTIMIZERS[optimizer](model.parameters()),
        cross_entropy(model, image, label, BATCH), ITERATIONS)
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        numpy.savez(path("data.npz"), image=image, label=label)
        run("taktc", without_dropout(name, directory), f"--batch={BATCH}",
            "--processors=3", f"--schedule={schedule}", f"--optimizer={optimizer}",
            "--loss=softmax-cross-entropy", *EXTRA[optimizer], "-o", path("p.takt"))
        run("takt-run", path("p.takt"), f"--data={path('data.npz')}", "--no-shuffle",
            "--iterations=1", f"--save-gradients={path('g.npz')}")
        run("takt-run", path("p.takt"), f"--data={path('data.npz')}", "--no-shuffle",
            f"--iterations={ITERATIONS}", f"--save-weights={path('w.npz')}")
        gradient = largest_error(numpy.load(path("g.npz")), theirs)
        weight = largest_error(numpy.load(path("w.npz")), final)
    print(f"{name} {schedule} {optimizer}: {len(theirs)} parameters, "
          f"gradients within {gradient[0]:.1e} ({gradient[1]}), "
          f"weights after {ITERATIONS} updates within {weight[0]:.1e} ({weight[1]})")
    if not (gradient[0] < 1e-4 and weight[0] < 1e-3 and len(theirs) > 0):
        sys.exit("PyTorch disagrees")


if __name__ == "__main__":
    main()
