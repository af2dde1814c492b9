"""The process that reads stacks may come to any end: the run and its report go on."""
import json
import os
import pathlib
import signal
import time
import unittest

from support import PYTHON, TIMEOUT_S, ThroughEbpf, harness, needs_root, run

WORKER = "classify-stacks"
REPLACED_MAX = 4  # RESTARTS_MAX of stack_worker.c
# Computes in a function of its own, and waits for a line between two rounds of it.
PROGRAM = """
import sys, time
def compute():
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass
compute()
print("ready", flush=True)
sys.stdin.readline()
compute()
"""
# Runs the program @argv[2] of the file system @argv[1] twice, which is unmounted when they have ended:
# the second of them remains a zombie.
UNMOUNT = """
import os, subprocess, sys, time
mount, program = sys.argv[1:]
subprocess.run([program], check=True)
zombie = subprocess.Popen([program])
os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
deadline = time.monotonic() + 10
while subprocess.run(["umount", mount], stderr=subprocess.DEVNULL).returncode:
    if time.monotonic() > deadline:
        sys.exit("it is busy")
    time.sleep(0.02)
"""
SAMPLE = harness.BUILD / "samples" / "cpu"


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


def wait_until(condition):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it never came")
        time.sleep(0.005)


class Worker(ThroughEbpf):
    def setUp(self):
        super().setUp()
        self.recording = self.directory / "recording"
        self.process = self.start(*self.options("--save-recording", str(self.recording), "--",
                                                PYTHON, "-c", PROGRAM))
        self.assertEqual(self.process.stdout.readline(), b"ready\n")

    def workers(self):
        return [pid for pid in children(self.process.pid) if name_of(pid) == WORKER]

    def worker(self):
        found = self.workers()
        self.assertEqual(len(found), 1)
        return found[0]

    def end_program(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        _, stderr = self.process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(self.process.returncode, 0, stderr)
        self.read_report()
        return json.loads(self.recording.read_text())

    @staticmethod
    def functions(recording):
        return {frame["function"] for frame in recording["frames"]}

    def test_lives_as_long_as_classify(self):
        worker = self.worker()
        recording = self.end_program()
        self.assertFalse(pathlib.Path(f"/proc/{worker}").exists())
        self.assertIn("compute", self.functions(recording))
        self.assertEqual(recording["stack_quality"]["notes"], [])

    def test_dies_with_classify(self):
        worker = self.worker()
        self.process.kill()
        wait_until(lambda: name_of(worker) != WORKER)

    def test_another_takes_the_place_of_one_that_crashed(self):
        worker = self.worker()
        os.kill(worker, signal.SIGSEGV)
        wait_until(lambda: not pathlib.Path(f"/proc/{worker}").exists())
        wait_until(self.workers)
        recording = self.end_program()
        self.assertIn("compute", self.functions(recording))
        self.assertRegex("\n".join(recording["stack_quality"]["notes"]), "crashed.*lost")

    def test_one_that_crashes_in_the_end_costs_the_stacks_only(self):
        for _ in range(1 + REPLACED_MAX):
            wait_until(self.workers)
            worker = self.worker()
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda gone=worker: not pathlib.Path(f"/proc/{gone}").exists())
        recording = self.end_program()
        self.assertEqual(recording["stack_times"], [])
        self.assertRegex("\n".join(recording["stack_quality"]["notes"]), "stacks are lost")

    def test_ctrl_c_is_not_for_it(self):
        worker = self.worker()
        os.kill(worker, signal.SIGINT)
        recording = self.end_program()
        self.assertIn("compute", self.functions(recording))


@needs_root
class PutAway(ThroughEbpf):
    """Whoever looks at programs is no reason for their file system to be busy."""

    def test_a_file_system_can_be_unmounted(self):
        mount = self.directory / "mount"
        mount.mkdir()
        recording = self.directory / "recording"
        code = 'mount -t tmpfs none "$0" && cp "$1" "$0"/program && shift && exec "$@"'
        program = mount / "program"
        done = run("unshare", "-m", "sh", "-c", code, str(mount), str(SAMPLE),
                   *self.options("--save-recording", str(recording), "--", PYTHON, "-c", UNMOUNT,
                                 str(mount), str(program)))
        if b"unshare" in done.stderr or b"mount:" in done.stderr:
            self.skipTest(f"no mounts here: {done.stderr.decode()}")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        # It is named from a copy.
        frames = json.loads(recording.read_text())["frames"]
        functions = {frame["function"] for frame in frames if frame["module"] == str(program)}
        self.assertIn("main", functions)


if __name__ == "__main__":
    unittest.main()
