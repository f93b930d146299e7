#!/usr/bin/python3
"""Trains a network whose layers have replicas and demands, bit for bit, what the
sequential interpreter computes, the staleness that the schedule promises, and that
the simulator measures the report's interval and memory on the program.

    replicas.py MODEL REPLICAS[/REPLICAS…] [taktc option…]

REPLICAS are those of each stage, as in 3,1, or 1 where no layer has any, for each
number of processors from 2 on.
"""

import json
import os
import sys
import tempfile

from harness import model_file, run


def main():
    model, expected, options = sys.argv[1], sys.argv[2].split("/"), sys.argv[3:]
    if not any(option.startswith("--schedule=") for option in options):
        options.append("--schedule=pipedream-replicated")
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "p.takt")
        report = os.path.join(directory, "r.json")
        for processors, planned in enumerate(expected, start=2):
            command = ["taktc", model_file(model), "--batch=8",
                       f"--processors={processors}", "--loss=softmax-cross-entropy",
                       *options]
            run(*command, "-o", program)
            run(*command, "--emit=report", "-o", report)
            with open(report, encoding="utf-8") as file:
                entry = json.load(file)["schedules"][0]
            replicas = entry.get("replicas", [1])
            assert ",".join(map(str, replicas)) == planned, (processors, replicas)
            text = run("takt-run", program, "--iterations=9", "--verify",
                       "--print-staleness")
            assert "identical" in text, text
            for line in text.splitlines()[1:]:
                # staleness of NAME: observed N, promised N
                name, _, figures = line.removeprefix("staleness of ").rpartition(":")
                words = figures.replace(",", "").split()
                assert words[1] == words[3] == str(entry["staleness"][name]), line
            measured = json.loads(run("takt-sim", "--json", program))
            several = measured.get("minibatches_per_iteration", 1)
            interval = -(-measured["interval"] // several)
            assert interval == entry["iteration_cycles"], (measured, entry)
            assert measured["peak_memory_bytes"] == entry["peak_memory_bytes"]
            print(f"{model} P={processors}: identical, replicas {replicas}, "
                  f"{several} minibatches an iteration, {interval} cycles each")


if __name__ == "__main__":
    main()
