"""Writes arrays of zeros.

    samples.py OUT.npz NAME=TYPE:DIMxDIM…
"""

import sys

import numpy

arrays = {}
for argument in sys.argv[2:]:
    name, description = argument.split("=")
    kind, shape = description.split(":")
    arrays[name] = numpy.zeros([int(d) for d in shape.split("x")], dtype=kind)
numpy.savez(sys.argv[1], **arrays)
