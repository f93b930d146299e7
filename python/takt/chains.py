"""Compile time of chains of convolutions: how it grows with the layers."""

import os
import statistics
import time

from takt.tools import table

LAYERS = [125, 250, 500, 1000, 2000]
SCHEDULES = ["layerpipe", "pipedream"]
ROUNDS = 5


def text(layers):
    """A chain of `layers` convolutions with relu, as ONNX text."""
    lines = ['<ir_version: 7, opset_import: ["" : 13]>',
             "chain (float[batch, 3, 16, 16] image) => (float[batch, 16] logits) {"]
    value = "image"
    for i in range(layers):
        channels = 16 if i else 3
        lines += [f"  shape{i} = Constant <value = int64[4] {{16, {channels}, 3, 3}}> ()",
                  f"  weight{i} = ConstantOfShape <value = float[1] {{0.02}}> (shape{i})",
                  f"  conv{i} = Conv <pads = [1, 1, 1, 1]> ({value}, weight{i})",
                  f"  relu{i} = Relu (conv{i})"]
        value = f"relu{i}"
    lines += [f"  mean = GlobalAveragePool ({value})",
              "  logits = Flatten (mean)", "}"]
    return "\n".join(lines) + "\n"


def seconds(tools, model, out, schedule):
    before = time.perf_counter()
    tools.run("taktc", model, "--batch=8", "--processors=8",
              f"--schedule={schedule}", "-o", os.path.join(out, "chain.takt"))
    return time.perf_counter() - before


def main(tools, out):
    rows = []
    for layers in LAYERS:
        model = os.path.join(out, f"chain{layers}.onnxtxt")
        with open(model, "w") as file:
            file.write(text(layers))
        times = [statistics.median(seconds(tools, model, out, schedule)
                                   for _ in range(ROUNDS)) for schedule in SCHEDULES]
        growth = [f"{new / old:.2f}" for new, old in zip(times, rows[-1][1])] \
            if rows else ["", ""]
        rows.append((layers, times, growth))
    print("\n" + table(
        [[layers, *(f"{t:.3f}" for t in times), *growth]
         for layers, times, growth in rows],
        ["layers", *(f"{s} (s)" for s in SCHEDULES),
         *(f"{s}: growth" for s in SCHEDULES)]))
