"""Writes the arrays of one .npz into another, deflated and column-major, and
prints their types and shapes.

    rewrite.py IN.npz OUT.npz
"""

import sys

import numpy

arrays = numpy.load(sys.argv[1])
for name in arrays:
    print(name, arrays[name].dtype, arrays[name].shape)
numpy.savez_compressed(
    sys.argv[2], **{name: numpy.asfortranarray(arrays[name]) for name in arrays})
