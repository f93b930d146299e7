#!/usr/bin/python3
"""What the backward pass makes again changes memory and time, and no weight.

    recompute.py identity MODEL SCHEDULE,… [taktc option…]
    recompute.py limit MODEL SCHEDULE PERCENT,… [taktc option…]

identity: trained with nothing, all and some activations made again, all weights
have the same bits where the delays are the same, and each program does what the
sequential interpreter does.

limit: with less and less memory, recomputation chosen by taktc gives programs
that fit, and are no slower than those without any recomputation.
"""

import json
import os
import re
import sys
import tempfile

import numpy

from harness import model_file, run, run_unchecked


class Compiler:
    def __init__(self, directory, model, schedule, options):
        self.directory = directory
        self.command = ["taktc", model_file(model),
                        f"--schedule={schedule}", *options]

    def path(self, name):
        return os.path.join(self.directory, name)

    def report(self, *options, may_not_fit=False):
        """The schedule's; with may_not_fit, None where the memory is too small."""
        done = run_unchecked(*self.command, *options, "--emit=report", "-o", "-")
        if done.returncode == 0:
            return json.loads(done.stdout)["schedules"][0]
        if may_not_fit and done.returncode == 1 and re.search("memory|limit", done.stderr):
            return None
        sys.exit(f"{' '.join(self.command)}\n{done.stderr}")

    def weights(self, *options):
        program, weights = self.path("p.takt"), self.path("w.npz")
        run(*self.command, *options, "-o", program)
        text = run("takt-run", program, "--iterations=12", "--verify")
        if "identical" not in text:
            sys.exit(text)
        run("takt-run", program, "--iterations=12", f"--save-weights={weights}")
        with numpy.load(weights) as arrays:
            return {name: arrays[name] for name in arrays}


def identity(directory, model, schedules, options):
    for schedule in schedules.split(","):
        compiler = Compiler(directory, model, schedule, ["--batch=8", *options])
        plain, staleness = compiler.weights(), compiler.report()["staleness"]
        compared = []
        for choice in (["--recompute=full"],
                       ["--recompute=auto", "--objective=memory,interval"]):
            report, again = compiler.report(*choice), compiler.weights(*choice)
            if report["staleness"] != staleness:
                continue  # other borders between processors, another training
            compared.append(len(report["recomputed"]))
            for name, expected in plain.items():
                if not numpy.array_equal(again[name], expected):
                    sys.exit(f"{schedule} {choice}: {name} differs")
        if not any(compared):
            sys.exit(f"{schedule}: nothing made again that could be compared")
        print(f"{model} {schedule}: same weights with {compared} made again")


def limit(directory, model, schedule, options):
    percents, *options = options
    compiler = Compiler(directory, model, schedule, options)
    machine = run("taktc", "--processors=4", "--dump-machine")
    free = compiler.report("--processors=4")
    used = 0
    for percent in map(int, percents.split(",")):
        memory = max(free["peak_memory_bytes"]) * percent // 100
        text, count = re.subn(r"(memory_bytes:\s*)0\n", rf"\g<1>{memory}\n", machine)
        assert count == 1
        file = compiler.path("m.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        plain = compiler.report(f"--machine={file}", may_not_fit=True)
        auto = compiler.report(f"--machine={file}", "--recompute=auto",
                               may_not_fit=True)
        if auto is None:
            assert plain is None, f"{percent} %: fits, but not with recomputation"
            continue
        assert max(auto["peak_memory_bytes"]) <= memory
        # A schedule that saves memory by itself is not asked for to gain 2 %.
        assert plain is None or (
            auto["iteration_cycles"] <= 1.0205 * plain["iteration_cycles"])
        faster = plain is None or auto["iteration_cycles"] < plain["iteration_cycles"]
        assert faster or not auto["recomputed"], "made something again for nothing"
        used += faster
        print(f"{model} {schedule} {percent} %: {len(auto['recomputed'])} made again, "
              f"speedup {auto['speedup']:.3f}, without "
              f"{plain['speedup'] if plain else 0:.3f}")
    assert used, "recomputation never helps"


def main():
    with tempfile.TemporaryDirectory() as directory:
        {"identity": identity, "limit": limit}[sys.argv[1]](
            directory, sys.argv[2], sys.argv[3], sys.argv[4:])


if __name__ == "__main__":
    main()
