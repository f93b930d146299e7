"""./dev bench everywhere: LayerPipe from 2 to 16 processors on many networks, beside
PipeDream, straight and replicated.

For each number of processors
  (a) the gain over PipeDream of the fastest schedule that moves no more bytes than
      PipeDream's: PipeDream's own at the worst; some processors may idle,
  (b) the speedup with cuts of dgrads only, as LayerPipe has it, and the share of the
      bound (resources, largest uncut task) that it reaches,
  (c) the speedup with cuts of every task, over the number of processors,
and with the replicated pipeline of PipeDream's own planner, which updates once for
several minibatches, the gain over it of the fastest schedule that updates after every
one, and of the fastest layerpipe-replicated, which may have replicas too, that needs
no more bytes and memory (0: none of those tried).
"""

import argparse
import os
import sys

from takt.tools import MODELS, Tools, table, write_csv

NETWORKS = ["vgg16", "alexnet", "resnet18", "resnet50", "densenet121", "inception_v3",
            "squeezenet1_1", "resnet101", "resnext50_32x4d"]
COSTS = ["macs", "systolic"]
PROCESSORS = range(2, 17)
TOLERANCES = [0, 0.5, 1, 2, 5, 10, 20, 40, 80, 160]
COLUMNS = ["input", "cost", "processors", "pipedream", "(a) gain at its bytes",
           "(b) dgrads cut: speedup", "(b) / bound", "(c) all cut: speedup", "(c) / P",
           "over replicated: layerpipe", "layerpipe-replicated at its bytes and memory"]


def model(name, out):
    """The file of a network, exported where the repository has none."""
    path = os.path.join(MODELS, f"light-{name}.onnx")
    if os.path.exists(path):
        return path
    path = os.path.join(out, f"light-{name}.onnx")
    if not os.path.exists(path):
        sys.path.insert(0, MODELS)
        import export
        import onnx
        import torch
        import torchvision.models as zoo
        torch.manual_seed(1)
        network = export.export(getattr(zoo, name)(), (2, 3, 224, 224), name)
        onnx.save(export.lighten(network), path)
    return path


def inputs(arguments, out):
    """(name, cost model, file, options) of everything that is to be scheduled."""
    for name in filter(None, arguments.networks.split(",")):
        for cost in arguments.costs:
            yield (name, cost, model(name, out),
                   ["--batch=32", "--loss=softmax-cross-entropy", f"--cost={cost}"])
    for path in arguments.profiles:
        name = os.path.splitext(os.path.basename(path))[0]
        yield (name, "measured", path, [f"--minibatch-scale={arguments.minibatch_scale}"])


class Trades:
    """A scheduler's schedules by growing interval, each made when first asked for."""

    def __init__(self, compiled, schedule):
        self.compiled, self.schedule, self.made = compiled, schedule, []

    def __iter__(self):
        for index, tolerance in enumerate(TOLERANCES):
            if index == len(self.made):
                self.made.append(self.compiled(self.schedule,
                                               f"--interval-tolerance={tolerance}"))
            yield self.made[index]

    def first_within(self, bytes_moved, memory=float("inf")):
        """The first that moves no more bytes, nor needs more memory; or none."""
        return next((trade for trade in self
                     if trade["communication_bytes"] <= bytes_moved
                     and max(trade["peak_memory_bytes"]) <= memory), None)


def gain(over, other):
    return over["iteration_cycles"] / other["iteration_cycles"] if other else 0.0


def row(tools, out, source, processors, known):
    """`known`: schedules of this input for fewer processors, to which those for so many
    are added."""
    name, cost, path, given = source

    def compiled(schedule, *options):
        return tools.report(
            path, os.path.join(out, "report.json"), *given,
            f"--processors={processors}", f"--schedule={schedule}",
            *options)["schedules"][0]

    trades = Trades(compiled, "layerpipe")
    pipedream, replicated = compiled("pipedream"), compiled("pipedream-replicated")
    fastest, dgrads = next(iter(trades)), compiled("layerpipe", "--cuts=dgrad")
    trades.first_within(pipedream["communication_bytes"])
    known += [pipedream, *trades.made]
    at_its_bytes = max(gain(pipedream, schedule) for schedule in known if
                       schedule["communication_bytes"] <= pipedream["communication_bytes"])
    with_replicas = Trades(compiled, "layerpipe-replicated").first_within(
        replicated["communication_bytes"], max(replicated["peak_memory_bytes"]))
    return [name, cost, processors, pipedream["speedup"], at_its_bytes,
            dgrads["speedup"], dgrads["lower_bound"] / dgrads["iteration_cycles"],
            fastest["speedup"], fastest["speedup"] / processors,
            gain(replicated, fastest), gain(replicated, with_replicas)]


def show(rows):
    """The rows of one input, and what is the least and the mean of them."""
    print("\n" + table([[f"{cell:.3f}" if isinstance(cell, float) else cell
                         for cell in line] for line in rows], COLUMNS))
    name, cost = rows[0][:2]
    mean = sum(line[4] for line in rows) / len(rows)
    print(f"{name}, {cost}: mean gain at no more bytes than pipedream "
          f"{mean:.3f}; least (b) over its bound "
          f"{min(line[6] for line in rows):.3f}; least speedup over P "
          f"{min(line[8] for line in rows):.3f}; over pipedream-replicated "
          f"{min(line[9] for line in rows):.3f} or more, with replicas at its "
          f"bytes and memory {min(line[10] for line in rows):.3f} or more",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--networks", default=",".join(NETWORKS),
                        help="separated by commas; empty: none")
    parser.add_argument("--costs", nargs="+", choices=COSTS, default=COSTS)
    parser.add_argument("--profiles", nargs="+", metavar="FILE", default=[],
                        help="measured profiles in PipeDream's format")
    parser.add_argument("--minibatch-scale", type=float, default=1.0,
                        help="the minibatch wanted over that of the profiles")
    parser.add_argument("--processors", type=int, nargs="+", default=list(PROCESSORS))
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    everything = []
    for source in inputs(arguments, out):
        known = []
        rows = [row(tools, out, source, processors, known)
                for processors in sorted(arguments.processors)]
        everything += rows
        show(rows)
    write_csv(os.path.join(out, "everywhere.csv"), COLUMNS, everything)


if __name__ == "__main__":
    main()
