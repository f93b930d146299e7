"""The gradients that taktc writes as an ONNX model against those of takt-run: of
models that each have one operator on the way from a parameter to the loss, and of
whole networks. Whoever evaluates the model is an argument, so that the same cases
serve tests with Debian's packages and with onnxruntime.

A case is (operator, shape of its first operand, attributes, other operands, opset);
other operands are arrays, or shapes of parameters that get a gradient, too,
or "indices": some that depend on the input. An attribute `first` is an operand in
front of it, "less" a comparison.
"""

import os
import tempfile

import numpy
import onnx
import onnx.parser
from onnx import TensorProto, helper, numpy_helper

from takt.compare import largest_error
from takt.tools import MODELS

BATCH, TOLERANCE = 4, 1e-4


def integers(*values):
    return numpy.array(values, dtype=numpy.int64)


def number(value):
    return numpy.array(value, dtype=numpy.float32)


def case(op, shape=(BATCH, 6), others=(), opset=13, **attributes):
    return op, shape, attributes, others, opset


FUNCTIONS = ("Abs Exp Erf Neg Softsign HardSwish Sin Cos Tan Atan Sinh Cosh Asinh Floor "
             "Ceil Round Sign Softplus Relu Sigmoid Tanh HardSigmoid Selu Identity").split()
IMAGE = (BATCH, 4, 9, 8)
CASES = [
    *[case(op, opset=14) for op in FUNCTIONS],
    *[case(op, positive=True) for op in ("Sqrt", "Log", "Reciprocal")],
    *[case(op, small=True) for op in ("Asin", "Acos", "Atanh")],
    case("Acosh", large=True), case("Mish", opset=18), case("Gelu", opset=20),
    case("Gelu", opset=20, approximate="tanh"), case("Swish", opset=24, alpha=1.5),
    case("Clip", others=[number(-0.5), number(0.7)]), case("Elu", alpha=0.7),
    case("Celu", alpha=0.7), case("LeakyRelu", alpha=0.2), case("ThresholdedRelu", alpha=0.3),
    case("Shrink", lambd=0.4, bias=0.1), case("Pow", others=[number(3)]),
    case("Pow", positive=True, others=[(6,)]), case("PRelu", others=[(6,)]),
    *[case(op, others=[(6,)]) for op in ("Add", "Sub", "Mul", "Div", "Max", "Min")],
    case("Mod", others=[(6,)], fmod=1),
    *[case(op, axis=axis, shape=(BATCH, 3, 5))
      for op in ("Softmax", "LogSoftmax") for axis in (1, 2)],
    case("Gemm", others=[(6, 3), (3,)], alpha=0.5, beta=1.5),
    case("Gemm", others=[(3, 6), (1, 3)], transB=1), case("Gemm", shape=(6, BATCH),
                                                        others=[(6, 3)], transA=1),
    case("MatMul", shape=(BATCH, 2, 5, 6), others=[(6, 3)]),
    case("MatMul", shape=(BATCH, 2, 5, 6), others=[(2, 6, 3)]),
    # Convolutions, whose strides leave input unread.
    case("Conv", shape=IMAGE, others=[(6, 4, 3, 3), (6,)], pads=[1, 0, 2, 1]),
    case("Conv", shape=IMAGE, others=[(6, 2, 3, 2)], group=2, strides=[2, 3]),
    case("Conv", shape=IMAGE, others=[(8, 1, 2, 2)], group=4, dilations=[2, 3]),
    case("Conv", shape=IMAGE, others=[(3, 4, 1, 1)], strides=[3, 3]),
    case("Conv", shape=IMAGE, others=[(3, 4, 2, 2)], strides=[4, 3], pads=[0, 0, 1, 1]),
    case("Conv", shape=(BATCH, 4, 11), others=[(3, 4, 3)], strides=[2]),
    case("Conv", shape=(BATCH, 2, 5, 6, 5), others=[(3, 2, 2, 3, 2)], strides=[2, 1, 2]),
    case("ConvTranspose", shape=(BATCH, 4, 3, 4), others=[(4, 2, 3, 3)], strides=[2, 2],
         pads=[1, 1, 0, 0], output_padding=[1, 0], group=2),
    # Pools: overlapping, padded, rounded up.
    case("MaxPool", shape=IMAGE, kernel_shape=[2, 2], strides=[2, 2]),
    case("MaxPool", shape=IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("MaxPool", shape=IMAGE, kernel_shape=[3, 2], strides=[2, 3], ceil_mode=1),
    case("MaxPool", shape=IMAGE, kernel_shape=[2, 2], dilations=[2, 3]),
    case("MaxPool", shape=(BATCH, 3, 9), kernel_shape=[3], strides=[2]),
    case("AveragePool", shape=IMAGE, kernel_shape=[2, 2], strides=[2, 2]),
    case("AveragePool", shape=IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("AveragePool", shape=IMAGE, kernel_shape=[3, 3], pads=[1, 0, 2, 1],
         count_include_pad=1),
    case("AveragePool", shape=IMAGE, kernel_shape=[3, 3], strides=[2, 3], ceil_mode=1),
    case("AveragePool", shape=IMAGE, kernel_shape=[3, 2], strides=[2, 1], dilations=[2, 3],
         pads=[1, 0, 2, 1], opset=19),
    case("GlobalAveragePool", shape=IMAGE), case("GlobalMaxPool", shape=IMAGE),
    case("LpPool", shape=IMAGE, kernel_shape=[3, 3], strides=[2, 2], p=3, pads=[1, 1, 1, 1]),
    case("LpPool", shape=IMAGE, kernel_shape=[2, 3], dilations=[2, 1], p=1, ceil_mode=1,
         strides=[2, 2], opset=18),
    case("GlobalLpPool", shape=IMAGE),
    case("BatchNormalization", shape=IMAGE, opset=15, training_mode=1,
         others=[(4,), (4,), numpy.zeros(4, "f4"), numpy.ones(4, "f4")]),
    case("LayerNormalization", shape=(BATCH, 5, 6), others=[(6,), (6,)], opset=17),
    case("InstanceNormalization", shape=IMAGE, others=[(4,), (4,)]),
    case("LRN", shape=(BATCH, 7, 3, 2), size=4, alpha=0.5, beta=0.6, bias=1.5),
    # Reductions and movement.
    case("ReduceSum", shape=(BATCH, 3, 5), others=[integers(1)]),
    case("ReduceSum", shape=(BATCH, 3, 5), others=[integers(2)], keepdims=0),
    case("ReduceMean", shape=(BATCH, 3, 5), axes=[1, 2]),
    case("ReduceMax", shape=(BATCH, 3, 5), axes=[1], keepdims=0),
    case("ReduceL2", shape=(BATCH, 3, 5), axes=[2]), case("ReduceProd", axes=[1]),
    case("LpNormalization", axis=1), case("MeanVarianceNormalization", shape=IMAGE),
    case("Einsum", shape=(BATCH, 2, 6), others=[(6, 3)], equation="bij,jk->kbi"),
    case("DepthToSpace", shape=IMAGE, blocksize=2), case("Tile", others=[integers(1, 2)]),
    # Recurrent layers.
    case("LSTM", shape=(5, BATCH, 6), others=[(2, 16, 6), (2, 16, 4), (2, 32)],
         hidden_size=4, direction="bidirectional"),
    case("GRU", shape=(5, BATCH, 6), others=[(1, 12, 6), (1, 12, 4)], hidden_size=4),
    case("RNN", shape=(5, BATCH, 6), others=[(1, 4, 6), (1, 4, 4)], hidden_size=4,
         direction="reverse"),
    case("ReduceLogSumExp", shape=(BATCH, 3, 5), axes=[2]),
    case("Transpose", shape=(BATCH, 3, 5), perm=[0, 2, 1]),
    case("Reshape", shape=(BATCH, 3, 4), others=[integers(BATCH, 2, 6)]),
    case("Expand", shape=(BATCH, 1, 5), others=[integers(BATCH, 3, 5)]),
    case("Concat", shape=(BATCH, 3), others=[(BATCH, 2)], axis=1),
    case("Slice", others=[integers(1), integers(5), integers(1), integers(2)]),
    case("Split", shape=(BATCH, 6), others=[integers(2, 4)], axis=1),
    *[case("Pad", shape=(BATCH, 4, 5), mode=mode, opset=opset,
           others=[integers(0, 1, 2, 0, 3, 1)])
      for mode, opset in (("constant", 13), ("reflect", 13), ("edge", 13), ("wrap", 19))],
    # Choices and indices.
    case("Where", first=numpy.arange(6) % 2 == 0, others=[(6,)]),
    case("Where", first="less", others=[(6,)]),
    case("Gather", shape=(BATCH, 5, 3), others=[integers(1, 4, 1, -1)], axis=1),
    case("Gather", shape=(BATCH, 5, 3), axis=2,
         others=[numpy.array([[0, 2], [2, 2]])]),
    case("Gather", shape=(BATCH, 5, 3), axis=1, others=["indices"]),
    case("GatherElements", shape=(BATCH, 5), axis=1,
         others=[numpy.array([[0, 0, 3], [1, 2, 3], [4, 4, 4], [-1, 0, 1]])]),
    *[case("ScatterElements", shape=(BATCH, 5), axis=1, opset=16, reduction=how,
           others=[numpy.array([[0, 3], [1, 2], [4, 1], [-1, 0]]), (BATCH, 2)])
      for how in ("none", "add", "mul")],
    case("ScatterND", shape=(BATCH, 5), opset=16, reduction="add",
         others=[numpy.array([[0], [2], [0]]), (3, 5)]),
    case("GatherND", shape=(BATCH, 5, 3), others=[numpy.array([[0, 1], [3, 4], [0, 1]])]),
    case("TopK", others=[integers(3)], axis=1, largest=0),
    case("CumSum", shape=(BATCH, 3, 5), others=[numpy.array(1)], exclusive=1, reverse=1),
    case("Cast", to=TensorProto.DOUBLE),
]


def samples(shape, kind, generator):
    """Numbers in the domain of the function, apart from its corners."""
    values = generator.standard_normal(shape)
    if kind == "positive":
        values = abs(values) + 0.5
    if kind == "small":
        values = 0.7 * numpy.tanh(values)
    if kind == "large":
        values = abs(values) + 1.5
    return values.astype(numpy.float32)


def model_of(operator, shape, attributes, others, opset):
    """y = OPERATOR(w, …), w a parameter, and an input added to what comes out, so that
    there is a minibatch; and what the minibatch is."""
    attributes = dict(attributes)
    generator = numpy.random.default_rng(len(operator) + len(shape))
    kinds = [kind for kind in ("positive", "small", "large") if attributes.pop(kind, False)]
    first = attributes.pop("first", None)
    constants = [numpy_helper.from_array(samples(shape, "".join(kinds), generator), "w")]
    operands = ["w"]
    for i, other in enumerate(others):
        if isinstance(other, str):
            operands.append("indices")
            continue
        if isinstance(other, tuple):
            other = samples(other, "", generator) + (2 if operator == "Mod" else 0)
        constants.append(numpy_helper.from_array(numpy.asarray(other), f"p{i}"))
        operands.append(f"p{i}")
    if isinstance(first, numpy.ndarray):
        constants.append(numpy_helper.from_array(first, "first"))
    if first is not None:
        operands.insert(0, "first")
    results = {"Split": ["other", "y"], "TopK": ["y", "indices"],
               "BatchNormalization": ["y", "mean", "var"]}.get(operator, ["y"])
    nodes = []
    if isinstance(first, str):
        nodes.append(helper.make_node("Less", ["w", "p0"], ["first"]))
    if operator == "Cast":
        nodes.append(helper.make_node("Neg", ["w"], ["negative"]))
        operands = ["negative"]
    if "indices" in operands:
        # Which of the last three samples is the largest, and one more.
        nodes += [helper.make_node("Slice", ["x", "ones", "threes", "zeros"], ["three"]),
                  helper.make_node("ArgMax", ["three"], ["top"], axis=0, keepdims=0),
                  helper.make_node("Add", ["top", "ones"], ["shifted"]),
                  helper.make_node("Concat", ["top", "shifted", "top"], ["indices"], axis=0)]
        constants += [numpy_helper.from_array(integers(value), key)
                      for key, value in (("zeros", 0), ("ones", 1), ("threes", 4))]
    nodes += [helper.make_node(operator, operands, results, name="op", **attributes)]
    result = "y"
    if operator == "Cast":
        nodes.append(helper.make_node("Cast", ["y"], ["z"], to=TensorProto.FLOAT))
        result = "z"
    # A sum over all but the samples, of which the input makes a minibatch.
    nodes += [helper.make_node("Mul", [result, result], ["squares"], name="squares"),
              helper.make_node("Flatten", ["squares"], ["flat"], axis=0, name="flat"),
              helper.make_node("Mul", ["x", "flat"], ["out"], name="out")]
    graph = helper.make_graph(
        nodes, "case", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [BATCH, 1])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             ir_version=8)


def compare(tools, evaluate, path, data, directory, loss):
    """Largest relative error of the gradients that `evaluate` (model's path, inputs →
    outputs by name) computes; for whose."""
    def file(name):
        return os.path.join(directory, name)
    inputs = {key: value for key, value in data.items()}
    numpy.savez(file("data.npz"), **data)
    options = [f"--batch={BATCH}", f"--loss={loss}"]
    tools.run("taktc", path, *options, "--emit=onnx-gradients", "-o", file("g.onnx"))
    tools.run("taktc", path, *options, "--schedule=sequential", "-o", file("p.takt"))
    tools.run("takt-run", file("p.takt"), f"--data={file('data.npz')}", "--no-shuffle",
              "--iterations=1", f"--save-gradients={file('g.npz')}")
    model = onnx.load(file("g.onnx"))
    onnx.checker.check_model(model, full_check=True)
    ours = dict(numpy.load(file("g.npz")))
    outputs = {output.name for output in model.graph.output}
    assert outputs == {"loss"} | {"grad." + key for key in ours}, outputs
    theirs = evaluate(file("g.onnx"), inputs)
    return largest_error({key: theirs["grad." + key] for key in ours}, ours)


def operator_error(tools, evaluate, one, directory):
    path = os.path.join(directory, "case.onnx")
    model = model_of(*one)
    onnx.save(model, path)
    generator = numpy.random.default_rng(1)
    shape = dict(tools_shapes(tools, path, directory))["out"]
    data = {"x": generator.standard_normal((BATCH, 1)).astype("f4"),
            "target": generator.standard_normal(shape).astype("f4")}
    return compare(tools, evaluate, path, data, directory, "mse")


def tools_shapes(tools, path, directory):
    """Shapes of the arguments and results, from a forward run."""
    x = os.path.join(directory, "x.npz")
    numpy.savez(x, x=numpy.ones((BATCH, 1), "f4"))
    program, out = (os.path.join(directory, name) for name in ("f.takt", "o.npz"))
    tools.run("taktc", path, f"--batch={BATCH}", "--mode=forward", "-o", program)
    tools.run("takt-run", program, f"--data={x}", f"--save-outputs={out}")
    return [(key, value.shape) for key, value in numpy.load(out).items()]


NETWORKS = [("lenet", (1, 28, 28)), ("resnet-block", (3, 16, 16)),
            ("mobile-block", (3, 16, 16)), ("convnext-block", (3, 16, 16)),
            ("digits-resnet8", (1, 8, 8)), ("transformer", None), ("language-model", None),
            ("lstm", None)]

TRANSFORMER = """
  embedded = Gather (embedding, tokens)
  x = Add (embedded, position)
  n1 = LayerNormalization <axis = -1> (x, n1_weight, n1_bias)
  q = MatMul (n1, query)
  k = MatMul (n1, key)
  v = MatMul (n1, value)
  q4 = Reshape (q, heads)
  k4 = Reshape (k, heads)
  v4 = Reshape (v, heads)
  qh = Transpose <perm = [0, 2, 1, 3]> (q4)
  kh = Transpose <perm = [0, 2, 3, 1]> (k4)
  vh = Transpose <perm = [0, 2, 1, 3]> (v4)
  products = MatMul (qh, kh)
  scores = Mul (products, scale)
  masked = Where (mask, scores, far)
  attention = Softmax <axis = -1> (masked)
  mixed = MatMul (attention, vh)
  mixed4 = Transpose <perm = [0, 2, 1, 3]> (mixed)
  together = Reshape (mixed4, merged)
  projected = MatMul (together, projection)
  y = Add (x, projected)
  n2 = LayerNormalization <axis = -1> (y, n2_weight, n2_bias)
  up = MatMul (n2, mlp_up)
  shifted = Add (up, mlp_bias)
  halved = Mul (shifted, root)
  error = Erf (halved)
  gate = Add (error, one)
  gated = Mul (shifted, gate)
  down = MatMul (gated, mlp_down)
  z = Add (y, down)
"""
# What a sample is, or what follows each of its tokens.
TEXTS = {"transformer": TRANSFORMER + """
  pooled = ReduceMean <axes = [1], keepdims = 0> (z)
  logits = Gemm (pooled, head_weight, head_bias)
""", "language-model": TRANSFORMER + """
  scores_of_tokens = MatMul (z, head_weight)
  logits = Add (scores_of_tokens, head_bias)
""", "lstm": """
  embedded = Gather (embedding, tokens)
  steps = Transpose <perm = [1, 0, 2]> (embedded)
  states, last, cell = LSTM <hidden_size = 8> (steps, lstm_w, lstm_r, lstm_b)
  pooled = Squeeze (last, zeros)
  logits = Gemm (pooled, head_weight, head_bias)
"""}


def text_network(path, name):
    """Writes a network of TEXTS, and says what it takes."""
    generator = numpy.random.default_rng(3)
    shapes = {"embedding": (7, 8), "position": (5, 8), "n1_weight": (8,), "n1_bias": (8,),
              "query": (8, 8), "key": (8, 8), "value": (8, 8), "projection": (8, 8),
              "n2_weight": (8,), "n2_bias": (8,), "mlp_up": (8, 12), "mlp_bias": (12,),
              "mlp_down": (12, 8), "lstm_w": (1, 32, 8), "lstm_r": (1, 32, 8),
              "lstm_b": (1, 64), "head_weight": (8, 10), "head_bias": (10,)}
    tensors = {key: generator.standard_normal(shape).astype("f4")
               for key, shape in shapes.items()}
    tensors.update(heads=integers(BATCH, 5, 2, 4), merged=integers(BATCH, 5, 8),
                   scale=number(0.5), far=number(-1e9), root=number(0.5 ** 0.5),
                   one=number(1), mask=numpy.tri(5, dtype=bool), zeros=integers(0))
    graph = onnx.parser.parse_graph(
        "network (int64[4, 5] tokens) => (logits) {" + TEXTS[name] + "}")
    used = {key for node in graph.node for key in node.input}
    graph.initializer.extend(numpy_helper.from_array(values, key)
                             for key, values in tensors.items() if key in used)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=8), path)
    labels = (BATCH, 5) if name == "language-model" else (BATCH,)
    return {"tokens": generator.integers(0, 7, (BATCH, 5)),
            "label": generator.integers(0, 10, labels)}


def network_error(tools, evaluate, name, shape, directory):
    generator = numpy.random.default_rng(2)
    path = os.path.join(MODELS, name + ".onnx")
    data = {"image": generator.standard_normal((BATCH, *shape)).astype("f4"),
            "label": generator.integers(0, 10, BATCH)} if shape else None
    if data is None:
        path = os.path.join(directory, name + ".onnx")
        data = text_network(path, name)
    return compare(tools, evaluate, path, data, directory, "softmax-cross-entropy")


def dropout_error(tools, evaluate, directory):
    """A hundredth of that of the derivative in some direction, against the difference of
    losses (which has that much less precision): who evaluates the
    model drops other elements than takt-run, but the same ones in both passes."""
    path, model = (os.path.join(directory, name) for name in ("case.onnx", "g.onnx"))
    one = case("Dropout", others=[number(0.5), numpy.array(True)])
    onnx.save(model_of(*one), path)
    tools.run("taktc", path, f"--batch={BATCH}", "--loss=mse", "--emit=onnx-gradients",
              "-o", model)
    generator = numpy.random.default_rng(4)
    inputs = {"x": generator.standard_normal((BATCH, 1)).astype("f4"),
              "target": generator.standard_normal((BATCH, 24)).astype("f4")}
    w, = (numpy_helper.to_array(t) for t in onnx.load(model).graph.initializer
          if t.name == "w")
    direction, step = generator.standard_normal(w.shape).astype("f4"), 1e-2
    computed = float((evaluate(model, inputs)["grad.w"] * direction).sum())
    ahead, behind = (float(evaluate(model, {**inputs, "w": w + side * step * direction})
                           ["loss"]) for side in (1, -1))
    return abs((ahead - behind) / (2 * step) - computed) / abs(computed) / 100, "w"


def describe(one):
    operator, shape, attributes, others, _ = one
    text = [f"{key}={value}" for key, value in attributes.items() if key != "first"]
    return " ".join([operator, "x".join(map(str, shape)), *text])


def compare_all(tools, evaluate, show=print):
    """True if all agree."""
    failed = passed = 0
    with tempfile.TemporaryDirectory() as directory:
        for name, work in [
                *[(name, lambda n=name, s=shape: network_error(tools, evaluate, n, s,
                                                               directory))
                  for name, shape in NETWORKS],
                *[(describe(one), lambda one=one: operator_error(tools, evaluate, one,
                                                                 directory))
                  for one in CASES],
                ("Dropout", lambda: dropout_error(tools, evaluate, directory))]:
            error, parameter = work()
            good = error < TOLERANCE
            passed, failed = passed + good, failed + (not good)
            show(f"{name}: {'within' if good else 'DIFFERS by'} {error:.1e} ({parameter})")
    show(f"gradients: {passed} passed, {failed} failed")
    return failed == 0 and passed == len(NETWORKS) + len(CASES) + 1
