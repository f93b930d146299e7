"""./dev bench everywhere: LayerPipe from 2 to 16 processors on many networks, beside
PipeDream, straight and replicated.

For each number of processors
  (a) the gain over PipeDream of the fastest schedule that moves no more bytes than
      PipeDream's, which is PipeDream's own at the worst,
  (b) the speedup with cuts of dgrads only, as LayerPipe has it,
  (c) the speedup with cuts of every task, over the number of processors,
and with the replicated pipeline of PipeDream's own planner, the gain over it of the
fastest schedule of any traffic.
"""

import argparse
import os
import sys

from takt.tools import MODELS, Tools, table, write_csv

NETWORKS = ["vgg16", "alexnet", "resnet18", "resnet50", "densenet121", "inception_v3",
            "squeezenet1_1", "resnet101", "resnext50_32x4d"]
PROCESSORS = range(2, 17)
TOLERANCES = [0, 2, 5, 10, 20, 40, 80]
COLUMNS = ["network", "cost", "processors", "pipedream", "(a) gain at its bytes",
           "(b) dgrads cut: speedup", "(c) all cut: speedup", "(c) / P",
           "gain over replicated"]


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

    pipedream = compiled("pipedream")
    traffic = pipedream["communication_bytes"]
    fastest = compiled("layerpipe")
    base = pipedream["iteration_cycles"]
    gain = 1.0
    for tolerance in TOLERANCES:
        schedule = fastest if tolerance == 0 else compiled(
            "layerpipe", f"--interval-tolerance={tolerance}")
        if schedule["communication_bytes"] <= traffic:
            gain = max(gain, base / schedule["iteration_cycles"])
            break
    dgrads = compiled("layerpipe", "--cuts=dgrad")
    replicated = compiled("pipedream-replicated")
    return [name, cost, processors, pipedream["speedup"], gain, dgrads["speedup"],
            fastest["speedup"], fastest["speedup"] / processors,
            fastest["speedup"] / replicated["speedup"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)
    everything = []
    for name in arguments.networks.split(","):
        for cost in ("macs", "systolic"):
            rows = [row(tools, out, name, cost, processors)
                    for processors in PROCESSORS]
            everything += rows
            print("\n" + table([[f"{cell:.3f}" if isinstance(cell, float) else cell
                                 for cell in line] for line in rows], COLUMNS))
            mean = sum(line[4] for line in rows) / len(rows)
            least = min(rows, key=lambda line: line[7])
            print(f"{name}, {cost}: mean gain at no more bytes than pipedream "
                  f"{mean:.3f}; least speedup over P {least[7]:.3f} at P = {least[2]}; "
                  f"behind pipedream-replicated at "
                  f"{sum(line[8] < 0.9995 for line in rows)} of {len(rows)}",
                  flush=True)
    write_csv(os.path.join(out, "everywhere.csv"), COLUMNS, everything)


if __name__ == "__main__":
    main()
