"""./dev conformance: ONNX's own tests of its operators, which Debian's
libonnx-testdata has as models with stored inputs and outputs, through
`taktc --mode=forward` and `takt-run`. An output passes at the tolerances of ONNX's
runner and in the stored element type.

A test whose operators Takt does not claim is out of scope, for a reason that
`SCOPE` or the importer's own message gives; every other one must pass. Of the node
tests, gradients are compared with differences, too (node_gradients.py). Fails if one
test does not pass, or if fewer do than docs/generated/conformance.md says; --update
writes that page."""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy
import onnx
from onnx import numpy_helper

from takt.node_gradients import RELATIVE as GRADIENT_RELATIVE
from takt.node_gradients import Failure, GradientCheck, NoGradient
from takt.tools import ROOT, table

TESTDATA = "/usr/share/libonnx-testdata/data"
SUITES = ["node", "simple", "pytorch-operator", "pytorch-converted"]
PAGE = os.path.join(ROOT, "docs", "generated", "conformance.md")
# As onnx.backend.test.runner compares.
RELATIVE, ABSOLUTE = 1e-3, 1e-7
# Sums of all elements, whose terms may cancel: to that of the largest element.
CANCELLING = {"DFT"}
LONGEST_SECONDS = 60

# What Takt does not claim, by operator; everything else is in scope.
SCOPE = {
    "strings": ["StringNormalizer", "TfIdfVectorizer"],
    "sequences that are computed with, optionals": [
        "OptionalGetElement", "OptionalHasElement", "SequenceMap"],
    "the result's shape depends on values": [
        "Compress", "NonMaxSuppression", "NonZero", "Unique"],
    "quantised": [
        "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear",
        "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear"],
    "signal processing": [
        "BlackmanWindow", "HammingWindow", "HannWindow",
        "MelWeightMatrix", "STFT"],
    "not an operator of the networks that Takt trains": [
        "AffineGrid", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr",
        "BitwiseXor", "CenterCropPad", "DeformConv", "Det", "GridSample",
        "MaxRoiPool", "RoiAlign"],
    "not of neural networks": [
        "ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Binarizer",
        "ai.onnx.ml.LabelEncoder", "ai.onnx.ml.TreeEnsemble", "ImageDecoder"],
    "a cache that inference writes in place": ["TensorScatter"],
    "training is Takt's own": [
        "ai.onnx.preview.training.Adagrad", "ai.onnx.preview.training.Adam",
        "ai.onnx.preview.training.Gradient",
        "ai.onnx.preview.training.Momentum"],
    "random numbers": [
        "Bernoulli", "RandomNormal", "RandomNormalLike", "RandomUniform",
        "RandomUniformLike", "Multinomial"],
}
REASONS = {name: reason for reason, names in SCOPE.items() for name in names}

# Element types of tensors that are not computed with.
ELEMENT_TYPES_OUTSIDE = {
    onnx.TensorProto.STRING, onnx.TensorProto.COMPLEX64,
    onnx.TensorProto.COMPLEX128}

# Floats of 8 bits and less and integers of 4, which older packages have no names for.
NARROW_TYPES = range(17, 25)

# Single tests of operators that are in scope otherwise.
TESTS_OUTSIDE = {
    **{f"test_training_dropout{rest}": "random numbers"
       for rest in ("", "_default", "_default_mask", "_mask")},
    **{f"test_batchnorm_{rest}_training_mode": "training is Takt's own"
       for rest in ("epsilon", "example")},
    # The operator's text takes the size of the result.
    **{f"test_resize_downsample_scales_{rest}_align_corners":
       "its stored output takes the result's size before that is rounded"
       for rest in ("cubic", "linear")},
    # The indices of a pool are positions in its input, which the output stands for.
    "test_maxunpool_export_with_output_shape":
        "its stored output counts indices in another shape than its own",
    **{f"test_affine_grid_{rest}_expanded":
       "not an operator of the networks that Takt trains"
       for rest in ("2d", "2d_align_corners", "3d", "3d_align_corners")},
    "test_sequence_model8": "tensors without elements",
    "test_scan_sum": "a scan over batches (opset 8)",
    **{f"test_{rest}": "its stored output cuts bits off, where others round"
       for rest in ("cast_FLOAT_to_BFLOAT16", "castlike_FLOAT_to_BFLOAT16",
                    "castlike_FLOAT_to_BFLOAT16_expanded")},
}

# Inputs that become shapes or attributes: a test that gives them as inputs of its
# graph is run with them bound to their stored values.
CONSTANT_INPUTS = {
    # Of which only the type counts: some are stored in another shape.
    "CastLike": [1],
    "Col2Im": [1, 2], "ConstantOfShape": [0], "CumSum": [1], "DFT": [1, 2],
    "Dropout": [1, 2], "Expand": [1],
    "If": [0], "Loop": [0, 1], "MaxUnpool": [2], "OneHot": [1], "Pad": [1, 2, 3],
    "Range": [0, 1, 2], "Reshape": [1], "Resize": [1, 2, 3],
    "SequenceAt": [1], "SequenceErase": [1], "SequenceInsert": [2],
    "Slice": [1, 2, 3, 4], "Split": [1], "SplitToSequence": [1], "Squeeze": [1], "Tile": [1],
    "TopK": [1], "Trilu": [1], "Unsqueeze": [1], "Upsample": [1],
}
CONSTANT_INPUTS.update((name, [1]) for name in [
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
    "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"])

# `gradient` is the state of the comparison with differences, of a node test that passed.
Result = collections.namedtuple(
    "Result", "suite name operator state detail bound gradient gradient_detail",
    defaults=("", ""))

# Operators that are other functions in training than forward.
RANDOM_IN_TRAINING = ["Dropout"]
# Too few digits for differences.
SHORT_FLOATS = {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}


def operator_name(node):
    domain = "" if node.domain in ("", "ai.onnx") else node.domain + "."
    return domain + node.op_type


def operators(graph):
    """The operators of a graph and of those nested in it."""
    found = []
    for node in graph.node:
        found.append(operator_name(node))
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                found += operators(attribute.g)
    return found


def outside_scope(name, graph, found):
    """Why a test is none of Takt's, or None."""
    if name in TESTS_OUTSIDE:
        return TESTS_OUTSIDE[name]
    for operator in found:
        if operator in REASONS:
            return REASONS[operator]
    for info in [*graph.input, *graph.output]:
        if not info.type.HasField("tensor_type"):
            return "inputs or outputs that are no tensors"
        if any(dim.HasField("dim_value") and dim.dim_value == 0
               for dim in info.type.tensor_type.shape.dim):
            return "tensors without elements"
        kind = info.type.tensor_type.elem_type
        if kind in NARROW_TYPES:
            return "quantised"
        if kind in ELEMENT_TYPES_OUTSIDE:
            return f"element type {onnx.TensorProto.DataType.Name(kind).lower()}"
    return None


def tested_operator(suite, found):
    """What a test is listed under: its one operator or, for the others, the
    suite's; tests of a function's body are listed with the function's."""
    if suite != "node":
        return found[0] if len(set(found)) == 1 else "networks"
    return found[0] if len(found) == 1 else "bodies of functions"


def values_needed(model):
    """Inputs of the graph from which a shape or an attribute is computed."""
    needed = set()
    for node in reversed(model.graph.node):
        if set(node.output) & needed and node.op_type not in ("Shape", "Size"):
            needed.update(node.input)
        needed.update(node.input[i] for i in CONSTANT_INPUTS.get(node.op_type, [])
                      if i < len(node.input))
    return needed


def load_tensor(path):
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return tensor


def to_array(tensor):
    """In float32 where numpy has no such type: what takt-run reads and writes."""
    if tensor.data_type != onnx.TensorProto.BFLOAT16:
        return numpy_helper.to_array(tensor)
    bits = (numpy.frombuffer(tensor.raw_data, "<u2") if tensor.raw_data
            else numpy.array(tensor.int32_data))
    return (bits.astype("<u4") << 16).view("<f4").reshape(tensor.dims)


def load_set(directory, infos, kind):
    """The stored tensors of one data set by the names of the graph. Those of
    bfloat16 are stored as integers with the same bits."""
    tensors = {}
    for i, info in enumerate(infos):
        path = os.path.join(directory, f"{kind}_{i}.pb")
        if not os.path.exists(path):
            continue
        tensors[info.name] = load_tensor(path)
        if info.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16:
            tensors[info.name].data_type = onnx.TensorProto.BFLOAT16
    return tensors


def bind(model, inputs):
    """Turns inputs into initializers where Takt needs their values. Returns what
    is bound, largest rank 1: a shape, a list of axes, a number."""
    needed = values_needed(model)
    bound = [info for info in model.graph.input
             if info.name in needed and info.name in inputs
             and len(inputs[info.name].dims) <= 1]
    for info in bound:
        model.graph.input.remove(info)
        initializer = model.graph.initializer.add()
        initializer.CopyFrom(inputs[info.name])
        initializer.name = info.name
    return [info.name for info in bound]


def call(command):
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True,
                              timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"{os.path.basename(command[0])} ran longer than "
                      f"{LONGEST_SECONDS} s")
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise Failure(next((line for line in lines if "error:" in line), lines[-1]))


def compare(name, found, expected, absolute):
    if found is None:
        raise Failure(f"output '{name}' is missing")
    if found.dtype != expected.dtype:
        raise Failure(f"output '{name}' is {found.dtype}, expected {expected.dtype}")
    if found.shape != expected.shape:
        raise Failure(f"output '{name}' has shape {found.shape}, expected "
                      f"{expected.shape}")
    if numpy.allclose(found, expected, RELATIVE, absolute, equal_nan=True):
        return
    with numpy.errstate(all="ignore"):
        error = numpy.nanmax(numpy.abs(found.astype("f8") - expected.astype("f8")))
    raise Failure(f"output '{name}' differs by up to {error:.3g}")


def save_arrays(path, arrays):
    """As numpy.savez, which takes some names of arrays for its own options."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w") as file:
                numpy.lib.format.write_array(file, numpy.asanyarray(array))


def load_test(directory, data):
    """The model, the inputs of one data set, and the names of those that were bound."""
    model = onnx.load(os.path.join(directory, "model.onnx"))
    initializers = {tensor.name for tensor in model.graph.initializer}
    infos = [info for info in model.graph.input if info.name not in initializers]
    inputs = load_set(data, infos, "input")
    bound = bind(model, inputs)
    return model, inputs, bound


def run_set(tools, directory, data, scratch):
    """Runs one data set of a test. Returns the names of bound inputs."""
    model, inputs, bound = load_test(directory, data)
    model_path = os.path.join(directory, "model.onnx")
    if bound:
        model_path = os.path.join(scratch, "model.onnx")
        onnx.save(model, model_path)
    program, arrays, results = (os.path.join(scratch, name) for name in
                                ("program.takt", "inputs.npz", "outputs.npz"))
    call([os.path.join(tools, "taktc"), model_path, "--mode=forward",
          "--processors=1", "-o", program])
    save_arrays(arrays, {name: to_array(tensor) for name, tensor in inputs.items()
                         if name not in bound})
    call([os.path.join(tools, "takt-run"), program, f"--data={arrays}",
          f"--save-outputs={results}"])
    expected = load_set(data, model.graph.output, "output")
    with numpy.load(results) as found:
        for name, tensor in expected.items():
            array = to_array(tensor)
            cancels = CANCELLING & set(operators(model.graph))
            largest = numpy.abs(array).max(initial=1) if cancels else 1
            compare(name, found.get(name), array, ABSOLUTE * largest)
    return bound


def check_gradients(tools, directory, found):
    """State and detail, of the first data set."""
    if set(found) & set(RANDOM_IN_TRAINING):
        return "out of scope", "random numbers"
    data = sorted(entry.path for entry in os.scandir(directory) if entry.is_dir())[0]
    model, inputs, bound = load_test(directory, data)
    expected = load_set(data, model.graph.output, "output")
    if any(tensor.data_type in SHORT_FLOATS
           for tensor in [*inputs.values(), *expected.values()]):
        return "out of scope", "floats of 16 bits"

    def run(tool, *arguments):
        call([os.path.join(tools, tool), *arguments])

    try:
        with tempfile.TemporaryDirectory() as scratch:
            GradientCheck(run, save_arrays, model, {
                key: to_array(tensor) for key, tensor in inputs.items() if key not in bound
            }, {key: to_array(tensor) for key, tensor in expected.items()}, scratch).run()
    except NoGradient as reason:
        return "out of scope", str(reason)
    except Failure as failure:
        return "failed", str(failure)
    return "passed", ""


def run_test(tools, testdata, suite, name):
    directory = os.path.join(testdata, suite, name)
    graph = onnx.load(os.path.join(directory, "model.onnx")).graph
    found = operators(graph)
    operator = tested_operator(suite, found)
    reason = outside_scope(name, graph, found)
    if reason:
        return Result(suite, name, operator, "out of scope", reason, [])
    bound = []
    try:
        for data in sorted(entry.path for entry in os.scandir(directory)
                           if entry.is_dir()):
            with tempfile.TemporaryDirectory() as scratch:
                bound += run_set(tools, directory, data, scratch)
    except Failure as failure:
        return Result(suite, name, operator, "failed", str(failure), bound)
    gradient = check_gradients(tools, directory, found) if suite == "node" else ("", "")
    return Result(suite, name, operator, "passed", "", bound, *gradient)


def counts(results):
    """passed, failed, out of scope, bound, right gradients of each suite."""
    rows = []
    for suite in SUITES:
        of = collections.Counter(r.state for r in results if r.suite == suite)
        bound = sum(bool(r.bound) for r in results
                    if r.suite == suite and r.state == "passed")
        gradients = sum(r.gradient == "passed" for r in results if r.suite == suite)
        rows.append((suite, of["passed"], of["failed"], of["out of scope"], bound,
                     gradients))
    return rows


HEADER = ("suite", "passed", "failed", "out of scope", "with bound inputs", "gradients")


def markdown(rows, header):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def page(results):
    """What docs/generated/conformance.md holds."""
    passed = collections.Counter(r.operator for r in results if r.state == "passed")
    outside = collections.defaultdict(collections.Counter)
    for r in results:
        if r.state == "out of scope":
            outside[r.detail][r.operator] += 1
    reasons = sorted((reason, sum(by.values()), ", ".join(sorted(by)))
                     for reason, by in outside.items())
    gradients = collections.Counter(r.operator for r in results if r.gradient == "passed")
    without = collections.defaultdict(collections.Counter)
    for r in results:
        if r.gradient == "out of scope":
            without[r.gradient_detail][r.operator] += 1
    no_gradient = sorted((reason, sum(by.values()), ", ".join(sorted(by)))
                         for reason, by in without.items())
    return f"""# Conformance

Written by `./dev conformance --update`: ONNX's own tests (Debian's libonnx-testdata)
that pass when `taktc --mode=forward` compiles them and `takt-run` executes the
program, at the tolerances of ONNX's runner (relative {RELATIVE}, absolute
{ABSOLUTE}; of DFT, of the largest element) and in the stored element type. "With bound inputs": tests that give
a shape, axes or a number as an input of their graph, where Takt needs to know it
when it compiles; it is run as an initializer. "Gradients": node tests whose gradients
of all float inputs, in double precision, are central differences of what the forward
program computes, within {GRADIENT_RELATIVE} of the largest.

{markdown(counts(results), HEADER)}

## Passed, by operator

{markdown([(name, tests, gradients[name]) for name, tests in sorted(passed.items())],
          ("operator", "tests", "gradients"))}

## Passed, but without gradients, by reason

{markdown(no_gradient, ("reason", "tests", "operators"))}

## Out of scope, by reason

{markdown(reasons, ("reason", "tests", "operators"))}
"""


def committed_counts():
    """Tests that passed and gradients that were right when the page was written, by
    suite."""
    if not os.path.exists(PAGE):
        return {}
    with open(PAGE) as file:
        rows = re.findall(
            r"^\| ([\w-]+) \| (\d+) \| \d+ \| \d+ \| \d+ \| (\d+) \|$",
            file.read(), re.MULTILINE)
    return {suite: (int(passed), int(gradients)) for suite, passed, gradients in rows}


def judge(results, committed):
    """What is wrong, one line each, where so many passed of each suite."""
    wrong = [f"{r.suite}/{r.name} ({r.operator}): {r.detail}"
             for r in results if r.state == "failed"]
    wrong += wrong_gradients(results)
    for suite, passed, *_, gradients in counts(results):
        before = committed.get(suite, (0, 0))
        if passed < before[0]:
            wrong.append(f"{suite}: {passed} tests pass, {before[0]} did")
        if gradients < before[1]:
            wrong.append(f"{suite}: {gradients} gradients are right, {before[1]} were")
    return wrong


def wrong_gradients(results):
    return [f"{r.suite}/{r.name} ({r.operator}): gradients: {r.gradient_detail}"
            for r in results if r.gradient == "failed"]


def run_all(options):
    tests = [(suite, name) for suite in options.suites
             for name in sorted(os.listdir(os.path.join(options.testdata, suite)))
             if options.filter in name]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(
            lambda test: run_test(options.bin, options.testdata, *test), tests))


def main():
    parser = argparse.ArgumentParser(prog="./dev conformance", description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--testdata", default=TESTDATA)
    parser.add_argument("--suites", nargs="+", default=SUITES, metavar="SUITE")
    parser.add_argument("--least", type=int, nargs=2, metavar=("TESTS", "GRADIENTS"),
                        help="how many of the first suite have to pass at least, "
                        "instead of what the page says")
    parser.add_argument("--filter", default="", help="only tests whose name has this")
    parser.add_argument("--json", help="write every test's result to this file")
    parser.add_argument("--update", action="store_true",
                        help="write docs/generated/conformance.md")
    options = parser.parse_args()
    begin = time.monotonic()
    results = run_all(options)
    print(table(counts(results), HEADER))
    print(f"{len(results)} tests in {time.monotonic() - begin:.0f} s")
    if options.json:
        with open(options.json, "w") as file:
            json.dump([r._asdict() for r in results], file, indent=1)
    if options.filter:
        wrong = [f"{r.name}: {r.detail}" for r in results if r.state == "failed"]
        wrong += wrong_gradients(results)
    else:
        wrong = judge(results, {options.suites[0]: options.least} if options.least
                      else committed_counts())
    if options.update and not options.filter:
        with open(PAGE, "w") as file:
            file.write(page(results))
        print(f"written to {PAGE}")
    print(*wrong, sep="\n", file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
