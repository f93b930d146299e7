"""How far apart the arrays are that two programs computed."""

import math

import numpy


def relative_errors(computed, reference):
    """By name of the reference, the norm of the difference relative to the
    reference's norm. What is below a thousandth of the largest is rounding noise (the
    bias of a convolution in front of a batch normalization has no gradient at all), so
    no norm counts as smaller; where every reference is zero, errors are absolute.
    Infinite where anything is not finite: a maximum passes over a NaN, and a NaN is
    not above any tolerance."""
    norms = {name: numpy.linalg.norm(value) for name, value in reference.items()}
    floor = 1e-3 * max(norms.values()) or 1.0
    errors = {}
    for name, expected in reference.items():
        if computed[name].shape != expected.shape:
            raise ValueError(f"'{name}' is {computed[name].shape}, not {expected.shape}")
        with numpy.errstate(invalid="ignore"):
            error = float(numpy.linalg.norm(computed[name] - expected)
                          / max(norms[name], floor))
        errors[name] = error if math.isfinite(error) else math.inf
    return errors


def largest_error(computed, reference):
    """The largest of relative_errors(), and whose it is."""
    errors = relative_errors(computed, reference)
    worst = max(errors, key=errors.get)
    return errors[worst], worst
