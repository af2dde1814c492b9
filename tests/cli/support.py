"""What the tests of the command line share: running classify, by each source or by none.

Nothing here waits for a fixed time: a test and its target tell each other by pipes how far they are.
"""
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402  (lives with the tests of the samples)

CLASSIFY = harness.CLASSIFY
ROOT = harness.ROOT
PYTHON = "/usr/bin/python3"
TIMEOUT_S = harness.TIMEOUT_S
CLASSIFY_FAILED = harness.EXIT_OF_CLASSIFY
AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
AS_POWERLESS_ROOT = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")

needs_root = unittest.skipUnless(os.geteuid() == 0, "only root can play other users")


def run(*argv, **how):
    """Runs @argv to its end; what it wrote is bytes."""
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    if "input" in how:
        del how["stdin"]
    return subprocess.run(argv, timeout=TIMEOUT_S, check=False, **how)


class CommandLineTestCase(unittest.TestCase):
    """Has a directory of its own that others can read, and a binary that they can run."""

    def setUp(self):
        self.directory = pathlib.Path(self.enterContextManager(
            tempfile.TemporaryDirectory(prefix="classify-cli-")))
        self.directory.chmod(0o755)
        self.report = self.directory / "report"

    def enterContextManager(self, manager):  # enterContext() of Python 3.11, for 3.10 too
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def public_binary(self):
        """A copy of classify where user nobody can execute it."""
        return shutil.copy(CLASSIFY, self.directory)

    def start(self, *argv, **how):
        """Starts @argv with pipes as its stdin and stdout; it is gone when the test is."""
        how.setdefault("stdin", subprocess.PIPE)
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen(argv, **how)
        self.addCleanup(self.finish, process)
        return process

    @staticmethod
    def finish(process):
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def start_target(self, code):
        """Starts a Python program that has said "ready" when this returns."""
        process = self.start(PYTHON, "-c", "print('ready', flush=True)\n" + code)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def assert_one_line(self, stderr, *parts):
        """One line of classify's, whose end is the remedy."""
        text = stderr.decode()
        self.assertEqual(text.count("\n"), 1, text)
        self.assertRegex(text, r"\Aclassify: .+(\(.+\)|: run .+)\n\Z")
        for part in parts:
            self.assertIn(part, text)

    def assert_refused(self, done, *parts):
        self.assertEqual(done.returncode, CLASSIFY_FAILED, done.stderr)
        self.assert_one_line(done.stderr, *parts)

    def assert_is_report(self, text):
        report = json.loads(text)
        self.assertEqual(report["schema"], "classify-report/1")
        return report


class SourceTestCase(CommandLineTestCase):
    """Runs classify with the source that the class names."""
    source = None

    def options(self, *more):
        return [CLASSIFY, "-q", f"--source={self.source}", "--json", "-o", str(self.report), *more]

    def wrap(self, *command, **how):
        """Runs @command under classify; the report goes to a file."""
        return run(*self.options("--", *command), **how)

    def read_report(self):
        return self.assert_is_report(self.report.read_text())


class ThroughProcfs(SourceTestCase):
    source = "procfs"


class ThroughEbpf(SourceTestCase):
    source = "ebpf"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        why = harness.why_no_ebpf()
        if why:
            raise unittest.SkipTest(f"no eBPF: {why}")


# The leader of a terminal's session. It outlives the program in it, because its own end would throw
# away what the terminal has not shown yet.
LEADER = 'trap : INT; "$@"; printf "exit status %d\\n" $?; cat'


class Terminal:
    """A pseudo-terminal, whose session runs @argv in its foreground."""

    def __init__(self, argv, env=None):
        self.seen = b""
        self.pid, self.fd = os.forkpty()
        if self.pid == 0:
            try:
                os.execve("/bin/sh", ["sh", "-c", LEADER, "sh", *argv], env or os.environ)
            finally:  # or a second copy of the tests would go on in here
                os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)  # hangs up on what is left
        os.waitpid(self.pid, 0)

    def type(self, keys):
        os.write(self.fd, keys)

    def read_until(self, text):
        """Reads on until @text has come; returns all up to its end and forgets it."""
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], TIMEOUT_S)
            if not ready:
                raise AssertionError(f"{text} never came, but: {self.seen}")
            self.seen += os.read(self.fd, 65536)
        end = self.seen.index(text) + len(text)
        before, self.seen = self.seen[:end], self.seen[end:]
        return before

    def finish(self):
        """Waits for the end of the program; returns its exit status and what it wrote until then."""
        text = self.read_until(b"exit status ")
        status = self.read_until(b"\r\n")
        return int(status), text


main = harness.main
