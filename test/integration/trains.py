#!/usr/bin/python3
"""A few steps of takt.trains: language models and a ResNet learn as in PyTorch."""

import os
import shutil
import tempfile

import harness  # noqa: F401 (finds the package takt)
from takt import tools, trains

found = tools.Tools(os.path.dirname(shutil.which("taktc")))
with tempfile.TemporaryDirectory() as directory:
    trains.run(found, directory, trains.SIZES["small"])
