#!/usr/bin/python3
"""Each situation of waiting is reported as what it is, as situations.json has it.

Pick one by its name: tests/e2e/test_situations.py SituationsThroughEbpf.test_tcp_recv
"""
import json
import pathlib
import sys
import tempfile
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "situations"))
import situation_set  # noqa: E402  (lives beside the situations)

BINARY = harness.BUILD / "tests" / "situations" / "situations"
SITUATIONS = situation_set.load()
PROGRAM_SHARE = 0.9  # of quiet time, that what the situation is about has
COMPUTING_QUIET = 0.2  # of wall time, that may be quiet where the program computes
ATTEMPTS = 4  # a program of 0.3 s may be held up by a busy machine for long enough to spoil its run


class SituationTestCase(harness.ReportTestCase):
    source = None

    def run_situation(self, situation):
        """Runs @situation under classify; returns its report, recording and placeholders."""
        missing = situation_set.why_not(situation)
        if missing:
            self.skipTest(missing)
        with tempfile.TemporaryDirectory(prefix="classify-situation-") as directory, \
                situation_set.prepared(situation, BINARY) as ready:
            recording = pathlib.Path(directory, "recording.json")
            run = harness.run_classify(["-q", "--source", self.source,
                                        "--save-recording", str(recording)],
                                       ready.argv, stdin=ready.stdin)
            self.check_run(run)
            return run.report, json.loads(recording.read_text()), ready.placeholders

    def check(self, situation):
        for attempt in range(ATTEMPTS):
            report, recording, placeholders = self.run_situation(situation)
            try:
                return self.check_situation(situation, report, recording, placeholders)
            except AssertionError as error:
                print(f"{situation.name}, attempt {attempt + 1}: {error}", file=sys.stderr)
        return self.fail(f"{situation.name}: wrong {ATTEMPTS} times\n"
                         f"{harness.carrying_numbers(report)}")


waiting_s = harness.waiting_s


def seconds_of(waits, *reasons):
    return sum(wait["seconds"] for wait in waits if wait["reason"] in reasons)


class SituationsThroughEbpf(SituationTestCase):
    source = "ebpf"

    @classmethod
    def setUpClass(cls):
        if harness.why_no_ebpf():
            raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")
        super().setUpClass()

    def check_situation(self, situation, report, recording, placeholders):
        self.check_object(situation, report, placeholders)
        self.check_rows(situation, recording["waits"])
        self.check_program(situation, report["program_time"])
        self.check_explained(report)

    def check_object(self, situation, report, placeholders):
        """The largest object of the reason is the situation's, and has most of the waiting."""
        if situation.reason == "stopped":  # which thread time lists beside the waits
            self.assertGreaterEqual(report["thread_time"]["stopped_s"],
                                    situation.share * waiting_s(report), "stopped")
            return
        waits = {wait["reason"]: wait for wait in report["thread_time"]["waits"]}
        self.assertIn(situation.reason, waits)
        objects = waits[situation.reason]["objects"]
        found = objects[0] if situation.kind != "none" else waits[situation.reason]
        self.assertGreaterEqual(found["seconds"], situation.share * waiting_s(report),
                                f"share of {situation.reason}")
        if situation.kind == "none":
            self.assertEqual(objects, [])
            return
        for attribute in ("kind", "direction", "role", "call", "operation"):
            expected = getattr(situation, attribute)
            if expected is not None:
                self.assertEqual(found[attribute], expected, attribute)
        if situation.far_end is not None:
            self.assertTrue(situation_set.is_like(situation.far_end, found["far_end"] or ""),
                            f"far end {found['far_end']} is not {situation.far_end}")
        if situation.object is not None:
            self.assertTrue(situation_set.is_object(situation, placeholders, found["name"]),
                            f"{found['name']} is not {situation.object}")

    def check_rows(self, situation, rows):
        """What reports don't say of single objects."""
        rows = [row for row in rows if row["reason"] == situation.reason
                and row["direction"] == situation.direction]
        whole_ns = sum(row["wait_ns"] for row in rows)
        for flag in ("via_event_loop", "timed_out"):
            having_ns = sum(row["wait_ns"] for row in rows if row[flag])
            share = having_ns / whole_ns
            self.assertGreaterEqual(share if getattr(situation, flag) else 1 - share, 0.9, flag)

    def check_program(self, situation, program):
        if situation.program == "computing":
            self.assertLessEqual(program["quiet_s"], COMPUTING_QUIET * program["wall_s"], "quiet")
            return
        if situation.program in ("idle", "stopped"):
            charged_s = program[f"{situation.program}_s"]
        else:
            charged_s = seconds_of(program["waits"], situation.program)
        self.assertGreaterEqual(charged_s, PROGRAM_SHARE * program["quiet_s"],
                                f"program time charged to {situation.program}")


class SituationsThroughProcfs(SituationTestCase):
    """Samples see less: of the waiting they see, most has to have the right reason."""
    source = "procfs"

    def check_situation(self, situation, report, _recording, _placeholders):
        self.assertGreaterEqual(seconds_of(report["thread_time"]["waits"], situation.procfs),
                                0.8 * waiting_s(report), f"share of {situation.procfs}")


def test_of(situation):
    return lambda self: self.check(situation)


for one in SITUATIONS:
    setattr(SituationsThroughEbpf, f"test_{one.name}", test_of(one))
    if one.procfs:
        setattr(SituationsThroughProcfs, f"test_{one.name}", test_of(one))

if __name__ == "__main__":
    harness.main()
