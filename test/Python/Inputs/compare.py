"""Tests takt.compare."""

import math
import os
import sys
import unittest

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..",
                                "python"))
from takt.compare import largest_error, relative_errors  # noqa: E402


def arrays(**values):
    return {name: numpy.array(value, dtype=numpy.float32)
            for name, value in values.items()}


class CompareTest(unittest.TestCase):
    def test_error_is_relative_to_the_reference(self):
        errors = relative_errors(arrays(a=[3, 4.5], b=[2, 0]), arrays(a=[3, 4], b=[2, 0]))
        self.assertAlmostEqual(errors["a"], 0.1, places=6)
        self.assertEqual(errors["b"], 0)

    def test_small_references_count_as_a_thousandth_of_the_largest(self):
        errors = relative_errors(arrays(a=[100], b=[0.01]), arrays(a=[100], b=[0]))
        self.assertAlmostEqual(errors["b"], 0.1, places=6)

    def test_errors_are_absolute_where_every_reference_is_zero(self):
        errors = relative_errors(arrays(a=[0.5, 0], b=[0]), arrays(a=[0, 0], b=[0]))
        self.assertEqual(errors, {"a": 0.5, "b": 0})

    def test_what_is_not_finite_is_infinitely_wrong(self):
        good = arrays(a=[1, 2], b=[3, 4])
        for value in (math.nan, math.inf, -math.inf):
            bad = arrays(a=[1, 2], b=[3, value])
            for computed, reference in ((bad, good), (good, bad), (bad, bad)):
                self.assertEqual(largest_error(computed, reference), (math.inf, "b"))
            self.assertEqual(relative_errors(bad, good)["a"], 0)

    def test_largest_error_says_whose(self):
        self.assertEqual(largest_error(arrays(a=[1], b=[3]), arrays(a=[1], b=[2])),
                         (0.5, "b"))

    def test_other_shapes_are_not_compared(self):
        with self.assertRaisesRegex(ValueError, "'a'"):
            relative_errors(arrays(a=[[1, 1]]), arrays(a=[1, 1]))


if __name__ == "__main__":
    unittest.main()
