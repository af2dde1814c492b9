"""What the families need around them: far ends that cost next to no CPU, servers, files. Each is
started when a family first asks for it, and ends with the context."""
import contextlib
import glob
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
START_S = 20  # for a server to come up
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
        return f"http://127.0.0.1:{self._port_of([f'{self.build}/bench/far_end', *limit])}/"

    def _port_of(self, argv):
        """Starts a server that announces its port."""
        return int(self.start(argv).stdout.readline())

    def _make_scratch(self):
        return self.enter_context(sample_set.scratch_dir())

    def _make_files(self, sizes):
        """{files_NxK}: a directory with N files of K KiB, named 0, 1, 2 and so on."""
        cnt, kilobytes = map(int, sizes.split("x"))
        directory = pathlib.Path(self._fill("{scratch}")) / sizes
        directory.mkdir()
        source = random.Random(1)
        for i in range(cnt):
            (directory / str(i)).write_bytes(source.randbytes(kilobytes * 512).hex().encode())
        os.sync()
        return str(directory)

    def forget_files(self):
        """Puts all of {files_*} out of the page cache."""
        for name, directory in self.values.items():
            for path in os.scandir(directory) if name.startswith("files_") else ():
                fd = os.open(path, os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)

    def _make_redis(self):
        program = _program("redis-server", shutil.which("redis-server"))
        port, directory = _free_port(), self._fill("{scratch}")
        self.start([program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
                    directory, "--logfile", "redis.log"])
        _until_open(port)
        return port

    def _make_postgres(self):
        """A cluster of its own. It refuses to run as root, so it runs as its own user."""
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        binaries = pathlib.Path(_program("postgresql", found[-1] if found else None)).parent
        for module in ("psycopg2", "asyncpg"):
            if subprocess.run([self.values["python"], "-c", f"import {module}"],
                              stderr=subprocess.DEVNULL, check=False).returncode:
                raise Missing(f"python3-{module} is not installed: scripts/setup --bench")
        directory = pathlib.Path(self._fill("{scratch}")) / "postgres"
        directory.mkdir()
        become = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                      "--clear-groups", "--"]
        data, port = str(directory / "data"), _free_port()
        subprocess.run([*become, str(binaries / "initdb"), "-D", data, "-A", "trust", "-U",
                        "postgres", "--no-sync"], cwd=directory, check=True,
                       stdout=subprocess.DEVNULL)
        self.start([*become, str(binaries / "postgres"), "-D", data, "-k", str(directory), "-p",
                    str(port), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"],
                   cwd=directory, stderr=subprocess.DEVNULL)
        _until_open(port)
        return port


def end_cleanly():
    """Lets SIGINT and SIGTERM leave all contexts, and so end what was started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def _program(package, path):
    if not path:
        raise Missing(f"{package} is not installed: scripts/setup --bench")
    return path


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _until_open(port):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise Missing(f"no server came up at port {port}")


def _placeholders(word):
    return [part.split("}", 1)[0] for part in word.split("{")[1:]]


def _end(process):
    process.stdin.close()
    process.terminate()
    process.wait()
    process.stdout.close()
