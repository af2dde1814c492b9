#!/usr/bin/python3
"""The CPU time that classify reports is the CPU time that the kernel charged for.

The observed command is a small parent that runs a sample, waits for it, and writes down what
getrusage says of both; what it uses itself after that is a fraction of a millisecond.
"""
import pathlib
import tempfile
import unittest

import harness
from harness import sample_set

TOLERANCE_SHARE = 0.001
TOLERANCE_S = 0.001
# One thread, threads at once, threads by turns, processes by turns, many short waits.
SAMPLES = ("c_cpu", "c_cpu_threads", "cpu_threads", "cpu_multiprocessing_oversubscribed",
           "api_asyncio", "c_disk")

PARENT = """
import os, resource, subprocess, sys
status = subprocess.call(sys.argv[2:], stdin=subprocess.DEVNULL)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
with open(sys.argv[1], "w") as account:
    account.write(repr(sum(usage.ru_utime + usage.ru_stime for usage in used)))
os._exit(status)
"""


class CpuTime(harness.ReportTestCase):
    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()

    def check(self, sample):
        with tempfile.TemporaryDirectory() as directory, \
                sample_set.prepared(sample, harness.PLACE) as ready:
            account = pathlib.Path(directory, "account")
            run = harness.run_classify(
                ["-q", "--source", "ebpf"],
                [harness.PLACE.python, "-I", "-c", PARENT, str(account), *ready.argv],
                env=ready.env)
            self.check_run(run)
            charged_s = float(account.read_text())
        self.assertAlmostEqual(run.report["thread_time"]["on_cpu_s"], charged_s,
                               delta=max(TOLERANCE_S, TOLERANCE_SHARE * charged_s))


def test_of_sample(sample):
    return lambda self: self.check(sample)


for one in sample_set.load():
    if one.name in SAMPLES:
        setattr(CpuTime, f"test_{one.name}", test_of_sample(one))

if __name__ == "__main__":
    harness.main()
