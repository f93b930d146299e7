#!/usr/bin/python3
"""Trains a network on 1 to 8 processors and demands, bit for bit, what the
sequential interpreter computes, and the staleness that the schedule promises.

    bit_identity.py MODEL SCHEDULE [taktc option…]
"""

import json
import os
import sys
import tempfile

from harness import model_file, run


def is_legal(staleness, schedule, stages, weights):
    """Whether the delays of all stages may be that: 0, S or 2 S, or 1 everywhere;
    without a stash no more than 2 S."""
    if weights not in ("stash", None):
        return 0 <= staleness[0] and staleness[-1] <= 2 * (stages - 1)
    factors = {"layerpipe": [2], "pipedream": [1], "sequential": [0], "list": [0]}
    legal = [sorted({factor * stage for stage in range(stages)})
             for factor in factors.get(schedule, [0, 1, 2])]
    return staleness in (legal if schedule in factors else legal + [[1]])


def main():
    model, schedule, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "p.takt")
        report = os.path.join(directory, "r.json")
        for processors in range(1, 9):
            command = ["taktc", model_file(model), "--batch=8",
                       f"--processors={processors}", f"--schedule={schedule}",
                       "--loss=softmax-cross-entropy", *options]
            run(*command, "-o", program)
            run(*command, "--emit=report", "-o", report)
            text = run("takt-run", program, "--iterations=20", "--verify",
                       "--print-staleness")
            if "identical" not in text:
                sys.exit(f"{model}, {schedule}, {processors}: not identical\n{text}")
            with open(report) as file:
                entry = json.load(file)["schedules"][0]
            staleness = sorted(set(entry["staleness"].values()))
            if not is_legal(staleness, schedule, entry["stages"],
                            entry.get("weights")):
                sys.exit(f"{model}, {schedule}, {processors}: staleness {staleness} "
                         f"with {entry['stages']} stages")
            print(f"{model} {schedule} P={processors}: identical, "
                  f"{entry['stages']} stages, staleness {staleness}")


if __name__ == "__main__":
    main()
