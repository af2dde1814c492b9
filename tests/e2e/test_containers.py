#!/usr/bin/python3
"""Programs in containers: the numbers of processes, what they wait for, and the limits they have
are those that the user knows, whether classify runs beside them, above them or inside with them.

The containers are made with unshare(1), without images or a daemon. Skipped where that is refused.
"""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness

CONTAINER = ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child"]
PYTHON = harness.PLACE.python
# Says where it is, then works until it is told to end: threads that want the GIL, and a join.
GIL_FIGHT = """
import sys, threading
done = threading.Event()
def burn():
    while not done.is_set():
        sum(range(5000))
threads = [threading.Thread(target=burn) for _ in range(4)]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.readline()
done.set()
"""


def needs_namespaces():
    done = subprocess.run([*CONTAINER, "true"], stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise unittest.SkipTest(f"no namespaces to be had: {done.stderr.decode()}")


class ContainersTestCase(harness.ReportTestCase):
    source = None

    @classmethod
    def setUpClass(cls):
        needs_namespaces()
        super().setUpClass()

    def observe(self, options, command=(), prefix=(), **how):
        run = harness.run_classify(["-q", "--source", self.source, *options], command,
                                   prefix=prefix, **how)
        self.check_run(run)
        self.assertEqual(run.report["observation"]["source"], self.source)
        return run.report

    def start(self, *argv, **how):
        """Starts @argv, which says "ready"; it is told to end, and has ended, when the test is."""
        how.setdefault("stdin", subprocess.PIPE)
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, **how)
        self.addCleanup(self.finish, process)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    @staticmethod
    def finish(process):
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def waits(self, report):
        """Seconds by reason, of the threads together."""
        return {wait["reason"]: wait["seconds"] for wait in report["thread_time"]["waits"]}

    def check_gil(self, report):
        self.assertEqual(report["target"]["runtime"]["name"], "CPython")
        self.assertEqual(report["target"]["runtime"]["global_lock"], "gil")
        if self.source == "ebpf":
            # Not found, it would be a lock like any other. How long is a matter of the machine's
            # load: who waits for a CPU doesn't wait for the GIL.
            self.assertGreater(self.waits(report).get("gil", 0), 0,
                               harness.carrying_numbers(report))


class TimeNamespaces(ContainersTestCase):
    def test_a_clock_of_its_own(self):
        """The probes' clock is another there: the sampler takes over, and says why."""
        prefix = ["unshare", "--time", "--monotonic", "50000", "--fork"]
        if subprocess.run([*prefix, "true"], check=False, stderr=subprocess.PIPE).returncode:
            self.skipTest("no time namespaces")
        run = harness.run_classify(["-q"], ["sleep", "0.2"], prefix=prefix)
        self.check_run(run)
        self.assertEqual(run.report["observation"]["source"], "procfs")
        if not harness.why_no_ebpf():
            self.assertIn("time namespace", run.report["observation"]["source_note"])
        self.assertLess(run.report["observation"]["duration_s"], harness.TIMEOUT_S)


def first_child_of(process):
    """unshare's child: the container's first process."""
    path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(path.read_text().split()[0])


class PidNamespaces(ContainersTestCase):
    def test_attached_from_the_host(self):
        unshare = self.start(*CONTAINER, PYTHON, "-I", "-c", GIL_FIGHT)
        pid = first_child_of(unshare)
        report = self.observe(["-p", str(pid), "-d", "0.5"])
        self.assertEqual((report["target"]["pid"], report["target"]["pid_in_container"]), (pid, 1))
        self.check_gil(report)

    def test_wrapped_from_the_host(self):
        code = GIL_FIGHT.replace("sys.stdin.readline()", "import time; time.sleep(0.5)")
        report = self.observe([], [*CONTAINER, PYTHON, "-I", "-c", code])
        self.assertEqual(report["target"]["exit"], {"code": 0})
        self.assertIsNone(report["target"]["pid_in_container"])
        self.assertEqual(report["target"]["processes_peak"], 2)
        self.check_gil(report)

    def test_wrapped_inside(self):
        """Also two namespaces deep, and for a program that is in a third."""
        code = GIL_FIGHT.replace("sys.stdin.readline()", "import time; time.sleep(0.5)")
        program = [PYTHON, "-I", "-c", code]
        for prefix, command in ((CONTAINER, program), (CONTAINER * 2, program),
                                (CONTAINER, CONTAINER + program)):
            with self.subTest(prefix=prefix, command=command):
                report = self.observe([], command, prefix=prefix)
                self.assertEqual(report["target"]["exit"], {"code": 0})
                self.assertLess(report["target"]["pid"], 20)
                self.check_gil(report)

    def test_attached_inside(self):
        """classify enters the container that the program is in, and knows it as number 1."""
        unshare = self.start(*CONTAINER, PYTHON, "-I", "-c", GIL_FIGHT)
        inside = ["nsenter", "-t", str(first_child_of(unshare)), "-p", "-m"]
        report = self.observe(["-p", "1", "-d", "0.5"], prefix=inside)
        self.assertEqual((report["target"]["pid"], report["target"]["pid_in_container"]), (1, None))
        self.check_gil(report)

    def test_many_short_lived_processes_inside(self):
        """Births, execs and deaths have the container's numbers too: all are known by name."""
        script = "i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done"
        with tempfile.TemporaryDirectory() as directory:
            recording = os.path.join(directory, "recording")
            self.observe(["--save-recording", recording], ["/bin/sh", "-c", script],
                         prefix=CONTAINER)
            observation = json.loads(pathlib.Path(recording).read_text())
        if self.source == "procfs":
            return  # it needn't see each of them
        names = [process["comm"] for process in observation["processes"]]
        self.assertEqual(sorted(names), ["sh"] + ["true"] * 50)
        numbers = {process["pid"] for process in observation["processes"]}
        self.assertEqual(numbers, {thread["pid"] for thread in observation["threads"]})
        self.assertLess(max(numbers), 100)
        self.assertTrue(all(process["parent_pid"] in numbers for process in
                            observation["processes"] if process["comm"] == "true"))

    def test_proc_of_another_namespace(self):
        """Its numbers are other processes' numbers: refused, not guessed."""
        for options in (["--", "true"], ["-p", "1"]):
            done = subprocess.run(["unshare", "--pid", "--fork", harness.CLASSIFY, *options],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, harness.EXIT_OF_CLASSIFY)
            self.assertIn(b"mount -t proc", done.stderr)


# An image whose Python lies where there is nothing outside, and how its first program is run: within
# a root that is still seen from outside, or in one that isn't, as container runtimes do it.
MAKE_ROOT = """
set -e
root=$1; shift
mkdir -p $root/usr $root/proc $root/dev $root/old $root/opt/image/bin
for name in bin lib lib64; do ln -s usr/$name $root/$name; done
cp -L "$PYTHON" $root/opt/image/bin/
mount --rbind /usr $root/usr
mount --rbind /dev $root/dev
mount -t proc proc $root/proc
"""
BY_CHROOT = MAKE_ROOT + 'exec chroot $root "$@"'
BY_PIVOT = MAKE_ROOT + """
mount --rbind $root $root
cd $root
pivot_root . old
umount -l old
exec "$@"
"""


# Listens in a network namespace of its own on the very port from which it connects to a service here
# that doesn't answer.
SAME_PORT = """
import ctypes, os, socket, sys
port, ready, done = int(sys.argv[1]), os.pipe(), os.pipe()
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
client.bind(("127.0.0.1", 0))
if os.fork() == 0:
    os.close(done[1])
    assert ctypes.CDLL(None).unshare(0x40000000) == 0  # CLONE_NEWNET
    listener = socket.create_server(("0.0.0.0", client.getsockname()[1]))
    os.write(ready[1], b"x")
    os.read(done[0], 1)
    os._exit(0)
os.read(ready[0], 1)
client.connect(("127.0.0.1", port))
client.settimeout(0.5)
try:
    client.recv(1)
except TimeoutError:
    pass
"""
# Serves whoever its stdin is connected to, as programs under inetd do.
ECHO = """
import os
os.write(0, b"!")
while True:
    got = os.read(0, 100)
    if not got:
        break
    os.write(0, got)
"""


class NetworkNamespaces(ContainersTestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run(["unshare", "--net", "true"], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise unittest.SkipTest(f"no network namespaces: {done.stderr.decode()}")
        super().setUpClass()

    def seconds(self, report, name):
        """Waits for objects called @name, by direction."""
        found = {}
        for wait in report["thread_time"]["waits"]:
            for thing in wait["objects"]:
                if thing["name"] == name:
                    direction = thing["direction"]
                    found[direction] = found.get(direction, 0) + thing["seconds"]
        return found

    def test_ports_of_another_namespace(self):
        """Whoever listens there says nothing of connections here."""
        with socket.create_server(("127.0.0.1", 0)) as service:
            port = service.getsockname()[1]
            report = self.observe([], [PYTHON, "-I", "-c", SAME_PORT, str(port)])
        seconds = self.seconds(report, f"tcp 127.0.0.1:{port}")
        self.assertEqual(list(seconds), ["outbound"], report["thread_time"])
        self.assertGreater(seconds["outbound"], 0.4)

    def test_a_connection_that_another_process_accepted(self):
        """Under inetd, and after fd passing, nobody of the tree listens; the work is inbound."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client:
                served, _ = listener.accept()
                with served:
                    visitor = threading.Thread(target=self.stay_for_a_while, args=[client])
                    visitor.start()
                    report = self.observe([], [PYTHON, "-I", "-c", ECHO], stdin=served)
                    visitor.join()
        seconds = self.seconds(report, f"tcp 127.0.0.1:{port}")
        self.assertEqual(list(seconds), ["inbound"], report["thread_time"])
        self.assertGreater(report["program_time"]["idle_s"], 0.3, report["program_time"])

    @staticmethod
    def stay_for_a_while(client):
        """Says nothing, from when the server is there."""
        client.recv(1)
        time.sleep(0.4)
        client.shutdown(socket.SHUT_WR)

    def test_a_tree_that_is_its_own_client(self):
        """A connection's socket begins as a copy of its listener: its birth closes none."""
        code = ("import socket\n"
                "listener = socket.create_server(('127.0.0.1', 0))\n"
                "port = listener.getsockname()[1]\n"
                "client = socket.create_connection(('127.0.0.1', port))\n"
                "served, _ = listener.accept()\n"
                "print(port)\nserved.settimeout(0.4)\n"
                "try: served.recv(1)\nexcept TimeoutError: pass\n")
        run = harness.run_classify(["-q", "--source", self.source], [PYTHON, "-I", "-c", code])
        self.check_run(run)
        seconds = self.seconds(run.report, f"tcp 127.0.0.1:{int(run.stdout)}")
        self.assertEqual(list(seconds), ["inbound"], run.report["thread_time"])

    def test_a_service_inside(self):
        """Attached to from outside: its own listener, in its own namespace, tells its clients."""
        code = ("import os, socket\n"
                "os.system('ip link set lo up')\n"
                "listener = socket.create_server(('127.0.0.1', 7777))\n"
                "client = socket.create_connection(('127.0.0.1', 7777))\n"
                "served, _ = listener.accept()\n"
                "print('ready', flush=True)\nserved.recv(1)")
        process = self.start("unshare", "--net", PYTHON, "-I", "-c", code)
        report = self.observe(["-p", str(process.pid), "-d", "0.3"])
        process.kill()
        seconds = self.seconds(report, "tcp 127.0.0.1:7777")
        self.assertEqual(list(seconds), ["inbound"], report["thread_time"])


class MountNamespaces(ContainersTestCase):
    def test_python_of_an_image(self):
        """Its GIL is found in its own files, though their paths lead nowhere outside."""
        python = os.path.realpath(PYTHON)
        inside = f"/opt/image/bin/{os.path.basename(python)}"
        self.assertFalse(os.path.exists(inside))
        for way in (BY_CHROOT, BY_PIVOT):
            with self.subTest(way=way), tempfile.TemporaryDirectory() as root:
                environment = dict(os.environ, PYTHON=python, PYTHONHOME="/usr")
                unshare = self.start("unshare", "--mount", "--pid", "--fork", "--kill-child",
                                     "sh", "-c", way, "sh", root, inside, "-c", GIL_FIGHT,
                                     env=environment)
                pid = first_child_of(unshare)
                self.assertEqual(pathlib.Path(f"/proc/{pid}/exe").readlink().name,
                                 os.path.basename(python))
                self.check_gil(self.observe(["-p", str(pid), "-d", "0.5"]))
                self.finish(unshare)


class ThroughEbpf:
    source = "ebpf"

    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()


class ThroughProcfs:
    source = "procfs"


class PidNamespacesThroughEbpf(ThroughEbpf, PidNamespaces):
    pass


class PidNamespacesThroughProcfs(ThroughProcfs, PidNamespaces):
    pass


class NetworkNamespacesThroughEbpf(ThroughEbpf, NetworkNamespaces):
    pass


class NetworkNamespacesThroughProcfs(ThroughProcfs, NetworkNamespaces):
    pass


class MountNamespacesThroughEbpf(ThroughEbpf, MountNamespaces):
    pass


class MountNamespacesThroughProcfs(ThroughProcfs, MountNamespaces):
    pass


CASES = (TimeNamespaces, PidNamespacesThroughEbpf, PidNamespacesThroughProcfs,
         MountNamespacesThroughEbpf, MountNamespacesThroughProcfs,
         NetworkNamespacesThroughEbpf, NetworkNamespacesThroughProcfs)


def load_tests(loader, _tests, _pattern):
    """Not the common bases."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in CASES)


if __name__ == "__main__":
    harness.main()
