"""What the families need around them: far ends that cost next to no CPU, servers, files. Each is
started when a family first asks for it, and ends with the context."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "samples"))
import sample_set  # noqa: E402  (the samples' way to find a disk)


class Missing(Exception):
    """Something that a family needs is not on this machine."""


class Surroundings(contextlib.ExitStack):
    """A context. fill(words) puts values for {placeholders}, starting what is not there yet."""

    def __init__(self, build):
        super().__init__()
        self.build = build
        self.values = {"python": "/usr/bin/python3", "here": str(HERE),
                       "bin": str(build / "bench"), "node": "node"}

    def fill(self, words):
        return [self._fill(word) for word in words]

    def _fill(self, word):
        for name in _placeholders(word):
            if name not in self.values:
                self.values[name] = self._make(name)
        return word.format(**self.values)

    def _make(self, name):
        kind, _, argument = name.partition("_")
        return getattr(self, "_make_" + kind)(*([argument] if argument else []))

    def start(self, argv, **how):
        """A process that lives as long as its stdin is open; returns it."""
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   **how)
        self.callback(_end, process)
        return process

    def _make_url(self, slots=None):
        limit = ["--slots", slots] if slots else []
        server = self.start([f"{self.build}/bench/far_end", *limit])
        return f"http://127.0.0.1:{int(server.stdout.readline())}/"

    def _make_scratch(self):
        return self.enter_context(sample_set.scratch_dir())


def _placeholders(word):
    return [part.split("}", 1)[0] for part in word.split("{")[1:]]


def _end(process):
    process.stdin.close()
    process.terminate()
    process.wait()
    process.stdout.close()
