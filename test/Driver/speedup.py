#!/usr/bin/python3
"""Compiles a network for some numbers of processors, on which LayerPipe must be
nearly as many times as fast as on one, whatever its largest layer, and with leave to
take 5 % longer move no more bytes than PipeDream at half of them.

    speedup.py MODEL.onnx COST PROCESSORS… [--bytes]
"""

import json
import subprocess
import sys


def compiled(model, cost, processors, schedule, *options):
    text = subprocess.run(
        ["taktc", model, "--batch=32", f"--processors={processors}", f"--cost={cost}",
         f"--schedule={schedule}", "--loss=softmax-cross-entropy", *options,
         "--emit=report", "-o", "-"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(text)["schedules"][0]


def main():
    arguments = [a for a in sys.argv[1:] if a != "--bytes"]
    model, cost = arguments[:2]
    counts = [int(count) for count in arguments[2:]]
    thrifty = 0
    for count in counts:
        fast = compiled(model, cost, count, "layerpipe")
        assert fast["speedup"] >= 0.97 * count, (count, fast["speedup"])
        if "--bytes" not in sys.argv:
            continue
        cheap = compiled(model, cost, count, "layerpipe", "--interval-tolerance=5")
        assert cheap["iteration_cycles"] <= 1.05 * fast["iteration_cycles"] + 1
        base = compiled(model, cost, count, "pipedream")
        thrifty += cheap["communication_bytes"] <= base["communication_bytes"]
    if "--bytes" in sys.argv:
        assert 2 * thrifty >= len(counts), (thrifty, counts)
    print(f"{model}, {cost}: fast enough on {counts}")


if __name__ == "__main__":
    main()
