#!/usr/bin/python3
"""Makes digits-train.npz and digits-test.npz from scikit-learn's digits.

    /usr/bin/python3 test/data/make_digits.py [DIRECTORY]

The 1,797 images are the test set of the UCI data set "Optical Recognition of
Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998), as Debian's python3-sklearn
carries them. Every sixth image is held out for testing. `image` is float32
N x 1 x 8 x 8 scaled to [0, 1], `label` int64 N.
"""

import os
import sys

import numpy
from sklearn.datasets import load_digits


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(
        os.path.abspath(__file__))
    digits = load_digits()
    image = (digits.images / 16).astype(numpy.float32).reshape(-1, 1, 8, 8)
    label = digits.target.astype(numpy.int64)
    held_out = numpy.arange(len(label)) % 6 == 5
    for name, chosen in (("train", ~held_out), ("test", held_out)):
        numpy.savez_compressed(os.path.join(directory, f"digits-{name}.npz"),
                               image=image[chosen], label=label[chosen])


if __name__ == "__main__":
    main()
