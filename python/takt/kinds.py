"""Small networks of the kinds that people train, in plain PyTorch: each is a
class whose instance takes the arrays that its `data` makes; `class_axis` is that of the
output along which cross-entropy has the classes, `options` what taktc must be told.
takt.agreement trains them."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from takt import networks

WORDS, LENGTH, WIDTH, HEADS, CLASSES = 13, 6, 16, 4, 5


def words(generator, samples, length=LENGTH):
    return generator.integers(0, WORDS, (samples, length))


def causal(length):
    return torch.full((length, length), -math.inf).triu(1)


class Heads(nn.Module):
    """Attention of several heads; fewer of the key and value where `groups` says
    so."""

    def __init__(self, groups=HEADS, bias=True):
        super().__init__()
        self.size, self.groups = WIDTH // HEADS, groups
        self.query = nn.Linear(WIDTH, WIDTH, bias)
        self.key = nn.Linear(WIDTH, groups * self.size, bias)
        self.value = nn.Linear(WIDTH, groups * self.size, bias)
        self.out = nn.Linear(WIDTH, WIDTH, bias)

    def split(self, x):
        batch, length, width = x.shape
        return x.reshape(batch, length, width // self.size, self.size).transpose(1, 2)

    def repeat(self, x):
        """For each of a group. PyTorch 1.13 exports repeat_interleave wrongly where
        the batch has any size."""
        batch, groups, length, size = x.shape
        if groups == HEADS:
            return x
        return x[:, :, None].expand(batch, groups, HEADS // groups, length, size).reshape(
            batch, HEADS, length, size)

    def forward(self, x, other=None, mask=None, turn=lambda x: x,
                scale=None):
        other = x if other is None else other
        query, key = turn(self.split(self.query(x))), turn(self.split(self.key(other)))
        value = self.split(self.value(other))
        key, value = self.repeat(key), self.repeat(value)
        scale = self.size ** -0.5 if scale is None else scale
        scores = query @ key.transpose(2, 3) * scale
        scores = scores if mask is None else scores + mask
        y = torch.softmax(scores, -1) @ value
        return self.out(y.transpose(1, 2).reshape(x.shape))


class Bert(nn.Module):
    """Devlin et al. 2018: words, segments and positions, two encoder layers, the
    first word's state classified. Words behind a sample's end are masked."""
    loss, class_axis = "softmax-cross-entropy", 1

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.norm1 = Heads(), nn.LayerNorm(WIDTH)
            self.inner, self.outer = nn.Linear(WIDTH, 32), nn.Linear(32, WIDTH)
            self.norm2 = nn.LayerNorm(WIDTH)

        def forward(self, x, mask):
            x = self.norm1(x + self.attention(x, mask=mask))
            return self.norm2(x + self.outer(F.gelu(self.inner(x))))

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.places = nn.Embedding(LENGTH, WIDTH)
        self.segments = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList([self.Layer(), self.Layer()])
        self.pool, self.classes = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, ids, segment, valid):
        x = self.words(ids) + self.segments(segment) + self.places(
            torch.arange(ids.shape[1]))
        mask = (1 - valid.float())[:, None, None, :] * -1e4
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, mask)
        return self.classes(torch.tanh(self.pool(x[:, 0])))

    @staticmethod
    def data(generator, samples):
        ends = generator.integers(2, LENGTH + 1, (samples, 1))
        places = torch.arange(LENGTH).numpy()[None]
        return {"ids": words(generator, samples),
                "segment": generator.integers(0, 2, (samples, LENGTH)),
                "valid": (places < ends).astype("int64"),
                "label": generator.integers(0, CLASSES, samples)}


def scores(generator, samples, *shape):
    return generator.standard_normal((samples, *shape)).astype("float32")


class Gpt(networks.Gpt):
    loss, class_axis = "softmax-cross-entropy", 2

    def __init__(self):
        super().__init__(WORDS, 8, WIDTH, HEADS, layers=2, inner=32)

    @staticmethod
    def data(generator, samples):
        return {"ids": words(generator, samples),
                "label": words(generator, samples)}


class RootNorm(nn.Module):
    """Divided by the root of the mean square."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


def angles(length, size):
    """Cosines and sines of a rotary embedding, length × size / 2."""
    rates = 1e4 ** (-torch.arange(0, size, 2).float() / size)
    turns = torch.arange(length).float()[:, None] * rates
    return turns.cos(), turns.sin()


def turn(x):
    """Pairs of halves of the last axis, turned."""
    cosine, sine = angles(x.shape[2], x.shape[3])
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine,
                      first * sine + second * cosine], -1)


class Llama(nn.Module):
    """Touvron et al. 2023: rotary positions, root mean square norms, a gated inner
    layer, two heads of the key for four of the query."""
    loss, class_axis = "softmax-cross-entropy", 2

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = Heads(groups=2, bias=False)
            self.norm1, self.norm2 = RootNorm(WIDTH), RootNorm(WIDTH)
            self.gate = nn.Linear(WIDTH, 24, bias=False)
            self.up = nn.Linear(WIDTH, 24, bias=False)
            self.down = nn.Linear(24, WIDTH, bias=False)

        def forward(self, x):
            x = x + self.attention(self.norm1(x), mask=causal(x.shape[1]), turn=turn)
            h = self.norm2(x)
            return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.layers = nn.ModuleList([self.Layer(), self.Layer()])
        self.norm, self.head = RootNorm(WIDTH), nn.Linear(WIDTH, WORDS, bias=False)

    def forward(self, ids):
        x = self.words(ids)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))

    data = staticmethod(Gpt.data)


class T5(nn.Module):
    """Raffel et al. 2019: encoder and decoder, scores without a scale but with a
    learned bias by distance, which the layers of each share."""
    loss = "mse"

    class Bias(nn.Module):
        def __init__(self, both):
            super().__init__()
            self.table, self.both = nn.Embedding(8, HEADS), both

        def forward(self, length):
            place = torch.arange(length)
            distance = place[None] - place[:, None]
            bucket = distance.clamp(-3, 3) + 3 if self.both else (
                -distance).clamp(0, 7)
            return self.table(bucket).permute(2, 0, 1)[None]

    class Layer(nn.Module):
        def __init__(self, crosses):
            super().__init__()
            self.norm1, self.own = RootNorm(WIDTH), Heads(bias=False)
            self.cross = Heads(bias=False) if crosses else None
            self.norm2 = RootNorm(WIDTH) if crosses else None
            self.norm3 = RootNorm(WIDTH)
            self.inner = nn.Linear(WIDTH, 32, bias=False)
            self.outer = nn.Linear(32, WIDTH, bias=False)

        def forward(self, x, mask, memory=None):
            x = x + self.own(self.norm1(x), mask=mask, scale=1)
            if memory is not None:
                x = x + self.cross(self.norm2(x), memory, scale=1)
            return x + self.outer(torch.relu(self.inner(self.norm3(x))))

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.words.weight.data *= 0.3
        self.encoder = nn.ModuleList([self.Layer(False), self.Layer(False)])
        self.decoder = nn.ModuleList([self.Layer(True), self.Layer(True)])
        self.bias1, self.bias2 = self.Bias(True), self.Bias(False)
        self.norm1, self.norm2 = RootNorm(WIDTH), RootNorm(WIDTH)

    def forward(self, ids, answer):
        x, y = self.words(ids), self.words(answer)
        bias = self.bias1(ids.shape[1])
        for layer in self.encoder:
            x = layer(x, bias)
        x, bias = self.norm1(x), self.bias2(answer.shape[1]) + causal(answer.shape[1])
        for layer in self.decoder:
            y = layer(y, bias, x)
        return self.norm2(y) @ self.words.weight.t() * WIDTH ** -0.5

    @staticmethod
    def data(generator, samples):
        return {"ids": words(generator, samples),
                "answer": words(generator, samples, 4),
                "target": scores(generator, samples, 4, WORDS)}


class Recurrent(networks.Recurrent):
    loss, class_axis = "softmax-cross-entropy", 2

    def __init__(self):
        super().__init__(WORDS, WIDTH)

    data = staticmethod(Gpt.data)


def double(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(2, outputs), nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1), nn.GroupNorm(2, outputs), nn.SiLU())


class UNet(nn.Module):
    """Ronneberger et al. 2015: down and up again, joined at each size."""
    loss, class_axis = "softmax-cross-entropy", 1

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = double(2, 4), double(4, 8), double(8, 8)
        self.up2 = nn.ConvTranspose2d(8, 8, 2, 2)
        self.join2, self.join1 = double(16, 4), double(8, 4)
        self.out = nn.Conv2d(4, 3, 1)

    def up1(self, x, size):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, image):
        large = self.down1(image)
        small = self.down2(F.max_pool2d(large, 2))
        x = self.middle(F.max_pool2d(small, 2))
        x = self.join2(torch.cat([self.up2(x), small], 1))
        x = self.up1(x, large.shape[2:])
        return self.out(self.join1(torch.cat([x, large], 1)))

    @staticmethod
    def data(generator, samples):
        return {"image": scores(generator, samples, 2, 8, 8),
                "label": generator.integers(0, 3, (samples, 8, 8))}


class ResizedUNet(UNet):
    """The same with resizing in other forms: to a size, of corners, of neighbours."""

    def __init__(self):
        super().__init__()
        self.up2 = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"),
                                 nn.Conv2d(8, 8, 3, padding=1))

    def up1(self, x, size):
        return (F.interpolate(x, size=size, mode="bilinear", align_corners=True)
                + F.interpolate(x, scale_factor=2, mode="bicubic"))


class WaveNet(nn.Module):
    """van den Oord et al. 2016: causal convolutions, dilated by powers of two, with
    gates; what every layer skips is added."""
    loss, class_axis = "softmax-cross-entropy", 1
    options = ["--class-axis=1"]

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 8, 1)
        self.dilated = nn.ModuleList([nn.Conv1d(8, 16, 2, dilation=d)
                                      for d in (1, 2, 4)])
        self.rest = nn.ModuleList([nn.Conv1d(8, 8, 1) for _ in range(2)])
        self.skip = nn.ModuleList([nn.Conv1d(8, 8, 1) for _ in range(3)])
        self.last = nn.Conv1d(8, 4, 1)

    def forward(self, sound):
        x, total = self.first(sound), 0
        for i, dilated in enumerate(self.dilated):
            a, b = dilated(F.pad(x, (2 ** i, 0))).chunk(2, 1)
            gated = torch.tanh(a) * torch.sigmoid(b)
            total = total + self.skip[i](gated)
            x = x + self.rest[i](gated) if i < 2 else x
        return self.last(torch.relu(total))

    @staticmethod
    def data(generator, samples):
        return {"sound": scores(generator, samples, 1, 16),
                "label": generator.integers(0, 4, (samples, 16))}


class Spiking(nn.Module):
    """Leaky neurons that integrate, spike and start again, with the smooth spikes
    whose slope is the surrogate gradient of Zenke and Ganguli 2018."""
    loss, class_axis = "softmax-cross-entropy", 1
    STEPS, LEAK, SLOPE = 6, 0.9, 4.0

    def __init__(self):
        super().__init__()
        self.inner, self.outer = nn.Linear(10, 16), nn.Linear(16, CLASSES)

    def forward(self, current):
        potential, total = 0.0, 0.0
        for x in current.unbind(1):
            potential = self.LEAK * potential + self.inner(x)
            spike = torch.sigmoid(self.SLOPE * (potential - 1))
            potential = potential * (1 - spike)
            total = total + self.outer(spike)
        return total / self.STEPS

    @staticmethod
    def data(generator, samples):
        return {"current": scores(generator, samples, Spiking.STEPS, 10),
                "label": generator.integers(0, CLASSES, samples)}


NETWORKS = {"bert": Bert, "gpt": Gpt, "llama": Llama, "t5": T5, "lstm": Recurrent,
            "unet": UNet, "unet-resized": ResizedUNet, "wavenet": WaveNet,
            "spiking": Spiking}
