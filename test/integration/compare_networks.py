#!/usr/bin/python3
"""Trains networks of takt.kinds with taktc and takt-run, and with PyTorch, from what
PyTorch 1.13 exports.

    compare_networks.py OPSET fixed|any NETWORK…

The batch is fixed in the file or has any size. What a pipelined program computes must
be, bit for bit, what the sequential interpreter does.
"""

import os
import shutil
import sys

import harness  # noqa: F401 (finds the package takt)
from takt.agreement import Form, compare_all
from takt.kinds import NETWORKS
from takt.networks import export
from takt.tools import Tools

opset, batch, *names = sys.argv[1:]
tools = Tools(os.path.dirname(shutil.which("taktc")))
form = Form("torch.onnx.export", export, int(opset), batch == "any")
networks = {name: NETWORKS[name] for name in names}
if not names or not compare_all(tools, [form], networks, pipelined=True):
    sys.exit("PyTorch disagrees")
