#!/usr/bin/python3
"""classify verify: its forms, its exit codes, and what it refuses."""
import copy
import json
import signal

import jsonschema

from support import (CLASSIFY, ROOT, CommandLineTestCase, main, run)

PROCFS = "--source=procfs"
NOT_AS_EXPECTED = 123
GOLDEN = json.loads((ROOT / "tests/golden/io.json").read_text())
PREDICTED = GOLDEN["predictions"][0]  # threads, some 14 times the speed


def after(speedup):
    """The report of the program rewritten as advised, so many times as fast as before."""
    report = copy.deepcopy(GOLDEN)
    report["observation"]["duration_s"] /= speedup
    report["concurrency"].update(current=PREDICTED["model"], workers=PREDICTED["workers"],
                                 in_flight_mean=0.95 * speedup)
    return report


class VerifyTestCase(CommandLineTestCase):
    def write(self, name, content):
        path = self.directory / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def verify(self, *argv, **how):
        return run(CLASSIFY, "verify", *argv, **how)

    def result(self, *argv, status=0):
        done = self.verify("--json", *argv)
        self.assertEqual(done.returncode, status, done.stderr)
        result = json.loads(done.stdout)
        jsonschema.validate(result, json.loads(self.verify("--json-schema").stdout))
        return result


class Reports(VerifyTestCase):
    def setUp(self):
        super().setUp()
        self.before = self.write("before.json", GOLDEN)

    def test_outcomes(self):
        expected, low, high = (PREDICTED["speedup"][name] for name in ("expected", "low", "high"))
        for speedup, verdict, gain, status in (
                (expected, "held", "faster", 0), (high * 1.2, "better", "faster", 0),
                (low * 0.8, "worse", "faster", NOT_AS_EXPECTED),
                (0.5, "worse", "slower", NOT_AS_EXPECTED)):
            with self.subTest(speedup=speedup):
                result = self.result(self.before, self.write("after.json", after(speedup)),
                                     status=status)
                self.assertEqual((result["verdict"], result["gain"], result["success"]),
                                 (verdict, gain, status == 0))
                self.assertAlmostEqual(result["speedup"]["measured"], speedup, places=5)
                self.assertEqual(result["prediction"]["workers"], PREDICTED["workers"])
                self.assertAlmostEqual(result["prediction"]["error"], expected / speedup - 1,
                                       places=5)

    def test_what_says_nothing(self):
        attached, killed = after(14), after(14)
        attached["target"]["mode"] = "attach"
        killed["target"]["exit"] = {"signal": 9}
        for report, part in ((attached, "attached"), (killed, "signal 9")):
            with self.subTest(part=part):
                result = self.result(self.before, self.write("after.json", report),
                                     status=NOT_AS_EXPECTED)
                self.assertEqual(result["verdict"], "not-comparable")
                self.assertIn(part, result["obstacles"][0])

    def test_less_work(self):
        report = after(14)
        for wait in report["thread_time"]["waits"]:
            for thing in wait["objects"]:
                thing.update(role="result", seconds=thing["seconds"] / 10,
                             count=thing["count"] // 10)
        report["concurrency"]["in_flight_mean"] = 1
        original = copy.deepcopy(GOLDEN)
        for wait in original["thread_time"]["waits"]:
            for thing in wait["objects"]:
                thing["role"] = "result"
        names = self.write("before.json", original), self.write("after.json", report)
        result = self.result(*names, status=NOT_AS_EXPECTED)
        self.assertIn("operations of others", result["obstacles"][0])
        self.assertEqual(self.result(*names, "--same-work")["verdict"], "held")

    def test_as_advised(self):
        report = after(14)
        report["concurrency"]["current"] = "mixed"
        names = self.before, self.write("after.json", report)
        self.assertEqual(self.result(*names)["verdict"], "no-prediction")
        self.assertEqual(self.result(*names, "--as-advised")["verdict"], "held")

    def test_text(self):
        done = self.verify(self.before, self.write("after.json", after(14)))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        text = done.stdout.decode()
        self.assertTrue(text.startswith("classify: the prediction held, 14.0 times as fast\n"), text)
        for part in ("predicted", "measured", "before", "after", "next", "serial-io"):
            self.assertIn(part, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_a_report_on_stdin(self):
        name = self.write("after.json", after(14))
        done = self.verify("-", name, input=json.dumps(GOLDEN).encode())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_to_a_file(self):
        name = self.write("after.json", after(14))
        done = self.verify("--json", "-o", str(self.report), self.before, name)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(json.loads(self.report.read_text())["verdict"], "held")
        self.assert_refused(self.verify("-o", "/dev/full", self.before, name), "/dev/full")

    def test_nothing_in_a_report_acts_on_a_terminal(self):
        report = after(14)
        report["recommendation"]["summary"] = "\x1b[31mred\nline"
        report["program_time"]["waits"][0]["reason"] = "\x1b]0;title\x07" * 40
        report["findings"][0]["summary"] = "\u202ebackwards"
        done = self.verify(self.before, self.write("after.json", report), "-v")
        self.assertEqual(done.returncode, 0)
        for char in ("\x1b", "\x07", "\u202e"):
            self.assertNotIn(char, done.stdout.decode())

    def test_what_is_no_report(self):
        whole = json.dumps(GOLDEN)
        deep = '{"a":' * 100000
        for content, part in (("", "not JSON"), ("{}", "schema"), ("[]", "schema"), ("null", "schema"),
                              ("\x7fELF", "not JSON"), (whole[:len(whole) // 2], "cut short"),
                              (whole + "x", "not JSON"), (deep, "not JSON"),
                              (whole.replace("classify-report/1", "classify-report/2"), "schema"),
                              (whole.replace('"in_flight_mean"', '"in_flight"'),
                               "concurrency.in_flight_mean: missing"),
                              (whole.replace('"seconds": ', '"seconds": -'), "out of range")):
            with self.subTest(content=content[:30], part=part):
                bad = self.write("bad\x1b.json", content)
                for names in ((bad, self.before), (self.before, bad)):
                    done = self.verify(*names)
                    self.assert_refused(done, "bad\\x1b.json", part)
                    self.assertEqual(done.stdout, b"")

    def test_what_cannot_be_read(self):
        self.assert_refused(self.verify(self.before, "/nowhere"), "No such file or directory")
        self.assert_refused(self.verify(str(self.directory), self.before), "Is a directory")


class Commands(VerifyTestCase):
    def test_runs_in_turns(self):
        log = self.directory / "log"
        result = self.result(PROCFS, "--runs", "2",
                             "--before", f"echo before >> {log}; sleep 0.4",
                             "--after", f"echo after >> {log}; sleep 0.1")
        self.assertEqual(log.read_text().split(), ["before", "after"] * 2)
        self.assertEqual([len(result[side]["runs_s"]) for side in ("before", "after")], [2, 2])
        self.assertEqual((result["verdict"], result["gain"]), ("no-prediction", "faster"))
        self.assertGreater(result["speedup"]["measured"], 1.5)

    def test_slower(self):
        result = self.result(PROCFS, "--before", "sleep 0.1", "--after", "sleep 0.5",
                             status=NOT_AS_EXPECTED)
        self.assertEqual((result["gain"], result["success"]), ("slower", False))
        self.assertEqual(result["before"]["command"], ["/bin/sh", "-c", "sleep 0.1"])

    def test_a_report_and_a_command(self):
        before = self.directory / "before.json"
        run(CLASSIFY, PROCFS, "--json", "-o", str(before), "--", "sleep", "1")
        for argv in ([str(before), "--", "sleep", "0.1"], [str(before), "--after", "sleep 0.1"]):
            with self.subTest(argv=argv):
                result = self.result(PROCFS, "--runs=1", *argv)
                self.assertGreater(result["speedup"]["measured"], 3)
                self.assertIn("sleep", " ".join(result["after"]["command"]))

    def test_streams(self):
        """The commands have no stdin, their stdout is thrown away, and stderr is theirs."""
        done = self.verify(PROCFS, "--runs=1", "--before", "cat; echo out; echo err >&2; sleep 0.2",
                           "--after", "true", input=b"typed")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr, b"err\n")
        self.assertTrue(done.stdout.startswith(b"classify: "), done.stdout)

    def test_a_command_that_fails(self):
        for line, status in (("exit 3", 3), ("kill -9 $$", 128 + 9), ("exit 123", 123)):
            with self.subTest(line=line):
                done = self.verify(PROCFS, "--before", line, "--after", "true")
                self.assertEqual((done.returncode, done.stdout), (status, b""))
                self.assert_one_line(done.stderr, line, f"exit code {status}")
        done = self.verify(PROCFS, "--before", "true", "--", "/nowhere")
        self.assertEqual(done.returncode, 127)
        self.assert_one_line(done.stderr, "/nowhere: No such file or directory")

    def test_interrupted(self):
        ready = self.directory / "ready"
        run("mkfifo", str(ready))
        process = self.start(CLASSIFY, "verify", PROCFS, "--before",
                             f"echo > {ready}; exec sleep 100", "--after", "true",
                             start_new_session=True)
        ready.read_text()
        run("kill", "-INT", "--", f"-{process.pid}")
        self.assertEqual(process.wait(), 128 + signal.SIGINT)
        self.assert_one_line(process.stderr.read(), "exit code 130")

    def test_killed(self):
        """The command does not go on alone."""
        ready = self.directory / "ready"
        run("mkfifo", str(ready))
        process = self.start(CLASSIFY, "verify", PROCFS, "--before",
                             f"echo $$ > {ready}; exec sleep 100", "--after", "true")
        pid = ready.read_text().strip()
        process.kill()
        process.wait()
        gone = run("timeout", "20", "tail", f"--pid={pid}", "-f", "/dev/null")
        self.assertEqual(gone.returncode, 0, "the command goes on")


class Usage(VerifyTestCase):
    def test_mistakes(self):
        for argv, part in (([], "nothing to compare with"), (["a"], "nothing to compare ("),
                           (["a", "b", "c"], "more than two reports"),
                           (["a", "b", "--", "c"], "two programs from after"),
                           (["a", "--after", "b", "--", "c"], "two programs from after"),
                           (["a", "b", "--before", "c"], "two programs from before"),
                           (["--before", "", "b"], "empty"), (["--runs", "0", "a", "b"], "'0'"),
                           (["--runs", "101", "a", "b"], "at most 100"),
                           (["--foo"], "'classify verify --help'"),
                           (["a", "--runs"], "lacks its value")):
            with self.subTest(argv=argv):
                self.assert_refused(self.verify(*argv), part)

    def test_help(self):
        done = self.verify("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout.startswith(b"Usage: classify verify"))

    def test_a_command_of_that_name(self):
        program = self.directory / "verify"
        program.write_text("#!/bin/sh\necho it ran\n")
        program.chmod(0o755)
        for argv in (["--", "verify"], ["-q", "verify"]):
            with self.subTest(argv=argv):
                done = run(CLASSIFY, PROCFS, "-o", "/dev/null", *argv,
                           env={"PATH": f"{self.directory}:/usr/bin:/bin"})
                self.assertEqual((done.returncode, done.stdout), (0, b"it ran\n"))


if __name__ == "__main__":
    main()
