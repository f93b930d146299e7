"""timm's image networks, the smallest of each family, as PyTorch's current exporter
writes them."""

import logging
import re
import warnings

PACKAGES = ["torch==2.13.0", "torchvision==0.28.0", "timm==1.0.31", "onnx==1.19.1",
            "onnxscript==0.7.2"]
VERIFIES = False
OPSET, MOST_PARAMETERS = 18, 90e6


def likely_size(name):
    """By what names say, from small to large."""
    small = re.search("test|atto|femto|pico|nano|tiny|xxs|xs|mini|small|_s|18|26|b0", name)
    large = re.search("384|448|512|large|huge|giant", name)
    return 0 if name.startswith("test_") else 1 if small else 2, bool(large), len(name)


def families():
    """The smallest network of each of timm's modules."""
    import timm
    found = {}
    for name in timm.list_models():
        module = timm.models.model_entrypoint(name).__module__
        found.setdefault(module, []).append(name)
    return [min(names, key=likely_size) for _, names in sorted(found.items())]


def exporter(name):
    def export(path):
        import timm
        import torch
        with torch.device("meta"):  # without memory
            shape = timm.create_model(name, pretrained=False, num_classes=10)
        if sum(p.numel() for p in shape.parameters()) > MOST_PARAMETERS:
            raise ValueError("has too many parameters")
        torch.manual_seed(0)
        model = timm.create_model(name, pretrained=False, num_classes=10).eval()
        with torch.no_grad():  # some heads are 0 at first, and so would be what they give
            for parameter in model.parameters():
                parameter += 0.01 * torch.randn_like(parameter)
        image = torch.randn(1, *model.default_cfg.get("input_size", (3, 224, 224)))
        torch.onnx.export(model, (image,), path, opset_version=OPSET, dynamo=True,
                          optimize=False, verbose=False, external_data=False,
                          input_names=["image"], output_names=["y"])
        with torch.no_grad():
            return {"image": image.numpy()}, model(image).numpy()
    return export


def models():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for name in families():
        yield name, exporter(name)
