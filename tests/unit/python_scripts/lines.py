"""Prints the line tables of many functions, and which lines they mean by the interpreter's account.

Lines "format first_line table offset:end:line ...": table in hexadecimal, offsets in bytes, line 0 for
none.
"""
import argparse
import asyncio.base_events
import dis
import inspect
import sys
import tokenize
import types
import typing


def tables(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from tables(constant)


def ranges(code):
    if hasattr(code, "co_lines"):
        for start, end, line in code.co_lines():
            yield start, end, line or 0
        return
    starts = list(dis.findlinestarts(code)) + [(len(code.co_code), None)]
    for (start, line), (end, _) in zip(starts, starts[1:]):
        yield start, end, line


def tell(code):
    form = "lnotab" if sys.version_info < (3, 10) else "ranges" if sys.version_info < (3, 11) else "locations"
    table = code.co_lnotab if form == "lnotab" else code.co_linetable
    print(form, code.co_firstlineno, table.hex() or "-",
          *(f"{start}:{end}:{line}" for start, end, line in ranges(code) if start < end))


BACKWARDS = "f(\n" + "\n" * 300 + "a,\n" + "\n" * 200 + "b)\n" * 1
LONG = "def f(a):\n" + " a = a + 1; a = a * 2 - 1\n" * 2000 + "\n" * 2000 + " a()\n"

sources = [inspect.getsource(module) for module in (argparse, asyncio.base_events, inspect, tokenize, typing)]
for source in [*sources, BACKWARDS, LONG, "\n" * 70000 + "x = (1,\n\n\n2 + x)\n"]:
    for found in tables(compile(source, "made.py", "exec")):
        tell(found)
