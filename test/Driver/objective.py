#!/usr/bin/python3
"""Objectives give schedules that are no worse by them than the default one, and
the Pareto front has no entry that another one equals or beats."""

import json
import subprocess
import sys


def report(*arguments):
    result = subprocess.run(["taktc", *sys.argv[1:], "--emit=report", "-o", "-",
                             *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["schedules"]


def figures(entry):
    return {"interval": entry["iteration_cycles"],
            "memory": max(entry["peak_memory_bytes"]),
            "traffic": entry["communication_bytes"],
            "staleness": sum(entry["staleness"].values()),
            "energy": entry["energy_picojoules"]}


def main():
    default = figures(report()[0])
    for criterion in default:
        best = figures(report(f"--objective={criterion}")[0])
        # Programs hold and take a little more than their schedules.
        assert best[criterion] <= 1.02 * default[criterion], (criterion, best, default)
    thrifty = figures(report("--objective=interval:10%,traffic")[0])
    assert thrifty["interval"] <= 1.12 * default["interval"], (thrifty, default)
    assert thrifty["traffic"] <= default["traffic"], (thrifty, default)
    assert figures(report("--objective=traffic,interval")[0])["traffic"] == 0

    front = [figures(entry) for entry in report("--pareto", "--compare=pipedream")]
    assert len(front) > 2, front
    key = ["interval", "memory", "traffic"]
    for one in front:
        assert not any(other is not one and all(other[k] <= one[k] for k in key)
                       for other in front), (one, front)
    assert [f["interval"] for f in front] == sorted(f["interval"] for f in front)
    assert front[0]["interval"] <= default["interval"]
    assert min(f["traffic"] for f in front) == 0


main()
