"""Compute in pure Python."""
import runner
import work

(milliseconds,) = runner.arguments(float)


def operation(_item):
    return work.compute(milliseconds)


runner.main(operation)
