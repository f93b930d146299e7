"""./dev bench convergence: what staleness costs. Trains three networks on real
handwritten digits with the program of every delayed schedule, from several seeds, and
prints the accuracy beside the interval; where LayerPipe costs accuracy, what cures it,
and what that costs in turn."""

import argparse
import os
import re
import statistics
import sys

import numpy
import onnx
from onnx import numpy_helper

from takt.tools import DATA, MODELS, Tools, quantity, table, write_csv

NETWORKS = ["digits-resnet8", "digits-vgg", "digits-lenet"]
PROCESSORS = [2, 4, 8]
SEEDS = 5
BATCH = 32
ITERATIONS = 400
OPTIMIZER = ["--optimizer=momentum", "--learning-rate=0.02"]
# They choose among the others.
CHOOSERS = {"ilp", "auto"}
# Microbatches of a step, where a schedule pipelines these.
MICROBATCHES = {"pipedream-2bw": lambda processors: processors}
COLUMNS = ["network", "P", "schedule", "weights", "interval (cycles)", "speedup",
           "staleness", "copies", "accuracy (%)", "spread", "to sequential"]


def model(network):
    return os.path.join(MODELS, network + ".onnx")


def initial_weights(network, seed, path):
    """Writes initial parameters: matrices and kernels as He et al. 2015 draw them,
    the rest as the model has it."""
    random = numpy.random.default_rng(seed)
    arrays = {}
    for tensor in onnx.load(model(network)).graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == numpy.float32 and value.ndim >= 2:
            fan_in = value[0].size
            arrays[tensor.name] = random.normal(
                0, (2 / fan_in) ** 0.5, value.shape).astype(numpy.float32)
    numpy.savez(path, **arrays)


class Trainer:
    """Compiles one network's programs and trains them."""

    def __init__(self, tools, out, network, iterations=ITERATIONS):
        self.tools, self.out, self.network = tools, out, network
        self.iterations = iterations
        self.forward = os.path.join(out, f"{network}-forward.takt")
        tools.run("taktc", model(network), "--mode=forward", "--batch=13",
                  "--schedule=sequential", "-o", self.forward)

    def options(self, processors, schedule, *options):
        microbatches = MICROBATCHES.get(schedule, lambda _: 1)(processors)
        return [f"--batch={BATCH}", f"--processors={processors}",
                f"--schedule={schedule}", f"--microbatches={microbatches}",
                "--loss=softmax-cross-entropy", *OPTIMIZER, *options]

    def report(self, processors, schedule, *options):
        return self.tools.report(
            model(self.network), os.path.join(self.out, "report.json"),
            *self.options(processors, schedule, *options))["schedules"][0]

    def accuracies(self, processors, schedule, *options, seeds=SEEDS):
        """Test accuracy in per cent from each seed: of the initial weights, and of
        the order of the samples."""
        program = os.path.join(self.out, "convergence.takt")
        start = os.path.join(self.out, "initial.npz")
        end = os.path.join(self.out, "trained.npz")
        self.tools.run("taktc", model(self.network),
                       *self.options(processors, schedule, *options), "-o", program)
        reached = []
        for seed in range(seeds):
            initial_weights(self.network, seed, start)
            self.tools.run("takt-run", program, f"--data={DATA}/digits-train.npz",
                           f"--iterations={self.iterations}", f"--seed={seed}",
                           f"--weights={start}", f"--save-weights={end}")
            text = self.tools.run("takt-run", self.forward, f"--weights={end}",
                                  f"--data={DATA}/digits-test.npz")
            reached.append(float(re.search(r"accuracy\D*([0-9.]+)\s*%", text)[1]))
        return reached


def delayed_schedules(trainer):
    """All of the registry that delay gradients and update once for so many samples;
    replicated stages update once for several minibatches."""
    names = []
    for line in trainer.tools.run("taktc", "--list-schedules").splitlines():
        if not line.strip():
            break
        name = line.split()[0]
        if name in CHOOSERS:
            continue
        entry = trainer.report(2, name)
        if entry["semantics"] == "delayed" and "replicas" not in entry:
            names.append(name)
    return names


# Of LayerPipe2: plain training, versions kept, none kept, and an average of steps.
ARMS = [("plain", "sequential", []), ("stash", "layerpipe", ["--weights=stash"]),
        ("latest weight", "layerpipe", ["--weights=latest"]),
        ("moving average", "layerpipe2", [])]


def arms(trainer, processors, seeds=SEEDS):
    """Mean accuracy by arm, printed."""
    means, rows = {}, []
    for name, schedule, options in ARMS:
        reached = trainer.accuracies(processors, schedule, *options, seeds=seeds)
        means[name] = statistics.mean(reached)
        copies = trainer.report(processors, schedule, *options)["weight_versions"]
        rows.append([name, schedule, max(copies.values()), f"{means[name]:.2f}",
                     " ".join(f"{value:.2f}" for value in reached)])
    print(f"\n{trainer.network}, {processors} processors, {seeds} seeds")
    print(table(rows, ["arm", "schedule", "copies of a weight", "mean accuracy (%)",
                       "each seed"]), flush=True)
    return means


# By what stale gradients can be borne: fewer stages, less momentum, smaller steps
# (PipeMare's T1, all along), and with these more of them; how many times as many, and
# the options.
SMALLER_STEPS = "--learning-rate-by-delay=1000000000"
REMEDIES = [(1, []), (1, ["--stages=2"]), (1, ["--stages=2", "--momentum=0.7"]),
            (1, ["--stages=2", SMALLER_STEPS]), (2, ["--stages=2", SMALLER_STEPS]),
            (1, [SMALLER_STEPS]), (3, [SMALLER_STEPS])]
# Points of accuracy below sequential training from which on a cure is wanted.
WORTH_A_CURE = 2.0


def remedies(tools, out, network, processors, iterations, seeds, plain):
    """LayerPipe's accuracies with each remedy, printed. `plain`: that of sequential
    training. The last column is the speedup of the whole training."""
    rows = []
    for times, options in REMEDIES:
        trainer = Trainer(tools, out, network, times * iterations)
        entry = trainer.report(processors, "layerpipe", *options)
        reached = trainer.accuracies(processors, "layerpipe", *options, seeds=seeds)
        mean = statistics.mean(reached)
        rows.append([" ".join(["layerpipe", *options]), trainer.iterations,
                     max(entry["staleness"].values()), f"{mean:.2f}",
                     f"{min(reached):.2f}", f"{mean - plain:+.2f}",
                     f"{entry['speedup']:.2f}", f"{entry['speedup'] / times:.2f}"])
    print(f"\n{network}, {processors} processors: what cures LayerPipe's staleness")
    print(table(rows, ["", "minibatches", "staleness", "accuracy (%)", "worst seed",
                       "to sequential", "speedup", "of the training"]), flush=True)


def rows_of(trainer, schedules, seeds):
    """One row for each number of processors and schedule, sequential first."""
    plain = statistics.mean(trainer.accuracies(1, "sequential", seeds=seeds))
    rows = [[trainer.network, 1, "sequential", "", trainer.report(1, "sequential")[
        "iteration_cycles"], 1.0, 0, 1, plain, 0.0, 0.0]]
    for processors in PROCESSORS:
        for schedule, *options in schedules:
            entry = trainer.report(processors, schedule, *options)
            reached = trainer.accuracies(processors, schedule, *options, seeds=seeds)
            mean = statistics.mean(reached)
            rows.append([trainer.network, processors, " ".join([schedule, *options]),
                         entry["weights"], entry["iteration_cycles"],
                         entry["speedup"], max(entry["staleness"].values()),
                         max(entry["weight_versions"].values()), mean,
                         max(reached) - min(reached), mean - plain])
    return rows


def print_rows(rows):
    print("\n" + table([[*row[:4], quantity(row[4]), f"{row[5]:.2f}", *row[6:8],
                         *(f"{value:.2f}" for value in row[8:])] for row in rows],
                       COLUMNS), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    networks = arguments.networks.split(",")
    if set(networks) - set(NETWORKS):
        sys.exit(f"--networks: expected some of {', '.join(NETWORKS)}")

    trainers = [Trainer(tools, out, network, arguments.iterations)
                for network in networks]
    for processors in PROCESSORS[1:]:
        arms(trainers[0], processors, arguments.seeds)
    everything = []
    for trainer in trainers:
        schedules = [[name] for name in delayed_schedules(trainer)]
        rows = rows_of(trainer, schedules + [["layerpipe", "--weights=latest"]],
                       arguments.seeds)
        print_rows(rows)
        everything += rows
        plain = rows[0][8]
        for row in rows:
            if row[2:4] == ["layerpipe", "stash"] and row[8] < plain - WORTH_A_CURE:
                remedies(tools, out, trainer.network, row[1], arguments.iterations,
                         arguments.seeds, plain)
    write_csv(os.path.join(out, "convergence.csv"), COLUMNS, everything)


if __name__ == "__main__":
    main()
