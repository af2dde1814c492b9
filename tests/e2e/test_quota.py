#!/usr/bin/python3
"""What limits a program's CPUs is told as it is: a cgroup's quota by how long it held it back, an
affinity by how many CPUs are left, also when the program gets them only after it was started.

The quota needs a cgroup of its own: the test makes one and takes it away, and is skipped where the
CPU controller isn't there or not to be written.
"""
import os
import pathlib
import subprocess
import unittest

import harness

QUOTA_US, PERIOD_US = 30000, 100000
COMPUTE_S = 1
BURN = (f"import time\nend = time.monotonic() + {COMPUTE_S}\n"
        "while time.monotonic() < end: pass")
BURN_ARGV = [harness.PLACE.python, "-I", "-c", BURN]
ENTER = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"']


def cpu_hierarchy():
    """(version, directory) of the cgroup that children can be made in; SkipTest where none is."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, kind = line.partition(" - ")
        directory, fstype, options = mount.split()[4], kind.split()[0], kind.split()[-1]
        if fstype == "cgroup" and "cpu" in options.split(","):
            return 1, pathlib.Path(directory)
        if fstype == "cgroup2":
            control = pathlib.Path(directory, "cgroup.subtree_control")
            if control.exists() and "cpu" in control.read_text().split():
                return 2, pathlib.Path(directory)
    raise unittest.SkipTest("no hierarchy of cgroups here has the cpu controller")


def make_group(suffix="", quota_us=QUOTA_US):
    version, parent = cpu_hierarchy()
    group = parent / f"classify-test-{os.getpid()}{suffix}"
    try:
        group.mkdir()
    except OSError as error:
        raise unittest.SkipTest(f"can't make a cgroup: {error}") from error
    try:
        if version == 1:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
            (group / "cpu.shares").write_text("262144")  # nothing but the quota holds it back
        else:
            (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
            (group / "cpu.weight").write_text("10000")
    except OSError as error:
        group.rmdir()
        raise unittest.SkipTest(f"can't set a quota: {error}") from error
    return group


class LimitsTestCase(harness.ReportTestCase):
    source = None

    def observe(self, command, prefix=()):
        run = harness.run_classify(["-q", "--source", self.source], command, prefix=prefix)
        self.check_run(run)
        return run.report

    def check_throttled(self, report):
        found = [finding["id"] for finding in report["findings"]]
        thread = report["thread_time"]
        self.assertEqual(report["host"]["cpu_quota"], QUOTA_US / PERIOD_US)
        self.assertGreater(thread["throttled_s"], thread["on_cpu_s"],
                           harness.carrying_numbers(report))
        self.assertEqual((report["verdict"]["class"], report["verdict"]["subclass"]),
                         ("cpu-starved", "throttled"), harness.carrying_numbers(report))
        self.assertIn("cpu-throttled", found)

    def test_quota_of_an_ancestor(self):
        """Above the cgroup that the program is in, as in a container or a slice."""
        group = make_group()
        self.addCleanup(group.rmdir)
        leaf = group / "leaf"
        leaf.mkdir()
        self.addCleanup(leaf.rmdir)
        self.check_throttled(self.observe(BURN_ARGV, [*ENTER, str(leaf / "cgroup.procs")]))

    def test_quota_got_after_the_start(self):
        group = make_group()
        self.addCleanup(group.rmdir)
        self.check_throttled(self.observe([*ENTER, str(group / "cgroup.procs"), *BURN_ARGV]))

    def test_quota_of_an_observed_cgroup(self):
        """Its own, or that of one above it."""
        group = make_group()
        self.addCleanup(group.rmdir)
        leaf = group / "leaf"
        leaf.mkdir()
        self.addCleanup(leaf.rmdir)
        burner = subprocess.Popen([*ENTER, str(leaf / "cgroup.procs"), harness.PLACE.python, "-I",
                                   "-c", "while True: pass"])
        self.addCleanup(burner.wait)
        self.addCleanup(burner.kill)
        for path in (group, leaf):
            with self.subTest(path=path):
                run = harness.run_classify(["-q", "--source", self.source, "--cgroup", str(path),
                                            "-d", "1"])
                self.check_run(run)
                self.check_throttled(run.report)

    def test_quota_of_another_container(self):
        """From a container that has its own part of the hierarchy only, with a quota of its own:
        what limits the target is told, not what limits classify."""
        version, hierarchy = cpu_hierarchy()
        theirs, ours = make_group(), make_group("-ours", 2 * QUOTA_US)
        self.addCleanup(theirs.rmdir)
        self.addCleanup(ours.rmdir)
        burner = subprocess.Popen([*ENTER, str(theirs / "cgroup.procs"), harness.PLACE.python,
                                   "-I", "-c", "while True: pass"])
        self.addCleanup(burner.wait)
        self.addCleanup(burner.kill)
        remount = ('set -e; umount "$0"; mount -t "$1" $2 cgroup "$0"; shift 2; exec "$@"')
        kind = ("cgroup", "-ocpu") if version == 1 else ("cgroup2", "-orw")
        prefix = [*ENTER, str(ours / "cgroup.procs"), "unshare", "--mount", "--cgroup",
                  "sh", "-c", remount, str(hierarchy), *kind]
        if subprocess.run([*prefix, "true"], check=False, stderr=subprocess.PIPE).returncode:
            self.skipTest("no cgroup namespaces, or no mounting in them")
        run = harness.run_classify(["-q", "--source", self.source, "-p", str(burner.pid),
                                    "-d", "1"], prefix=prefix)
        self.check_run(run)
        self.assertEqual(run.report["host"]["cpu_quota"], QUOTA_US / PERIOD_US)
        self.assertGreater(run.report["thread_time"]["throttled_s"], 0)

    def test_no_quota(self):
        report = self.observe(BURN_ARGV)
        self.assertEqual(report["thread_time"]["throttled_s"], 0)

    def test_cpuset(self):
        """Its CPUs are those that the program may use, as with taskset."""
        hierarchy = pathlib.Path("/sys/fs/cgroup/cpuset")
        group = hierarchy / f"classify-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError as error:
            self.skipTest(f"no cpuset hierarchy to make cgroups in: {error}")
        self.addCleanup(group.rmdir)
        for name, value in (("cpuset.cpus", min(os.sched_getaffinity(0))), ("cpuset.mems", 0)):
            (group / name).write_text(str(value))
        report = self.observe([*ENTER, str(group / "cgroup.procs"), *BURN_ARGV])
        self.assertEqual(report["host"]["cpus_usable"], 1)

    def test_affinity_got_after_the_start(self):
        first = min(os.sched_getaffinity(0))
        report = self.observe(["taskset", "-c", str(first), *BURN_ARGV])
        self.assertEqual(report["host"]["cpus_usable"], 1)


class LimitsThroughEbpf(LimitsTestCase):
    source = "ebpf"

    def test_quota_of_a_part_of_the_tree(self):
        """A process moved to a cgroup of its own, as by a container runtime, beside one that is
        not held back."""
        group = make_group()
        self.addCleanup(group.rmdir)
        enter = f"echo $$ > {group}/cgroup.procs; exec \"$@\""
        inner = ["/bin/sh", "-c", enter, "sh", *BURN_ARGV]
        self.check_throttled(self.observe(["/bin/sh", "-c", '"$@"; true', "sh", *inner]))

    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()


class LimitsThroughProcfs(LimitsTestCase):
    source = "procfs"


def load_tests(loader, _tests, _pattern):
    """Not the common base."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (LimitsThroughEbpf, LimitsThroughProcfs))


if __name__ == "__main__":
    harness.main()
