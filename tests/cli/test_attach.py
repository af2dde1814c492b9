#!/usr/bin/python3
"""Attaching: what ends it, that the process goes on untouched, and what can't be attached to."""
import os
import pathlib
import signal
import subprocess
import threading

from support import (AS_NOBODY, AS_POWERLESS_ROOT, CLASSIFY, PYTHON, CommandLineTestCase,
                     Terminal, ThroughEbpf, ThroughProcfs, main, needs_root, run)

ECHO = "while True: print(input(), flush=True)"
NAP = "import time\nwhile True: time.sleep(0.001)"


class AttachTests:
    def check_alive(self, target):
        target.stdin.write(b"still here\n")
        target.stdin.flush()
        self.assertEqual(target.stdout.readline(), b"still here\n")

    def check_report(self, target, exit=None):
        about = self.read_report()["target"]
        self.assertEqual((about["mode"], about["pid"]), ("attach", target.pid))
        self.assertEqual(about["command"][0], PYTHON)
        self.assertEqual(about["exit"], exit)

    def test_duration_ends_it(self):
        target = self.start_target(ECHO)
        done = run(*self.options("-p", str(target.pid), "-d", "0.1"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.check_report(target)
        self.assertGreaterEqual(self.read_report()["observation"]["duration_s"], 0.1)
        self.assertIsNone(self.read_report()["observation"]["settled"])
        self.check_alive(target)

    def test_signals_end_it(self):
        """Even SIGINT ignored from the start, as the background of a script has it."""
        target = self.start_target(ECHO)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                self.report.unlink(missing_ok=True)
                watcher = self.start("sh", "-c", 'trap "" INT; exec "$@"', "sh",
                                     *self.options("-v", "-p", str(target.pid)))
                self.wait_until_blocked(watcher.pid, number)
                watcher.send_signal(number)
                self.assertEqual(watcher.wait(), 0)
                self.check_report(target)
                self.assertIs(self.read_report()["observation"]["settled"], False)
                self.check_alive(target)

    @staticmethod
    def wait_until_blocked(pid, number):
        """Signals are safe as soon as classify has blocked them, long before it observes."""
        while True:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
                mask = next(line for line in status if line.startswith("SigBlk:"))
            if int(mask.split()[1], 16) >> (number - 1) & 1:
                return
            os.sched_yield()

    def test_the_end_of_the_target_ends_it(self):
        target = self.start_target(ECHO)
        argv = [word for word in self.options("-p", str(target.pid)) if word != "-q"]
        with Terminal(argv) as screen:
            screen.read_until(b"Ctrl-C to report\r\n")
            target.stdin.close()
            self.assertEqual(screen.finish()[0], 0)
        # input() at the end of the file raises, and Python exits with 1. Only eBPF sees how.
        self.check_report(target, exit={"code": 1 if self.source == "ebpf" else None})

    def test_interrupt_from_the_keyboard(self):
        target = self.start_target(ECHO)
        env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
        with Terminal([CLASSIFY, f"--source={self.source}", "-p", str(target.pid)], env) as screen:
            screen.read_until(b"Ctrl-C to report\r\n")
            screen.type(b"\x03")
            status, verdict = screen.finish()
        self.assertEqual(status, 0)
        self.assertIn(b"target", verdict)
        self.check_alive(target)

    def test_a_settled_verdict_ends_it(self):
        """Nobody interrupts, and there is no duration. What is on the way is told to who asks."""
        target = self.start_target(NAP)
        argv = [word for word in self.options("-v", "-p", str(target.pid)) if word != "-q"]
        done = run(*argv)
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        lines = done.stderr.decode().splitlines()
        self.assertRegex(lines[0], "watching .* until the verdict is settled, Ctrl-C to report")
        self.assertRegex(lines[1], r"^classify: 1\.\d s: .*, confidence \d+%, not settled: ")
        self.assertRegex(lines[-1], r"^classify: \d+\.\d s: .*, confidence \d+%, settled$")
        self.check_report(target)
        observation = self.read_report()["observation"]
        self.assertGreaterEqual(observation["duration_s"], 2)
        self.assertIs(observation["settled"], True)
        self.assertIsNone(target.poll())

    def test_progress_is_for_terminals(self):
        target = self.start_target(NAP)
        argv = [word for word in self.options("-p", str(target.pid)) if word != "-q"]
        self.assertEqual(run(*argv).stderr, b"", "not a terminal")

    def test_progress_is_overwritten_on_a_terminal(self):
        target = self.start_target(NAP)
        argv = [word for word in self.options("-p", str(target.pid)) if word != "-q"]
        with Terminal(argv) as screen:
            screen.read_until(b"Ctrl-C to report\r\n")
            status, progress = screen.finish()
        self.assertEqual(status, 0)
        self.assertRegex(progress, rb"^\rclassify: 1\.\d s: [^\r\n]* settling *\r")
        self.assertRegex(progress, rb"settled *\r +\rexit status $")

    def test_json_goes_to_stdout(self):
        target = self.start_target(ECHO)
        done = run(CLASSIFY, "--json", f"--source={self.source}", "-p", str(target.pid),
                   "-d", "0.05")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assert_is_report(done.stdout)

    def test_text_goes_to_stderr(self):
        target = self.start_target(ECHO)
        done = run(CLASSIFY, f"--source={self.source}", "-p", str(target.pid), "-d", "0.05")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertIn(b"measured", done.stderr)
        self.assertNotIn(b"\x1b", done.stderr, "colours without a terminal")


class Refusals(CommandLineTestCase):
    def refuse(self, pid, *parts, prefix=(), binary=CLASSIFY):
        done = run(*prefix, binary, "-o", str(self.report), "-p", str(pid))
        self.assert_refused(done, *parts)
        self.assertFalse(self.report.exists())

    def test_no_such_process(self):
        child = subprocess.Popen(["true"])
        child.wait()
        self.refuse(child.pid, f"no such process: {child.pid}", "ps -e")

    def test_zombie(self):
        child = subprocess.Popen(["true"])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.refuse(child.pid, f"process {child.pid} is dead")
        child.wait()

    def test_thread(self):
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(done.set)
        self.refuse(thread.native_id, f"{thread.native_id} is a thread of process {os.getpid()}",
                    f"-p {os.getpid()}")

    def test_itself(self):
        done = run("sh", "-c", f'exec "{CLASSIFY}" -p $$')
        self.assert_refused(done, "is this classify")

    def test_kernel_thread(self):
        try:
            with open("/proc/2/comm", encoding="ascii") as comm:
                name = comm.read()
        except OSError:
            name = ""
        if name != "kthreadd\n":
            self.skipTest("no kernel threads are visible here")
        self.refuse(2, "process 2 is a thread of the kernel")

    @needs_root
    def test_process_of_another_user(self):
        self.refuse(os.getpid(), f"process {os.getpid()} belongs to user root", "sudo",
                    prefix=AS_NOBODY, binary=self.public_binary())

    @needs_root
    def test_process_that_this_root_may_not_inspect(self):
        """As in a container: to become root is no remedy for root."""
        target = self.start(*AS_NOBODY, PYTHON, "-c", "print('ready', flush=True); input()")
        self.assertEqual(target.stdout.readline(), b"ready\n")
        for options, part in (("hidepid=0", "rights that this root lacks"),
                              ("hidepid=2,gid=54321", "hidden")):
            code = f'mount -t proc -o "{options}" proc /proc && exec "$@"'
            done = run("unshare", "-m", "sh", "-c", code, "sh", *AS_POWERLESS_ROOT,
                       self.public_binary(), "-p", str(target.pid))
            if b"unshare" in done.stderr or b"mount" in done.stderr:
                self.skipTest(f"no mounts here: {done.stderr.decode()}")
            with self.subTest(options=options):
                self.assert_refused(done, part, "container")
                self.assertNotIn(b"sudo", done.stderr)

    @needs_root
    def test_process_that_guards_itself(self):
        """The same user, but not dumpable, as ssh-agent makes itself."""
        code = ("import ctypes; ctypes.CDLL(None).prctl(4, 0)\n"
                "print('ready', flush=True); input()")
        target = self.start(*AS_NOBODY, PYTHON, "-c", code)
        self.assertEqual(target.stdout.readline(), b"ready\n")
        self.refuse(target.pid, f"process {target.pid} guards itself", "sudo",
                    prefix=AS_NOBODY, binary=self.public_binary())


class AttachThroughProcfs(AttachTests, ThroughProcfs):
    pass


class AttachThroughEbpf(AttachTests, ThroughEbpf):
    def test_a_process_whose_first_thread_has_gone(self):
        """It looks like a zombie, and is none: attaching works."""
        code = ("import ctypes, threading\n"
                "threading.Thread(target=input).start()\n"
                "ctypes.CDLL(None).pthread_exit(None)")
        target = self.start_target(code)
        while "Z" not in pathlib.Path(f"/proc/{target.pid}/stat").read_text().rsplit(")", 1)[1]:
            os.sched_yield()
        done = run(*self.options("-p", str(target.pid), "-d", "0.05"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read_report()["target"]["pid"], target.pid)


if __name__ == "__main__":
    main()
