"""Networks of other projects as their exporters write them: one module for each
exporter (keras, jax, transformers, timm), with

PACKAGES    what it needs from PyPI
VERIFIES    whether the networks are small enough to be trained twice
models()    (name, export) of each network; export(path) writes the file and returns its
            inputs by name and the first output that the project itself computes

Networks have their projects' initial weights. `./dev interop families` runs them."""
