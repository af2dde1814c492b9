#!/usr/bin/python3
"""Event loops of real runtimes: how many operations are in flight, what holds the loop up and how
late that makes the rest, against what the program itself has measured."""
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import sample_set

HERE = pathlib.Path(__file__).resolve().parent
FLIGHT_TOLERANCE = 0.10  # of the seconds in flight
SAMPLE_S = 0.02  # from one to the next, if classify gets a CPU then
LATE_TOLERANCE_S = 0.06


@contextlib.contextmanager
def slow_writer():
    """Yields the reading end of a pipe that gets a byte now and then."""
    script = "for i in 1 2 3 4; do sleep 0.3; printf x; done"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as writer:
        yield writer.stdout


@contextlib.contextmanager
def service(url):
    """Yields the process of a service that asks @url for each request, and its port."""
    command = ["/usr/bin/python3", str(HERE / "loop_client.py"), url, "serving"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.terminate()


@contextlib.contextmanager
def clients(port, cnt):
    """Keeps @cnt requests of a service under way."""
    def ask_on(connection):
        with contextlib.suppress(OSError):
            while connection.send(b"x") and connection.recv(1):
                pass
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(cnt)]
    threads = [threading.Thread(target=ask_on, args=[one]) for one in connections]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for connection in connections:
            connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()


class LoopTestCase(harness.ReportTestCase):
    client = ()

    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()

    def observe(self, mode, stdin=None):
        """Runs the client; sets report, recording and what it said."""
        with tempfile.TemporaryDirectory(prefix="classify-loops-") as directory, \
                sample_set.delay_server() as url:
            path = pathlib.Path(directory, "recording.json")
            run = harness.run_classify(
                ["-q", "--source", "ebpf", "--save-recording", str(path)],
                [*self.client, url, mode], stdin=stdin)
            self.check_run(run)
            self.recording = json.loads(path.read_text())
        self.report = run.report
        self.said = json.loads(run.stdout)

    def finding(self, name):
        for finding in self.report["findings"]:
            if finding["id"] == name:
                return finding
        self.fail(f"not found: {name}\n" + harness.carrying_numbers(self.report))

    def check_no_finding(self, *names):
        for finding in self.report["findings"]:
            self.assertNotIn(finding["id"], names, harness.carrying_numbers(self.report))

    def check_in_flight(self, peak):
        """The seconds in flight are those that the requests took: as long as they asked for, and at
        most as long as the client, which may not get a CPU, took to see their answers."""
        flight = self.recording["flight"]
        seconds = flight["mean"] * self.report["observation"]["duration_s"]
        slack_s = 2 * SAMPLE_S * peak  # they begin and end together, between two samples
        self.assertGreater(seconds, (1 - FLIGHT_TOLERANCE) * self.said["asked_s"] - slack_s,
                           flight)
        self.assertLess(seconds, (1 + FLIGHT_TOLERANCE) * self.said["took_s"] + slack_s, flight)
        self.assertEqual(flight["peak"], peak)
        self.assertEqual(self.report["concurrency"]["in_flight_peak"], peak)

    def check_together(self, cnt):
        self.observe("together")
        self.check_in_flight(cnt)
        self.assertGreater(self.report["concurrency"]["in_flight_mean"], 0.5 * cnt)
        self.assertEqual(self.report["recommendation"]["action"], "keep")
        self.check_no_finding("serial-io", "blocking-call-on-event-loop")

    def check_sequential(self):
        self.observe("sequential")
        self.check_in_flight(1)
        self.assertEqual(self.finding("serial-io")["severity"], "warning")
        self.assertEqual(self.report["recommendation"]["model"], "async")
        self.assertEqual(self.report["recommendation"]["action"], "change")


class AsyncioLoops(LoopTestCase):
    client = ("/usr/bin/python3", str(HERE / "loop_client.py"))

    def test_together(self):
        self.check_together(40)

    def test_sequential(self):
        self.check_sequential()

    def check_blocking(self, mode, call):
        self.observe(mode)
        summary = self.finding("blocking-call-on-event-loop")["summary"]
        self.assertIn(call, summary)
        self.assertIn("Other sockets of the loop were ready", summary)
        loop = max(self.recording["threads"], key=lambda thread: thread["loop_late_cnt"])
        self.assertAlmostEqual(loop["loop_late_max_ns"] / 1e9, self.said["late_s"],
                               delta=LATE_TOLERANCE_S)
        self.check_no_finding("serial-io")

    def test_blocking(self):
        self.check_blocking("blocking", "recvfrom on tcp 127.0.0.1:")

    def test_sleeping(self):
        self.check_blocking("sleeping", "clock_nanosleep")

    def test_computing(self):
        self.observe("computing")
        self.finding("cpu-work-on-event-loop")
        self.check_no_finding("blocking-call-on-event-loop")


    def test_attached_service(self):
        """As many are in flight as its clients ask for, also on connections from before."""
        with sample_set.delay_server() as url, service(url) as (process, port), \
                clients(port, 8):
            run = harness.run_classify(["-q", "--source", "ebpf", "-d", "2",
                                        "-p", str(process.pid)])
        self.check_run(run)
        concurrency = run.report["concurrency"]
        self.assertEqual(concurrency["in_flight_peak"], 8)
        self.assertGreater(concurrency["in_flight_mean"], (1 - FLIGHT_TOLERANCE) * 8)
        self.assertEqual(run.report["recommendation"]["action"], "keep",
                         harness.carrying_numbers(run.report))


@unittest.skipUnless(shutil.which("node"), "no Node.js")
class NodeLoops(LoopTestCase):
    client = ("node", str(HERE / "loop_client.js"))

    def test_together(self):
        self.check_together(20)

    def test_sequential(self):
        self.check_sequential()

    def test_reading(self):
        with slow_writer() as stdin:
            self.observe("reading", stdin)
        self.assertIn("read on pipe", self.finding("blocking-call-on-event-loop")["summary"])


if __name__ == "__main__":
    harness.main()
