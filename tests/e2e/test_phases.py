#!/usr/bin/python3
"""Real programs are cut into phases where they change, and into roles by what their threads do."""
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import time

import harness
from harness import sample_set

DELAY_S = 0.03  # of each answer
FETCH = """
import time, urllib.request
def fetch_for(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        urllib.request.urlopen("{url}").read()
def compute_for(seconds):
    # By its own CPU time: others on this machine don't change how much it computes.
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(i * i for i in range(1000))
"""
LOADS_THEN_COMPUTES = FETCH + """
fetch_for(1)
compute_for(1)
"""
IMPORTS_THEN_FETCHES = FETCH + """
source = "\\n".join(f"def f{{i}}(a): return [a + {{i}} for _ in range(3)]" for i in range(900))
while time.thread_time() < 0.5:
    compile(source, "module", "exec")
fetch_for(2)
"""
SPINNER_BESIDE_FETCHER = FETCH + """
import threading
running = True
def spin():
    while running:
        pass
threading.Thread(target=spin).start()
fetch_for(1.5)
running = False
"""
POOL_BESIDE_COMPUTING = FETCH + """
import hashlib, queue, threading
tasks = queue.Queue()
pool = [threading.Thread(target=tasks.get) for _ in range(6)]
def hash_for(seconds, block=b"x" * (1 << 20)):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.sha256(block).digest()
hashing = [threading.Thread(target=hash_for, args=(0.8,)) for _ in range(2)]
for thread in pool + hashing:
    thread.start()
for thread in hashing:
    thread.join()
for thread in pool:
    tasks.put(None)
"""
# What they do is the same from the beginning to the end.
STEADY = ("api_sequential", "api_threads", "cpu_sequential", "cpu_threads", "join_busy", "mixed",
          "idle_server", "timer", "c_cpu", "c_cpu_threads", "c_disk", "c_timer")


class SlowAnswers(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802  (the name that the base class asks for)
        time.sleep(DELAY_S)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class PhasesThroughProcfs(harness.ReportTestCase):
    source = "procfs"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = ThreadingHTTPServer(("127.0.0.1", 0), SlowAnswers)
        cls.server.daemon_threads = True
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_address[1]}/"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def report_on(self, program):
        run = harness.run_classify(["-q", "--source", self.source],
                                   [sys.executable, "-c", program.format(url=self.url)])
        self.check_run(run)
        self.check_tiles(run.report)
        return run.report

    def check_tiles(self, report):
        """Phases follow each other from the beginning to the end of the run."""
        at_s = 0
        for phase in report["phases"]:
            self.assertEqual(phase["start_s"], at_s)
            self.check_whole(phase["name"],
                             phase["computing_s"] + phase["starved_s"] + phase["quiet_s"],
                             phase["end_s"] - phase["start_s"])
            at_s = phase["end_s"]
        self.assertAlmostEqual(at_s, report["observation"]["duration_s"], places=6)

    def classes(self, report):
        """Of the phases. To wait for a CPU is to want to compute: a busy machine is none of its doing."""
        return ["cpu-bound" if phase["class"] == "cpu-starved" else phase["class"]
                for phase in report["phases"]]

    def role(self, report, kind):
        found = [role for role in report["roles"] if role["kind"] == kind]
        self.assertEqual(len(found), 1, f"{kind} in {report['roles']}")
        return found[0]

    def test_loads_then_computes(self):
        report = self.report_on(LOADS_THEN_COMPUTES)
        self.assertEqual(self.classes(report), ["io-bound", "cpu-bound"], report["phases"])
        loading, computing = report["phases"]
        self.assertEqual(loading["subclass"], "network")
        self.assertAlmostEqual(loading["quiet_s"], 1, delta=0.2)
        self.assertEqual(loading["recommendation"]["model"], "threads")
        self.assertGreaterEqual(computing["computing_s"], 0.9)
        self.assertIn("phase 1", report["recommendation"]["scope"])
        if report["verdict"]["class"] == "mixed":
            self.assertIn("first waits for the network", report["verdict"]["summary"])

    def test_imports_are_start_up(self):
        report = self.report_on(IMPORTS_THEN_FETCHES)
        names = [phase["name"] for phase in report["phases"]]
        self.assertEqual(names, ["start-up", "run"], report["phases"])
        self.assertEqual(report["phases"][1]["class"], "io-bound")
        self.assertAlmostEqual(report["phases"][0]["computing_s"], 0.5, delta=0.15)

    def test_a_spinner_is_none_of_the_main_path(self):
        report = self.report_on(SPINNER_BESIDE_FETCHER)
        self.assertEqual(len(report["phases"]), 1, report["phases"])
        main, spinner = self.role(report, "main"), self.role(report, "computing")
        self.assertEqual(spinner["class"], "cpu-bound")
        self.assertIn(main["class"], ("io-bound", "mixed"))
        self.assertTrue(spinner["name"].endswith(": computing"), spinner["name"])

    def test_a_pool_that_waits_is_none_of_those_who_compute(self):
        report = self.report_on(POOL_BESIDE_COMPUTING)
        self.assertEqual(len(report["phases"]), 1, report["phases"])
        workers, pool = self.role(report, "workers"), self.role(report, "pool")
        self.assertEqual((workers["threads"], workers["class"]), (2, "cpu-bound"))
        self.assertEqual((pool["threads"], pool["class"]), (6, "idle"))
        self.assertIn("the 2 threads", report["recommendation"]["scope"])


class PhasesThroughEbpf(PhasesThroughProcfs):
    source = "ebpf"

    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()


class SteadyPrograms(harness.ReportTestCase):
    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()


def test_of_sample(sample):
    def test(self):
        run = harness.run_sample(sample, ["--source", "ebpf"])
        self.check_run(run)
        names = [phase["name"] for phase in run.report["phases"]]
        # Starting an interpreter on a busy machine can take a tenth of the run.
        self.assertEqual([name for name in names if name != "start-up"], ["run"],
                         run.report["phases"])
    return test


for one in sample_set.load():
    if one.name in STEADY:
        setattr(SteadyPrograms, f"test_{one.name}", test_of_sample(one))

if __name__ == "__main__":
    harness.main()
