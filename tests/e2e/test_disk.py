#!/usr/bin/python3
"""What real programs wait for at a disk is told by file, operation and device: a database that
commits, a program that starts with nothing of it in memory.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

COMMITS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("create table t(a)")
for i in range(200):
    db.execute("insert into t values(?)", (i,))
    db.commit()
"""


def file_system(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout.strip()


def device_of(path):
    """The block device that holds @path, as the kernel names it; None where none does."""
    number = os.stat(path).st_dev
    link = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"
    return os.path.basename(os.readlink(link)) if os.path.exists(link) else None


class Disk(harness.ReportTestCase):
    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        if file_system(harness.BUILD) in ("tmpfs", "ramfs"):
            raise unittest.SkipTest(f"{harness.BUILD} is in memory, not on a disk")
        super().setUpClass()

    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=harness.BUILD, prefix="e2e-disk-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name).resolve()

    def observe(self, command):
        run = harness.run_classify(["-q", "--source", "ebpf"], command)
        self.check_run(run)
        return run.report

    def waits_of(self, report, reason):
        for wait in report["thread_time"]["waits"]:
            if wait["reason"] == reason:
                return wait
        return self.fail(f"no waits of {reason}: {report['thread_time']}")

    def check_device(self, item):
        device = device_of(self.directory)
        if device:
            self.assertEqual(item["device"].split(" ")[0], device)

    def test_a_database_that_commits(self):
        database = self.directory / "test.db"
        report = self.observe([harness.PLACE.python, "-I", "-c", COMMITS, str(database)])
        wait = self.waits_of(report, "disk")
        synced = {item["name"]: item for item in wait["objects"] if item["operation"] == "sync"}
        for name in (str(database), f"{database}-journal"):
            self.assertIn(name, synced)
            self.assertIn(synced[name]["call"], ("fsync", "fdatasync"))
            self.check_device(synced[name])
        # Removing the journal may take longer than writing it.
        there = [item for item in wait["objects"] if item["name"].startswith(str(self.directory))]
        self.assertLessEqual({item["operation"] for item in there}, {"sync", "metadata", "write"})
        self.assertGreater(sum(item["seconds"] for item in there), 0.8 * wait["seconds"])
        # It has just written the journal, which is no reason to take that for what it waits for.
        removed = [item["kind"] for item in there if item["call"] == "unlink"]
        self.assertIn(removed, ([], ["directory"]))

    def test_a_program_that_starts_cold(self):
        program = self.directory / "cold"
        shutil.copy(os.path.realpath(harness.PLACE.python), program)
        with open(program, "rb+") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        # It can't find its library there, and says so: it has started all the same.
        run = harness.run_classify(["-q", "--source", "ebpf"], [str(program), "--version"])
        self.check_run(run)
        faults = [item for item in self.waits_of(run.report, "paging")["objects"]
                  if item["name"] == str(program)]
        self.assertEqual([item["operation"] for item in faults], ["fault"])
        self.assertIsNone(faults[0]["call"])
        self.check_device(faults[0])


if __name__ == "__main__":
    harness.main()
