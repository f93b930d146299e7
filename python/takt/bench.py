"""./dev bench: LayerPipe's gain over PipeDream beside what the resource bound
allows, its traffic, compile times, and the executor against PyTorch."""

import argparse
import os
import subprocess
import sys
import time

from takt import chains, steps
from takt.tools import MODELS, Tools, table, write_csv

NETWORKS = ["vgg16", "resnet18", "resnet50", "alexnet"]
PROCESSORS = range(2, 10)
COLUMNS = ["network", "cost", "processors", "speedup", "pipedream", "gain", "bound",
           "stages", "bytes ratio", "interval +5 %: gain", "bytes ratio +5 %"]


def model(name):
    return os.path.join(MODELS, f"light-{name}.onnx")


def compare(tools, out, name, cost, processors, tolerance):
    """(layerpipe, pipedream) of one report."""
    report = tools.report(
        model(name), os.path.join(out, "report.json"), "--batch=32",
        "--loss=softmax-cross-entropy", f"--processors={processors}",
        f"--cost={cost}", "--schedule=layerpipe", "--compare=pipedream",
        f"--interval-tolerance={tolerance}")
    return report["schedules"]


def gains(tools, out, name, cost):
    """One row for each number of processors."""
    rows = []
    for processors in PROCESSORS:
        layerpipe, pipedream = compare(tools, out, name, cost, processors, 0)
        thrifty, _ = compare(tools, out, name, cost, processors, 5)
        base = pipedream["iteration_cycles"]
        traffic = pipedream["communication_bytes"]

        def ratio(schedule):
            return schedule["communication_bytes"] / traffic if traffic else 1.0

        rows.append([name, cost, processors, layerpipe["speedup"],
                     pipedream["speedup"], base / layerpipe["iteration_cycles"],
                     base / layerpipe["bounds"]["best"], layerpipe["stages"],
                     ratio(layerpipe), base / thrifty["iteration_cycles"],
                     ratio(thrifty)])
    return rows


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def print_gains(rows):
    formatted = [[f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row]
                 for row in rows]
    print("\n" + table(formatted, COLUMNS))
    name, cost = rows[0][:2]
    gain, bound = mean(row[5] for row in rows), mean(row[6] for row in rows)
    less = sum(row[10] <= 1 for row in rows)
    print(f"{name}, {cost}: mean gain {gain:.3f} (the bound allows {bound:.3f}); at "
          f"+5 % interval no more bytes than pipedream at {less} of {len(rows)}")
    if gain < 1.12:
        print(f"the gain on {name} is small: its layers are many and even, so that "
              "pipedream is already near the bound")


def compile_times(tools, out):
    """Wall time and peak memory of whole compilations."""
    rows = []
    for name in NETWORKS:
        before = time.perf_counter()
        process = subprocess.Popen(
            [os.path.join(tools.bin, "taktc"), model(name), "--batch=32",
             "--loss=softmax-cross-entropy", "--processors=8",
             "-o", os.path.join(out, "program.takt")])
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"compiling {name} failed")
        rows.append([name, f"{time.perf_counter() - before:.2f}",
                     usage.ru_maxrss // 1024])
    print("\n" + table(rows, ["compiling for 8", "seconds", "MiB"]))


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
            rows = gains(tools, out, name, cost)
            print_gains(rows)
            everything += rows
    write_csv(os.path.join(out, "layerpipe.csv"), COLUMNS, everything)
    compile_times(tools, out)
    chains.main(tools, out)
    steps.compare(tools, out, sys.executable, ["resnet18"], rounds=3, steps=3)


if __name__ == "__main__":
    main()
