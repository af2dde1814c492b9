#!/usr/bin/python3
"""A wrapped command is left as its caller made it, and its end is told as the shell tells it."""
import json
import os
import shutil
import signal
import unittest

from support import (AS_NOBODY, PYTHON, ThroughEbpf, ThroughProcfs, main,
                     needs_root, run)

# What a program inherits, except what differs from one process to the next.
INHERITANCE = """
import json, os, resource, signal
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status"))
fds = [fd for fd in range(1024) if os.path.exists(f"/proc/self/fd/{fd}")]
print(json.dumps({
    "fds": fds,
    "environment": dict(os.environ),
    "signals": [status[name] for name in ("SigBlk", "SigIgn", "SigCgt", "SigPnd")],
    "limits": open("/proc/self/limits").read(),
    "ids": [status[name] for name in ("Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs")],
    "umask": status["Umask"], "directory": os.getcwd(), "nice": os.nice(0),
    "affinity": sorted(os.sched_getaffinity(0)), "group": os.getpgrp(), "session": os.getsid(0),
    "adjust": open("/proc/self/oom_score_adj").read(),
}))
"""


class ExitCodes:
    def check_exit(self, code, *command):
        done = self.wrap(*command)
        self.assertEqual(done.returncode, code, done.stderr)
        return self.read_report()["target"]["exit"]

    def test_codes_pass_through(self):
        for code in (0, 3, 125, 255):
            with self.subTest(code=code):
                self.assertEqual(self.check_exit(code, "sh", "-c", f"exit {code}"), {"code": code})

    def test_signals_become_128_and_more(self):
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                end = self.check_exit(128 + number, "sh", "-c", f"kill -{int(number)} $$")
                self.assertEqual(end.get("code"), None)

    def check_not_run(self, code, path, *parts):
        done = self.wrap(path)
        self.assertEqual(done.returncode, code)
        self.assert_one_line(done.stderr, *parts)
        self.assertFalse(self.report.exists(), "a report on a command that never ran")

    def test_not_found(self):
        self.check_not_run(127, "no-such-command", "no-such-command: command not found")
        self.check_not_run(127, "./none/such", "./none/such: No such file or directory")

    def test_not_executable(self):
        script = self.directory / "script"
        script.write_text("#!/no/such/interpreter\n")
        self.check_not_run(126, str(script), "Permission denied")
        script.chmod(0o755)
        self.check_not_run(126, str(script), "interpreter was not found")
        self.check_not_run(126, str(self.directory), "Permission denied")

    def test_script_without_an_interpreter_line(self):
        script = self.directory / "script"
        script.write_text("exit 6\n")
        script.chmod(0o755)
        self.assertEqual(self.wrap(str(script)).returncode, 6)


class Inheritance:
    def test_bytes_pass_through(self):
        data = os.urandom(1 << 20)
        done = self.wrap("sh", "-c", "cat; printf 'own words' >&2", input=data)
        self.assertEqual((done.returncode, done.stderr), (0, b"own words"))
        self.assertTrue(done.stdout == data, "stdout differs from stdin")

    def check_same(self, **how):
        command = (PYTHON, "-c", INHERITANCE)
        alone = run(*command, **how)
        wrapped = self.wrap(*command, **how)
        self.assertEqual((alone.returncode, wrapped.returncode), (0, 0), wrapped.stderr)
        expected, got = json.loads(alone.stdout), json.loads(wrapped.stdout)
        self.assertEqual(got, expected)

    def test_everything_is_inherited(self):
        self.check_same(env=dict(os.environ, ODD="a\nb", EMPTY=""))

    def test_an_open_descriptor_and_no_other(self):
        with open(os.devnull, "rb") as extra:
            self.check_same(pass_fds=[extra.fileno()])

    def test_masked_and_ignored_signals(self):
        def prepare():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGINT])
            for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD, signal.SIGRTMIN):
                signal.signal(number, signal.SIG_IGN)

        self.check_same(preexec_fn=prepare, restore_signals=False)

    def test_closed_standard_descriptors(self):
        listing = [PYTHON, "-c", "import os, sys; sys.exit(sum(1 << fd for fd in range(9) if "
                                 "os.path.exists(f'/proc/self/fd/{fd}')))"]
        script = 'exec "$@" 0<&- 1>&- 2>&-'
        alone = run("sh", "-c", script, "sh", *listing)
        wrapped = run("sh", "-c", script, "sh", *self.options("--", *listing))
        self.assertEqual(wrapped.returncode, alone.returncode)
        self.read_report()

    def test_output_to_a_reader_that_left(self):
        """The command dies of SIGPIPE as ever, though classify itself ignores it."""
        done = run("bash", "-c", '"$@" | true; exit ${PIPESTATUS[0]}', "bash",
                   *self.options("--", "yes"))
        self.assertEqual(done.returncode, 128 + signal.SIGPIPE)


class Trees:
    def test_daemon_that_forks_twice(self):
        """The command's end is the end, and what it leaves behind lives on."""
        code = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        sys.stdout.write(str(os.getpid()) + "\\n"); sys.stdout.flush()
        sys.stdin.readline()
        print("daemon goes on", flush=True)
    os._exit(0)
os.wait()
os._exit(7)
"""
        process = self.start(*self.options("--", PYTHON, "-c", code))
        daemon = int(process.stdout.readline())
        self.assertEqual(process.wait(), 7)
        self.read_report()
        os.kill(daemon, 0)
        process.stdin.write(b"go\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"daemon goes on\n")

    def test_thousand_short_lived_children(self):
        done = self.wrap("sh", "-c", "i=0; while [ $i -lt 1000 ]; do /bin/true || exit 1; "
                                     "i=$((i+1)); done; exit 5")
        self.assertEqual((done.returncode, done.stderr), (5, b""))
        self.read_report()

    def test_thread_that_calls_exec(self):
        code = ("import os, threading\n"
                "threading.Thread(target=os.execv, args=('/bin/sh', ['sh', '-c', 'exit 9'])).start()\n"
                "threading.Event().wait()")
        self.assertEqual(self.wrap(PYTHON, "-c", code).returncode, 9)
        self.assertEqual(self.read_report()["target"]["exit"], {"code": 9})

    def test_no_children(self):
        done = run(*self.options("--no-children", "--", "sh", "-c", "true | true; exit 2"))
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.read_report()["target"]["processes_peak"], 1)

    @needs_root
    def test_setuid_programs_keep_their_rights(self):
        program = self.directory / "id"
        shutil.copy("/usr/bin/id", program)
        program.chmod(0o4755)
        self.directory.chmod(0o777)
        if self.source == "ebpf":
            os.chown(program, 65534, 65534)
            program.chmod(0o4755)
            prefix, expected = (), b"65534\n"
        else:
            prefix, expected = AS_NOBODY[:4], b"0\n"
        binary = self.public_binary()
        done = run(*prefix, binary, *self.options("--", str(program), "-u")[1:])
        self.assertEqual((done.returncode, done.stdout), (0, expected), done.stderr)


class Duration:
    def test_the_command_outlives_the_observation(self):
        process = self.start(*self.options("-d", "0.05", "-o", "-", "--",
                                           "sh", "-c", "read line; exit 4"))
        text = b""
        while not text.endswith(b"\n}\n"):
            part = process.stdout.readline()
            self.assertTrue(part, f"no whole report: {text}")
            text += part
        report = self.assert_is_report(text)
        self.assertIsNone(report["target"]["exit"])
        self.assertGreater(report["observation"]["duration_s"], 0)
        self.assertIsNone(process.poll())
        process.stdin.write(b"on\n")
        process.stdin.close()
        self.assertEqual(process.wait(), 4)

    def test_a_command_that_is_sooner_done(self):
        done = run(*self.options("-d", "1h", "--", "true"))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.read_report()["target"]["exit"], {"code": 0})


class InvokingUser:
    """Root with the variables that sudo sets."""
    whoami = ("sh", "-c", "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; cat /proc/self/status")
    home = os.path.expanduser("~nobody")

    def run_under_sudo(self, *options, uid="65534", gid="65534", **more):
        env = dict(os.environ, SUDO_UID=uid, SUDO_GID=gid, SUDO_USER="nobody", HOME="/root",
                   USER="root", LOGNAME="root", **more)
        return run(*self.options(*options, "--", *self.whoami), env=env)

    def test_the_command_runs_as_the_invoking_user(self):
        done = self.run_under_sudo()
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.decode().split("\n")
        self.assertEqual(lines[:4], ["65534", "65534", "65534", f"{self.home} nobody nobody"])
        self.assertIn("CapEff:\t0000000000000000", lines)
        self.assertIn("CapPrm:\t0000000000000000", lines)
        self.read_report()

    def test_as_root(self):
        done = self.run_under_sudo("--as-root")
        self.assertEqual(done.stdout.decode().split("\n")[:2], ["0", "0"])
        self.assertIn(b"/root root root\n", done.stdout)

    def test_root_who_calls_sudo_stays_root(self):
        done = self.run_under_sudo(uid="0", gid="0")
        self.assertEqual(done.stdout.decode().split("\n")[:2], ["0", "0"])

    def test_a_user_without_a_name(self):
        done = self.run_under_sudo(uid="54321", gid="54322")
        self.assertEqual(done.stdout.decode().split("\n")[:4],
                         ["54321", "54322", "54322", "/"], "no name, and no home of root's")

    def test_nonsense_runs_nothing(self):
        for uid, gid in (("nobody", "65534"), ("", "1"), ("4294967295", "1"), ("65534", "-1")):
            with self.subTest(uid=uid, gid=gid):
                done = self.run_under_sudo(uid=uid, gid=gid)
                self.assert_refused(done, "SUDO_UID and SUDO_GID")
                self.assertEqual(done.stdout, b"")

    @unittest.skipUnless(shutil.which("sudo"), "sudo is not installed")
    def test_sudo_itself(self):
        """From nobody, through sudo, to root that observes and nobody that runs."""
        done = run("sudo", "-n", *self.options("--", "id", "-u"))
        if b"sudo:" in done.stderr:
            self.skipTest(f"sudo does not let us: {done.stderr.decode()}")
        self.assertEqual((done.returncode, done.stdout), (0, b"0\n"))


class WrapTests(ExitCodes, Inheritance, Trees, Duration):
    pass


class WrapThroughProcfs(WrapTests, ThroughProcfs):
    pass


class WrapThroughEbpf(WrapTests, ThroughEbpf):
    pass


@needs_root
class SudoThroughProcfs(InvokingUser, ThroughProcfs):
    pass


@needs_root
class SudoThroughEbpf(InvokingUser, ThroughEbpf):
    pass


if __name__ == "__main__":
    main()
