#!/usr/bin/python3
"""Networks that draw random numbers: the same ones under every schedule.

With a network whose activations get normally distributed noise and are kept or
not by draws of Bernoulli's distribution, whose probabilities are trained
parameters' functions, too:

  - every kind of schedule does what the sequential interpreter does, bit for bit;
  - what is made again for the backward pass is drawn again: same weights;
  - its gradients are PyTorch's where PyTorch is given the numbers drawn;
  - the numbers are others in every minibatch, node and seed, and distributed as
    the model says.
"""

import os
import sys
import tempfile

import numpy
import onnx
import onnx.parser
from onnx import numpy_helper
import torch

from harness import run

NETWORK = """< ir_version: 8, opset_import: ["" : 15] >
noisy (float[8, 6] x) => (float[8, 4] y%s)
  < float[6, 16] w1, float[16] b1, float[16, 16] w2, float[16, 4] w3 >
{
  h = Gemm (x, w1, b1)
  noise = RandomNormalLike <mean = 0.1, scale = 0.5> (h)
  noisy = Add (h, noise)
  a = Tanh (noisy)
  p = MatMul (a, w2)
  probability = Sigmoid (p)
  kept = Bernoulli <seed = 3.0> (probability)
  uniform = RandomUniformLike <low = 0.5, high = 1.5> (a)
  b = Mul (a, kept)
  c = Mul (b, uniform)
  d = Mul (c, p)
  y = MatMul (d, w3)
}"""

DRAWS = """< ir_version: 8, opset_import: ["" : 15] >
draws (float[100, 50] x) => (n, m, s, t, u, k, chosen)
{
  n = RandomNormal <shape = [100, 50], mean = 2.0, scale = 3.0> ()
  m = RandomNormal <shape = [100, 50], mean = 2.0, scale = 3.0> ()
  s = RandomNormal <shape = [100, 50], seed = 1.0> ()
  t = RandomNormal <shape = [100, 50], seed = 1.0> ()
  u = RandomUniform <shape = [100, 50], low = -1.0, high = 3.0> ()
  k = Bernoulli (x)
  chosen = Multinomial <sample_size = 200> (x)
}"""


def initializers(generator):
    shapes = {"w1": (6, 16), "b1": (16,), "w2": (16, 16), "w3": (16, 4)}
    return {name: generator.standard_normal(shape).astype("f4") / 2
            for name, shape in shapes.items()}


def write(path, text, values=None):
    model = onnx.parser.parse_model(text)
    if values:
        del model.graph.initializer[:]
        model.graph.initializer.extend(
            numpy_helper.from_array(array, name) for name, array in values.items())
    onnx.save(model, path)


def load(path):
    with numpy.load(path) as arrays:
        return {name: arrays[name] for name in arrays}


def check_schedules(model, file):
    """With nothing and with all made again; the weights are the same."""
    for schedule in ("sequential", "1f1b --microbatches=4", "zb-v --microbatches=4",
                     "pipedream", "layerpipe"):
        weights = []
        for again in ("none", "full"):
            command = ["taktc", model, "--loss=mse", "--batch=8", "--processors=2",
                       "--cost=macs", *f"--schedule={schedule}".split()]
            run(*command, f"--recompute={again}", "-o", file("p.takt"))
            text = run("takt-run", file("p.takt"), "--iterations=10", "--verify")
            if "identical" not in text:
                sys.exit(f"{schedule}: {text}")
            run("takt-run", file("p.takt"), "--iterations=10",
                f"--save-weights={file('w.npz')}")
            weights.append(load(file("w.npz")))
        if "pipe" not in schedule:  # whose delays depend on times
            for name, expected in weights[0].items():
                assert numpy.array_equal(weights[1][name], expected), (schedule, name)
        print(f"{schedule}: the interpreter's weights")


def check_gradients(model, values, generator, file):
    data = {"x": generator.standard_normal((8, 6)).astype("f4"),
            "target": generator.standard_normal((8, 4)).astype("f4")}
    numpy.savez(file("d.npz"), **data)
    numpy.savez(file("x.npz"), x=data["x"])
    run("taktc", model, "--loss=mse", "--schedule=sequential", "-o", file("p.takt"))
    run("takt-run", file("p.takt"), f"--data={file('d.npz')}", "--no-shuffle",
        "--iterations=1", f"--save-gradients={file('g.npz')}")
    write(file("drawn.onnx"), NETWORK % ", noise, kept, uniform", values)
    run("taktc", file("drawn.onnx"), "--mode=forward", "-o", file("f.takt"))
    run("takt-run", file("f.takt"), f"--data={file('x.npz')}",
        f"--save-outputs={file('o.npz')}")
    drawn = {name: torch.from_numpy(array) for name, array in load(file("o.npz")).items()}
    w = {name: torch.from_numpy(array).requires_grad_() for name, array in values.items()}
    a = torch.tanh(torch.from_numpy(data["x"]) @ w["w1"] + w["b1"] + drawn["noise"])
    p = a @ w["w2"]
    y = (a * drawn["kept"] * drawn["uniform"] * p) @ w["w3"]
    assert torch.allclose(y, drawn["y"], rtol=1e-4, atol=1e-5), "another forward pass"
    torch.nn.functional.mse_loss(y, torch.from_numpy(data["target"])).backward()
    gradients = load(file("g.npz"))
    for name, parameter in w.items():
        expected = parameter.grad.numpy()
        error = numpy.abs(gradients[name] - expected).max() / numpy.abs(expected).max()
        assert error < 1e-4, (name, error)
    print("gradients: PyTorch's")


def check_draws(file):
    """Errors of means are at most four standard errors."""
    write(file("draws.onnx"), DRAWS)
    run("taktc", file("draws.onnx"), "--mode=forward", "-o", file("f.takt"))
    x = numpy.full((200, 50), 0.3, "f4")
    x[:, 0] = 0.3 + numpy.log(10)
    x[:, 1], x[:, 2] = 1, 0
    numpy.savez(file("x.npz"), x=x)
    run("takt-run", file("f.takt"), f"--data={file('x.npz')}",
        f"--save-outputs={file('o.npz')}")
    drawn = load(file("o.npz"))
    n, m = drawn["n"], drawn["m"]
    assert not numpy.array_equal(n, m) and numpy.array_equal(drawn["s"], drawn["t"])
    assert not numpy.array_equal(n[:100], n[100:]), "the same in two minibatches"
    count = n.size
    assert abs(n.mean() - 2) < 4 * 3 / count ** 0.5 and abs(n.std() - 3) < 0.1
    u = drawn["u"]
    assert u.min() >= -1 and u.max() < 3 and abs(u.mean() - 1) < 4 * 1.16 / count ** 0.5
    k = drawn["k"]
    assert set(numpy.unique(k)) == {0, 1} and k[:, 1].all() and not k[:, 2].any()
    assert abs(k[:, 3:].mean() - 0.3) < 4 * 0.46 / (200 * 47) ** 0.5
    chosen = drawn["chosen"]
    assert chosen.dtype == numpy.int32 and chosen.min() >= 0 and chosen.max() < 50
    weights = numpy.exp(x[0].astype("f8"))
    share = weights[0] / weights.sum()
    error = (share * (1 - share) / chosen.size) ** 0.5
    assert abs((chosen == 0).mean() - share) < 4 * error, (chosen == 0).mean()
    print("draws: distributed as they should be")


def main():
    generator = numpy.random.default_rng(5)
    with tempfile.TemporaryDirectory() as directory:
        def file(name):
            return os.path.join(directory, name)
        values = initializers(generator)
        write(file("noisy.onnx"), NETWORK % "", values)
        check_schedules(file("noisy.onnx"), file)
        check_gradients(file("noisy.onnx"), values, generator, file)
        check_draws(file)


if __name__ == "__main__":
    main()
