"""Gradients of ONNX's own node tests in double precision: what takt-run computes for
each float input against central differences of what it computes forward.

A test's model is written anew with doubles for floats. Its inputs become parameters
(floats) or come in as they are (all else); its float outputs, one behind the other and
times random weights, are what the mean squared error is of. For the differences the
parameters get an input of shifts added, one sample for each point, so that two programs
do for a test. Elements are compared one by one up to a number, and all of them along
random directions. Inputs are moved first, since tests like to have them at kinks, and
moved again where the differences from the left and from the right are not the same.
"""

import os

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

RELATIVE = 1e-6
STEP = 1e-5
NEGLIGIBLE = 1e-5  # what rounding leaves of a derivative over such a step is 1e-11
# Of each parameter: single elements, and mixtures of some.
ELEMENTS, DIRECTIONS, MIXED = 24, 6, 64
MOVES = 6
# Offsets of the points, and what each counts in a derivative: an error of the fourth order.
POINTS = ((1, 8 / 12), (-1, -8 / 12), (2, -1 / 12), (-2, 1 / 12))

# Inputs that a test has at an end of the operator's domain.
DOMAINS = {
    "Acos": lambda x: 0.9 * x, "Asin": lambda x: 0.9 * x, "Atanh": lambda x: 0.9 * x,
    "Acosh": lambda x: x + 0.1, "Sqrt": lambda x: abs(x) + 0.1,
    "Log": lambda x: abs(x) + 0.1, "Pow": lambda x: abs(x) + 0.1,
    "ReduceLogSum": lambda x: abs(x) + 0.1,
}


class Failure(Exception):
    """Why a test did not pass."""


class NoGradient(Exception):
    """Why a test has no gradient to compare."""


def to_double(model):
    """Doubles for floats, wherever the model names a type."""
    graph_to_double(model.graph)
    for function in model.functions:
        for node in function.node:
            node_to_double(node)


def graph_to_double(graph):
    for info in [*graph.input, *graph.output, *graph.value_info]:
        if info.type.tensor_type.elem_type == TensorProto.FLOAT:
            info.type.tensor_type.elem_type = TensorProto.DOUBLE
    for tensor in graph.initializer:
        tensor_to_double(tensor)
    for node in graph.node:
        node_to_double(node)


def tensor_to_double(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        values = numpy_helper.to_array(tensor).astype("f8")
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def node_to_double(node):
    """Types are attributes of casts, of random numbers, of what has none to go by."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    for name in ("to", "dtype"):
        if name in attributes and attributes[name].i == TensorProto.FLOAT:
            attributes[name].i = TensorProto.DOUBLE
    if "value_float" in attributes:
        value = attributes["value_float"].f
        node.attribute.remove(attributes["value_float"])
        node.attribute.append(helper.make_attribute(
            "value", numpy_helper.from_array(numpy.array(value, "f8"))))
    if node.op_type == "ConstantOfShape" and "value" not in attributes:
        node.attribute.append(helper.make_attribute(
            "value", numpy_helper.from_array(numpy.zeros(1, "f8"))))
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.TENSOR:
            tensor_to_double(attribute.t)
        if attribute.type == onnx.AttributeProto.GRAPH:
            graph_to_double(attribute.g)


def is_float(array):
    return array.dtype in (numpy.float32, numpy.float64)


class GradientCheck:
    """One data set of a test: `model` with `inputs` that are not initializers, and the
    stored `outputs`; all by name. `run` is given a tool and its arguments, `save`
    a path and arrays; files go to `scratch`."""

    def __init__(self, run, save, model, inputs, outputs, scratch):
        self.run_tool, self.save, self.scratch = run, save, scratch
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        to_double(self.model)
        self.opset = self.raise_opset()
        self.inputs = inputs
        self.outputs = [name for name, array in outputs.items() if is_float(array)]
        self.size = sum(outputs[name].size for name in self.outputs)
        self.parameters = {name: array.astype("f8") for name, array in inputs.items()
                           if is_float(array) and array.size > 0}
        if not self.parameters:
            raise NoGradient("no float input")
        if not self.size:
            raise NoGradient("no float output")
        self.are_finite = all(numpy.isfinite(array).all()
                              for array in [*inputs.values(), *outputs.values()]
                              if is_float(array))
        self.generator = numpy.random.default_rng(self.size)
        self.weights = self.generator.uniform(0.5, 1.5, (1, self.size))
        self.target = self.generator.standard_normal((1, self.size))

    def raise_opset(self):
        """At least the one from which on operators are what they are today."""
        entry = next(entry for entry in self.model.opset_import
                     if entry.domain in ("", "ai.onnx"))
        entry.version = max(entry.version, 6)
        return entry.version

    def path(self, name):
        return os.path.join(self.scratch, name)

    def move(self, amount):
        """The parameters apart from each other and from round numbers, as far as the
        test's operators are defined there."""
        operators = {node.op_type for node in self.model.graph.node}
        moved = {}
        for name, array in self.parameters.items():
            for operator in sorted(operators & set(DOMAINS)):
                array = DOMAINS[operator](array)
            noise = self.generator.uniform(0.2, 1, array.shape)
            sign = self.generator.choice([-1, 1], array.shape)
            moved[name] = array * (1 + amount * noise) + amount * noise * sign
        return moved

    def write(self, path, parameters, shifted):
        """The model with its loss's operand. Parameters are initializers as they are or,
        `shifted`, rows of which each is added to its part of an input."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        own = list(model.graph.node)
        for field in ("node", "input", "output", "value_info"):
            model.graph.ClearField(field)
        self.graph = model.graph
        if shifted:
            self.add_input("shifts", numpy.zeros(sum(p.size for p in parameters.values())))
        at = 0
        for name, array in self.inputs.items():
            if name not in parameters:
                self.add_input(name + ".in", array)
                self.reshape(name + ".in", name, array.shape)
                continue
            array = parameters[name]
            self.constant(name + ".row" if shifted else name,
                          array.reshape(1, -1) if shifted else array)
            if shifted:
                self.slice("shifts", name + ".shift", at, at + array.size)
                self.add("Add", [name + ".row", name + ".shift"], name + ".shifted")
                self.reshape(name + ".shifted", name, array.shape)
            at += array.size
        self.graph.node.extend(own)
        for name in self.outputs:
            self.reshape(name, name + ".flat", (1, -1))
        self.add("Concat", [name + ".flat" for name in self.outputs], "together", axis=1)
        self.add_input("weights", self.weights[0])
        self.add("Mul", ["together", "weights"], "weighted")
        self.graph.output.append(helper.make_tensor_value_info(
            "weighted", TensorProto.DOUBLE, [1, self.size]))
        onnx.save(model, path)

    def add(self, operator, inputs, result, **attributes):
        self.graph.node.append(helper.make_node(operator, inputs, [result], name=result,
                                                **attributes))

    def add_input(self, name, array):
        """An input whose samples are such arrays."""
        # onnx renamed its own table of these.
        kind = numpy_helper.from_array(numpy.empty(0, array.dtype)).data_type
        self.graph.input.append(helper.make_tensor_value_info(name, kind, [1, *array.shape]))

    def constant(self, name, values):
        self.graph.initializer.append(numpy_helper.from_array(numpy.asarray(values), name))
        return name

    def reshape(self, source, result, shape):
        self.add("Reshape", [source, self.constant(result + ".shape",
                                                   numpy.array(shape, "i8"))], result)

    def slice(self, source, result, begin, end):
        """Of axis 1, in the form of the opset."""
        if self.opset < 10:
            return self.add("Slice", [source], result, axes=[1], starts=[begin], ends=[end])
        bounds = [self.constant(f"{result}.{what}", [value]) for what, value in
                  (("begin", begin), ("end", end), ("axis", 1))]
        return self.add("Slice", [source, *bounds], result)

    def data(self, shifts):
        """What the programs take, one sample for each row of shifts."""
        arrays = {name + ".in": numpy.broadcast_to(array, (len(shifts), *array.shape))
                  for name, array in self.inputs.items() if name not in self.parameters}
        arrays["weights"] = numpy.broadcast_to(self.weights, (len(shifts), self.size))
        return {**arrays, "shifts": shifts}

    def compile_and_run(self, name, data, compiling, running):
        program, arrays = self.path("program.takt"), self.path("data.npz")
        self.run_tool("taktc", self.path(name), "--batch=1", *compiling, "-o", program)
        self.save(arrays, data)
        self.run_tool("takt-run", program, f"--data={arrays}", *running)

    def gradients(self, parameters):
        """By name; of a parameter that the loss does not depend on none."""
        results = self.path("gradients.npz")
        data = self.data(numpy.zeros((1, sum(p.size for p in parameters.values()))))
        del data["shifts"]

        def run(shifted, data):
            self.write(self.path("train.onnx"), parameters, shifted)
            try:
                self.compile_and_run(
                    "train.onnx", {**data, "target": self.target},
                    ["--loss=mse", "--schedule=sequential"],
                    ["--iterations=1", "--no-shuffle", f"--save-gradients={results}"])
            except Failure as failure:
                if "no trainable parameter influences the loss" in str(failure):
                    return {}
                raise
            with numpy.load(results) as found:
                return {name: found[key].reshape(array.shape)
                        for name, array in parameters.items()
                        for key in [name + ".row" if shifted else name] if key in found}

        found = run(False, data)
        # What is computed from constants alone is none that is trained, or has the name
        # of what is computed.
        if len(found) < len(parameters):
            shifts = numpy.zeros((1, sum(p.size for p in parameters.values())))
            found = run(True, {**data, "shifts": shifts})
        return found

    def directions(self, parameters):
        """Rows of shifts with their parameter's name: elements, and mixtures."""
        rows, of, at = [], [], 0
        size = sum(array.size for array in parameters.values())
        for name, array in parameters.items():
            def some(count):
                return at + numpy.sort(self.generator.choice(
                    array.size, min(count, array.size), replace=False))
            for element in some(ELEMENTS):
                rows.append(numpy.zeros(size))
                rows[-1][element] = 1
            for _ in range(DIRECTIONS if array.size > ELEMENTS else 0):
                elements = some(MIXED)
                rows.append(numpy.zeros(size))
                rows[-1][elements] = self.generator.uniform(-1, 1, len(elements))
            of += [name] * (len(rows) - len(of))
            at += array.size
        return numpy.array(rows), of

    def differences(self, parameters, rows):
        """The loss's derivative along each row, and by how much those from the left and
        from the right differ."""
        self.write(self.path("forward.onnx"), parameters, shifted=True)
        shifts = numpy.concatenate([numpy.zeros((1, rows.shape[1])),
                                    *[STEP * offset * rows for offset, _ in POINTS]])
        self.compile_and_run("forward.onnx", self.data(shifts),
                             ["--mode=forward", "--processors=1"],
                             [f"--save-outputs={self.path('outputs.npz')}"])
        with numpy.load(self.path("outputs.npz")) as found:
            out = found["weighted"].reshape(len(shifts), self.size)
        centre, points = out[0], out[1:].reshape(len(POINTS), len(rows), self.size)
        # Of each element first: what does not change has no part in the error.
        loss = ((points - centre) * (points + centre - 2 * self.target)).mean(axis=2)
        derivative = sum(count * of for (_, count), of in zip(POINTS, loss)) / STEP
        return derivative, abs(loss[0] + loss[1]) / STEP

    def error(self, parameters):
        """The largest relative error, or None where the differences meet a kink."""
        rows, of = self.directions(parameters)
        with numpy.errstate(all="ignore"):
            expected, bend = self.differences(parameters, rows)
        if not numpy.isfinite(expected).all():
            return None
        found = self.gradients(parameters)
        ours = rows @ numpy.concatenate([
            found.get(name, numpy.zeros(array.shape)).ravel()
            for name, array in parameters.items()])
        largest = {}
        for name, value in zip(of, expected):
            largest[name] = max(largest.get(name, NEGLIGIBLE), abs(value))
        scale = numpy.array([largest[name] for name in of])
        wrong = abs(ours - expected) / scale > RELATIVE
        # Of a smooth function they differ by the step times the second derivative.
        if wrong.any() and (bend > 0.1 * abs(ours - expected))[wrong].all():
            return None
        return (abs(ours - expected) / scale).max()

    def run(self):
        """Raises NoGradient, or Failure."""
        for move in range(MOVES):
            error = self.error(self.move(0.05 / (1 + move)))
            if error is None:
                continue
            if not error <= RELATIVE:
                raise Failure(f"gradients differ by {error:.1e} of the largest")
            return
        if not self.are_finite:
            raise NoGradient("infinities")
        raise Failure("differences meet a kink wherever the inputs are moved")
