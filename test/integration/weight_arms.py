#!/usr/bin/python3
"""ResNet-8 on the digits, the four arms of LayerPipe2: the moving average's mean
accuracy is within half a point of that of kept weights and of plain training."""

import os
import shutil
import tempfile

import harness  # noqa: F401 (makes takt importable)
from takt import convergence
from takt.tools import Tools


def main():
    tools = Tools(os.path.dirname(shutil.which("taktc")))
    with tempfile.TemporaryDirectory() as out:
        trainer = convergence.Trainer(tools, out, "digits-resnet8")
        means = convergence.arms(trainer, processors=4)
    for arm in ("plain", "stash"):
        assert abs(means["moving average"] - means[arm]) <= 0.5, (arm, means)
    assert means["moving average"] > 95, means


if __name__ == "__main__":
    main()
