"""What the Python programs of this corpus know of themselves: seconds of computing and waiting in each
section, as c/truth.h has them; and the way to the far end."""
import json
import os
import socket
import struct
import threading
import time

SECTIONS = ("HOT", "OTHER", "WAIT", "WAIT2", "OTHER_WAIT")
local = threading.local()
lock = threading.Lock()
seconds = {name: {"cpu_s": 0, "wait_s": 0} for name in SECTIONS}


def run_delay_ns():
    if not hasattr(local, "fd") or local.pid != os.getpid():
        local.pid = os.getpid()
        local.fd = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    return int(os.pread(local.fd, 128, 0).split()[1])


class section:
    """A context manager that books its block's time. Nothing of it is open while the block runs."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.delay_ns = run_delay_ns()
        self.wall_ns, self.cpu_ns = time.monotonic_ns(), time.thread_time_ns()

    def __exit__(self, *_exception):
        cpu_ns = time.thread_time_ns() - self.cpu_ns
        wall_ns = time.monotonic_ns() - self.wall_ns
        wait_ns = wall_ns - cpu_ns - (run_delay_ns() - self.delay_ns)
        with lock:
            seconds[self.name]["cpu_s"] += cpu_ns / 1e9
            seconds[self.name]["wait_s"] += max(wait_ns, 0) / 1e9


def write(path):
    """Appends what this process measured as a line of JSON."""
    with open(path, "a") as file:
        file.write(json.dumps(seconds) + "\n")


def forget():
    """In a forked process: what its parent measured isn't its own."""
    for times in seconds.values():
        times["cpu_s"] = times["wait_s"] = 0


def connect(port):
    partner = socket.create_connection(("127.0.0.1", int(port)))
    partner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return partner


def question(delay_ms):
    return struct.pack("=I", int(delay_ms * 1000))
