"""./dev bench zoo: torchvision's classification networks in the forms in which they are
exported, trained by taktc and takt-run and by PyTorch.

A form is what the exporter makes of the network (`eval`: batch normalization folded
into convolutions and constants folded; `preserve`: an inference graph as it stands;
`training`), an opset, and a batch that is fixed or a name. Printed are the largest
relative errors of the loss and of the gradients of the first minibatch, and of the
weights after three steps with momentum; dropout and stochastic depth are 0. A network
that amplifies rounding, so that these are too far apart in float, is trained in double
precision, by both, where they must agree.
"""

import argparse
import copy
import math
import os
import sys
import tempfile
import warnings

import numpy
import onnx
import torch
import torchvision
from onnx import numpy_helper
from torch.nn.utils.fusion import fuse_conv_bn_eval

from takt.compare import largest_error
from takt.pytorch_training import cross_entropy, train
from takt.tools import Tools, table

BATCH, STEPS, RATE, LIMIT = 4, 3, 0.001, 1e-4
MOMENTUM = float(numpy.float32(0.9))  # as kernels have it
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
                # As the file's attribute has it, a float.
                module.eps = float(numpy.float32(module.eps))
            if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
                module.p = 0.0
            if isinstance(module, torch.nn.MultiheadAttention):
                module.dropout = 0.0
    return model


def export(model, mode, opset, dynamic, image, path):
    axes = {"image": {0: "batch"}, "logits": {0: "batch"}} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.from_numpy(image), path,
                          opset_version=opset, training=MODES[mode],
                          do_constant_folding=mode == "eval", dynamic_axes=axes,
                          input_names=["image"], output_names=["logits"])


def fuse(model, image):
    """The model in evaluation with each convolution and the batch normalization that
    takes its result as one convolution, as the exporter writes them."""
    model = copy.deepcopy(model)
    made, pairs, hooks = {}, [], []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            def keep(module, inputs, result, name=name):
                made[id(result)] = name, result  # kept, so that the number is its own
            hooks.append(module.register_forward_hook(keep))
        elif isinstance(module, torch.nn.BatchNorm2d):
            def take(module, inputs, name=name):
                if id(inputs[0]) in made:
                    pairs.append((made[id(inputs[0])][0], name))
            hooks.append(module.register_forward_pre_hook(take))
    with torch.no_grad():
        model(torch.from_numpy(image))
    for hook in hooks:
        hook.remove()

    def replace(name, module):
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, module)
    for convolution, norm in pairs:
        replace(convolution, fuse_conv_bn_eval(model.get_submodule(convolution),
                                               model.get_submodule(norm)))
        replace(norm, torch.nn.Identity())
    return model


def parameters_of(model, path):
    """By name in the file: the parameter that has the initializer's value, as it
    stands or transposed, and whether it is transposed."""
    own = dict(model.named_parameters())
    found = {}
    for tensor in onnx.load(path).graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype not in (numpy.float32, numpy.float64):
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


def steady_rate(model, image, label):
    """A learning rate with which the weights change by a thousandth or less, so that
    no network, none of which is trained, leaves the numbers' range in a few steps; as
    a program has it, in single precision."""
    model = copy.deepcopy(model)
    cross_entropy(model, image, label, BATCH)(0).backward()
    pairs = [(p.detach().norm().item(), p.grad.norm().item())
             for p in model.parameters() if p.grad is not None]
    weights, gradients = (math.hypot(*norms) for norms in zip(*pairs))
    return float(numpy.float32(RATE * min(1, weights / gradients)))


def run_takt(tools, model, form, image, label, rate, frozen=()):
    """(gradients of the first minibatch, weights, outputs, model, parameters_of) from
    the file that the form makes of the model. What the exporter computed from a
    parameter, such as Swin's biases from a table, is frozen, as is the parameter."""
    mode, opset, dynamic = form
    with tempfile.TemporaryDirectory() as directory:
        def path(file):
            return os.path.join(directory, file)
        export(model, mode, opset, dynamic, image[:BATCH], path("m.onnx"))
        numpy.savez(path("d.npz"), image=image, label=label)
        options = ["--loss=softmax-cross-entropy", "--optimizer=momentum",
                   f"--learning-rate={rate!r}", "--processors=2", "--schedule=list"]
        if dynamic:
            options.append(f"--batch={BATCH}")
        if frozen:
            options.append(f"--freeze={','.join(frozen)}")
        tools.run("taktc", path("m.onnx"), *options, "-o", path("p.takt"))
        data = [f"--data={path('d.npz')}", "--no-shuffle"]
        tools.run("takt-run", path("p.takt"), *data, "--iterations=1",
                  f"--save-gradients={path('g.npz')}", f"--save-outputs={path('o.npz')}")
        tools.run("takt-run", path("p.takt"), *data, f"--iterations={STEPS}",
                  f"--save-weights={path('w.npz')}")
        fused = fuse(model, image[:BATCH]) if mode == "eval" else model
        ours = [dict(numpy.load(path(file))) for file in ("g.npz", "w.npz", "o.npz")]
        parameters = parameters_of(fused, path("m.onnx"))
        computed = sorted(set(ours[0]) - set(parameters))
        if computed and mode == "eval" and not frozen:  # constants are folded there
            return run_takt(tools, model, form, image, label, rate, computed)
        if computed:
            raise ValueError(f"trains what PyTorch does not: {computed}")
        return *ours, fused, parameters


def compare(tools, name, form, kind):
    """Errors of loss, gradients and weights of a form (mode, opset, dynamic), in float
    ("f4") or double precision ("f8")."""
    size = size_of(name)
    model = network(name).train(form[0] == "training")
    model = model.double() if kind == "f8" else model
    generator = numpy.random.default_rng(7)
    image = generator.standard_normal((BATCH * STEPS, 3, size, size)).astype(kind)
    label = generator.integers(0, 10, BATCH * STEPS)
    rate = steady_rate(model, image, label)
    *ours, model, parameters = run_takt(tools, model, form, image, label, rate)
    parameters = {key: parameters[key] for key in ours[0]}
    trained = {key: p for key, (p, _) in parameters.items()}
    loss, gradients, weights = train(
        trained, torch.optim.SGD(trained.values(), lr=rate, momentum=MOMENTUM),
        cross_entropy(model, image, label, BATCH), STEPS)
    first = torch.nn.functional.cross_entropy(
        torch.from_numpy(ours[2]["logits"]), torch.from_numpy(label[:BATCH])).item()
    return [abs(first - loss) / abs(loss),
            largest_error(ours[0], named(gradients, parameters))[0],
            largest_error(ours[1], named(weights, parameters))[0]]


def agree(errors):
    return all(error < LIMIT for error in errors)


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
    forms = [(mode, int(opset), index % 2 == 1) for mode in arguments.modes.split(",")
             for index, opset in enumerate(arguments.opsets.split(","))]
    rows, bad = [], 0
    for name in names:
        for form in forms:
            row = [name, form[0], form[1], "any" if form[2] else BATCH]
            try:
                kind, errors = "float", compare(tools, name, form, "f4")
                if not agree(errors):
                    kind, errors = "double", compare(tools, name, form, "f8")
            except torch.onnx.errors.OnnxExporterError as error:
                rows.append([*row, "", *["not exported"] * 3])
                print(*row, "not exported:", str(error).splitlines()[0], flush=True)
                continue
            good = agree(errors)
            bad += not good
            rows.append([*row, kind, *[f"{error:.1e}" for error in errors]])
            print(*rows[-1], "" if good else "DIFFERS", flush=True)
    print("\n" + table(rows, ["network", "export", "opset", "batch", "precision", "loss",
                              "gradients", "weights"]))
    print(f"zoo: {len(rows)} forms, {bad} differ")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
