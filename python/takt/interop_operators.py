"""Operators against onnxruntime: those that it fuses, of the domain com.microsoft,
which have no tests of ONNX's, one node at a time. Run by ./dev interop."""

import os
import tempfile

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

BATCH, LENGTH, WIDTH, HEADS = 2, 5, 8, 2
HEAD = WIDTH // HEADS
TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32,
         "int64": TensorProto.INT64}
LARGEST_ERROR = 2e-5


class Case:
    """One node: inputs (None: left out), the outputs that are asked for, the
    inputs that are initializers, and attributes."""

    def __init__(self, name, operator, inputs, outputs=(0,), constants=(),
                 domain="com.microsoft", **attributes):
        self.name, self.outputs = name, outputs
        self.inputs = {f"i{i}": value for i, value in enumerate(inputs)
                       if value is not None}
        self.constants = {f"i{i}" for i in constants}
        names = [f"i{i}" if value is not None else ""
                 for i, value in enumerate(inputs)]
        results = [f"o{i}" if i in outputs else "" for i in range(max(outputs) + 1)]
        self.node = helper.make_node(operator, names, results, name=name,
                                     domain=domain, **attributes)

    def fed(self):
        return {name: value for name, value in self.inputs.items()
                if name not in self.constants}

    def model(self):
        graph = helper.make_graph(
            [self.node], self.name,
            [helper.make_tensor_value_info(name, TYPES[value.dtype.name], value.shape)
             for name, value in self.fed().items()],
            [helper.make_empty_tensor_value_info(f"o{i}") for i in self.outputs],
            [numpy_helper.from_array(self.inputs[name], name)
             for name in sorted(self.constants)])
        return helper.make_model(graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)])


def simple_cases(f, x):
    yield Case("Gelu", "Gelu", [x])
    yield Case("BiasGelu", "BiasGelu", [x, f(WIDTH)])
    yield Case("FastGelu", "FastGelu", [x])
    yield Case("FastGelu-bias", "FastGelu", [x, f(WIDTH)])
    yield Case("QuickGelu", "QuickGelu", [x], alpha=1.3)
    yield Case("FusedMatMul", "FusedMatMul", [f(2, 4, 3), f(2, 5, 4)], transA=1,
               transB=1, alpha=0.3)
    yield Case("FusedGemm-relu", "FusedGemm", [f(4, 3), f(5, 3), f(5)], transB=1,
               activation="Relu")
    yield Case("FusedGemm-slope", "FusedGemm", [f(4, 3), f(3, 5), f(5)],
               activation="LeakyRelu", activation_alpha=0.3)
    yield Case("FusedMatMul-batches", "FusedMatMul", [f(4, 2, 3), f(2, 5, 3)],
               transBatchA=1, transB=1)
    image, w = f(2, 3, 6, 5), f(4, 3, 3, 3)
    yield Case("FusedConv", "FusedConv", [image, w, f(4)], activation="Relu",
               strides=[2, 1])
    yield Case("FusedConv-sum", "FusedConv", [image, w, f(4), f(2, 4, 4, 3)],
               activation="LeakyRelu", activation_params=[0.3])
    yield Case("FusedConv-clip", "FusedConv", [image, w], activation="Clip",
               activation_params=[-0.5, 0.5], pads=[1, 1, 1, 1])


def norm_cases(f, x, generator):
    w = WIDTH
    yield Case("LayerNormalization", "LayerNormalization", [x, f(w), f(w)],
               (0, 1, 2), domain="")
    yield Case("Simplified", "SimplifiedLayerNormalization", [x, f(w)], (0, 1),
               domain="")
    yield Case("Skip", "SkipLayerNormalization",
               [x, f(*x.shape), f(w), f(w), f(w)], (0, 3))
    yield Case("Skip-broadcast", "SkipLayerNormalization", [x, f(LENGTH, w), f(w)])
    yield Case("SkipSimplified", "SkipSimplifiedLayerNormalization",
               [x, f(*x.shape), f(w), f(w)], (0, 3))
    words = generator.integers(0, 11, (BATCH, LENGTH)).astype("i4")
    kinds = generator.integers(0, 2, (BATCH, LENGTH)).astype("i4")
    places = generator.integers(0, 7, (BATCH, LENGTH)).astype("i4")
    tables = [f(11, w), f(7, w), f(2, w)]
    yield Case("Embed", "EmbedLayerNormalization",
               [words, kinds, *tables, f(w), f(w), raw_mask(LENGTH)], (0, 1, 2),
               (2, 3, 4, 5, 6))
    yield Case("Embed-positions", "EmbedLayerNormalization",
               [words, None, *tables[:2], None, f(w), f(w), None, places],
               (0, 1), (2, 3, 5, 6))


def raw_mask(columns):
    return (numpy.arange(columns)[None] < numpy.array([[3], [5]])).astype("i4")


def attention_cases(f, x, generator):
    w, b = f(WIDTH, 3 * WIDTH), f(3 * WIDTH)
    rows = generator.integers(0, 2, (BATCH, LENGTH, LENGTH)).astype("i4")
    rows[:, :, 0] = 1

    def case(name, *rest, **attributes):
        return Case("Attention-" + name, "Attention", [x, *rest], num_heads=HEADS,
                    **attributes)

    yield case("plain", w, b)
    yield case("causal", w, b, unidirectional=1)
    yield case("lengths", w, b, numpy.array([3, 5], "i4"))
    yield case("starts", w, b, numpy.array([4, 5, 1, 0], "i4"))
    yield case("mask", w, b, raw_mask(LENGTH))
    yield case("rows", w, b, rows, unidirectional=1, mask_filter_value=-50.0)
    yield case("past", w, b, None, f(2, BATCH, HEADS, 3, HEAD), outputs=(0, 1),
               unidirectional=1)
    yield case("bias", w, b, None, None, f(1, HEADS, LENGTH, LENGTH), scale=0.3)
    yield case("sizes", f(WIDTH, 20), f(20), qkv_hidden_sizes=[8, 8, 4])


def multi_head_cases(f, x):
    other, cache = f(BATCH, 6, WIDTH), [f(BATCH, HEADS, 3, HEAD) for _ in range(2)]

    def case(name, *inputs, **attributes):
        return Case("MultiHead-" + name, "MultiHeadAttention", inputs,
                    num_heads=HEADS, **attributes)

    yield case("plain", x, other, other)
    yield case("bias", x, other, f(BATCH, 6, 4), f(20))
    yield case("padding", x, other, other, None, raw_mask(6))
    yield case("scores", x, x, x, None, None, f(BATCH, HEADS, LENGTH, LENGTH),
               unidirectional=1)
    yield case("heads", x, f(BATCH, HEADS, 6, HEAD), f(BATCH, HEADS, 6, HEAD))
    yield case("past", x, x, x, None, None, None, *cache, outputs=(0, 1, 2),
               unidirectional=1)


def rotary_cases(f, x, generator):
    tables = [f(9, HEAD // 2), f(9, HEAD // 2)]
    places = generator.integers(0, 9, (BATCH, LENGTH))

    def case(name, *inputs, **attributes):
        return Case("Rotary-" + name, "RotaryEmbedding", inputs, constants=(2, 3),
                    **attributes)

    yield case("plain", x, places, *tables)
    yield case("offset", x, numpy.array([2]), *tables)
    yield case("interleaved", f(BATCH, HEADS, LENGTH, HEAD), places, *tables,
               interleaved=1)
    yield case("part", f(BATCH, LENGTH, 16), places, *tables, num_heads=2,
               rotary_embedding_dim=HEAD)


def cases():
    generator = numpy.random.default_rng(3)

    def f(*shape):
        return generator.standard_normal(shape).astype("f4")

    x = f(BATCH, LENGTH, WIDTH)
    yield from simple_cases(f, x)
    yield from norm_cases(f, x, generator)
    yield from attention_cases(f, x, generator)
    yield from multi_head_cases(f, x)
    yield from rotary_cases(f, x, generator)


def largest_error(tools, case):
    """Over all outputs, relative to the largest number of each."""
    import onnxruntime

    model = case.model()
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    names = [f"o{i}" for i in case.outputs]
    expected = dict(zip(names, session.run(names, case.fed())))
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TYPES[value.dtype.name], value.shape)
        for name, value in expected.items())
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        onnx.save(model, path("m.onnx"))
        numpy.savez(path("d.npz"), **case.fed())
        tools.run("taktc", path("m.onnx"), "--mode=forward", "--processors=1",
                  "-o", path("p.takt"))
        tools.run("takt-run", path("p.takt"), f"--data={path('d.npz')}",
                  f"--save-outputs={path('o.npz')}")
        with numpy.load(path("o.npz")) as found:
            return max(float(abs(found[name].astype("f8") - value).max()
                             / max(abs(value).max(), 1e-9))
                       for name, value in expected.items())


def compare_operators(tools):
    """Whether all cases agree; prints those that do not, and how many did."""
    errors = {case.name: largest_error(tools, case) for case in cases()}
    wrong = {name: error for name, error in errors.items()
             if not error < LARGEST_ERROR}
    for name, error in wrong.items():
        print(f"{name}: DIFFERS by {error:.1e} from onnxruntime", flush=True)
    print(f"operators: {len(errors) - len(wrong)} within {LARGEST_ERROR:.0e} of "
          f"onnxruntime, {len(wrong)} failed")
    return bool(errors) and not wrong
