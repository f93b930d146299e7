"""./dev interop: Takt's forward programs against onnxruntime, on this project's
models as PyTorch exported them and converted to other opsets by the current onnx
package, and on onnxruntime's own operators; and the gradients that taktc writes as
models, run by onnxruntime. Networks as the current PyTorch exports them train as in
PyTorch. The current onnx package's own tests pass (takt.conformance). Packages come from PyPI, into a virtual environment of their own."""

import argparse
import os
import subprocess
import sys
import tempfile
import venv

from takt.tools import MODELS, ROOT, Tools

PACKAGES = ["onnx==1.19.1", "onnxruntime==1.23.2", "numpy==2.2.6", "torch==2.13.0",
            "onnxscript==0.7.2"]
CASES = [("lenet", (1, 28, 28)), ("vgg-block", (3, 16, 16)),
         ("resnet-block", (3, 16, 16)), ("digits-resnet8", (1, 8, 8))]
OPSETS = [13, 15, 17]
# Of onnx's node tests, and of those the ones whose gradients are right.
NEWER_TESTS = (1193, 913)
BATCH = 4


def environment(directory, packages):
    """The Python of a virtual environment that has the packages."""
    python = os.path.join(directory, "bin", "python3")
    if not os.path.exists(python):
        venv.create(directory, with_pip=True, clear=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet",
                    "--disable-pip-version-check", *packages], check=True)
    return python


def inference_form(model):
    """The model as onnxruntime takes it: no training outputs, no dropout."""
    for node in model.graph.node:
        if node.op_type == "BatchNormalization":
            del node.output[1:]
            for attribute in node.attribute:
                if attribute.name == "training_mode":
                    attribute.i = 0
        if node.op_type == "Dropout":
            node.op_type = "Identity"
            del node.input[1:], node.output[1:], node.attribute[:]
    used = {name for node in model.graph.node for name in node.input}
    for node in list(model.graph.node):
        if node.op_type == "Constant" and node.output[0] not in used:
            model.graph.node.remove(node)
    return model


def compare(tools, name, shape, opset):
    """Largest difference between the two outputs, relative to the largest."""
    import numpy
    import onnx
    import onnxruntime
    from onnx import version_converter

    model = onnx.load(os.path.join(MODELS, name + ".onnx"))
    model = version_converter.convert_version(inference_form(model), opset)
    onnx.checker.check_model(model, full_check=True)
    image = numpy.random.default_rng(5).standard_normal((BATCH, *shape)).astype("f4")
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    expected = session.run(None, {"image": image})[0]
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        onnx.save(model, path("m.onnx"))
        numpy.savez(path("d.npz"), image=image)
        tools.run("taktc", path("m.onnx"), "--mode=forward", f"--batch={BATCH}",
                  "--processors=2", "--schedule=list", "-o", path("p.takt"))
        tools.run("takt-run", path("p.takt"), f"--data={path('d.npz')}",
                  f"--save-outputs={path('o.npz')}")
        ours = numpy.load(path("o.npz"))["logits"]
    return float(abs(ours - expected).max() / abs(expected).max())


def compare_all(tools):
    failed = passed = 0
    for name, shape in CASES:
        for opset in OPSETS:
            error = compare(tools, name, shape, opset)
            good = error < 1e-4
            passed, failed = passed + good, failed + (not good)
            print(f"{name}, opset {opset}: {'within' if good else 'DIFFERS by'} "
                  f"{error:.1e} of onnxruntime", flush=True)
    print(f"interop: {passed} passed, {failed} failed")
    return failed == 0 and passed == len(CASES) * len(OPSETS)


def evaluate(path, inputs):
    """The outputs of a model in a file by name."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # parameters are inputs on purpose
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs)))


def compare_gradients(tools):
    from takt import gradients

    return gradients.compare_all(tools, evaluate)


def newer_tests(python):
    """Options of takt.conformance for the tests in the current onnx package: of opsets
    that Debian's, which `./dev conformance` runs, does not have yet."""
    where = subprocess.run(
        [python, "-c", "import onnx.backend.test as t; print(t.__path__[0])"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return ["--testdata", os.path.join(where, "data"), "--suites", "node",
            "--least", *map(str, NEWER_TESTS)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        from takt.interop_networks import compare_networks
        from takt.interop_operators import compare_operators

        tools = Tools(arguments.bin)
        agree = [compare_all(tools), compare_operators(tools),
                 compare_gradients(tools), compare_networks(tools)]
        sys.exit(0 if all(agree) else 1)
    python = environment(os.path.join(ROOT, "out", "interop-venv"), PACKAGES)
    inside = [["takt.interop", "--inside"], ["takt.conformance", *newer_tests(python)]]
    codes = [subprocess.run([python, "-m", *module, "--bin", arguments.bin]).returncode
             for module in inside]
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
