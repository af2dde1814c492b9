#!/usr/bin/python3
"""--expect: the exit code and the line for what is not so, in every mode, and refusals."""
import json

from support import (CLASSIFY, PYTHON, ROOT, CommandLineTestCase, main, run)

PROCFS = "--source=procfs"
NOT_AS_EXPECTED = 123
ANY_BUSY = "cpu-bound,mixed,cpu-starved"  # as other programs leave it the CPUs
COMPUTE = "import time\nwhile time.process_time() < 0.3: pass\n"


class Expectations(CommandLineTestCase):
    def setUp(self):
        super().setUp()
        self.marker = self.directory / "the-command-ran"

    def wrap(self, *options, code=COMPUTE):
        return run(CLASSIFY, PROCFS, "-q", "--json", "-o", str(self.report), *options, "--",
                   PYTHON, "-c", code)

    def seen(self):
        return [(one["text"], one["met"], one["seen"])
                for one in self.assert_is_report(self.report.read_text())["expectations"]]

    def test_what_is_so(self):
        done = self.wrap("--expect", ANY_BUSY, "--expect", "cpu>0.01")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        (first, _, _), (second, met, cpu) = self.seen()
        self.assertEqual((first, second, met), (ANY_BUSY, "cpu>0.01", True))
        self.assertGreater(cpu, 0.01)

    def test_what_is_not_so(self):
        done = self.wrap("--expect", "idle", "--expect=cpu<0.01,no-finding=high")
        self.assertEqual(done.returncode, NOT_AS_EXPECTED)
        first, second = done.stderr.decode().splitlines()
        self.assertRegex(first, r"\Aclassify: expected idle, but it is .+ \(.+\)\Z")
        self.assertRegex(second, r"\Aclassify: expected cpu<0.01, but cpu is .+ too high \(.+\)\Z")
        self.assertEqual([met for _, met, _ in self.seen()], [False, False, True])

    def test_without_any(self):
        self.assertEqual(self.wrap(code="").returncode, 0)
        self.assertEqual(self.seen(), [])

    def test_a_failing_command_is_a_failure_first(self):
        for code, status in (("exit(3)", 3), ("exit(123)", 123),
                             ("import os; os.kill(os.getpid(), 15)", 128 + 15)):
            with self.subTest(code=code):
                done = self.wrap("--expect", "idle", code=COMPUTE + code)
                self.assertEqual(done.returncode, status)
                self.assert_one_line(done.stderr, "expected idle")

    def test_too_little_evidence(self):
        done = run(CLASSIFY, PROCFS, "-q", "-o", str(self.report), "--expect", "cpu-bound", "--",
                   "true")
        self.assertEqual(done.returncode, NOT_AS_EXPECTED)
        self.assert_one_line(done.stderr, "inconclusive", "no evidence against it")

    def test_what_cannot_be_written_is_a_failure_first(self):
        done = run(CLASSIFY, PROCFS, "-q", "-o", "/dev/full", "--expect", "cpu<0", "--", "true")
        self.assertEqual(done.returncode, 125, done.stderr)

    def test_a_mistake_is_told_before_the_command_runs(self):
        for text, part in (("io-bond", "io-bound"), ("wait", "quotes"), ("wait>=6", "between"),
                           ("no-finding=x", "busy-polling"), ("", "no such thing")):
            with self.subTest(text=text):
                done = run(CLASSIFY, "--expect", text, "--", "touch", str(self.marker))
                self.assert_refused(done, part)
                self.assertFalse(self.marker.exists())

    def test_the_shell_took_the_sign(self):
        done = run("sh", "-c", f'cd {self.directory} && "$0" --expect wait>=0.6 -- true', CLASSIFY)
        self.assert_refused(done, "--expect 'wait': a number needs its bound", "in quotes")

    def test_every_subclass_of_the_corpus_has_its_name(self):
        samples = json.loads((ROOT / "samples/samples.json").read_text())
        verdicts = {f"{one['class']}/{one['subclass']}" for one in samples if one.get("subclass")}
        self.assertGreater(len(verdicts), 4)
        for verdict in sorted(verdicts):
            with self.subTest(verdict=verdict):
                done = run(CLASSIFY, "--expect", verdict, "--version")
                self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_attached(self):
        target = self.start_target("import sys\nsys.stdin.read()")
        for text, status in (("io-bound/ipc,cpu<0.9", 0), ("cpu-bound", NOT_AS_EXPECTED)):
            with self.subTest(text=text):
                done = run(CLASSIFY, PROCFS, "-q", "-p", str(target.pid), "-d", "0.5", "--expect",
                           text, "-o", "/dev/null")
                self.assertEqual(done.returncode, status, done.stderr)
        self.assert_one_line(done.stderr, "expected cpu-bound, but it is io-bound/ipc")

    def test_replayed(self):
        recording = self.directory / "recording"
        self.assertEqual(self.wrap("--save-recording", str(recording)).returncode, 0)
        for text, status in ((ANY_BUSY, 0), ("idle", NOT_AS_EXPECTED)):
            with self.subTest(text=text):
                done = run(CLASSIFY, "--replay", str(recording), "-o", str(self.report),
                           "--expect", text)
                self.assertEqual(done.returncode, status, done.stderr)

    def test_a_duration_that_ends_before_the_command(self):
        done = self.wrap("-d", "0.2", "--expect", "idle")
        self.assertEqual(done.returncode, NOT_AS_EXPECTED)
        done = self.wrap("-d", "0.2", "--expect", "idle", code=COMPUTE + "exit(4)")
        self.assertEqual(done.returncode, 4)


if __name__ == "__main__":
    main()
