"""Time of a training step of ResNet-18 (64x64, batch 8), one thread each:
takt-run with one processor beside PyTorch, in turn, in one run."""

import os
import statistics
import time

from takt.tools import MODELS

BATCH, WARM_UP, STEPS, ROUNDS = 8, 3, 10, 5


def pytorch_steps():
    """A function that trains STEPS steps and returns the seconds of one."""
    import torch
    import torchvision.models as zoo
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = zoo.resnet18().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    image = torch.randn(BATCH, 3, 64, 64)
    label = torch.randint(0, 1000, (BATCH,))

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(image), label).backward()
        optimizer.step()

    for _ in range(WARM_UP):
        step()

    def timed():
        before = time.perf_counter()
        for _ in range(STEPS):
            step()
        return (time.perf_counter() - before) / STEPS

    return timed


def takt_steps(tools, out):
    program = os.path.join(out, "resnet18-64.takt")
    tools.run("taktc", os.path.join(MODELS, "light-resnet18-64.onnx"),
              f"--batch={BATCH}", "--loss=softmax-cross-entropy", "--processors=1",
              "--schedule=sequential", "--learning-rate=0.01", "-o", program)

    def seconds(iterations):
        before = time.perf_counter()
        tools.run("takt-run", program, f"--iterations={iterations}")
        return time.perf_counter() - before

    # The difference of two runs leaves out loading and warming up.
    return lambda: (seconds(WARM_UP + STEPS) - seconds(WARM_UP)) / STEPS


def main(tools, out):
    try:
        theirs = pytorch_steps()
    except ImportError as error:
        print(f"\nPyTorch is not installed ({error}): no comparison of the executor")
        return
    ours = takt_steps(tools, out)
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"\nResNet-18, 64x64, batch {BATCH}, one thread: takt-run "
          f"{1e3 * statistics.median(a for a, _ in pairs):.1f} ms, PyTorch "
          f"{1e3 * statistics.median(b for _, b in pairs):.1f} ms a step; "
          f"ratio {ratio:.2f} (median of {ROUNDS} pairs)")
