#!/usr/bin/python3
"""ResNet-8 on the digits, the four arms of LayerPipe2: the moving average's mean
accuracy is within half a point of that of kept weights and of plain training."""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                "python"))
from takt import convergence  # noqa: E402
from takt.tools import Tools  # noqa: E402


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
