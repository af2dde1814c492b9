"""The situations: what each runs, what it needs beside it, and what is true of it.

situations.json is the one table of them, which the test (tests/e2e/test_situations.py) and the
document (docs/waits.md) read through this module.
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import tty
import typing

DIRECTORY = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Situation:
    """What a program waits for and how that has to be reported; None: not asserted."""
    name: str
    group: str  # for readers: the heading that it stands under
    what: str  # and what the program does
    reason: str
    kind: typing.Optional[str]  # of the object that it waits for
    object: typing.Optional[str]  # its name as reported, with * and the placeholders of Prepared
    role: str  # for what it waits: result, work, time, tree or other
    program: str  # what program time is charged with: a reason, "idle" or "computing"
    call: typing.Optional[str]
    direction: str = "none"
    operation: typing.Optional[str] = None
    far_end: typing.Optional[str] = None  # who serves the socket, with * for what differs
    via_event_loop: bool = False
    timed_out: bool = False
    share: float = 0.9  # of all waiting that is this wait, at least
    runner: str = "c"  # or what runs the script that it is
    partner: typing.Optional[str] = None  # the situation whose partner it needs; in C its own
    stdin: typing.Optional[str] = None  # what the program's standard input is: see STDIN
    procfs: typing.Optional[str] = None  # the reason as sampling /proc has it


@dataclasses.dataclass(frozen=True)
class Prepared:
    argv: list
    stdin: typing.Any
    placeholders: dict


def load():
    return [Situation(**row) for row in json.loads((DIRECTORY / "situations.json").read_text())]


def _pipe_to_program():
    return os.pipe()


def _pipe_from_program():
    read_end, write_end = os.pipe()
    return write_end, read_end


def _socket_pair():
    return tuple(end.detach() for end in socket.socketpair())


def _terminal():
    master, slave = os.openpty()
    tty.setraw(slave)  # bytes come at once, not by lines
    return slave, master


def _tcp_listener():
    listener = socket.create_server(("127.0.0.1", 0))
    return os.dup(listener.fileno()), listener.detach()


def _tcp_connection():
    """As under inetd, which goes on listening."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    LISTENERS.append(listener)
    return listener.accept()[0].detach(), client.detach()


# How the standard inputs of the program and of its partner are made, in this order.
STDIN = {"pipe": _pipe_to_program, "pipe-written": _pipe_from_program, "socketpair": _socket_pair,
         "terminal": _terminal, "tcp-listener": _tcp_listener, "tcp-connection": _tcp_connection}
LISTENERS = []  # that have to stay open

RUNNERS = {"python": ["/usr/bin/python3", "-B", str(DIRECTORY / "situation.py")],
           "node": ["node", str(DIRECTORY / "situation.js")]}


def why_not(situation):
    """Why @situation can't be had on this machine; "" when it can."""
    if situation.runner == "c" or shutil.which(RUNNERS[situation.runner][0]):
        return ""
    return f"no {situation.runner} here"


@contextlib.contextmanager
def prepared(situation, binary):
    """Yields the Prepared program, its partner running. @binary: the C program "situations"."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="situation-",
                                                                    dir=binary.parent))
        stdin, partner_stdin = subprocess.DEVNULL, subprocess.DEVNULL
        names = {"dir": directory}
        if situation.stdin:
            stdin, partner_stdin = STDIN[situation.stdin]()
            stack.callback(os.close, stdin)
            names["stdin"] = os.readlink(f"/proc/self/fd/{stdin}")
        names["address"] = stack.enter_context(
            _partner(situation, binary, directory, partner_stdin))
        program = [str(binary)] if situation.runner == "c" else RUNNERS[situation.runner]
        yield Prepared([*program, situation.name, directory, names["address"]], stdin, names)


@contextlib.contextmanager
def _partner(situation, binary, directory, stdin):
    """Runs what is at the other end; yields what it announces."""
    name = situation.partner or (situation.name if situation.runner == "c" else None)
    if not name:
        yield "-"
        return
    argv = [str(binary), "--partner", name, directory]
    with subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE,
                          universal_newlines=True) as partner:
        if situation.stdin:
            os.close(stdin)
        try:
            yield partner.stdout.readline().strip()
        finally:
            partner.kill()


def is_like(pattern, name):
    """Whether @name is as @pattern, in which * stands for anything."""
    parts = pattern.split("*")
    return re.fullmatch(".*".join(re.escape(part) for part in parts), name) is not None


def is_object(situation, placeholders, name):
    """Whether @name is that of the object that @situation waits for."""
    return is_like(situation.object.format(**placeholders), name)
