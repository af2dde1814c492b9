"""The samples: programs whose truth is known, and what each needs around it in order to run.

samples.json is the one table of them; samples/run, the end-to-end tests and the table in
docs/samples.md all read it through this module. Of a sample's expectations, null stands for "any".
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

SAMPLES_DIR = pathlib.Path(__file__).resolve().parent
DEFAULT_BUILD_DIR = SAMPLES_DIR.parent / "build"
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}


@dataclasses.dataclass(frozen=True)
class Sample:
    name: str
    command: list  # with {placeholders}: see Place and prepared()
    why: str
    verdict_class: str
    subclass: typing.Optional[str]
    current: typing.Optional[str]
    model: typing.Optional[str]
    action: typing.Optional[str]
    findings: list  # ids that must be found
    may_find: list  # ids that may be found; any other warning is a false alarm
    is_of_lecture: bool  # has to be right through procfs and without any rights
    stdin_from: typing.Optional[list]  # a command outside the observed tree that feeds its stdin

    def needs(self, placeholder):
        return any("{%s}" % placeholder in word for word in self.command)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a sample's parts are: {python}, {samples}, {binaries} of a command."""
    python: str = "/usr/bin/python3"
    samples: str = str(SAMPLES_DIR)
    binaries: str = str(DEFAULT_BUILD_DIR / "samples")


@dataclasses.dataclass(frozen=True)
class Prepared:
    argv: list
    stdin: typing.Any
    env: dict


def load():
    rows = json.loads((SAMPLES_DIR / "samples.json").read_text())
    return [_parse(row) for row in rows]


def _parse(row):
    fields = dict(row)
    return Sample(verdict_class=fields.pop("class"), is_of_lecture=fields.pop("lecture"),
                  stdin_from=fields.pop("stdin_from", None), **fields)


@contextlib.contextmanager
def prepared(sample, place):
    """Yields the Prepared command, with all that the sample needs running beside it."""
    with contextlib.ExitStack() as stack:
        values = dataclasses.asdict(place)
        if sample.needs("url"):
            values["url"] = stack.enter_context(delay_server())
        if sample.needs("scratch"):
            values["scratch"] = stack.enter_context(scratch_dir())
        stdin = None
        if sample.stdin_from:
            stdin = stack.enter_context(_feeder(sample.stdin_from))
        env = dict(os.environ, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1",
                   PYTHONDONTWRITEBYTECODE="1")
        yield Prepared([word.format(**values) for word in sample.command], stdin, env)


@contextlib.contextmanager
def delay_server():
    """Yields the URL of a running delay_server.py."""
    command = [sys.executable, str(SAMPLES_DIR / "delay_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            port = int(server.stdout.readline())
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()


@contextlib.contextmanager
def scratch_dir():
    """Yields a directory that every user may write to and that is on a disk, not in memory."""
    with tempfile.TemporaryDirectory(prefix="classify-sample-", dir=_disk_dir()) as path:
        os.chmod(path, 0o1777)
        yield path


def _disk_dir():
    for path in (os.environ.get("TMPDIR", "/tmp"), "/var/tmp", str(DEFAULT_BUILD_DIR)):
        if os.path.isdir(path) and file_system(path) not in MEMORY_FILE_SYSTEMS:
            return path
    raise RuntimeError("no scratch directory on a disk: point TMPDIR to one")


def file_system(path):
    stat = subprocess.run(["stat", "--file-system", "--format=%T", path], check=True,
                          stdout=subprocess.PIPE, universal_newlines=True)
    return stat.stdout.strip()


@contextlib.contextmanager
def _feeder(command):
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as feeder:
        try:
            yield feeder.stdout
        finally:
            feeder.terminate()
