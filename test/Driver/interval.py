#!/usr/bin/python3
"""Compares takt-sim's times, peak memory and staleness with the compiler's report."""

import itertools
import json
import os
import subprocess
import sys
import tempfile

SCHEDULES = ("sequential", "list", "pipedream", "layerpipe")
# Bytes a cycle and latency: free links, then such on which transfers of small
# networks take about as long as their tasks, each for itself and shared.
LINKS = (("full", 0, 0), ("full", 16, 100), ("bus", 64, 20), ("ring", 32, 60),
         ("mesh", 64, 20), ("tree", 64, 20))


def machine_text(processors, links):
    topology, bandwidth, latency = links
    short = f"{topology},bytes_per_cycle={bandwidth},latency_cycles={latency}"
    return subprocess.run(["taktc", f"--processors={processors}", f"--topology={short}",
                           "--dump-machine"],
                          check=True, capture_output=True, text=True).stdout


def simulate(program, *options):
    return json.loads(subprocess.run(["takt-sim", program, "--json", *options],
                                     check=True, capture_output=True).stdout)


def check(model, schedule, machine, directory):
    program = os.path.join(directory, "p.takt")
    command = ["taktc", model, "--batch=8", f"--machine={machine}", f"--schedule={schedule}"]
    subprocess.run([*command, "-o", program], check=True)
    report = json.loads(subprocess.run([*command, "--emit=report", "-o", "-"], check=True,
                                       capture_output=True).stdout)["schedules"][0]
    steady = simulate(program)
    # A synchronous schedule promises the makespan of a step, until the next can begin.
    iteration = steady["interval"]
    if report["semantics"] == "synchronous":
        iteration = max(iteration, simulate(program, "--minibatches=1")["total_cycles"])
    promised = (report["iteration_cycles"], report["steady_interval_cycles"],
                report["steady_interval_cycles"], report["peak_memory_bytes"],
                report["staleness"])
    measured = (iteration, steady["interval"], steady["predicted_interval"],
                steady["peak_memory_bytes"], steady["staleness"])
    if promised != measured:
        sys.exit(f"{model}, {schedule}, {machine}: the report says {promised}, "
                 f"the simulator {measured}")
    return report


def main():
    model = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        for processors, links in itertools.product((1, 3, 8), LINKS):
            machine = os.path.join(directory, "m.yaml")
            with open(machine, "w", encoding="utf-8") as file:
                file.write(machine_text(processors, links))
            cycles = {}
            for schedule in SCHEDULES:
                report = check(model, schedule, machine, directory)
                cycles[schedule] = report["iteration_cycles"]
            print(f"P={processors} {links}: {cycles}")
            if max(cycles.values()) > cycles["sequential"]:
                sys.exit(f"{model}, {processors} processors, {links}: slower than one "
                         f"processor: {cycles}")


if __name__ == "__main__":
    main()
