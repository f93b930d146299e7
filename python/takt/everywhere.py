"""./dev bench everywhere: LayerPipe from 2 to 16 processors on many networks, beside
PipeDream, straight and replicated.

For each number of processors
  (a) the gain over PipeDream of the fastest schedule that moves no more bytes than
      PipeDream's, which is PipeDream's own at the worst,
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
PROCESSORS = range(2, 17)
TOLERANCES = [0, 0.5, 1, 2, 5, 10, 20, 40, 80]
COLUMNS = ["network", "cost", "processors", "pipedream", "(a) gain at its bytes",
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


def row(tools, out, name, cost, processors):
    def compiled(schedule, *options):
        return tools.report(
            model(name, out), os.path.join(out, "report.json"), "--batch=32",
            "--loss=softmax-cross-entropy", f"--processors={processors}",
            f"--cost={cost}", f"--schedule={schedule}", *options)["schedules"][0]

    class Trades:
        """Schedules by growing interval, each made when first asked for."""

        def __init__(self, schedule):
            self.schedule, self.made = schedule, []

        def __iter__(self):
            for index, tolerance in enumerate(TOLERANCES):
                if index == len(self.made):
                    self.made.append(
                        compiled(self.schedule, f"--interval-tolerance={tolerance}"))
                yield self.made[index]

    def gain(over, trades, memory=None):
        """Of the first trade that moves no more bytes, nor needs more memory."""
        for trade in trades:
            if trade["communication_bytes"] <= over["communication_bytes"] and (
                    memory is None or max(trade["peak_memory_bytes"]) <= memory):
                return over["iteration_cycles"] / trade["iteration_cycles"]
        return 0.0

    trades = Trades("layerpipe")
    pipedream, replicated = compiled("pipedream"), compiled("pipedream-replicated")
    fastest = next(iter(trades))
    dgrads = compiled("layerpipe", "--cuts=dgrad")
    return [name, cost, processors, pipedream["speedup"],
            max(1.0, gain(pipedream, trades)), dgrads["speedup"],
            dgrads["lower_bound"] / dgrads["iteration_cycles"], fastest["speedup"],
            fastest["speedup"] / processors,
            replicated["iteration_cycles"] / fastest["iteration_cycles"],
            gain(replicated, Trades("layerpipe-replicated"),
                 max(replicated["peak_memory_bytes"]))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--processors", type=int, nargs="+", default=list(PROCESSORS))
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    everything = []
    for name in arguments.networks.split(","):
        for cost in ("macs", "systolic"):
            rows = [row(tools, out, name, cost, processors)
                    for processors in arguments.processors]
            everything += rows
            print("\n" + table([[f"{cell:.3f}" if isinstance(cell, float) else cell
                                 for cell in line] for line in rows], COLUMNS))
            mean = sum(line[4] for line in rows) / len(rows)
            print(f"{name}, {cost}: mean gain at no more bytes than pipedream "
                  f"{mean:.3f}; least (b) over its bound "
                  f"{min(line[6] for line in rows):.3f}; least speedup over P "
                  f"{min(line[8] for line in rows):.3f}; over pipedream-replicated "
                  f"{min(line[9] for line in rows):.3f} or more, with replicas at its "
                  f"bytes and memory {min(line[10] for line in rows):.3f} or more",
                  flush=True)
    write_csv(os.path.join(out, "everywhere.csv"), COLUMNS, everything)


if __name__ == "__main__":
    main()
