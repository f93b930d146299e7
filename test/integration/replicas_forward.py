#!/usr/bin/python3
"""Replicas of a forward pass give every sample the outputs that one processor gives,
also where the samples do not fill the last iteration.

    replicas_forward.py MODEL INPUT SHAPE
"""

import os
import sys
import tempfile

import numpy

from harness import model_file, run


def main():
    model, name, shape = sys.argv[1:]
    sizes = [int(size) for size in shape.split("x")]
    with tempfile.TemporaryDirectory() as directory:
        def path(name):
            return os.path.join(directory, name)

        random = numpy.random.default_rng(7)
        outputs = []
        for samples in (3, 50):
            numpy.savez(path("data.npz"),
                        **{name: random.normal(size=[samples, *sizes]).astype("f4")})
            for processors, schedule in ((1, "sequential"), (3, "pipedream-replicated")):
                run("taktc", model_file(model), "--batch=4",
                    "--mode=forward", f"--processors={processors}",
                    f"--schedule={schedule}", "-o", path("p.takt"))
                run("takt-run", path("p.takt"), "--data=" + path("data.npz"),
                    "--save-outputs=" + path("out.npz"))
                with numpy.load(path("out.npz")) as arrays:
                    outputs.append({key: arrays[key] for key in arrays.files})
            one, three = outputs[-2:]
            assert one.keys() == three.keys() and one
            for key, values in one.items():
                assert len(values) == samples, (key, values.shape)
                assert numpy.array_equal(values, three[key]), key
        print(f"{model}: the same outputs of 3 and 50 samples")


if __name__ == "__main__":
    main()
