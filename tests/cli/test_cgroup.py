#!/usr/bin/python3
"""--cgroup: which cgroup is meant, what is refused, what is waited for, and what ends it."""
import contextlib
import os
import pathlib
import signal
import time

from support import (AS_NOBODY, CLASSIFY, PYTHON, CommandLineTestCase, ThroughEbpf, ThroughProcfs,
                     main, needs_root, run)

NAME = f"classify-test-{os.getpid()}"
ENTER = ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"']
ECHO = "while True: print(input(), flush=True)"


def hierarchies():
    """Mount points of cgroup hierarchies in which this process may make cgroups, by version."""
    found = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, kind = line.partition(" - ")
        version = {"cgroup": 1, "cgroup2": 2}.get(kind.split()[0])
        point = pathlib.Path(mount.split()[4])
        # A new cgroup of cpuset takes no process until it has CPUs.
        if version and "cpuset" not in kind and os.access(point, os.W_OK):
            found.setdefault(version, point)
    return found


class CgroupTestCase(CommandLineTestCase):
    def make_group(self, version, name=NAME):
        if version not in hierarchies():
            self.skipTest(f"no hierarchy of version {version} to make cgroups in")
        group = hierarchies()[version] / name
        try:
            group.mkdir()
        except OSError as error:
            self.skipTest(f"can't make a cgroup: {error}")
        self.addCleanup(self.remove, group)
        return group

    @staticmethod
    def remove(group):
        """It may take a moment until the processes that were killed are out of it."""
        while group.exists():
            with contextlib.suppress(OSError):
                group.rmdir()
            os.sched_yield()

    def start_in(self, group, code):
        """As start_target(), in @group."""
        process = self.start(*ENTER, str(group), PYTHON, "-c",
                             "print('ready', flush=True)\n" + code)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process


class CgroupTests:
    def observe(self, path, duration="0.3"):
        self.report.unlink(missing_ok=True)
        done = run(*self.options("--cgroup", str(path), "-d", duration))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        return self.read_report()

    def watch(self, group):
        """Starts to observe @group; it does when this returns."""
        argv = [word for word in self.options("-v", "--cgroup", str(group)) if word != "-q"]
        watcher = self.start(*argv)
        self.wait_for(watcher, b"Ctrl-C to report")
        return watcher

    def wait_for(self, watcher, words):
        line = watcher.stderr.readline()
        while line and words not in line:
            line = watcher.stderr.readline()
        self.assertIn(words, line)

    def check_target(self, report, group, *pids):
        target = report["target"]
        self.assertEqual((target["mode"], target["cgroup"], target["command"], target["exit"]),
                         ("attach", str(group), [], None))
        self.assertIn(target["pid"], pids)
        self.assertEqual(target["processes_peak"], len(pids))

    def test_directories_and_paths(self):
        """Also of processes in a cgroup below it."""
        for version in (1, 2):
            group = self.make_group(version)
            below = self.make_group(version, f"{NAME}/below")
            pids = [self.start_in(place, ECHO).pid for place in (group, below)]
            for path in (group, f"{group}/", NAME, f"/{NAME}"):
                with self.subTest(path=path):
                    self.check_target(self.observe(path), group, *pids)
            with self.subTest(path=f"{NAME}/below"):
                self.check_target(self.observe(f"{NAME}/below"), below, pids[1])

    def test_one_who_comes_later(self):
        """As a command executed in a container: it isn't a child of anybody there."""
        for version in (1, 2):
            group = self.make_group(version)
            first = self.start_in(group, ECHO)
            watcher = self.watch(group)
            second = self.start_in(group, ECHO)
            self.assertIn(b"came into the cgroup", watcher.stderr.readline())
            watcher.send_signal(signal.SIGINT)
            self.assertEqual(watcher.wait(), 0, watcher.stderr.read())
            self.check_target(self.read_report(), group, first.pid, second.pid)

    def test_children_that_live_elsewhere_are_not_of_it(self):
        """A container's shim is not the container."""
        group = self.make_group(2)
        code = ("import subprocess, sys\n"
                f"child = subprocess.Popen(['/bin/sh', '-c', 'echo $$ > {group.parent}/cgroup.procs;"
                " echo moved; read line'], stdout=subprocess.PIPE)\n"
                "print(child.stdout.readline(), flush=True)\ninput()")
        parent = self.start_in(group, code)
        self.assertEqual(parent.stdout.readline(), b"b'moved\\n'\n")
        # /proc counts births in ticks of 10 ms: one that is just before the observation may be in it.
        time.sleep(0.05)
        self.check_target(self.observe(group), group, parent.pid)

    def test_children_that_are_born_are_followed(self):
        group = self.make_group(2)
        code = ("import subprocess\ninput()\n"
                f"subprocess.run(['/bin/sh', '-c', 'echo $$ > {group.parent}/cgroup.procs;"
                " echo here; read line'])\ninput()")
        parent = self.start_in(group, code)
        watcher = self.watch(group)
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        self.assertEqual(parent.stdout.readline(), b"here\n")
        watcher.send_signal(signal.SIGINT)
        self.assertEqual(watcher.wait(), 0, watcher.stderr.read())
        self.assertEqual(self.read_report()["target"]["processes_peak"], 2)

    def test_an_empty_one_is_waited_for(self):
        group = self.make_group(2)
        argv = [word for word in self.options("-v", "--cgroup", str(group)) if word != "-q"]
        watcher = self.start(*argv)
        self.wait_for(watcher, b"no processes yet")
        target = self.start_in(group, ECHO)
        self.wait_for(watcher, b"Ctrl-C to report")
        watcher.send_signal(signal.SIGINT)
        self.assertEqual(watcher.wait(), 0, watcher.stderr.read())
        self.check_target(self.read_report(), group, target.pid)

    def test_a_settled_verdict_ends_it(self):
        group = self.make_group(2)
        target = self.start_in(group, "import time\nwhile True: time.sleep(0.001)")
        done = run(*self.options("--cgroup", str(group)))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.check_target(self.read_report(), group, target.pid)
        self.assertIs(self.read_report()["observation"]["settled"], True)

    def test_its_removal_ends_it(self):
        group = self.make_group(2)
        target = self.start_in(group, ECHO)
        watcher = self.watch(group)
        target.kill()
        target.wait()
        self.remove(group)
        self.assertEqual(watcher.wait(), 0, watcher.stderr.read())
        self.check_target(self.read_report(), group, target.pid)

    def test_classify_itself_is_left_out(self):
        group = self.make_group(2)
        target = self.start_in(group, ECHO)
        done = run(*ENTER, str(group), *self.options("--cgroup", str(group), "-d", "0.2"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_target(self.read_report(), group, target.pid)


class Refusals(CgroupTestCase):
    def refuse(self, path, *parts, options=()):
        done = run(CLASSIFY, "-q", "-o", str(self.report), "--cgroup", str(path), *options)
        self.assert_refused(done, *parts)
        self.assertFalse(self.report.exists())

    def test_no_such_cgroup(self):
        if not hierarchies():
            self.skipTest("no cgroups here")
        self.refuse("nobody.slice/none", "no such cgroup: 'nobody.slice/none'", "/proc/PID/cgroup")

    def test_a_directory_that_is_none(self):
        self.refuse(self.directory, "is a directory, but not a cgroup")

    def test_empty(self):
        """Nobody comes in time."""
        self.refuse(self.make_group(2), "no process has come into cgroup", options=["-d", "0.2"])

    def test_removed_while_waited_for(self):
        group = self.make_group(2)
        watcher = self.start(CLASSIFY, "-o", str(self.report), "--cgroup", str(group))
        self.assertIn(b"no processes yet", watcher.stderr.readline())
        group.rmdir()
        self.assertIn(b"has been removed", watcher.stderr.readline())
        self.assertEqual(watcher.wait(), 125)


    @needs_root
    def test_processes_of_others(self):
        """Those that may be observed are; if there is none, that is said."""
        group = self.make_group(2)
        self.start_in(group, ECHO)
        argv = [*AS_NOBODY, self.public_binary(), "--source=procfs", "--json", "-d", "0.1",
                "--cgroup", str(group)]
        done = run(*argv)
        self.assert_refused(done, "belong to others", "sudo")
        own = self.start(*ENTER, str(group), *AS_NOBODY, PYTHON, "-c",
                         "print('ready', flush=True)\n" + ECHO)
        self.assertEqual(own.stdout.readline(), b"ready\n")
        done = run(*argv)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"left out: 1", done.stderr)
        self.assertEqual(self.assert_is_report(done.stdout)["target"]["pid"], own.pid)


class CgroupThroughProcfs(CgroupTests, ThroughProcfs, CgroupTestCase):
    pass


class CgroupThroughEbpf(CgroupTests, ThroughEbpf, CgroupTestCase):
    pass


if __name__ == "__main__":
    main()
