#!/usr/bin/python3
"""Pools that PyTorch has too, the way there and back: results and gradients of one step
against PyTorch's, in one, two and three dimensions."""

import os
import sys
import tempfile

import numpy
import onnx
import onnx.parser
import torch
from onnx import numpy_helper
from torch.nn import functional

from harness import run

BATCH, CHANNELS = 4, 3
# Spatial sizes, of which the pools leave something over.
SIZES = {1: (17,), 2: (9, 12), 3: (6, 7, 8)}


def network(n, shape, features):
    """Weights w in front of the pools, v between a pool and its way back."""
    image = "x".join(map(str, shape))
    k = [3, 2, 2][:n]
    return f"""< ir_version: 8, opset_import: ["" : 19] >
pools{n} (float[{BATCH}, {CHANNELS}, {image.replace("x", ", ")}] x) => (float[{BATCH}, {features}] y)
{{
  a = Mul (x, w)
  largest, where = MaxPool <kernel_shape = {k}, strides = {k}> (a)
  scaled = Mul (largest, v)
  whole = Constant <value_ints = [{BATCH}, {CHANNELS}, {image.replace("x", ", ")}]> ()
  back = MaxUnpool <kernel_shape = {k}, strides = {k}> (scaled, where, whole)
  b = Add (back, a)
  wide = MaxPool <kernel_shape = {k}, dilations = {[2] * n}, pads = {[1] * (2 * n)}, ceil_mode = 1, strides = {[2] * n}> (b)
  even = AveragePool <kernel_shape = {k}, dilations = {[2] * n}> (b)
  norm = LpPool <kernel_shape = {k}, strides = {[2] * n}, p = 2> (b)
  positive = Sigmoid (b)
  cubic = LpPool <kernel_shape = {k}, strides = {[2] * n}, p = 3, ceil_mode = 1> (positive)
  all = GlobalLpPool (b)
  f0 = Flatten (wide)
  f1 = Flatten (even)
  f2 = Flatten (norm)
  f3 = Flatten (cubic)
  f4 = Flatten (all)
  y = Concat <axis = 1> (f0, f1, f2, f3, f4)
}}"""


def pool(name, n):
    return getattr(functional, f"{name}{n}d")


def norm(x, n, p, kernel, ceil_mode=False):
    """PyTorch's own has no form for three dimensions, and takes windows that hang over
    the end for larger than they are."""
    if n < 3 and not ceil_mode:
        return pool("lp_pool", n)(x, p, kernel if n > 1 else kernel[0], 2)
    padded = functional.pad(x, [0, int(ceil_mode)] * n)
    sums = pool("avg_pool", n)(padded.abs() ** p, kernel, 2)
    return (sums * float(numpy.prod(kernel))) ** (1 / p)


def forward(x, w, v, n):
    k = [3, 2, 2][:n]
    a = x * w
    largest, where = pool("max_pool", n)(a, k, k, return_indices=True)
    back = pool("max_unpool", n)(largest * v, where, k, k, output_size=a.shape)
    b = back + a
    wide = pool("max_pool", n)(b, k, 2, 1, 2, True)
    ones = torch.ones(CHANNELS, 1, *k) / float(numpy.prod(k))
    even = pool("conv", n)(b, ones, dilation=2, groups=CHANNELS)
    parts = [wide, even, norm(b, n, 2.0, k),
             norm(torch.sigmoid(b), n, 3.0, k, True),
             b.flatten(2).norm(dim=2)]
    return torch.cat([part.flatten(1) for part in parts], 1)


def check(n, directory):
    generator = numpy.random.default_rng(n)

    def numbers(*shape):
        return generator.standard_normal(shape).astype("f4")

    def file(name):
        return os.path.join(directory, name)

    shape, k = SIZES[n], [3, 2, 2][:n]
    values = {"w": numbers(CHANNELS, *shape),
              "v": numbers(CHANNELS, *(size // step for size, step in zip(shape, k)))}
    data = {"x": numbers(BATCH, CHANNELS, *shape)}
    w = {name: torch.from_numpy(array).requires_grad_() for name, array in values.items()}
    y = forward(torch.from_numpy(data["x"]), w["w"], w["v"], n)
    data["target"] = numbers(*y.shape)
    functional.mse_loss(y, torch.from_numpy(data["target"])).backward()
    model = onnx.parser.parse_model(network(n, shape, y.shape[1]))
    model.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in values.items())
    onnx.save(model, file("m.onnx"))
    numpy.savez(file("d.npz"), **data)
    run("taktc", file("m.onnx"), "--loss=mse", "--schedule=sequential", "-o", file("p.takt"))
    run("takt-run", file("p.takt"), f"--data={file('d.npz')}", "--no-shuffle",
        "--iterations=1", f"--save-gradients={file('g.npz')}", f"--save-outputs={file('o.npz')}")
    with numpy.load(file("g.npz")) as gradients:
        for name, parameter in w.items():
            expected = parameter.grad.numpy()
            error = numpy.abs(gradients[name] - expected).max() / numpy.abs(expected).max()
            if not error < 1e-4:
                sys.exit(f"{n}D: gradient of {name} differs by {error}")
    with numpy.load(file("o.npz")) as outputs:
        ours = outputs["y"].reshape(y.shape)
        if not numpy.allclose(ours, y.detach().numpy(), rtol=1e-4, atol=1e-5):
            sys.exit(f"{n}D: results differ by {abs(ours - y.detach().numpy()).max()}")
    print(f"{n}D pools: PyTorch's results and gradients")


def main():
    with tempfile.TemporaryDirectory() as directory:
        for n in SIZES:
            check(n, directory)


if __name__ == "__main__":
    main()
