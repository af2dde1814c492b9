#!/usr/bin/python3
"""Every sample gets the verdict that samples.json knows to be right, run after run.

CLASSIFY_E2E_REPEAT is how often each is run (default: 3 under eBPF, 1 through /proc). Pick one by its name:
tests/e2e/test_samples.py SamplesThroughEbpf.test_cpu_threads
"""
import glob
import os
import unittest

import harness
from harness import sample_set

PYTHON_VERSIONS = ("3.8", "3.11", "3.12", "3.13")
SAMPLES = sample_set.load()


class SampleTestCase(harness.ReportTestCase):
    source = None
    repeat = harness.repeat(1)

    def check(self, sample, place=harness.PLACE):
        for attempt in range(self.repeat):
            with self.subTest(run=attempt + 1):
                run = harness.run_sample(sample, ["--source", self.source], place)
                self.check_run(run)
                self.assertEqual(run.report["observation"]["source"], self.source)
                self.assertEqual(run.report["observation"]["lost_events"], 0, "lost events")
                self.check_sample(sample, run.report)
                if self.source == "ebpf":
                    self.check_explained(run.report)


class SamplesThroughEbpf(SampleTestCase):
    source = "ebpf"
    repeat = harness.repeat(3)

    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()


class SamplesThroughProcfs(SampleTestCase):
    source = "procfs"

    def check(self, sample, place=harness.PLACE):
        if sample.subclass == "polling":
            self.skipTest("/proc doesn't tell what runs on the CPUs")
        super().check(sample, place)


def python_of_version(version):
    """The path of a CPython @version with a GIL that pyenv has installed, or None."""
    found = glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*[0-9]/bin/python3"))
    return max(found, default=None)


def test_of_sample(sample):
    return lambda self: self.check(sample)


def test_of_python(version):
    cpu_threads = next(sample for sample in SAMPLES if sample.name == "cpu_threads")

    def test(self):
        python = python_of_version(version)
        if not python:
            self.skipTest(f"no CPython {version} in ~/.pyenv/versions")
        self.check(cpu_threads, harness.dataclasses.replace(harness.PLACE, python=python))
    return test


for case in (SamplesThroughEbpf, SamplesThroughProcfs):
    for one in SAMPLES:
        setattr(case, f"test_{one.name}", test_of_sample(one))
    for one in PYTHON_VERSIONS:
        setattr(case, f"test_cpu_threads_python{one.replace('.', '_')}", test_of_python(one))

if __name__ == "__main__":
    harness.main()
