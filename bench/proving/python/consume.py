"""Work on what comes through a pipe, as it comes."""
import sys

import runner
import work

(compute_ms,) = runner.arguments(float)


def operation(line):
    return len(line) + work.compute(compute_ms)


runner.main(operation, items=sys.stdin)
