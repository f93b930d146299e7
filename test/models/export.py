#!/usr/bin/python3
"""Exports the ONNX models that tests, demo and benchmarks use, with PyTorch.

    /usr/bin/python3 test/models/export.py [DIRECTORY]

The files are committed; this script says where they come from and makes them
again. `digits-*.onnx`, `lenet.onnx` and `*-block.onnx` carry their random initial weights (fixed seed). `light-*.onnx` are torchvision's
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

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                "python"))
from takt.networks import BasicBlock, digits_resnet  # noqa: E402


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


class SqueezeExcite(nn.Module):
    """Hu et al. 2018, with MobileNetV3's gate."""

    def __init__(self, channels):
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 4, 1)
        self.up = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x):
        y = torch.relu(self.down(x.mean([2, 3], keepdim=True)))
        return x * nn.functional.hardsigmoid(self.up(y))


class InvertedResidual(nn.Module):
    """The block of MobileNetV2 and V3."""

    def __init__(self, channels, expanded):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, expanded, 1, bias=False), nn.BatchNorm2d(expanded),
            nn.Hardswish(),
            nn.Conv2d(expanded, expanded, 3, padding=1, groups=expanded, bias=False),
            nn.BatchNorm2d(expanded), nn.ReLU6(), SqueezeExcite(expanded),
            nn.Conv2d(expanded, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return x + self.body(x)


class ConvNextBlock(nn.Module):
    """Liu et al. 2022."""

    def __init__(self, channels):
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up = nn.Linear(channels, 2 * channels)
        self.down = nn.Linear(2 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 0.5))

    def forward(self, x):
        y = self.norm(self.mix(x).permute(0, 2, 3, 1))
        y = self.down(nn.functional.gelu(self.up(y)))
        return x + self.scale * y.permute(0, 3, 1, 2)


class ShuffleUnit(nn.Module):
    """Half of the channels pass; then both halves are shuffled."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.body = nn.Sequential(
            nn.Conv2d(half, half, (1, 3), padding=(0, 1)), nn.PReLU(half),
            nn.Conv2d(half, half, (3, 1), padding=(1, 0)), nn.ELU(0.5))

    def forward(self, x):
        left, right = x.chunk(2, dim=1)
        y = torch.cat([left, self.body(right)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class MobileBlock(nn.Module):
    """What MobileNet, EfficientNet, Inception-v3, ShuffleNet and U-Net have
    beyond convolutions, batch normalization and ReLU."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1, padding_mode="reflect")
        self.group = nn.GroupNorm(4, 16)
        self.inverted = InvertedResidual(16, 32)
        self.shuffle = ShuffleUnit(16)
        self.pool = nn.AvgPool2d(3, 2, ceil_mode=True)
        self.wide = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.up = nn.ConvTranspose2d(32, 16, 3, 2, padding=1, output_padding=1)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        # Inception-v3's change of the input.
        x = torch.cat([x[:, c:c + 1] * (0.4 + 0.1 * c) - 0.1 for c in range(3)], 1)
        x = self.inverted(nn.functional.softplus(self.group(self.stem(x))))
        x = self.shuffle(x)
        y = self.up(torch.cat([self.pool(x), self.wide(x)], 1))
        y = nn.functional.silu(y + x)
        return self.head(y.amax([2, 3]) / (1 + y.abs().mean([2, 3])))


def convnext_block():
    """ConvNeXt's stem, two blocks and head."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 2, 2), ConvNextBlock(16), ConvNextBlock(16),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(16), nn.Linear(16, 10))


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


def lighten(model, least=1024):
    """Replaces every initializer of at least so many bytes by a ConstantOfShape
    node."""
    graph = model.graph
    nodes, kept = [], []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.raw_data) < least:
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


# Operators that are newer than opset 13, where the exporter knows them.
OPSETS = {"mobile-block": 14, "mobilenet_v3_small": 14, "convnext-block": 17,
          "convnext_tiny": 17}
# Nothing that is random by sample, and one output.
OPTIONS = {"efficientnet_b0": {"stochastic_depth_prob": 0.0},
           "convnext_tiny": {"stochastic_depth_prob": 0.0},
           "inception_v3": {"aux_logits": False, "init_weights": False}}


def main():
    import torchvision.models as zoo
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(
        os.path.abspath(__file__))

    def save(model, name):
        onnx.save(model, os.path.join(directory, name + ".onnx"))

    for name, make, shape in [("lenet", lenet, (2, 1, 28, 28)),
                              ("vgg-block", vgg_block, (2, 3, 16, 16)),
                              ("resnet-block", resnet_block, (2, 3, 16, 16)),
                              ("mobile-block", MobileBlock, (2, 3, 16, 16)),
                              ("convnext-block", convnext_block, (2, 3, 16, 16)),
                              ("digits-resnet8", lambda: digits_resnet(8), (2, 1, 8, 8)),
                              ("digits-vgg", digits_vgg, (2, 1, 8, 8)),
                              ("digits-lenet", digits_lenet, (2, 1, 8, 8))]:
        torch.manual_seed(1)
        save(export(make(), shape, name, OPSETS.get(name, 13)), name)
    for name in ["vgg16", "alexnet", "resnet18", "resnet50"]:
        torch.manual_seed(1)
        model = export(getattr(zoo, name)(), (1, 3, 224, 224), name)
        save(lighten(model), "light-" + name)
    for name in ["squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0",
                 "densenet121", "inception_v3", "convnext_tiny"]:
        size = 299 if name == "inception_v3" else 224
        model = export(getattr(zoo, name)(**OPTIONS.get(name, {})),
                       (1, 3, size, size), name, OPSETS.get(name, 13))
        save(lighten(model, 64), "light-" + name)
    torch.manual_seed(1)
    save(lighten(export(zoo.resnet18(), (1, 3, 64, 64), "resnet18-64")),
         "light-resnet18-64")


if __name__ == "__main__":
    main()
