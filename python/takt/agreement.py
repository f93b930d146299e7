"""Trains the networks of takt.kinds with taktc and takt-run, and with PyTorch, from
the files that an exporter makes of them in the forms that it has.

The loss of the first minibatch, the gradient of every parameter there, and every
weight after three steps with momentum must be PyTorch's within 1e-4. Exporters fold:
they transpose, cut and join parameters and give them other names. So all numbers in
the parameters differ here, and what is trained is known by them: each trained number
must be one of a parameter, and gradients of its copies are summed."""

import collections
import os
import tempfile

import numpy
import onnx
import torch
from onnx import numpy_helper

from takt.compare import largest_error
from takt.pytorch_training import train

BATCH, STEPS, RATE, LIMIT = 2, 3, 0.05, 1e-4

# How a model was exported: by which exporter, for people; what does it, a function
# of (module, inputs by name, path, opset, whether the batch has any size); the opset.
Form = collections.namedtuple("Form", "exporter export opset dynamic")


class Disagreement(Exception):
    """What is not as in PyTorch."""


def loss_of(model, y, wanted):
    if model.loss == "mse":
        return torch.nn.functional.mse_loss(y, wanted)
    return torch.nn.functional.cross_entropy(y.movedim(model.class_axis, 1), wanted)


def bits(array):
    return numpy.ascontiguousarray(array, "f4").view("u4").ravel()


def make_distinct(model):
    """No two numbers in parameters are equal, so that initial ones and zeros are not
    shared, and each can be found again."""
    generator = torch.Generator().manual_seed(5)
    numbers = torch.cat([p.detach().ravel() for p in model.parameters()])
    while True:
        _, first = numpy.unique(bits(numbers.numpy()), return_index=True)
        again = numpy.setdiff1d(numpy.arange(len(numbers)), first)
        if not len(again):
            break
        numbers[again] += 0.1 * torch.randn(len(again), generator=generator)
    with torch.no_grad():
        for p, part in zip(model.parameters(), numbers.split(
                [p.numel() for p in model.parameters()])):
            p.copy_(part.view_as(p))


class Places:
    """Which number of which parameter every number of the trained tensors is: by name
    of the tensor, which of its elements are finite, and where these are."""

    def __init__(self, model, path, trained):
        self.parameters = dict(model.named_parameters())
        flat = self.flatten({name: p.detach().numpy()
                             for name, p in self.parameters.items()})
        order = numpy.argsort(bits(flat), kind="stable")
        keys = bits(flat)[order]
        self.initial, self.at = flat, {}
        for tensor in onnx.load(path).graph.initializer:
            if tensor.name not in trained:
                continue
            value = numpy_helper.to_array(tensor).ravel()
            found = numpy.minimum(numpy.searchsorted(keys, bits(value)), len(keys) - 1)
            is_number = numpy.isfinite(value)  # and not of a mask that was added
            if (keys[found] != bits(value))[is_number].any():
                raise Disagreement(f"trains '{tensor.name}', which is no parameter")
            self.at[tensor.name] = is_number, order[found][is_number]
        if trained - set(self.at):
            raise Disagreement(f"trains {sorted(trained - set(self.at))}, which the "
                               "file does not have")

    def flatten(self, arrays):
        return numpy.concatenate([arrays[name].ravel() for name in self.parameters])

    def split(self, flat):
        sizes = [p.numel() for p in self.parameters.values()]
        return {name: part.reshape(tuple(p.shape)) for (name, p), part in zip(
            self.parameters.items(), numpy.split(flat, numpy.cumsum(sizes)[:-1]))}

    def gradients(self, found):
        flat = numpy.zeros(len(self.initial), "f4")
        for name, (is_number, at) in self.at.items():
            numpy.add.at(flat, at, found[name].ravel()[is_number])
        return self.split(flat)

    def weights(self, found):
        """None where a parameter became several."""
        every = numpy.concatenate([at for _, at in self.at.values()])
        if len(numpy.unique(every)) < len(every):
            return None
        flat = self.initial.copy()
        for name, (is_number, at) in self.at.items():
            flat[at] = found[name].ravel()[is_number]
        return self.split(flat)


def check_pipelined(tools, options, path, data):
    tools.run("taktc", path("m.onnx"), *options, "--processors=3",
              "--schedule=layerpipe", "-o", path("q.takt"))
    if "identical" not in tools.run("takt-run", path("q.takt"), *data, "--verify",
                                    f"--iterations={STEPS}"):
        raise Disagreement("the pipelined program is not the interpreter's")


def compare(tools, network, form, pipelined=False):
    """(errors of loss, gradients and weights, each with whose it is) of a class as
    those of takt.kinds; weights are None where the exporter made several parameters
    of one."""
    torch.manual_seed(1)
    model = network().train()
    make_distinct(model)
    arrays = model.data(numpy.random.default_rng(7), BATCH * STEPS)
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)

        numpy.savez(path("d.npz"), **arrays)
        wanted = torch.from_numpy(arrays.pop("target" if model.loss == "mse" else "label"))
        inputs = {key: torch.from_numpy(value) for key, value in arrays.items()}
        form.export(model, {key: value[:BATCH] for key, value in inputs.items()},
                    path("m.onnx"), form.opset, form.dynamic)
        options = [f"--loss={model.loss}", "--optimizer=momentum",
                   f"--learning-rate={RATE}", *getattr(model, "options", [])]
        if form.dynamic:
            options.append(f"--batch={BATCH}")
        data = [f"--data={path('d.npz')}", "--no-shuffle"]
        tools.run("taktc", path("m.onnx"), *options, "--processors=2",
                  "--schedule=list", "-o", path("p.takt"))
        tools.run("takt-run", path("p.takt"), *data, "--iterations=1",
                  f"--save-gradients={path('g.npz')}", f"--save-outputs={path('o.npz')}")
        tools.run("takt-run", path("p.takt"), *data, f"--iterations={STEPS}",
                  f"--save-weights={path('w.npz')}")
        if pipelined:
            check_pipelined(tools, options, path, data)
        ours = [dict(numpy.load(path(file))) for file in ("g.npz", "w.npz", "o.npz")]
        places = Places(model, path("m.onnx"), set(ours[0]))

    def minibatch_loss(i):
        part = slice(i * BATCH, (i + 1) * BATCH)
        return loss_of(model, model(*[x[part] for x in inputs.values()]), wanted[part])

    loss, gradients, weights = train(
        dict(model.named_parameters()),
        torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9), minibatch_loss, STEPS)
    output, = ours[2].values()
    first = loss_of(model, torch.from_numpy(output), wanted[:BATCH]).item()
    trained = places.weights(ours[1])
    return ((abs(first - loss) / abs(loss), "loss"),
            largest_error(places.gradients(ours[0]), gradients),
            trained and largest_error(trained, weights))


def compare_all(tools, forms, networks, pipelined=False):
    """Compares each network, classes by name, in each form and prints the errors;
    whether all agree."""
    agree = True
    for name, network in networks.items():
        for form in forms:
            errors = compare(tools, network, form, pipelined)
            good = all(error is None or error[0] < LIMIT for error in errors)
            agree &= good
            texts = ["in several copies" if error is None else
                     "{:.1e} ({})".format(*error) for error in errors]
            print(f"{name}, {form.exporter}, opset {form.opset}, batch "
                  f"{'any' if form.dynamic else BATCH}: loss {texts[0]}, gradients "
                  f"{texts[1]}, weights {texts[2]}{'' if good else ' DIFFERS'}",
                  flush=True)
    return agree
