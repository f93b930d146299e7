#!/usr/bin/python3
"""Compiles a network for several numbers of processors with kept weights, with the
latest and with an average: without a stash no processor holds more than two copies of
a weight, its average included, at the same interval and with no more staleness than
twice the stages behind.

    weights.py MODEL.onnx BATCH PROCESSORS…

Or only that `layerpipe2` holds no more than two, with either cost model:

    weights.py --layerpipe2 MODEL.onnx BATCH PROCESSORS…
"""

import json
import subprocess
import sys


def compiled(model, batch, processors, schedule, *options):
    text = subprocess.run(
        ["taktc", model, f"--batch={batch}", f"--processors={processors}",
         f"--schedule={schedule}", *options, "--emit=report", "-o", "-"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(text)["schedules"][0]


def copies(entry):
    return max(entry["weight_versions"].values())


def check(model, batch, processors, schedule):
    """The copies that are kept otherwise."""
    stash, latest, average = (
        compiled(model, batch, processors, schedule, f"--weights={weights}",
                 "--cuts=dgrad")
        for weights in ("stash", "latest", "average"))
    for entry in (latest, average):
        assert copies(entry) <= 2, (processors, schedule, entry["weight_versions"])
        assert entry["iteration_cycles"] == stash["iteration_cycles"]
        bound = 2 * (entry["stages"] - 1)
        assert max(entry["staleness"].values()) <= bound, (processors, schedule)
    return copies(stash)


def check_two(model, batch, processors):
    for processors in processors:
        for cost in ("macs", "systolic"):
            entry = compiled(model, batch, processors, "layerpipe2", f"--cost={cost}")
            assert copies(entry) <= 2, (processors, cost, entry["weight_versions"])


def main():
    if sys.argv[1] == "--layerpipe2":
        return check_two(*sys.argv[2:4], sys.argv[4:])
    model, batch = sys.argv[1:3]
    for processors in map(int, sys.argv[3:]):
        kept = [check(model, batch, processors, schedule)
                for schedule in ("pipedream", "layerpipe")]
        assert kept[1] > 2, kept  # else this says nothing
        own = compiled(model, batch, processors, "layerpipe2")
        assert own["weights"] == "average" and copies(own) <= 2
        print(f"{processors} processors: pipedream keeps {kept[0]} copies, layerpipe "
              f"{kept[1]}, with an average 2")


if __name__ == "__main__":
    main()
