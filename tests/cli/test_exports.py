#!/usr/bin/python3
"""Exports of stacks: where they go, what they are refused for, and that they tell what JSON tells."""
import gzip
import json
import pathlib

from support import (AS_NOBODY, CLASSIFY, PYTHON, ROOT, CommandLineTestCase, Terminal, ThroughEbpf,
                     main, needs_root, run)

FORMATS = ("folded", "speedscope", "pprof")
WITHOUT_STACKS = str(ROOT / "tests" / "recordings" / "ebpf" / "gcc.json")
NS_PER_US = 1000
NS_PER_S = 10 ** 9
NO_CALLER = 0xffffffff


def read_folded(text):
    """(frames, microseconds) of each line."""
    return [(line.rsplit(" ", 1)[0].split(";"), int(line.rsplit(" ", 1)[1]))
            for line in text.splitlines()]


def is_wait(frames):
    return frames[-1].startswith(("[wait: ", "[idle: "))


def sum_folded(text):
    """Microseconds on a CPU, and waiting."""
    lines = read_folded(text)
    return (sum(time for frames, time in lines if not is_wait(frames)),
            sum(time for frames, time in lines if is_wait(frames)))


def sum_speedscope(text):
    """Nanoseconds likewise."""
    profiles = json.loads(text)["profiles"]
    return sum(profiles[0]["weights"]), sum(profiles[1]["weights"])


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def protobuf_fields(data):
    """(number, value) of each field of a message; this is all that profiles have of the format."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def read_pprof(data):
    """Texts, and the values of each sample: samples, nanoseconds waiting, and on a CPU."""
    texts, samples = [], []
    for number, value in protobuf_fields(gzip.decompress(data)):
        if number == 6:
            texts.append(value.decode())
        elif number == 2:
            packed, values, at = dict(protobuf_fields(value))[2], [], 0
            while at < len(packed):
                one, at = varint(packed, at)
                values.append(one)
            samples.append(values)
    return texts, samples


def sum_pprof(data):
    """Nanoseconds on a CPU, and waiting."""
    samples = read_pprof(data)[1]
    return sum(values[2] for values in samples), sum(values[1] for values in samples)


class Refusals(CommandLineTestCase):
    def setUp(self):
        super().setUp()
        self.marker = self.directory / "the-command-ran"

    @needs_root
    def test_without_rights_nothing_is_run(self):
        """It would end with an empty file, however long the command takes."""
        binary = self.public_binary()
        self.directory.chmod(0o777)
        for export in FORMATS:
            with self.subTest(export=export):
                done = run(*AS_NOBODY, binary, "-f", export, "-o", str(self.report), "--", "touch",
                           str(self.marker))
                self.assert_refused(done, "only eBPF sees stacks: ", "run as root")
                self.assertEqual([path.name for path in self.directory.iterdir()],
                                 [pathlib.Path(binary).name])

    def test_a_recording_without_stacks(self):
        """The file that was there may be the last good one."""
        for export in FORMATS:
            with self.subTest(export=export):
                self.report.write_text("what it held")
                done = run(CLASSIFY, "-f", export, "-o", str(self.report), "--replay",
                           WITHOUT_STACKS)
                self.assert_refused(done, WITHOUT_STACKS, "without")
                self.assertEqual(self.report.read_text(), "what it held")

    def test_no_binary_on_a_terminal(self):
        """Told before anything runs, or a recording is read."""
        for argv in (["--replay", WITHOUT_STACKS], ["-o", "-", "--", "touch", str(self.marker)]):
            with self.subTest(argv=argv):
                with Terminal([CLASSIFY, "-f", "pprof", *argv]) as screen:
                    status, text = screen.finish()
                self.assertEqual(status, 125)
                self.assertIn(b"is binary, nothing for a terminal (", text)
                self.assertFalse(self.marker.exists())

    def test_a_recording_whose_stacks_were_lost(self):
        recording = json.loads(pathlib.Path(WITHOUT_STACKS).read_text())
        recording["stack_quality"] = {"are_taken": False, "sample_cnt": 0, "wait_cnt": 0,
                                      "lost_cnt": 0, "unread_cnt": 0, "notes": ["it broke"]}
        lost = self.directory / "lost"
        lost.write_text(json.dumps(recording))
        self.assert_refused(run(CLASSIFY, "-f", "folded", "--replay", str(lost)), "it broke")

    def test_options_that_exclude_exports(self):
        for options, part in ((["--no-stacks"], "--no-stacks"), (["--source=procfs"], "procfs")):
            for export in FORMATS:
                with self.subTest(options=options, export=export):
                    done = run(CLASSIFY, "-f", export, "-o", str(self.report), *options, "--",
                               "touch", str(self.marker))
                    self.assert_refused(done, f"--format={export}", part)
                    self.assertFalse(self.marker.exists())
                    self.assertFalse(self.report.exists())


class Replays(CommandLineTestCase):
    """Of a recording made by hand: a client that waited, and computed a little."""
    ON_CPU_NS, WAIT_NS = 40_000_000, 2_000_000_000

    def setUp(self):
        super().setUp()
        self.recording = self.directory / "recording"
        self.record()

    def record(self, with_stacks=True, with_waits=True, notes=()):
        recording = json.loads((ROOT / "tests/recordings/ebpf/api_sequential.json").read_text())
        thread = recording["threads"][0]
        time = {"pid": thread["pid"], "tid": thread["tid"], "thread": "MainThread", "task": "",
                "wait": 0, "sample_cnt": 4, "gil_held_ns": 0, "gil_known_ns": 0}
        place = {"first_line": 1, "module": "", "address": 0, "is_inlined": False,
                 "language": "python"}
        recording["frames"] = [
            dict(place, function="<module>", file="/srv/fetch.py", line=61),
            dict(place, function="fetch; all", file="/srv/fetch.py", line=42),
        ]
        recording["calls"] = [{"frame": 0, "caller": NO_CALLER, "is_complete": True},
                              {"frame": 1, "caller": 0, "is_complete": False}]
        recording["stack_times"] = [
            dict(time, call=0, is_on_cpu=True, time_ns=self.ON_CPU_NS),
            dict(time, call=1, is_on_cpu=False, time_ns=self.WAIT_NS),
        ][:1 + with_waits if with_stacks else 0]
        recording["stack_quality"] = {"are_taken": True, "sample_cnt": 4, "wait_cnt": 4,
                                      "lost_cnt": 0, "unread_cnt": 0,
                                      "notes": list(notes)}
        self.recording.write_text(json.dumps(recording))

    def replay(self, export, *options, **how):
        return run(CLASSIFY, "-f", export, *options, "--replay", str(self.recording), **how)

    def test_to_stdout(self):
        done = self.replay("folded")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        lines = read_folded(done.stdout.decode())
        self.assertEqual([frames[1:] for frames, _ in lines],
                         [["MainThread", "<module> (fetch.py:61)", "fetch: all (fetch.py:42)",
                           "[wait: network tcp 127.0.0.1:37199]"],
                          ["MainThread", "<module> (fetch.py:61)"]])

    def test_all_tell_the_same(self):
        """And what JSON has as the exact times, to which those of stacks are scaled."""
        sums = sum_folded(self.replay("folded").stdout.decode())
        in_ns = sum_speedscope(self.replay("speedscope").stdout)
        self.assertEqual(sum_pprof(self.replay("pprof").stdout), in_ns)
        times = json.loads(self.replay("json").stdout)["thread_time"]
        wait_s = sum(wait["seconds"] for wait in times["waits"])
        for time_us, time_ns, time_s in zip(sums, in_ns, (times["on_cpu_s"], wait_s)):
            self.assertAlmostEqual(time_us, time_ns / NS_PER_US, delta=1)
            self.assertAlmostEqual(time_ns, time_s * NS_PER_S, delta=time_s * NS_PER_S / 100)

    def test_pprof_to_a_file(self):
        done = self.replay("pprof", "-o", str(self.report))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        texts, samples = read_pprof(self.report.read_bytes())
        self.assertEqual(texts[0], "")
        self.assertEqual(len(samples), 2)
        for text in ("fetch; all", "/srv/fetch.py", "tcp 127.0.0.1:37199", "network", "on_cpu"):
            self.assertIn(text, texts)

    def test_a_full_device(self):
        for export in FORMATS:
            with self.subTest(export=export):
                self.assert_refused(self.replay(export, "-o", "/dev/full"), "/dev/full",
                                    "No space left on device")

    def test_nothing_seen_is_an_empty_export(self):
        """Valid, but somebody has to be told."""
        self.record(with_stacks=False)
        for export in FORMATS:
            with self.subTest(export=export):
                done = self.replay(export)
                self.assertEqual(done.returncode, 0)
                self.assert_one_line(done.stderr, f"the {export} export is empty")
        self.assertEqual(self.replay("folded").stdout, b"")
        self.assertEqual(sum_speedscope(self.replay("speedscope").stdout), (0, 0))
        self.assertEqual(sum_pprof(self.replay("pprof").stdout), (0, 0))

    def test_gaps_are_told(self):
        self.record(with_waits=False, notes=["/srv/x: no such file"])
        done = self.replay("folded")
        self.assertIn(b"lacks the stacks of 98% of the time", done.stderr)
        self.assertNotIn(b"/srv/x", done.stderr)
        self.assertIn(b"classify: /srv/x: no such file\n", self.replay("folded", "-v").stderr)
        self.assertEqual(self.replay("folded", "-q").stderr, b"")


PLANTED = """
import time
def burn():
    end = time.process_time() + 0.5
    while time.process_time() < end:
        sum(i * i for i in range(1000))
def nap():
    time.sleep(0.5)
burn()
nap()
"""


class Runs(ThroughEbpf):
    def setUp(self):
        super().setUp()
        self.program = self.directory / "planted.py"
        self.program.write_text(PLANTED)
        self.recording = self.directory / "recording"

    def export(self, export):
        return run(CLASSIFY, "-q", "-f", export, "-o", str(self.report), "--save-recording",
                   str(self.recording), "--", PYTHON, str(self.program))

    def replay(self, export):
        return run(CLASSIFY, "-f", export, "--replay", str(self.recording)).stdout

    def test_a_replay_exports_what_the_run_did(self):
        for export in FORMATS:
            with self.subTest(export=export):
                done = self.export(export)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
                self.assertEqual(self.report.read_bytes(), self.replay(export))

    def test_lines_and_sums(self):
        self.assertEqual(self.export("folded").returncode, 0)
        text = self.report.read_text()
        report = json.loads(self.replay("json"))
        times, stacks = report["thread_time"], report["observation"]["stacks"]
        exact_s = times["on_cpu_s"] + sum(wait["seconds"] for wait in times["waits"])
        self.assertAlmostEqual(sum(sum_folded(text)) * NS_PER_US / NS_PER_S,
                               exact_s * stacks["known_share"], delta=exact_s / 100)
        lines = read_folded(text)
        burnt = sum(time for frames, time in lines if not is_wait(frames) and
                    any(frame.startswith("burn (planted.py:") for frame in frames))
        slept = sum(time for frames, time in lines if frames[-1].startswith("[wait: timer") and
                    "nap (planted.py:8)" in frames)
        self.assertGreater(burnt * NS_PER_US / NS_PER_S, times["on_cpu_s"] / 2)
        self.assertAlmostEqual(slept, 500_000, delta=50_000)

    def test_beside_what_the_command_writes(self):
        done = run(CLASSIFY, "-q", "-f", "folded", "--", PYTHON, str(self.program))
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertGreater(len(read_folded(done.stderr.decode())), 1)


if __name__ == "__main__":
    main()
