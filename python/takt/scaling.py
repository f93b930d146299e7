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
import time

from takt.tools import Tools, table

LAYERS = [1000, 5000, 25000]  # four tasks each
DELAYED = ["pipedream", "layerpipe", "modulo", "list", "sequential"]
MICROBATCHES = [64, 256, 1024]
SYNCHRONOUS = [("1f1b", 64), ("zb-h1", 64), ("zb-h2", 64), ("zb-auto", 64),
               ("auto", 64), ("zb-v", 128), ("v-half", 128), ("v-min", 128)]
BLOCKS = 96  # of the network
NETWORK_MICROBATCHES = [128, 256, 512]  # dualpipe-v takes two for a processor
OF_NETWORK = ["gpipe", "1f1b", "interleaved-1f1b", "zb-h1", "zb-h2", "zb-v", "v-half",
              "v-min", "dualpipe-v", "zb-auto", "list", "pipedream-2bw"]
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


def transformer(path, blocks, width=64, length=16, heads=4):
    """A GPT behind its embedding, normalised before each half of a block."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    draw = numpy.random.default_rng(blocks)
    nodes, initializers = [], []

    def weight(name, *shape):
        value = draw.standard_normal(shape).astype(numpy.float32) * 0.02
        initializers.append(numpy_helper.from_array(value, name))
        return name

    def constant(name, value):
        initializers.append(numpy_helper.from_array(value, name))
        return name

    def node(kind, name, *inputs, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(name, x, inputs, outputs):
        product = node("MatMul", name, x, weight(f"{name}.weight", inputs, outputs))
        return node("Add", f"{name}.add", product, weight(f"{name}.bias", outputs))

    def normalized(name, x):
        return node("LayerNormalization", name, x, weight(f"{name}.weight", width),
                    weight(f"{name}.bias", width), axis=-1)

    apart = constant("apart", numpy.array([0, 0, heads, width // heads]))
    joined = constant("joined", numpy.array([0, 0, width]))
    scale = constant("scale", numpy.float32((width // heads) ** -0.5))

    def attention(name, x):
        def head(of, permutation):
            own = node("Reshape", f"{name}.{of}.heads",
                       linear(f"{name}.{of}", x, width, width), apart)
            return node("Transpose", f"{name}.{of}.first", own, perm=permutation)

        scores = node("MatMul", f"{name}.scores", head("q", [0, 2, 1, 3]),
                      head("k", [0, 2, 3, 1]))
        shares = node("Softmax", f"{name}.shares",
                      node("Mul", f"{name}.scaled", scores, scale), axis=-1)
        values = node("MatMul", f"{name}.values", shares, head("v", [0, 2, 1, 3]))
        last = node("Transpose", f"{name}.last", values, perm=[0, 2, 1, 3])
        return linear(f"{name}.out", node("Reshape", f"{name}.joined", last, joined),
                      width, width)

    x = "x"
    for block in range(blocks):
        name = f"block{block}"
        x = node("Add", f"{name}.middle", x,
                 attention(f"{name}.attention", normalized(f"{name}.norm1", x)))
        inner = linear(f"{name}.inner", normalized(f"{name}.norm2", x), width, 4 * width)
        outer = linear(f"{name}.outer", node("Gelu", f"{name}.gelu", inner),
                       4 * width, width)
        x = node("Add", name, x, outer)
    y = linear("logits", normalized("norm", x), width, width)
    shape = ["batch", length, width]
    graph = helper.make_graph(
        nodes, "transformer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(y, TensorProto.FLOAT, shape)], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)


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


def network(tools, out):
    """Whole runs of taktc: import, gradients, task graph, schedule, report."""
    path = os.path.join(out, "transformer.onnx")
    transformer(path, BLOCKS)
    rows = []
    for name in OF_NETWORK:
        times = []
        for microbatches in NETWORK_MICROBATCHES:
            begin = time.monotonic()
            tools.report(path, os.path.join(out, "scaling.json"), "--processors=64",
                         f"--batch={microbatches}", f"--microbatches={microbatches}",
                         f"--schedule={name}")
            times.append(time.monotonic() - begin)
        rows.append((name, times))
    print_times(f"{BLOCKS} layers, 64 processors (s)", NETWORK_MICROBATCHES,
                "microbatches", rows)


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
    network(tools, out)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"\nlargest of all: {peak} MiB")


if __name__ == "__main__":
    main()
