"""./dev interop families [EXPORTER…]: whole families of networks as Keras, JAX,
Hugging Face's transformers and timm define them and current exporters write them, with
their initial weights. Each is imported and run forwards, and compared with what its own
project computes; then compiled for three pipelined processors, and trained for two
steps, bit for bit as the interpreter trains. Packages come from PyPI, a virtual
environment for each exporter. Not part of CI: it takes an hour and gigabytes."""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile

EXPORTERS = ["keras", "jax", "transformers", "timm"]
LIMIT = 1e-4


class Refused(Exception):
    """By a tool, with its message."""


def run(binaries, tool, *arguments):
    done = subprocess.run([os.path.join(binaries, tool), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Refused(f"{tool}: {done.stderr.strip()}")
    return done.stdout


def check(binaries, directory, export, verifies):
    """The largest error of the output, relative to the largest number in it. Raises
    Refused."""
    import numpy

    def path(file):
        return os.path.join(directory, file)
    inputs, output = export(path("m.onnx"))
    batch = f"--batch={next(iter(inputs.values())).shape[0]}"
    run(binaries, "taktc", path("m.onnx"), batch, "--mode=forward", "--processors=2",
        "--schedule=list", "-o", path("p.takt"))
    numpy.savez(path("d.npz"), **inputs)
    run(binaries, "takt-run", "--forward", path("p.takt"), f"--data={path('d.npz')}",
        f"--save-outputs={path('o.npz')}")
    ours = numpy.load(path("o.npz"))
    error = abs(ours[ours.files[0]] - output).max() / max(abs(output).max(), 1e-30)
    run(binaries, "taktc", path("m.onnx"), batch, "--loss=mse", "--optimizer=adam",
        "--processors=3", "--schedule=layerpipe", "-o", path("p.takt"))
    if verifies:
        numpy.savez(path("d.npz"), target=output / 2, **inputs)
        run(binaries, "takt-run", path("p.takt"), f"--data={path('d.npz')}", "--verify",
            "--iterations=2")
    return error


def run_inside(binaries, exporter, names):
    module = importlib.import_module(f"takt.families.{exporter}_models")
    good = bad = missing = 0
    for name, export in module.models():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as directory:
            try:
                error = check(binaries, directory, export, module.VERIFIES)
                agrees = error < LIMIT
                text = f"{error:.1e}{'' if agrees else ' DIFFERS'}"
            except Refused as refusal:
                agrees, text = False, str(refusal)
            except Exception as failure:  # whatever an exporter raises
                missing += 1
                reason = (str(failure).strip() or type(failure).__name__).splitlines()[0]
                print(f"{exporter} {name}: not exported: {reason[:150]}", flush=True)
                continue
        good, bad = good + agrees, bad + (not agrees)
        print(f"{exporter} {name}: {text}", flush=True)
    print(f"{exporter}: {good} agree, {bad} do not, {missing} not exported", flush=True)
    return bad == 0 and good > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exporters", nargs="*", default=EXPORTERS)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--networks", default="", help="some only, separated by commas")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    binaries = os.path.abspath(arguments.bin)
    if arguments.inside:
        sys.exit(0 if run_inside(binaries, arguments.exporters[0],
                                 arguments.networks.split(",") if arguments.networks
                                 else []) else 1)
    from takt.interop import environment
    from takt.tools import ROOT
    agree = True
    for exporter in arguments.exporters:
        if exporter not in EXPORTERS:
            sys.exit(f"no exporter '{exporter}', expected {', '.join(EXPORTERS)}")
        module = importlib.import_module(f"takt.families.{exporter}_models")
        python = environment(os.path.join(ROOT, "out", f"families-{exporter}"),
                             module.PACKAGES)
        agree &= subprocess.run(
            [python, "-m", "takt.families.run", exporter, "--inside", "--bin", binaries,
             f"--networks={arguments.networks}"]).returncode == 0
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
