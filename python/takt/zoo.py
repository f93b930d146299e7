"""./dev bench zoo: torchvision's classification networks in the forms in which they are
exported, trained by taktc and takt-run and by PyTorch.

A form is what the exporter makes of the network (`eval`: batch normalization folded
into convolutions and constants folded; `preserve`: an inference graph as it stands;
`training`), an opset, and a batch that is fixed or a name. Printed are the largest
relative errors of the loss and of the gradients of the first minibatch, and of the
weights after three steps with momentum; dropout and stochastic depth are 0. PyTorch's
own errors of gradients and weights, against its computation in double precision, stand
beside them: a network that amplifies rounding cannot agree better than that.
"""

import argparse
import copy
import operator
import os
import sys
import tempfile
import warnings

import numpy
import onnx
import torch
import torchvision
from onnx import numpy_helper

from takt.compare import largest_error
from takt.pytorch_training import cross_entropy, train
from takt.tools import Tools, table

BATCH, STEPS, RATE, LIMIT = 4, 3, 0.001, 1e-4
# One of each family; --networks=all for all of them.
FAMILIES = ["alexnet", "vgg11", "vgg11_bn", "resnet18", "resnet50", "resnext50_32x4d",
            "wide_resnet50_2", "densenet121", "squeezenet1_0", "squeezenet1_1",
            "inception_v3", "googlenet", "mobilenet_v2", "mobilenet_v3_small",
            "mobilenet_v3_large", "efficientnet_b0", "efficientnet_v2_s",
            "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "mnasnet0_5", "regnet_x_400mf",
            "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t",
            "maxvit_t"]
# Sizes for networks that do not take or export 64x64.
SIZES = {"alexnet": 224, "vgg": 224, "inception_v3": 96, "squeezenet": 96,
         "maxvit_t": 224}
MODES = {"eval": torch.onnx.TrainingMode.EVAL,
         "preserve": torch.onnx.TrainingMode.PRESERVE,
         "training": torch.onnx.TrainingMode.TRAINING}
OPSETS = [11, 13, 17]


def size_of(name):
    return next((size for start, size in SIZES.items() if name.startswith(start)), 64)


def network(name):
    """With parameters and statistics that all differ, and nothing random."""
    options = {"num_classes": 10}
    if name in ("googlenet", "inception_v3"):
        options.update(aux_logits=False, init_weights=False)
    if name.startswith("vit"):
        options.update(image_size=64)
    torch.manual_seed(1)
    model = torchvision.models.get_model(name, weights=None, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
            if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
                module.p = 0.0
            if isinstance(module, torch.nn.MultiheadAttention):
                module.dropout = 0.0
    return model


def export(model, mode, opset, dynamic, size, path):
    axes = {"image": {0: "batch"}, "logits": {0: "batch"}} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.randn(BATCH, 3, size, size), path,
                          opset_version=opset, training=MODES[mode],
                          do_constant_folding=mode == "eval", dynamic_axes=axes,
                          input_names=["image"], output_names=["logits"])


def parameters_of(model, path):
    """By name in the file: the parameter that has the initializer's value, as it
    stands or transposed, and whether it is transposed."""
    own = dict(model.named_parameters())
    found = {}
    for tensor in onnx.load(path).graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype != numpy.float32:
            continue
        for name in [tensor.name] if tensor.name in own else own:
            theirs = own[name].detach().numpy()
            for turned in (False, True):
                if turned and theirs.ndim != 2:
                    continue
                other = theirs.T if turned else theirs
                if other.shape == value.shape and numpy.allclose(other, value, 1e-5,
                                                                 1e-6):
                    found[tensor.name] = own[name], turned
    return found


def named(arrays, parameters):
    """The arrays by the file's names and in its shapes."""
    return {name: arrays[name].T if turned else arrays[name]
            for name, (_, turned) in parameters.items()}


def compare(tools, name, mode, opset, dynamic):
    """(errors of loss, gradients, weights; PyTorch's own of gradients and weights)"""
    size = size_of(name)
    model = network(name).train(mode == "training")
    generator = numpy.random.default_rng(7)
    samples = BATCH * STEPS
    image = generator.standard_normal((samples, 3, size, size)).astype("f4")
    label = generator.integers(0, 10, samples)
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        export(model, mode, opset, dynamic, size, path("m.onnx"))
        numpy.savez(path("d.npz"), image=image, label=label)
        options = ["--loss=softmax-cross-entropy", "--optimizer=momentum",
                   f"--learning-rate={RATE}", "--processors=2", "--schedule=list"]
        if dynamic:
            options.append(f"--batch={BATCH}")
        tools.run("taktc", path("m.onnx"), *options, "-o", path("p.takt"))
        data = [f"--data={path('d.npz')}", "--no-shuffle"]
        tools.run("takt-run", path("p.takt"), *data, "--iterations=1",
                  f"--save-gradients={path('g.npz')}", f"--save-outputs={path('o.npz')}")
        tools.run("takt-run", path("p.takt"), *data, f"--iterations={STEPS}",
                  f"--save-weights={path('w.npz')}")
        ours = [dict(numpy.load(path(file))) for file in ("g.npz", "w.npz", "o.npz")]
        if mode == "eval":
            from torch.fx.experimental.optimization import fuse
            model = fuse(model)
        parameters = parameters_of(model, path("m.onnx"))
    missing = set(ours[0]) - set(parameters)
    if missing:
        sys.exit(f"{name}: takt-run trains what PyTorch does not: {sorted(missing)}")
    parameters = {key: parameters[key] for key in ours[0]}

    def steps(model, trained, kind, count):
        stepper = torch.optim.SGD(trained.values(), lr=RATE, momentum=0.9)
        return train(trained, stepper,
                     cross_entropy(model, image.astype(kind), label, BATCH), count)

    exact = copy.deepcopy(model).double()
    places = {id(p): key for key, p in model.named_parameters()}
    doubles = dict(exact.named_parameters())
    _, *reference = steps(exact, {key: doubles[places[id(p)]]
                                  for key, (p, _) in parameters.items()}, "f8", STEPS)
    loss, gradients, weights = steps(
        model, {key: p for key, (p, _) in parameters.items()}, "f4", STEPS)
    logits = torch.from_numpy(ours[2]["logits"])
    first = torch.nn.functional.cross_entropy(
        logits, torch.from_numpy(label[:BATCH])).item()
    return [abs(first - loss) / abs(loss),
            largest_error(ours[0], named(gradients, parameters))[0],
            largest_error(ours[1], named(weights, parameters))[0],
            largest_error(gradients, reference[0])[0],
            largest_error(weights, reference[1])[0]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    parser.add_argument("--networks", default=",".join(FAMILIES))
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--opsets", default=",".join(map(str, OPSETS)))
    arguments = parser.parse_args()
    tools = Tools(arguments.bin)
    torch.set_num_threads(1)
    names = arguments.networks.split(",")
    if names == ["all"]:
        names = torchvision.models.list_models(module=torchvision.models)
    rows, bad = [], 0
    for name in names:
        for mode in arguments.modes.split(","):
            for index, opset in enumerate(map(int, arguments.opsets.split(","))):
                dynamic = index % 2 == 1
                form = [name, mode, opset, "any" if dynamic else BATCH]
                try:
                    errors = compare(tools, name, mode, opset, dynamic)
                except torch.onnx.errors.OnnxExporterError as error:
                    rows.append([*form, *["not exported"] * 5])
                    print(*form, "not exported:", str(error).splitlines()[0], flush=True)
                    continue
                # PyTorch's own rounding, where a network amplifies it.
                limits = [LIMIT, *(max(LIMIT, 3 * own) for own in errors[3:])]
                good = all(map(operator.lt, errors[:3], limits))
                bad += not good
                rows.append([*form, *[f"{error:.1e}" for error in errors]])
                print(*rows[-1], "" if good else "DIFFERS", flush=True)
    print("\n" + table(rows, ["network", "export", "opset", "batch", "loss", "gradients",
                              "weights", "PyTorch's gradients", "its weights"]))
    print(f"zoo: {len(rows)} forms, {bad} differ")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
