#!/usr/bin/python3
"""Compares the gradients of --emit=onnx-gradients with those of takt-run; the models
are evaluated with PyTorch."""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "python"))
from evaluate import evaluate  # noqa: E402
from takt import gradients, tools  # noqa: E402

found = tools.Tools(os.path.dirname(shutil.which("taktc")))
sys.exit(0 if gradients.compare_all(found, evaluate) else 1)
