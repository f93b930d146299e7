#!/usr/bin/python3
"""Trains a network by pipelines of microbatches. Every program must compute, bit
for bit, what the sequential interpreter of its tasks computes, in the time that
its report says, and, up to rounding, the weights that training on whole
minibatches gives.

    microbatches.py MODEL SCHEDULE,… [--batch-statistics | --double-buffered]

With --batch-statistics the network normalises over what it is given at once, so
its weights are those of another training and only the first two hold. With
--double-buffered they are one update behind, in two copies.
"""

import json
import os
import re
import sys
import tempfile

import numpy

from harness import model_file, run
from takt.compare import largest_error

TOLERANCE = 1e-5


def compile_model(model, schedule, microbatches, processors, program):
    command = ["taktc", model_file(model), "--batch=8",
               f"--microbatches={microbatches}", f"--processors={processors}",
               f"--schedule={schedule}"]
    run(*command, "-o", program)
    report = program + ".json"
    run(*command, "--emit=report", "-o", report)
    with open(report) as file:
        return json.load(file)["schedules"][0]


def train(program, weights):
    text = run("takt-run", program, "--iterations=20", "--verify")
    if "identical" not in text:
        sys.exit(f"{program}: {text}")
    run("takt-run", program, "--iterations=20", f"--save-weights={weights}")
    with numpy.load(weights) as arrays:
        return {name: arrays[name] for name in arrays}


def main():
    model, schedules = sys.argv[1], sys.argv[2].split(",")
    delay = 1 if "--double-buffered" in sys.argv else 0
    comparable = delay == 0 and "--batch-statistics" not in sys.argv
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "p.takt")
        weights = os.path.join(directory, "w.npz")
        compile_model(model, "sequential", 1, 1, program)
        whole = train(program, weights)
        for index, schedule in enumerate(schedules):
            processors, microbatches = 2 + index % 3, (4, 8)[index % 2]
            entry = compile_model(model, schedule, microbatches, processors, program)
            steady = re.search(r"interval +(\d+)", run("takt-sim", program)).group(1)
            if int(steady) != entry["steady_interval_cycles"]:
                sys.exit(f"{schedule}: report {entry['steady_interval_cycles']}, "
                         f"simulator {steady}")
            if set(entry["staleness"].values()) != {delay}:
                sys.exit(f"{schedule}: staleness {entry['staleness']}")
            if max(entry["weight_versions"].values()) != 1 + delay:
                sys.exit(f"{schedule}: weights {entry['weight_versions']}")
            off, whose = largest_error(train(program, weights), whole)
            if comparable and not off < TOLERANCE:
                sys.exit(f"{schedule}: {whose} is off by {off:.2e}")
            print(f"{model} {schedule} P={processors} M={microbatches}: identical, "
                  f"makespan {entry['iteration_cycles']}, interval {steady}, "
                  f"weights off by {off:.1e}")


if __name__ == "__main__":
    main()
