"""Computes on one line of a function that is called in many ways, after it has told from where
and been sent a byte on stdin.

"function<TAB>file<TAB>line<TAB>first line" for each frame, innermost first, an empty line and ".".
"""
import functools
import os
import sys
import time


def tell():
    frame = sys._getframe(1)
    lines = []
    while frame:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        lines.append(f"{name}\t{code.co_filename}\t{frame.f_lineno}\t{code.co_firstlineno}")
        frame = frame.f_back
    os.write(1, ("\n".join(lines) + "\n\n.\n").encode())


def burn():
    now, until = time.process_time, time.process_time() + 0.4
    tell(), os.read(0, 1), [0 for _ in iter(lambda: sum(range(2000)) and now() < until, False)]


def generator():
    yield burn()


async def coroutine(value):
    return [x for x in generator()]


class Case:
    def method(self, value):
        try:
            coroutine(value).send(None)
        except StopIteration:
            pass
        return value


def recurse(depth):
    if depth:
        return recurse(depth - 1)
    return sorted([1], key=functools.partial(Case().method))


recurse(int(sys.argv[1]))
