#!/usr/bin/python3
"""classify verify on real programs: advice that is followed comes true, and a rewrite that goes wrong
or does less is told from that."""
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

import harness
import sample_set

PROGRAM = str(pathlib.Path(__file__).with_name("api_calls.py"))
REQUESTS = 20
NOT_AS_EXPECTED = 123


class Verify(harness.ReportTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.url = cls.stack.enter_context(sample_set.delay_server())
        directory = cls.stack.enter_context(tempfile.TemporaryDirectory(prefix="classify-e2e-"))
        run = harness.run_classify(["-q"], cls.calls(REQUESTS, 1))
        cls.before = pathlib.Path(directory, "before.json")
        cls.before.write_text(json.dumps(run.report))
        cls.advice = run.report["recommendation"]

    @classmethod
    def calls(cls, *arguments):
        return [sys.executable, "-B", PROGRAM, cls.url, *map(str, arguments)]

    def verify(self, *argv):
        done = subprocess.run([harness.CLASSIFY, "verify", "--json", *argv], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=harness.TIMEOUT_S)
        self.assertEqual(done.stderr, b"")
        result = json.loads(done.stdout)
        schema = subprocess.run([harness.CLASSIFY, "verify", "--json-schema"], check=True,
                                stdout=subprocess.PIPE).stdout
        jsonschema.validate(result, json.loads(schema))
        self.assertEqual(done.returncode, 0 if result["success"] else NOT_AS_EXPECTED)
        return result

    def test_advice_that_is_followed_comes_true(self):
        self.assertEqual((self.advice["model"], self.advice["action"]), ("threads", "change"))
        result = self.verify(str(self.before), "--", *self.calls(REQUESTS, self.advice["workers"]))
        self.assertIn(result["verdict"], ("held", "better"), json.dumps(result, indent=1))
        self.assertEqual((result["gain"], result["obstacles"]), ("faster", []))
        self.assertEqual(result["prediction"]["model"], "threads")
        # The pool, and the thread that waits for it.
        self.assertIn(result["prediction"]["asked_for"] - self.advice["workers"], (0, 1))
        self.assertEqual(result["changes"][0]["what"], "network")
        self.assertGreater(result["changes"][0]["before_s"], 3 * result["changes"][0]["after_s"])

    def test_a_rewrite_that_went_wrong(self):
        result = self.verify(str(self.before), "--runs=1", "--",
                             *self.calls(REQUESTS, self.advice["workers"], "one-at-a-time"))
        self.assertEqual((result["verdict"], result["success"]), ("worse", False))
        self.assertLess(result["speedup"]["high"], result["prediction"]["speedup"]["low"])
        self.assertIsNotNone(result["next"]["finding"])

    def test_a_rewrite_that_does_less(self):
        """So much less that it shows by any count: a request may be one wait or three."""
        result = self.verify(str(self.before), "--runs=1", "--",
                             *self.calls(REQUESTS // 10, self.advice["workers"]))
        self.assertEqual((result["verdict"], result["success"]), ("not-comparable", False))
        self.assertIn("operations of others", result["obstacles"][0])

    def test_the_same_program_twice(self):
        """Runs in turns tell no gain from chance, and nothing is promised for what is as it was."""
        line = " ".join(self.calls(REQUESTS // 5, 1))
        result = self.verify("--before", line, "--after", line)
        self.assertEqual((len(result["before"]["runs_s"]), len(result["after"]["runs_s"])), (3, 3))
        self.assertEqual(result["before"]["model"], "sync")
        self.assertLess(result["speedup"]["low"], 1.1)
        self.assertGreater(result["speedup"]["high"], 0.9)


if __name__ == "__main__":
    harness.main()
