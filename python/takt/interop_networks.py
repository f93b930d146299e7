"""Networks as the current exporter of PyTorch writes them, torch.onnx.export with
dynamo=True: optimized by it, which folds and renames parameters, and as they come from
the program that torch.export finds. Run by ./dev interop."""

import functools
import logging
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

from takt.agreement import Form, compare_all
from takt.kinds import HEADS, NETWORKS, WIDTH, WORDS, Gpt


class Modern(nn.Module):
    """With what PyTorch has now: RMSNorm, attention as one function, in which two
    queries share a key, and a rotary embedding from a buffer."""
    loss, class_axis = "softmax-cross-entropy", 2
    SIZE = WIDTH // HEADS

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.norm1, self.norm2 = nn.RMSNorm(WIDTH, 1e-6), nn.RMSNorm(WIDTH, 1e-6)
        self.all = nn.Linear(WIDTH, 2 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, WORDS)
        rates = 1e4 ** (-torch.arange(0, self.SIZE, 2) / self.SIZE)
        self.register_buffer("rates", rates, persistent=False)
        self.offset = nn.Parameter(torch.zeros(1, 1, WIDTH))

    def turn(self, x):
        angles = torch.arange(x.shape[2])[:, None] * self.rates
        first, second = x.chunk(2, -1)
        return torch.cat([first * angles.cos() - second * angles.sin(),
                          first * angles.sin() + second * angles.cos()], -1)

    def forward(self, ids):
        x = self.words(ids) + self.offset.expand(-1, ids.shape[1], -1)
        parts = self.all(self.norm1(x)).unflatten(2, (-1, self.SIZE)).transpose(1, 2)
        query, key, value = parts.split([HEADS, HEADS // 2, HEADS // 2], 1)
        y = F.scaled_dot_product_attention(self.turn(query), self.turn(key), value,
                                           is_causal=True, enable_gqa=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return self.head(F.gelu(self.norm2(x)))

    data = staticmethod(Gpt.data)


def export(model, inputs, path, opset, dynamic, optimize):
    logging.disable(logging.WARNING)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, tuple(inputs.values()), path, dynamo=True, opset_version=opset,
            input_names=list(inputs), output_names=["y"], optimize=optimize,
            external_data=False, verbose=False,
            dynamic_shapes={name: {0: batch} for name in inputs} if dynamic else None)


def compare_networks(tools):
    """Whether all networks train as in PyTorch; prints each one's errors."""
    def form(optimize, opset, dynamic):
        return Form("optimized" if optimize else "as found",
                    functools.partial(export, optimize=optimize), opset, dynamic)

    forms, late = [form(True, 18, False), form(False, 20, True)], form(True, 23, True)
    networks = {**NETWORKS, "modern": Modern}
    return all([compare_all(tools, forms, networks),
                compare_all(tools, [late], {"modern": Modern})])
