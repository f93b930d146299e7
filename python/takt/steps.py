"""./dev bench steps: one training step on one thread, takt-run beside PyTorch: time and
memory, network by network.

Both train the same network (torchvision's at 224x224, a GPT and an LSTM) with momentum
and have one minibatch that is made up. Runs take turns, so that what else happens on
the machine meets both: the time of a step is the median of a round's, the ratio the
median over rounds. Memory is the largest resident set less what the process has before
it knows a network: takt-run's with --help, PyTorch's when its libraries are loaded.

PyTorch is that of --python, by default Debian's, whose matrix products are those of
whatever BLAS is installed. Its version and BLAS are printed with the table.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from takt.tools import Tools, table, write_csv

# Batch of each of torchvision's networks.
IMAGES = {"alexnet": 8, "vgg11_bn": 2, "resnet18": 4, "resnet50": 2, "mobilenet_v2": 4,
          "squeezenet1_1": 8, "shufflenet_v2_x1_0": 8, "efficientnet_b0": 4,
          "densenet121": 2, "convnext_tiny": 1, "vit_b_16": 1, "swin_t": 1}
NETWORKS = [*IMAGES, "gpt", "lstm"]
WORDS, LENGTH, BATCH = 4096, 64, 4  # of the language models
RATE, MOMENTUM = 0.01, 0.9
COLUMNS = ["network", "batch", "takt ms", "PyTorch ms", "time", "takt MiB",
           "PyTorch MiB", "memory"]


def example(name):
    """(module, input by name, labels, axis of the classes)"""
    import torch
    from takt import networks
    torch.manual_seed(1)
    if name in IMAGES:
        import torchvision
        model = torchvision.models.get_model(name, weights=None)
        for module in model.modules():
            if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
                module.p = 0.0
            if isinstance(module, torch.nn.MultiheadAttention):
                module.dropout = 0.0
        inputs = {"image": torch.randn(IMAGES[name], 3, 224, 224)}
        return model, inputs, torch.randint(0, 1000, (IMAGES[name],)), 1
    model = (networks.Gpt(WORDS, LENGTH, width=256, heads=4, layers=6, inner=1024)
             if name == "gpt" else networks.Recurrent(WORDS, width=256))
    inputs = {"ids": torch.randint(0, WORDS, (BATCH, LENGTH))}
    return model, inputs, torch.randint(0, WORDS, (BATCH, LENGTH)), 2


def export(name, path):
    from takt import networks
    model, inputs, _, _ = example(name)
    networks.export(model.train(), inputs, path, opset=17)


def resident(field):
    """MiB of this process, a field of /proc/self/status."""
    with open("/proc/self/status") as status:
        return int(re.search(field + r":\s+(\d+)", status.read()).group(1)) / 1024


def serve(name):
    """The side of PyTorch: for each line of standard input that asks for N steps prints
    the median of their seconds, at its end the MiB that the process has grown by."""
    import torch
    try:
        import torchvision  # noqa: F401, part of what is loaded before
    except ImportError:
        pass
    torch.set_num_threads(1)
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # the largest resident set is that from now on
    before = resident("VmRSS")
    model, inputs, labels, axis = example(name)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)

    def step():
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        scores = model(*inputs.values())
        torch.nn.functional.cross_entropy(scores.movedim(axis, 1), labels).backward()
        optimizer.step()
        return time.perf_counter() - begin

    step()
    print(f"ready {torch.__version__}, "
          f"{'MKL' if torch.backends.mkl.is_available() else 'no MKL'}", flush=True)
    for line in sys.stdin:
        print(statistics.median(step() for _ in range(int(line))), flush=True)
    print(resident("VmHWM") - before, flush=True)


class Torch:
    """A process of the other side."""

    def __init__(self, python, name):
        self.process = subprocess.Popen(
            [python, "-m", "takt.steps", f"--serve={name}"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = self.process.stdout.readline().split(maxsplit=1)
        if not ready:
            sys.exit(f"PyTorch does not train {name}")
        self.version = ready[1].strip()

    def seconds(self, steps):
        print(steps, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def mebibytes(self):
        self.process.stdin.close()
        return float(self.process.stdout.readline())


def run(tools, *arguments):
    """(seconds of an iteration, largest MiB) of a takt-run"""
    process = subprocess.Popen([os.path.join(tools.bin, "takt-run"), *arguments],
                               stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"takt-run {' '.join(arguments)} failed")
    found = re.search(r"iteration: ([\d.]+) ms", text)
    return float(found.group(1)) / 1e3 if found else 0, usage.ru_maxrss / 1024


def measure(tools, python, name, rounds, steps):
    """A row of the table, and what PyTorch says of itself."""
    with tempfile.TemporaryDirectory() as directory:
        model, program = (os.path.join(directory, file) for file in ("m.onnx", "m.takt"))
        subprocess.run([sys.executable, "-m", "takt.steps", "--export", name, model],
                       check=True)
        tools.run("taktc", model, "--loss=softmax-cross-entropy", "--optimizer=momentum",
                  f"--momentum={MOMENTUM}", f"--learning-rate={RATE}", "--processors=1",
                  "--schedule=sequential", f"--class-axis={1 if name in IMAGES else 2}",
                  "-o", program)
        theirs, pairs, peak = Torch(python, name), [], 0
        for _ in range(rounds):
            seconds, mebibytes = run(tools, program, "--profile",
                                     f"--iterations={1 + steps}")
            pairs.append((seconds, theirs.seconds(steps)))
            peak = max(peak, mebibytes)
    ours_peak = peak - run(tools, "--help")[1]
    theirs_peak = theirs.mebibytes()
    return [name, IMAGES.get(name, BATCH),
            1e3 * statistics.median(a for a, _ in pairs),
            1e3 * statistics.median(b for _, b in pairs),
            statistics.median(a / b for a, b in pairs),
            ours_peak, theirs_peak, ours_peak / theirs_peak], theirs.version


def geometric_mean(values):
    return math.exp(statistics.mean(map(math.log, values)))


def compare(tools, out, python, names, rounds, steps):
    rows, version = [], ""
    for name in names:
        row, version = measure(tools, python, name, rounds, steps)
        rows.append(row)
        print(json.dumps(dict(zip(COLUMNS, row))), flush=True)
    digits = [None, 0, 1, 1, 2, 0, 0, 2]
    print("\n" + table([[cell if places is None else f"{cell:.{places}f}"
                         for cell, places in zip(row, digits)] for row in rows], COLUMNS))
    for what in ("time", "memory"):
        ratios = [row[COLUMNS.index(what)] for row in rows]
        print(f"{what}, takt-run / PyTorch {version}: geometric mean "
              f"{geometric_mean(ratios):.2f}, worst {max(ratios):.2f}")
    write_csv(os.path.join(out, "steps.csv"), COLUMNS, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin")
    parser.add_argument("--out")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="of a round")
    parser.add_argument("--python", default=sys.executable,
                        help="whose PyTorch, and torchvision, to compare with")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--export", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments.serve)
    if arguments.export:
        return export(*arguments.export)
    out = os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    compare(Tools(arguments.bin), out, arguments.python, arguments.networks.split(","),
            arguments.rounds, arguments.steps)


if __name__ == "__main__":
    main()
