#!/usr/bin/python3
"""What is around a program is told, through either observer: the memory of its processes, the CPU
time of the server that it asks, and that of everything but itself.

The server burns a known CPU time for each request, partly in a process that it forks for it. The
client takes a known amount of memory, forks a child that shares it, and asks when the observer has
had the time to find the server.
"""
import contextlib
import json
import pathlib
import socket
import subprocess
import tempfile
import unittest

import harness

REQUESTS = 100
BURN_S = 0.005  # in the server's own process, for each request
FORKED_S = 0.2  # in the process that it forks for the last one
TOLERANCE = 0.1
BIG = 100 << 20  # bytes of the client

SERVER = f"""
import os, socket, sys, time
def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    client = listener.accept()[0]
    while order := client.recv(1):
        if order == b"b":
            burn({BURN_S})
        elif os.fork():
            os.wait()
        else:
            burn({FORKED_S})
            os._exit(0)
        client.sendall(b"x")
"""

CLIENT = f"""
import os, socket, sys, time
big = bytearray({BIG})
for at in range(0, len(big), 4096):
    big[at] = 1
time.sleep(0.5)
child = os.fork()
if not child:
    time.sleep(60)
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
time.sleep(0.5)
for order in [b"b"] * {REQUESTS} + [b"f"]:
    server.sendall(order)
    server.recv(1)
os.kill(child, 9)
os.wait()
"""


@contextlib.contextmanager
def serving():
    """A server; yields its port and its process's number."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen([harness.PLACE.python, "-I", "-c", SERVER, str(port)],
                              stdout=subprocess.PIPE)
    try:
        server.stdout.readline()
        yield port, server.pid
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def record(source):
    """Runs the client under classify; returns the recording and the server's number."""
    with tempfile.TemporaryDirectory() as directory, serving() as (port, pid):
        path = pathlib.Path(directory, "recording")
        done = subprocess.run([harness.CLASSIFY, "-q", "--source", source, "--save-recording",
                               str(path), "-o", "/dev/null", "--", harness.PLACE.python, "-I", "-c",
                               CLIENT, str(port)],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              timeout=harness.TIMEOUT_S, check=False)
        if done.returncode:
            raise AssertionError(done.stderr.decode(errors="replace"))
        return json.loads(path.read_text()), pid


class Surroundings:
    source = ""

    @classmethod
    def setUpClass(cls):
        if cls.source == "ebpf" and harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        cls.recording, cls.server = record(cls.source)

    def test_far_end(self):
        rows = self.recording["far_ends"]
        self.assertEqual(len(rows), 1, rows)
        burnt_s = REQUESTS * BURN_S + FORKED_S
        self.assertRegex(rows[0]["name"], rf"\[{self.server}\]$")
        self.assertAlmostEqual(rows[0]["cpu_ns"] / 1e9, burnt_s, delta=TOLERANCE * burnt_s)
        self.assertLess(rows[0]["since_ns"], self.recording["observation"]["duration_ns"])
        self.assertIn(rows[0]["thread_cnt"], (1, 2))

    def test_others(self):
        # Whatever else runs here is added to it; ticks take a little off.
        burnt_s = REQUESTS * BURN_S + FORKED_S
        self.assertGreater(self.recording["host"]["others_cpu_ns"] / 1e9,
                           (1 - TOLERANCE) * burnt_s - 0.05)

    def test_memory(self):
        client, child = self.recording["processes"][:2]
        for what in ("private_bytes", "pss_bytes"):  # before it forked
            self.assertTrue(BIG <= client[what] <= 1.3 * BIG, client)
        self.assertLess(child["private_bytes"], 0.2 * BIG)
        self.assertTrue(0.45 * BIG <= child["pss_bytes"] <= 0.7 * BIG, child)


class SurroundingsThroughEbpf(Surroundings, unittest.TestCase):
    source = "ebpf"


class SurroundingsThroughProcfs(Surroundings, unittest.TestCase):
    source = "procfs"


if __name__ == "__main__":
    harness.main()
