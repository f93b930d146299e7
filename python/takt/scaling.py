"""./dev bench scaling: how the time to schedule grows with the number of tasks, as the
exponent of a power fitted to it.

Chains of measured layers, to 100,000 tasks on 256 processors, under the delayed and
general schedules; and a transformer's 64 (or 128) equal stages on 64 processors with up
to 1,024 microbatches, 96 layers' activations of memory, under the synchronous ones.
"""

import argparse
import math
import os
import random
import resource
import statistics

from takt.tools import Tools, table

LAYERS = [1000, 5000, 25000]  # four tasks each
DELAYED = ["pipedream", "layerpipe", "modulo", "list", "sequential"]
MICROBATCHES = [64, 256, 1024]
SYNCHRONOUS = [("1f1b", 64), ("zb-h1", 64), ("zb-h2", 64), ("zb-auto", 64),
               ("auto", 64), ("zb-v", 128), ("v-half", 128), ("v-min", 128)]
ROUNDS = 3


def profile(path, layers):
    """A chain in the form of PipeDream's profiles."""
    draw = random.Random(layers)
    with open(path, "w") as file:
        for i in range(1, layers + 1):
            file.write(f"node{i} -- Conv2d(64, 64) -- "
                       f"forward_compute_time={draw.uniform(1, 3):.3f}, "
                       f"backward_compute_time={draw.uniform(2, 6):.3f}, "
                       f"activation_size={draw.randint(1000, 100000)}.000, "
                       f"parameter_size={draw.randint(1000, 100000)}.000\n")
        for i in range(1, layers):
            file.write(f"\tnode{i} -- node{i + 1}\n")


def pipeline(path, stages, microbatches):
    with open(path, "w") as file:
        file.write(f"""takt-pipeline: 1
processors: 64
microbatches: {microbatches}
stages:
  - {{forward: 10, dgrad: 10, wgrad: 10, memory: {{forward: 1, dgrad: 0, wgrad: -1}}}}
repeat_last_stage: {stages - 1}
transfer_cycles: 1
memory_limit: {96 * stages // 64}
""")


def exponent(sizes, times):
    """Of the power that fits best, in the logarithms."""
    x = [math.log(size) for size in sizes]
    y = [math.log(max(time, 1e-3)) for time in times]
    mx, my = statistics.mean(x), statistics.mean(y)
    return (sum((a - mx) * (b - my) for a, b in zip(x, y)) /
            sum((a - mx) ** 2 for a in x))


def measure(tools, out, problem, *options):
    times = []
    for _ in range(ROUNDS):
        report = tools.report(problem, os.path.join(out, "scaling.json"), *options)
        times.append(report["schedules"][0]["compile_seconds"])
    return statistics.median(times)


def print_times(title, sizes, unit, rows):
    print("\n" + table(
        [[name, *(f"{time:.3f}" for time in times), f"{exponent(sizes, times):.2f}"]
         for name, times in rows],
        [title, *(f"{size:,} {unit}" for size in sizes), "exponent"]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)

    chains = []
    for layers in LAYERS:
        chains.append(os.path.join(out, f"chain-{layers}.txt"))
        profile(chains[-1], layers)
    print_times("chain, 256 processors (s)", [4 * layers for layers in LAYERS],
                "tasks",
                [(name, [measure(tools, out, chain, "--processors=256",
                                 f"--schedule={name}") for chain in chains])
                 for name in DELAYED])

    rows = []
    for name, stages in SYNCHRONOUS:
        times = []
        for microbatches in MICROBATCHES:
            path = os.path.join(out, "pipeline.yaml")
            pipeline(path, stages, microbatches)
            times.append(measure(tools, out, path, f"--schedule={name}"))
        rows.append((f"{name}, {stages} stages", times))
    print_times("64 processors (s)", MICROBATCHES, "microbatches", rows)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"\nlargest of all: {peak} MiB")


if __name__ == "__main__":
    main()
