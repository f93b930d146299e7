#!/usr/bin/python3
"""Compares takt-sim's interval and peak memory with the compiler's report."""

import json
import os
import subprocess
import sys
import tempfile


def main():
    model = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "p.takt")
        for processors in (1, 3, 8):
            for schedule in ("sequential", "list", "pipedream", "layerpipe"):
                command = ["taktc", model, "--batch=8", f"--processors={processors}",
                           f"--schedule={schedule}"]
                subprocess.run([*command, "-o", program], check=True)
                report = json.loads(subprocess.run(
                    [*command, "--emit=report", "-o", "-"], check=True,
                    capture_output=True).stdout)["schedules"][0]
                simulated = json.loads(subprocess.run(
                    ["takt-sim", program, "--json"], check=True,
                    capture_output=True).stdout)
                # Synchronous iterations may overlap; the report gives their makespan.
                if report["semantics"] == "synchronous":
                    assert simulated["interval"] <= report["iteration_cycles"]
                    simulated["interval"] = report["iteration_cycles"]
                promised = (report["iteration_cycles"], report["peak_memory_bytes"])
                measured = (simulated["interval"], simulated["peak_memory_bytes"])
                if promised != measured:
                    sys.exit(f"{model}, {schedule}, {processors} processors: the "
                             f"report says {promised}, the simulator {measured}")
                print(f"{schedule} P={processors}: {measured}")


if __name__ == "__main__":
    main()
