#!/usr/bin/python3
"""CPU time that isn't work is told from CPU time that is: loops that ask again and again for what
isn't there, against servers under load, copiers and compilers, which make the same calls.
"""
import contextlib
import shutil
import socket
import subprocess
import time
import unittest

import harness

RUN_S = 2
LIMIT_S = 20

# So much CPU time, however long that takes: there is a sample for each 10 ms of it.
ASK = """
import os, select, socket, time
server = socket.create_server(("127.0.0.1", 0))
server.setblocking(False)
while time.process_time() < {run_s}:
    for _ in range(100):
        {once}
"""
ACCEPT = "try: server.accept()\n        except BlockingIOError: pass"
SELECT = "select.select([server], [], [], 0)"
YIELD = "os.sched_yield()"
WORK = "sum(range(100))"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} isn't installed")


@contextlib.contextmanager
def redis():
    """A redis server that answers; yields its process and its port."""
    needs("redis-server", "redis-benchmark")
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", "/tmp"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + LIMIT_S
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                if time.monotonic() > deadline or server.poll() is not None:
                    raise AssertionError("redis-server doesn't answer")
                time.sleep(0.02)
            yield server, port
        finally:
            server.kill()


class Polling(harness.ReportTestCase):
    def setUp(self):
        why = harness.why_no_ebpf()
        if why:
            self.skipTest(why)

    def report(self, options, command=()):
        run = harness.run_classify(["-q", "--source", "ebpf", *options], command)
        self.check_run(run)
        return run.report

    def finding(self, report):
        found = [one for one in report["findings"] if one["id"] == "busy-polling"]
        return found[0] if found else None

    def check_polls(self, once, call):
        script = ASK.format(run_s=RUN_S, once=once)
        report = self.report([], [harness.PLACE.python, "-I", "-c", script])
        found = self.finding(report)
        self.assertIsNotNone(found, harness.carrying_numbers(report))
        self.assertIn(call, found["summary"])
        if report["verdict"]["class"] == "cpu-bound":  # and not starved by a busy machine
            self.assertEqual(report["verdict"]["subclass"], "polling")

    def check_works(self, report, cpu_s=0.0):
        self.assertIsNone(self.finding(report), harness.carrying_numbers(report))
        self.assertNotEqual(report["verdict"]["subclass"], "polling")
        self.assertGreater(report["thread_time"]["on_cpu_s"], cpu_s)

    def test_python_that_accepts_in_vain(self):
        self.check_polls(ACCEPT, "accept4")

    def test_python_that_selects_in_vain(self):
        self.check_polls(SELECT, "select")

    def test_python_that_yields(self):
        self.check_polls(YIELD, "sched_yield")

    def test_python_that_computes(self):
        script = ASK.format(run_s=RUN_S, once=WORK)
        self.check_works(self.report([], [harness.PLACE.python, "-I", "-c", script]), 0.5)

    def test_redis_under_load(self):
        with redis() as (server, port):
            load = ["redis-benchmark", "-p", str(port), "-n", "100000000", "-t", "get", "-q"]
            with subprocess.Popen(load, stdout=subprocess.DEVNULL) as client:
                try:
                    report = self.report(["-p", str(server.pid), "-d", str(RUN_S)])
                finally:
                    client.kill()
            self.check_works(report, 0.3)

    def test_redis_benchmark_itself(self):
        with redis() as (_, port):
            load = ["redis-benchmark", "-p", str(port), "-n", "100000", "-t", "get", "-q"]
            self.check_works(self.report([], load), 0.1)

    def test_pipe_copier(self):
        script = "dd if=/dev/zero bs=64k count=40000 2>/dev/null | cat > /dev/null"
        self.check_works(self.report([], ["/bin/sh", "-c", script]), 0.1)

    def test_compiler(self):
        needs("gcc")
        source = str(harness.ROOT / "cli" / "options.c")
        include = harness.ROOT / "analyzer"
        script = f"for i in 1 2 3; do gcc -O2 -w -S -I {include} -o /dev/null {source}; done"
        self.check_works(self.report([], ["/bin/sh", "-c", script]), 0.05)


if __name__ == "__main__":
    harness.main()
