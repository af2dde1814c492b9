#!/usr/bin/python3
"""Attached without a duration: how long it takes until the verdict is settled, and that it is right.
And programs near a border: no two runs tell different classes without naming each other's.
"""
import itertools
import signal
import subprocess
import sys
import unittest

import harness
import services

STEADY_S = (2.0, 3.0)
IDLE_S = (5.0, 6.5)
GIVEN_UP_S = 30

# Computes for so long, then asks somebody who takes his time, over one connection. Says when it has
# begun.
TURNS = """
import socket, sys, time
burn_s, port = float(sys.argv[1]), int(sys.argv[2])
upstream = socket.create_connection(("127.0.0.1", port))
print("ready", flush=True)
while True:
    end = time.thread_time() + burn_s
    while time.thread_time() < end:
        pass
    upstream.sendall(b"?")
    upstream.recv(1)
"""

# Answers each byte that comes over its only connection so much later.
SLOW = """
import socket, sys, time
delay_s = float(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    one = listener.accept()[0]
    while one.recv(1):
        time.sleep(delay_s)
        one.sendall(b"!")
"""


class SettlingTestCase(harness.ReportTestCase):
    source = "ebpf"

    def start(self, code, *arguments, priority=services.go_next):
        process = services.start(self, [sys.executable, "-I", "-c", code, *map(str, arguments)],
                                 stdout=subprocess.PIPE, preexec_fn=priority)
        return process, process.stdout.readline().split()

    def start_turns(self, burn_s, wait_s):
        _, (port,) = self.start(SLOW, wait_s, priority=services.go_ahead_of_all)
        process, _ = self.start(TURNS, burn_s, int(port))
        return process

    def attach(self, pid, *options):
        run = harness.run_classify(["-q", "--source", self.source, "-p", str(pid), *options])
        self.check_run(run)
        return run.report

    def check(self, report, classes, between_s):
        self.assertIn(report["verdict"]["class"], classes, harness.carrying_numbers(report))
        least_s, most_s = between_s
        self.assertEqual(report["observation"]["settled"], most_s < GIVEN_UP_S)
        self.assertGreaterEqual(report["observation"]["duration_s"], least_s)
        self.assertLessEqual(report["observation"]["duration_s"], most_s,
                             harness.carrying_numbers(report))


class Settling:
    """What holds of both sources."""

    def test_client_of_a_slow_service(self):
        report = self.attach(self.start_turns(0.001, 0.03).pid)
        self.check(report, ["io-bound"], STEADY_S)

    def test_computing(self):
        process, _ = self.start("print('ready', flush=True)\nwhile True: pass")
        report = self.attach(process.pid)
        self.check(report, ["cpu-bound"], STEADY_S)

    def test_idle_server(self):
        """Somebody may still come."""
        process, _ = self.start("import socket\nwith socket.create_server(('127.0.0.1', 0)) as s:\n"
                                "    print('ready', flush=True)\n    s.accept()")
        self.check(self.attach(process.pid), ["idle"], IDLE_S)

    def test_long_turns(self):
        """Half a second each: after one second and a half it looks like waiting, after one like
        neither. It is mixed, and takes longer to tell."""
        report = self.attach(self.start_turns(0.5, 0.5).pid)
        self.check(report, ["mixed"], (STEADY_S[1], GIVEN_UP_S - 1))


class SettlingThroughEbpf(Settling, SettlingTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        why = harness.why_no_ebpf()
        if why:
            raise unittest.SkipTest(f"no eBPF: {why}")

    def test_redis_under_load(self):
        server, port = services.start_redis(self)
        services.start(self, [services.program("redis-benchmark"), "-p", str(port), "-t", "get",
                              "-n", "100000000", "-q"])
        services.until_busy(server.pid)
        self.check(self.attach(server.pid), ("cpu-bound", "cpu-starved"), STEADY_S)

    def test_what_does_not_settle_is_given_up(self):
        """A process that is stopped shows nothing."""
        process = self.start_turns(0.001, 0.001)
        process.send_signal(signal.SIGSTOP)
        report = self.attach(process.pid)
        self.check(report, ["inconclusive"], (GIVEN_UP_S, GIVEN_UP_S + 1))
        self.assertRegex(report["observation"]["source_note"],
                         "not settled after 30 s .not enough evidence.: .* -d SECONDS")

    def test_near_a_border(self):
        """Computing for 55 to 80% of the time: two runs that differ name each other's class."""
        wait_s = 0.02
        for percent in range(55, 81, 5):
            process = self.start_turns(wait_s * percent / (100 - percent), wait_s)
            verdicts = [self.attach(process.pid, "-d", "1")["verdict"] for _ in range(3)]
            services.end(process)
            with self.subTest(computing=f"{percent}%"):
                for one, other in itertools.permutations(verdicts, 2):
                    named = [one["class"], (one["runner_up"] or {}).get("class")]
                    self.assertIn(other["class"], named, verdicts)


class SettlingThroughProcfs(Settling, SettlingTestCase):
    source = "procfs"


if __name__ == "__main__":
    harness.main()
