"""Networks in plain PyTorch that tests and benches train, in any size."""

import math
import warnings

import torch
import torch.nn as nn


class Gpt(nn.Module):
    """Radford et al. 2019: norms before the layers, one product for query, key and
    value, the words' table used again for the output."""

    class Layer(nn.Module):
        def __init__(self, width, heads, inner):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.all, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)

        def attention(self, x):
            batch, length, width = x.shape
            size = width // self.heads
            query, key, value = [
                part.view(batch, length, self.heads, size).transpose(1, 2)
                for part in self.all(x).split(width, 2)]
            scores = query @ key.transpose(2, 3) / math.sqrt(size)
            later = torch.ones(length, length).tril() == 0
            scores = scores.masked_fill(later, -math.inf)
            y = torch.softmax(scores, 3) @ value
            return self.out(y.transpose(1, 2).reshape(batch, length, width))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            h = self.inner(self.norm2(x))
            curve = torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h.pow(3)))
            return x + self.outer(0.5 * h * (1 + curve))

    def __init__(self, words, length, width, heads, layers, inner):
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList([self.Layer(width, heads, inner)
                                     for _ in range(layers)])
        self.norm = nn.LayerNorm(width)

    def scale_as_gpt2(self):
        """Draws the initial weights as GPT-2 does: standard deviation 0.02, less by
        the square root of what is added up into the residual stream."""
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                ends = name.endswith(("out.weight", "outer.weight"))
                nn.init.normal_(weight, std=0.02 / (
                    math.sqrt(2 * len(self.layers)) if ends else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(weight)
        return self

    def forward(self, ids):
        x = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) @ self.words.weight.t()


class Recurrent(nn.Module):
    """A language model of LSTM layers."""

    def __init__(self, words, width, layers=2):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, num_layers=layers, batch_first=True)
        self.head = nn.Linear(width, words)

    def forward(self, ids):
        return self.head(self.lstm(self.words(ids))[0])


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


def digits_resnet(depth):
    """The ResNet for small images of He et al. 2016 with 6 n + 2 layers, for images of
    one channel; depth 8 has one block of each width, 20 three."""
    blocks = []
    for inputs, width in ((16, 16), (16, 32), (32, 64)):
        for i in range((depth - 2) // 6):
            first = i == 0
            blocks.append(BasicBlock(inputs if first else width, width,
                                     2 if first and width > 16 else 1))
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def export(model, inputs, path, opset=16, dynamic=False, output="y"):
    """Writes the model as one trains it: without folding, so that its weights stay
    what the module's parameters are. `inputs` are examples by name, whose first
    dimension has any size where `dynamic` says so. PyTorch runs the model on them,
    which moves running statistics; both the module and the file keep those that it
    had."""
    # Only here: a PyTorch that is compared with has no need of it.
    import onnx
    from onnx import numpy_helper
    before = {name: value.clone() for name, value in model.state_dict().items()}
    axes = {name: {0: "batch"} for name in [*inputs, output]} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, tuple(inputs.values()), path, opset_version=opset,
                          input_names=list(inputs), output_names=[output],
                          do_constant_folding=False, dynamic_axes=axes,
                          training=torch.onnx.TrainingMode.TRAINING)
    model.load_state_dict(before)
    written = onnx.load(path)
    for tensor in written.graph.initializer:
        if tensor.name in before:
            tensor.CopyFrom(numpy_helper.from_array(before[tensor.name].numpy(),
                                                    tensor.name))
    onnx.save(written, path)
