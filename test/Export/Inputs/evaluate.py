"""Evaluates the models of --emit=onnx-gradients with PyTorch: Debian's python3-onnx has
no reference evaluator. Only what such models have is understood."""

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

DTYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool,
          11: torch.float64}


def padded(x, pads, value):
    """Pads behind each other as ONNX has them, of the last axes."""
    n = len(pads) // 2
    order = [pads[i + side * n] for i in reversed(range(n)) for side in (0, 1)]
    return functional.pad(x, order, value=value)


def spatial(name, rank):
    return getattr(functional, f"{name}{rank - 2}d")


def conv(x, w, b=None, *, strides, pads, dilations, kernel_shape, group=1):
    return spatial("conv", x.dim())(padded(x, pads, 0), w, b, strides, 0, dilations, group)


def conv_transpose(x, w, *, strides, pads, output_padding, dilations, group, kernel_shape):
    y = spatial("conv_transpose", x.dim())(x, w, None, strides, 0, output_padding, group,
                                           dilations)
    n = len(pads) // 2
    for axis in range(n):
        size = y.shape[2 + axis] - pads[axis] - pads[n + axis]
        y = y.narrow(2 + axis, pads[axis], size)
    return y


def max_pool(x, *, kernel_shape, strides, pads, dilations):
    """The largest elements and their places in the flattened input."""
    wide = padded(x, pads, -torch.inf)
    y, places = spatial("max_pool", x.dim())(wide, kernel_shape, strides, 0, dilations,
                                             return_indices=True)
    index, scale = torch.zeros_like(places), 1
    for axis in reversed(range(x.dim() - 2)):
        size = wide.shape[2 + axis]
        index += (places % size - pads[axis]) * scale
        places = torch.div(places, size, rounding_mode="floor")
        scale *= x.shape[2 + axis]
    planes = torch.arange(x.shape[0] * x.shape[1]).reshape(
        *x.shape[:2], *[1] * (x.dim() - 2))
    return y, index + planes * scale


def average_pool(x, *, kernel_shape, pads, count_include_pad, strides=None):
    assert count_include_pad == 1
    return spatial("avg_pool", x.dim())(padded(x, pads, 0), kernel_shape,
                                        strides or [1] * len(kernel_shape))


def gemm(a, b, c=None, *, alpha, beta, transA, transB):
    y = alpha * (a.T if transA else a) @ (b.T if transB else b)
    return y if c is None else y + beta * c


def indices_of(indices, size):
    return torch.where(indices < 0, indices + size, indices)


def scatter_elements(x, indices, updates, *, axis, reduction):
    indices = indices_of(indices, x.shape[axis])
    if reduction == b"add":
        return x.scatter_add(axis, indices, updates)
    if reduction == b"mul":
        return x.scatter(axis, indices, updates, reduce="multiply")
    assert reduction == b"none"
    return x.scatter(axis, indices, updates)


def gather(x, indices, *, axis):
    flat = x.index_select(axis, indices_of(indices, x.shape[axis]).flatten())
    return flat.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1:])


def cut(x, begins, ends, axes):
    for begin, end, axis in zip(begins.tolist(), ends.tolist(), axes.tolist()):
        x = x.narrow(axis, begin, end - begin)
    return x


def pad(x, pads, value, *, mode):
    return torch.from_numpy(numpy.pad(
        x.numpy(), pads.reshape(2, -1).T.tolist(), mode.decode(),
        **({"constant_values": value.item()} if mode == b"constant" else {})))


def cumulated(x, axis, *, exclusive, reverse):
    axis = axis.item()
    x = x.flip(axis) if reverse else x
    y = x.cumsum(axis) - (x if exclusive else 0)
    return y.flip(axis) if reverse else y


def modulo(a, b, *, fmod):
    assert fmod == 1
    return torch.fmod(a, b)


def largest(x, *, axis, keepdims, select_last_index):
    assert select_last_index == 0
    return x.argmax(axis, bool(keepdims))


def dropout(x, ratio, training, *, seed):
    assert training.item()
    mask = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) >= ratio
    return torch.where(mask, x / (1 - ratio), 0 * x), mask


OPERATORS = {
    **{name: getattr(torch, name.lower()) for name in
       ("Neg Exp Log Sqrt Abs Erf Tanh Sigmoid Relu Sign Floor Ceil Round Sin Cos Tan Asin "
        "Acos Atan Sinh Cosh Asinh Acosh Atanh Pow Where").split()},
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div,
    "Max": torch.maximum, "Min": torch.minimum, "Mod": modulo, "Less": torch.lt,
    "LessOrEqual": torch.le, "Equal": torch.eq, "And": torch.logical_and,
    "Or": torch.logical_or, "Not": torch.logical_not, "Identity": lambda x: x,
    "Sum": lambda *x: sum(x[1:], x[0]), "MatMul": torch.matmul, "Gemm": gemm,
    "Clip": lambda x, low, high: x.clamp(low, high),
    "LeakyRelu": lambda x, alpha: functional.leaky_relu(x, alpha),
    "Softmax": lambda x, axis: x.softmax(axis),
    "LogSoftmax": lambda x, axis: x.log_softmax(axis),
    "Cast": lambda x, to: x.to(DTYPES[to]),
    "Reshape": lambda x, shape: x.reshape(shape.tolist()),
    "Transpose": lambda x, perm: x.permute(perm),
    "Expand": lambda x, shape: x.expand(shape.tolist()),
    "Concat": lambda *x, axis: torch.cat(x, axis), "Slice": cut, "Pad": pad,
    "ReduceSum": lambda x, axes, keepdims: x.sum(axes.tolist(), bool(keepdims)),
    "ReduceMean": lambda x, axes, keepdims: x.mean(axes, bool(keepdims)),
    "ReduceMax": lambda x, axes, keepdims: x.amax(axes, bool(keepdims)),
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": max_pool,
    "AveragePool": average_pool, "ScatterElements": scatter_elements, "Gather": gather,
    "GatherElements": lambda x, i, axis: x.gather(axis, indices_of(i, x.shape[axis])),
    "TopK": lambda x, k, axis, largest, sorted: x.topk(k.item(), axis, bool(largest)),
    "CumSum": cumulated, "ArgMax": largest, "Dropout": dropout,
}


def evaluate(path, inputs):
    """The outputs of the model in the file by name, from the inputs by name."""
    graph = onnx.load(path).graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
              for t in graph.initializer}
    values.update({key: torch.from_numpy(numpy.asarray(value))
                   for key, value in inputs.items()})
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        results = OPERATORS[node.op_type](*[values[name] for name in node.input],
                                          **attributes)
        if len(node.output) == 1:
            results = [results[0] if isinstance(results, tuple) else results]
        values.update(zip(node.output, results))
    return {output.name: values[output.name].numpy() for output in graph.output}
