"""What the integration tests share: the tools in PATH, the models, and the modules of
the package takt and of test/models, which importing this makes importable."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "models")
sys.path[:0] = [os.path.join(HERE, "..", "..", "python"), MODELS]


def model_file(name):
    return os.path.join(MODELS, name + ".onnx")


def run_unchecked(*command):
    return subprocess.run(command, capture_output=True, text=True)


def run(*command):
    """What the command printed; where it fails, ends the test with what it said."""
    done = run_unchecked(*command)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
