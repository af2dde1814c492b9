#!/usr/bin/python3
"""The lines that are planted in the programs of tests/lines/ come first in their reports, with the share
of time that the programs measured themselves.

CLASSIFY_LINES=all runs all programs, not only those for every change. Pick one by its name:
tests/e2e/test_lines.py PlantedLines.test_c_O2
"""
import os
import subprocess
import sys
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "lines"))
import line_set  # noqa: E402  (lives beside the programs)

SECONDS = 3
BRIEF_FACTOR = 3  # short waits of one length keep time with the clock, for a second or so
# At 99 Hz, three seconds have as much noise as the tolerance; bench/lines/run has longer runs.
OPTIONS = ["-q", "-F", "499"]
ATTEMPTS = 3  # that the machine may spoil
BINARIES = harness.BUILD / "tests" / "lines"


class PlantedLines(harness.ReportTestCase):
    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()

    def check(self, program):
        try:
            built = line_set.build(program, BINARIES)
        except line_set.Missing as missing:
            self.skipTest(str(missing))
        except subprocess.CalledProcessError as error:
            self.fail(f"{error}\n{error.output.decode(errors='replace')}")
        for attempt in range(ATTEMPTS):
            wrong = self.what_is_wrong(program, built)
            if not wrong:
                return
            print(f"{program.name}, attempt {attempt + 1}: {'; '.join(wrong)}", file=sys.stderr)
        self.fail(f"{program.name}: wrong {ATTEMPTS} times: " + "; ".join(wrong))

    def what_is_wrong(self, program, built):
        seconds = SECONDS * (BRIEF_FACTOR if program.is_brief else 1)
        with line_set.prepared(program, built, seconds) as (command, truth):
            run = harness.run_classify(OPTIONS, command)
            self.check_run(run)
            line_set.clean(run.report)
            return line_set.what_is_wrong(program, built, run.report, truth())


class NamesOfFunctions(unittest.TestCase):
    def test_last_name(self):
        for function in ("hot", "planted::hot<unsigned long>(unsigned long, int)", "Computer.hot",
                         "main.hot", "hot.<locals>.<genexpr>", "hot.constprop.0", "mix::hot",
                         "mix::hot::h0123456789abcdef", "JS:*hot /tmp/mix.js:35:13", "*hot"):
            self.assertEqual(line_set.last_name(function), "hot", function)
        self.assertEqual(line_set.last_name(""), "")


def test_of(program):
    return lambda self: self.check(program)


for one in line_set.load():
    if one.is_in_tests or os.environ.get("CLASSIFY_LINES") == "all":
        setattr(PlantedLines, f"test_{one.name}", test_of(one))

if __name__ == "__main__":
    harness.main()
