#!/usr/bin/python3
"""Compiles random networks with every scheduler, for random machines, some with hardly
enough memory. Every program must compute, bit for bit, what the sequential interpreter
of its tasks computes, take the time and the memory that its report says, stay within
each processor's memory, and, where no transfer shares its link with another, not take
longer than its schedule. A refusal must be for want of memory.

    random_networks.py FIRST COUNT    the numbers of the networks
"""

import json
import os
import random
import re
import sys
import tempfile

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness import run, run_unchecked

BATCH = 8
REFUSAL = re.compile(r"memory|works only from a limit|expected at least twice the|"
                     r"holds \d+ bytes|needs \d+ bytes")


class Network:
    """Convolutions of random widths with skips, pools and a classifier."""

    def __init__(self, draw, path):
        self.draw, self.nodes, self.weights = draw, [], []
        self.numbers = numpy.random.RandomState(draw.randrange(1 << 30))
        channels = draw.choice((1, 2, 3))
        shape = [BATCH, channels, 8, 8]
        alike = {tuple(shape[1:]): ["x"]}
        now = "x"
        for _ in range(draw.randint(1, 5)):
            now, shape = self.layer(now, shape)
            others = alike.setdefault(tuple(shape[1:]), [])
            if others and draw.random() < 0.5:
                now = self.add("Add", [now, draw.choice(others)])
            others.append(now)
        now = self.add("GlobalAveragePool", [now])
        now = self.add("Flatten", [now])
        self.add("Gemm", [now, self.weight(shape[1], 4), self.weight(4)], output="y")
        graph = helper.make_graph(
            self.nodes, "random",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT,
                                           ["N", channels, 8, 8])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
            self.weights)
        onnx.save(helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), path)

    def add(self, operator, inputs, output=None, **attributes):
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output],
                                           name=f"n{len(self.nodes)}", **attributes))
        return output

    def weight(self, *shape):
        values = self.numbers.standard_normal(shape).astype(numpy.float32) / 4
        self.weights.append(numpy_helper.from_array(values, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def layer(self, now, shape):
        draw = self.draw
        width = draw.choice((2, 4, 6, shape[1]))
        now = self.add("Conv", [now, self.weight(width, shape[1], 3, 3)],
                       pads=[1, 1, 1, 1])
        if draw.random() < 0.7:
            now = self.add(draw.choice(("Relu", "Tanh")), [now])
        shape = [BATCH, width, *shape[2:]]
        if shape[2] > 2 and draw.random() < 0.3:
            now = self.add("MaxPool", [now], kernel_shape=[2, 2], strides=[2, 2])
            shape[2:] = [side // 2 for side in shape[2:]]
        return now, shape


def machine(draw, path, memory=0):
    """Writes one, and says whether every transfer has links of its own."""
    processors = draw.randint(1, 5)
    topology = draw.choice(("full", "full", "bus", "ring", "mesh"))
    bandwidth = draw.choice((0, 0, 8, 64))
    text = run("taktc", f"--processors={processors}", "--dump-machine",
               f"--topology={topology},bytes_per_cycle={bandwidth},"
               f"latency_cycles={draw.choice((0, 0, 50))}")
    with open(path, "w") as file:
        file.write(text.replace("memory_bytes:    0", f"memory_bytes:    {memory}"))
    return topology == "full" or bandwidth == 0


def random_from(state):
    draw = random.Random()
    draw.setstate(state)
    return draw


def names():
    """All schedules; those that take microbatches second."""
    whole, divided = run("taktc", "--list-schedules").split("\n\n")
    listed = [[line.split()[0] for line in part.splitlines() if not line.endswith(":")]
              for part in (whole, divided)]
    return [(name, 1) for name in listed[0]] + [(name, 4) for name in
                                                ["list", "pipedream-2bw", *listed[1]]]


def planned(text):
    """The interval that a schedule's text states."""
    return int(re.search(r"interval (\d+)", text).group(1))


def check(command, program, exclusive):
    """One network's schedule; returns its report, or nothing where it is refused."""
    report = run_unchecked(*command, "--emit=report", "-o", "-")
    if report.returncode != 0:
        if not REFUSAL.search(report.stderr):
            sys.exit(f"{' '.join(command)}\n{report.stderr}")
        return None
    entry = json.loads(report.stdout)["schedules"][0]
    run(*command, "-o", program)
    steady = json.loads(run("takt-sim", program, "--json"))
    one = json.loads(run("takt-sim", program, "--json", "--minibatches=1"))
    several = steady.get("minibatches_per_iteration", 1)
    measured = steady["interval"]
    if entry["semantics"] == "synchronous":
        measured = max(measured, one["total_cycles"])
    assert -(-measured // several) == entry["iteration_cycles"], (measured, entry)
    assert steady["peak_memory_bytes"] == entry["peak_memory_bytes"]
    if exclusive:
        plan = planned(run(*command, "--emit=sched", "-o", "-"))
        assert measured <= plan, f"planned {plan}, takes {measured}"
    verified = run("takt-run", program, "--iterations=3", "--verify")
    assert "identical" in verified, verified
    return entry


def main():
    first, count = int(sys.argv[1]), int(sys.argv[2])
    tally = {}
    with tempfile.TemporaryDirectory() as directory:
        model, machine_file, program = (os.path.join(directory, name)
                                        for name in ("n.onnx", "m.yaml", "p.takt"))
        for number in range(first, first + count):
            draw = random.Random(number)
            Network(draw, model)
            own = draw.getstate()
            for name, microbatches in names():
                command = ["taktc", model, f"--batch={BATCH}", f"--schedule={name}",
                           "--loss=softmax-cross-entropy", f"--machine={machine_file}",
                           f"--microbatches={microbatches}"]
                done = tally.setdefault((name, microbatches), [0, 0, 0])
                memory = 0
                try:
                    while True:
                        exclusive = machine(random_from(own), machine_file, memory)
                        entry = check(command, program, exclusive)
                        done[(memory > 0) if entry else 2] += 1
                        if entry is None or memory > 0:
                            break
                        # Again, with less than that.
                        if draw.random() < 0.7:
                            break
                        memory = int(max(entry["peak_memory_bytes"]) *
                                     draw.uniform(0.6, 1))
                    if entry and memory > 0:
                        assert max(entry["peak_memory_bytes"]) <= memory, entry
                except AssertionError as error:
                    sys.exit(f"network {number}, {' '.join(command)}: {error}")
    for (name, microbatches), (done, limited, refused) in tally.items():
        print(f"{name}, {microbatches} microbatches: {done} programs, {limited} within a "
              f"limit, {refused} refused")
        # dualpipe-v needs twice as many microbatches as processors.
        assert done > 0 or name == "dualpipe-v", name


if __name__ == "__main__":
    main()
