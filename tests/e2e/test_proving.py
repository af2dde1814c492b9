#!/usr/bin/python3
"""The proving ground still runs: two small families are measured, judged, and judged again from what was
kept; whether the advice is good is for bench/proving/run itself to say, on an idle machine.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import harness

PROVING = harness.ROOT / "bench" / "proving"
FAMILIES = ["api_few", "short_script"]


def proving(program, *options):
    return subprocess.run([sys.executable, "-B", str(PROVING / program), "--build",
                           str(harness.BUILD), *options], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, check=False)


class Proving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="e2e-proving-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        cls.measured = proving("run", "--only", ",".join(FAMILIES), "--repetitions", "1",
                               "--observations", "1", "--keep", directory.name, "--json",
                               str(cls.directory / "rows.json"))

    def rows(self, name="rows.json"):
        return {row["family"]: row for row in
                json.loads((self.directory / name).read_text())["rows"]}

    def test_families_are_measured_and_judged(self):
        self.assertEqual(self.measured.returncode, 0, self.measured.stderr)
        rows = self.rows()
        self.assertEqual(sorted(rows), FAMILIES)
        requests = rows["api_few"]
        self.assertEqual(list(requests["classes"]), ["io-bound"])
        self.assertIn(requests["best"][0], ("threads", "async", "multiprocessing"))
        self.assertGreater(requests["best_speedup"], 1.8)  # of 6 when nothing disturbs
        self.assertGreaterEqual(requests["regret"], 0)
        self.assertEqual(rows["short_script"]["advice"] == "change", False)
        for name in FAMILIES:
            self.assertIn(f"\n{name} ", self.measured.stdout)
        self.assertIn("of 2 families", self.measured.stdout)

    def test_what_was_kept_is_judged_alike(self):
        again = proving("run", "--from", str(self.directory), "--only", ",".join(FAMILIES),
                        "--json", str(self.directory / "again.json"))
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.rows("again.json"), self.rows())

    def test_a_family_that_is_not_there_is_an_error(self):
        run = proving("run", "--only", "nonsense")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("nonsense", run.stderr)

    def test_repetitions_are_counted(self):
        run = proving("repeat", "--only", "short_script", "--rounds", "2")
        self.assertIn("2 runs of 1 programs", run.stdout, run.stderr)


if __name__ == "__main__":
    harness.main()
