#!/usr/bin/python3
"""Exports the ONNX models that tests, demo and benchmarks use, with PyTorch.

    /usr/bin/python3 test/models/export.py [DIRECTORY]

The files are committed; this script says where they come from and makes them
again. `digits-*.onnx`, `lenet.onnx`, `vgg-block.onnx` and `resnet-block.onnx`
carry their random initial weights (fixed seed). `light-*.onnx` are torchvision's
networks with every large weight replaced by a ConstantOfShape node, so that a
550 MB file becomes 10 KB; their graphs are what PyTorch exported.

Needs Debian's python3-torch, python3-torchvision and python3-onnx.
"""

import io
import os
import sys

import numpy
import onnx
import torch
import torch.nn as nn
from onnx import helper, numpy_helper


class BasicBlock(nn.Module):
    """The two-convolution residual block of He et al. 2016."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.down = None
        if stride != 1 or inputs != outputs:
            self.down = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + (x if self.down is None else self.down(x)))


def resnet8():
    """ResNet-8 for 8x8 images of one channel."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        BasicBlock(16, 16, 1), BasicBlock(16, 32, 2), BasicBlock(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def digits_vgg():
    """Four convolutions without shortcuts, as VGG's, for 8x8 images."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def digits_lenet():
    """LeNet-5's layers, without normalization, for 8x8 images."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64, 60), nn.ReLU(), nn.Linear(60, 42), nn.ReLU(),
        nn.Linear(42, 10))


def lenet():
    """LeNet-5 (LeCun et al. 1998) with max pooling and relu."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10))


def vgg_block():
    """A VGG block with batch normalization, and its classifier."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Dropout(0.25),
        nn.Linear(64, 10))


def resnet_block():
    """A stem, two residual blocks (identity and projection), a classifier."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        BasicBlock(8, 8, 1), BasicBlock(8, 16, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


def export(model, shape, name, opset=13):
    """Returns the ONNX model, in training form (batch norm is not folded)."""
    buffer = io.BytesIO()
    torch.onnx.export(
        model.train(), torch.randn(shape), buffer, opset_version=opset,
        input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    result = onnx.load_model_from_string(buffer.getvalue())
    result.graph.name = name
    return result


def lighten(model):
    """Replaces every initializer above 1 KB by a ConstantOfShape node."""
    graph = model.graph
    nodes, kept = [], []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.raw_data) < 1024:
            kept.append(tensor)
            continue
        shape = tensor.name + ".shape"
        kept.append(numpy_helper.from_array(
            numpy.array(tensor.dims, dtype=numpy.int64), shape))
        value = helper.make_tensor("value", onnx.TensorProto.FLOAT, [1], [0.02])
        nodes.append(helper.make_node("ConstantOfShape", [shape], [tensor.name],
                                      tensor.name + ".fill", value=value))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes.extend(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def main():
    import torchvision.models as zoo
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(
        os.path.abspath(__file__))

    def save(model, name):
        onnx.save(model, os.path.join(directory, name + ".onnx"))

    for name, make, shape in [("lenet", lenet, (2, 1, 28, 28)),
                              ("vgg-block", vgg_block, (2, 3, 16, 16)),
                              ("resnet-block", resnet_block, (2, 3, 16, 16)),
                              ("digits-resnet8", resnet8, (2, 1, 8, 8)),
                              ("digits-vgg", digits_vgg, (2, 1, 8, 8)),
                              ("digits-lenet", digits_lenet, (2, 1, 8, 8))]:
        torch.manual_seed(1)
        save(export(make(), shape, name), name)
    for name in ["vgg16", "alexnet", "resnet18", "resnet50"]:
        torch.manual_seed(1)
        model = export(getattr(zoo, name)(), (1, 3, 224, 224), name)
        save(lighten(model), "light-" + name)
    torch.manual_seed(1)
    save(lighten(export(zoo.resnet18(), (1, 3, 64, 64), "resnet18-64")),
         "light-resnet18-64")


if __name__ == "__main__":
    main()
