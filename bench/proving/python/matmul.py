"""Multiply matrices with NumPy, which lets go of the GIL meanwhile."""
import numpy

import runner

(size,) = runner.arguments(int)
MATRIX = numpy.arange(size * size, dtype=float).reshape(size, size) / size


def multiply(item):
    return (MATRIX @ (MATRIX + item)).trace()


runner.main(multiply)
