"""./dev demo: a real network, compiled for four processors, trained with the
emitted program on real handwritten digits."""

import argparse
import os
import re
import sys

from takt.tools import DATA, MODELS, Tools, quantity, table

MODEL = os.path.join(MODELS, "digits-resnet8.onnx")
PROCESSORS = 4
BATCH = 32
ITERATIONS = 600
SCHEDULES = ["sequential", "pipedream", "layerpipe"]
LOSS = "--loss=softmax-cross-entropy"
TRAINING = [f"--batch={BATCH}", f"--processors={PROCESSORS}", LOSS,
            "--optimizer=momentum", "--learning-rate=0.02"]


def accuracy(tools, out, weights):
    """Test accuracy in per cent of a forward program with those weights."""
    text = tools.run("takt-run", os.path.join(out, "forward.takt"),
                     f"--weights={weights}", f"--data={DATA}/digits-test.npz")
    found = re.search(r"accuracy\D*([0-9.]+)\s*%", text)
    if not found:
        sys.exit(f"takt-run printed no accuracy:\n{text}")
    return float(found.group(1))


def train(tools, out, schedule):
    """Compiles with that schedule, trains with the program, returns the test
    accuracy."""
    program = os.path.join(out, "program.takt" if schedule == "layerpipe"
                           else f"{schedule}.takt")
    weights = os.path.join(out, f"{schedule}-weights.npz")
    tools.run("taktc", MODEL, *TRAINING, f"--schedule={schedule}", "-o", program)
    text = tools.run("takt-run", program, f"--data={DATA}/digits-train.npz",
                     f"--iterations={ITERATIONS}", f"--save-weights={weights}")
    print(f"trained with {os.path.basename(program)}: {text.strip().splitlines()[-1]}",
          flush=True)
    return accuracy(tools, out, weights)


def row(schedule, reached):
    staleness = sorted(set(schedule["staleness"].values()))
    return [schedule["name"], quantity(schedule["iteration_cycles"]),
            f"{schedule['speedup']:.2f}", f"{100 * schedule['utilization']:.1f} %",
            quantity(schedule["communication_bytes"]),
            quantity(max(schedule["peak_memory_bytes"])),
            ",".join(map(str, staleness)), f"{reached:.1f} %"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    tools, out = Tools(arguments.bin), os.path.abspath(arguments.out)
    os.makedirs(out, exist_ok=True)

    print(f"compiling {os.path.relpath(MODEL)} for {PROCESSORS} processors, "
          f"batch {BATCH}; training on 1,498 digits, testing on 299 others",
          flush=True)
    # All test images in one minibatch: the forward program's batch divides them.
    tools.run("taktc", MODEL, "--mode=forward", "--batch=13", "--processors=1",
              "--schedule=sequential", "-o", os.path.join(out, "forward.takt"))
    reached = {name: train(tools, out, name) for name in SCHEDULES}
    report = tools.report(MODEL, os.path.join(out, "report.json"), *TRAINING,
                          "--schedule=layerpipe", "--compare=sequential,pipedream")
    for kind, name in (("listing", "program.lst"), ("trace", "trace.json")):
        tools.run("taktc", MODEL, *TRAINING, "--schedule=layerpipe",
                  f"--emit={kind}", "-o", os.path.join(out, name))

    by_name = {schedule["name"]: schedule for schedule in report["schedules"]}
    print("\n" + table(
        [row(by_name[name], reached[name]) for name in SCHEDULES],
        ["schedule", "interval (cycles)", "speedup", "utilisation", "bytes moved",
         "peak memory (B)", "staleness", "test accuracy"]))
    print(f"""
In {out}:
  program.takt   the program of layerpipe   build/bin/takt-objdump FILE, build/bin/takt-sim FILE
  program.lst    its listing                less FILE
  report.json    the comparison             {sys.executable} -m json.tool FILE
  trace.json     four iterations            open in https://ui.perfetto.dev""")
    if reached["layerpipe"] < 95:
        sys.exit("the program of layerpipe reached less than 95 %")


if __name__ == "__main__":
    main()
