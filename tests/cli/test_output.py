#!/usr/bin/python3
"""Where reports and recordings go, that an old file survives what goes wrong, and plain errors."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import time

from support import (AS_NOBODY, AS_POWERLESS_ROOT, CLASSIFY, ROOT, TIMEOUT_S, CommandLineTestCase,
                     Terminal, main, needs_root, run)

PROCFS = "--source=procfs"


class OutputTestCase(CommandLineTestCase):
    def setUp(self):
        super().setUp()
        self.marker = self.directory / "the-command-ran"

    def wrap(self, *options, command=None, **how):
        command = command or ["touch", str(self.marker)]
        return run(CLASSIFY, PROCFS, *options, "--", *command, **how)

    def assert_nothing_else(self, *names):
        left = sorted(path.name for path in self.directory.iterdir())
        self.assertEqual(left, sorted(names))


class Places(OutputTestCase):
    def test_text_to_stderr(self):
        done = self.wrap(command=["echo", "out"])
        self.assertEqual((done.returncode, done.stdout), (0, b"out\n"))
        self.assertIn(b"measured", done.stderr)

    def test_json_of_a_command_to_stderr(self):
        done = self.wrap("--json", command=["echo", "out"])
        self.assertEqual((done.returncode, done.stdout), (0, b"out\n"))
        self.assert_is_report(done.stderr)

    def test_dash_is_stdout(self):
        done = self.wrap("--json", "-o", "-")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assert_is_report(done.stdout)

    def test_a_file_gets_the_rights_of_any_new_file(self):
        self.wrap("--json", "-o", str(self.report), preexec_fn=lambda: os.umask(0o027))
        self.assert_is_report(self.report.read_text())
        self.assertEqual(self.report.stat().st_mode & 0o777, 0o640)
        self.assert_nothing_else("report", self.marker.name)

    def test_a_replaced_file_keeps_its_rights(self):
        self.report.write_text("old")
        self.report.chmod(0o604)
        self.wrap("--json", "-o", str(self.report))
        self.assert_is_report(self.report.read_text())
        self.assertEqual(self.report.stat().st_mode & 0o777, 0o604)

    def test_a_link_stays_a_link(self):
        link = self.directory / "link"
        self.report.write_text("old")
        link.symlink_to(self.report)
        self.wrap("--json", "-o", str(link))
        self.assertTrue(link.is_symlink())
        self.assert_is_report(self.report.read_text())

    @needs_root
    def test_a_mount_point_is_written_in_place(self):
        """As docker -v makes one of a file."""
        kept = self.directory / "kept"
        for old in ("short", "long" * 10000):
            with self.subTest(old=old[:5]):
                kept.write_text(old)
                self.report.touch()
                mounted = run("mount", "--bind", str(kept), str(self.report))
                if mounted.returncode:
                    self.skipTest(f"no mounts here: {mounted.stderr.decode()}")
                self.addCleanup(run, "umount", str(self.report))
                done = self.wrap("--json", "-o", str(self.report))
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assert_is_report(kept.read_text())
                self.assert_nothing_else("kept", "report", self.marker.name)

    def test_a_descriptor_goes_on_where_the_command_stopped(self):
        for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
            with self.subTest(name=name):
                with open(self.report, "wb") as out:
                    self.wrap("--json", "-o", name, command=["echo", "first"], stdout=out)
                first, rest = self.report.read_text().split("\n", 1)
                self.assertEqual(first, "first")
                self.assert_is_report(rest)

    def test_a_pipe_with_a_name(self):
        os.mkfifo(self.report)
        reader = self.start("cat", str(self.report))
        self.assertEqual(self.wrap("--json", "-o", str(self.report)).returncode, 0)
        self.assert_is_report(reader.stdout.read())
        self.assertTrue(self.report.is_fifo())

    def test_dev_null(self):
        done = self.wrap("-o", "/dev/null")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_colors_are_for_terminals(self):
        env = dict(os.environ, TERM="xterm")
        env.pop("NO_COLOR", None)
        for colored, options, more in ((True, [], {}), (False, [], {"NO_COLOR": "1"}),
                                       (False, [], {"TERM": "dumb"}),
                                       (False, ["--color=never"], {}),
                                       (True, ["--color=always"], {"NO_COLOR": "1"})):
            with self.subTest(options=options, more=more):
                argv = [CLASSIFY, PROCFS, *options, "--", "true"]
                with Terminal(argv, {**env, **more}) as screen:
                    self.assertEqual(b"\x1b[" in screen.finish()[1], colored)


class Failures(OutputTestCase):
    def test_what_cannot_be_written_is_told_before_the_command_runs(self):
        for option in ("-o", "--save-recording"):
            for place, part in (("none/report", "No such file or directory"),
                                ("", "Is a directory")):
                with self.subTest(option=option, part=part):
                    path = str(self.directory / place)
                    self.assert_refused(self.wrap(option, path), path, part)
                    self.assert_nothing_else()

    def test_one_place_for_two(self):
        """The one written last would be all there is, or they would be mixed up."""
        link = self.directory / "link"
        link.symlink_to(self.directory)
        for report, recording in ((self.report, self.report), (self.report, link / "report"),
                                  ("-", "-"), ("-", "/dev/stdout")):
            with self.subTest(report=report, recording=recording):
                done = self.wrap("-o", str(report), "--save-recording", str(recording))
                self.assert_refused(done, str(recording), "both")
                self.assertEqual(done.stdout, b"")
                self.assert_nothing_else("link")
        self.report.touch()
        self.assert_refused(self.wrap("-o", str(self.report), "--save-recording",
                                      str(link / "report")), "both")

    def test_read_only_place(self):
        done = self.wrap("-o", "/proc/report")
        self.assert_refused(done, "cannot write /proc/report")
        self.assert_nothing_else()

    @needs_root
    def test_a_link_planted_in_a_shared_directory(self):
        protection = pathlib.Path("/proc/sys/fs/protected_symlinks")
        if protection.read_text() != "1\n":
            self.skipTest(f"{protection} is off")
        victim = self.directory / "victim"
        victim.write_text("what it held")
        shared = self.directory / "shared"
        shared.mkdir()
        shared.chmod(0o1777)
        link = shared / "report"
        link.symlink_to(victim)
        os.chown(link, 65534, 65534, follow_symlinks=False)
        self.assert_refused(self.wrap("-o", str(link)), "Permission denied")
        self.assertEqual(victim.read_text(), "what it held")

    @needs_root
    def test_a_name_that_leads_to_another_mount_namespace(self):
        """The file opened and the one of that name here are two: neither is taken for the other."""
        self.report.write_text("what it held")
        code = 'mount -t tmpfs none "$1" && echo theirs > "$1"/report && echo ready && cat'
        other = self.start("unshare", "-m", "sh", "-c", code, "sh", str(self.directory))
        if other.stdout.readline() != b"ready\n":
            self.skipTest("no mount namespaces here")
        path = f"/proc/{other.pid}/root{self.report}"
        self.assert_refused(self.wrap("-o", path), path)
        self.assertEqual(self.report.read_text(), "what it held")
        self.assertEqual(pathlib.Path(path).read_text(), "theirs\n")

    @needs_root
    def test_a_file_that_cannot_be_replaced(self):
        """Another user's, in a sticky directory: the finished report stays beside it."""
        binary = self.public_binary()
        shared = self.directory / "shared"
        shared.mkdir()
        shared.chmod(0o1777)
        old = shared / "report"
        old.write_text("what it held")
        old.chmod(0o666)
        done = run(*AS_NOBODY, binary, PROCFS, "--json", "-o", str(old), "--", "true")
        self.assert_refused(done, str(old), "Operation not permitted")
        self.assertEqual(old.read_text(), "what it held")
        self.assert_is_report(self.kept_file(done).read_text())

    def test_full_device(self):
        done = self.wrap("-o", "/dev/full", command=["sh", "-c", "exit 3"])
        self.assert_refused(done, "/dev/full", "No space left on device")

    def test_reader_that_left(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        with os.fdopen(write_end, "wb") as pipe:
            done = self.wrap("-o", "-", command=["sh", "-c", "exit 3"], stdout=pipe)
        self.assert_refused(done, "Broken pipe")

    def test_help_to_a_full_device(self):
        with open("/dev/full", "wb") as full:
            for option in ("--help", "--version", "--json-schema"):
                with self.subTest(option=option):
                    self.assert_refused(run(CLASSIFY, option, stdout=full),
                                        "No space left on device")

    def fill_a_disk(self):
        """Mounts a small disk with a file that holds something, and no room for more."""
        disk = self.directory / "disk"
        disk.mkdir()
        mounted = run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk))
        if mounted.returncode:
            self.skipTest(f"no small disk to fill: {mounted.stderr.decode()}")
        self.addCleanup(run, "umount", str(disk))
        old = disk / "old"
        old.write_text("what it held")
        with self.assertRaises(OSError):
            (disk / "filler").write_bytes(bytes(1 << 16))
        return old

    @needs_root
    def test_full_disk_keeps_the_old_file(self):
        old = self.fill_a_disk()
        for option in ("-o", "--save-recording"):
            with self.subTest(option=option):
                done = self.wrap("--json", option, str(old), command=["true"])
                self.assertEqual(done.returncode, 125)
                self.assertIn(b"No space left on device", done.stderr)
                self.assertIn(b"unchanged", done.stderr)
                self.assertEqual(old.read_text(), "what it held")
                self.assertEqual(sorted(path.name for path in old.parent.iterdir()),
                                 ["filler", "old"])

    @needs_root
    def test_full_disk_behind_a_mount_point(self):
        """What can't be written in place without losing the old text is kept beside it."""
        old = self.fill_a_disk()
        self.report.touch()
        self.assertEqual(run("mount", "--bind", str(old), str(self.report)).returncode, 0)
        self.addCleanup(run, "umount", str(self.report))
        done = self.wrap("--json", "-o", str(self.report), command=["true", "x" * 8192])
        self.assert_refused(done, str(self.report), "No space left on device")
        self.assertEqual(old.read_text(), "what it held")
        self.assert_is_report(self.kept_file(done).read_text())

    @staticmethod
    def kept_file(done):
        return pathlib.Path(re.search(r"is in (.+)\)\n", done.stderr.decode())[1])


class FullPipe(OutputTestCase):
    """Whoever reads classify's stderr is slow."""

    def setUp(self):
        super().setUp()
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, 4096)
        self.reader = self.enterContextManager(os.fdopen(self.read_end, "rb"))

    def report_into_full_pipe(self, blocking):
        """Starts classify; when this returns, its command is done and it has begun to report."""
        process = self.start(CLASSIFY, PROCFS, "--", "sh", "-c", "echo ready; read line",
                             stderr=self.write_end)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        os.set_blocking(self.write_end, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.write_end, b"#")
        os.set_blocking(self.write_end, blocking)
        os.close(self.write_end)
        process.stdin.close()
        deadline = time.monotonic() + TIMEOUT_S
        while process.poll() is None and not self.is_stuck(process.pid):
            self.assertLess(time.monotonic(), deadline, "signals stay blocked")
            os.sched_yield()
        return process

    @staticmethod
    def is_stuck(pid):
        """Whether it sleeps and SIGTERM, which is blocked while the command runs, would end it."""
        status = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
        mask = int(re.search(r"^SigBlk:\t(.*)$", status, re.M)[1], 16)
        return "\nState:\tS" in status and not mask >> (signal.SIGTERM - 1) & 1

    def test_a_pipe_that_the_command_made_non_blocking(self):
        process = self.report_into_full_pipe(blocking=False)
        self.assertIn(b"measured", self.reader.read())
        self.assertEqual(process.wait(), 1, "the exit code of read")

    def test_a_signal_ends_a_report_that_nobody_reads(self):
        process = self.report_into_full_pipe(blocking=True)
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)


class Replays(OutputTestCase):
    def record(self):
        recording = self.directory / "recording"
        done = self.wrap("--json", "-o", str(self.report), "--save-recording", str(recording))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return recording

    def replay(self, path, *options):
        return run(CLASSIFY, "--json", *options, "--replay", str(path))

    def test_a_replay_says_what_the_run_said(self):
        done = self.replay(self.record())
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        live, again = self.assert_is_report(self.report.read_text()), json.loads(done.stdout)
        self.assertEqual(again["target"].pop("mode"), "replay")
        self.assertEqual(live["target"].pop("mode"), "wrap")
        self.assertEqual(again, live)

    def test_a_cut_recording(self):
        recording = self.record()
        whole = recording.read_bytes()
        for size in (0, 1, len(whole) // 2, len(whole) - 3):
            with self.subTest(size=size):
                recording.write_bytes(whole[:size])
                self.assert_refused(self.replay(recording), str(recording))

    def test_what_is_no_recording(self):
        for content in ("{}", "[]", '{"schema": "classify-recording/99"}', "\x7fELF", "null",
                        self.report_text()):
            with self.subTest(content=content[:30]):
                self.report.write_text(content)
                self.assert_refused(self.replay(self.report), str(self.report))

    def report_text(self):
        self.wrap("--json", "-o", str(self.report))
        return self.report.read_text()

    def test_what_cannot_be_read(self):
        self.assert_refused(self.replay(self.directory / "none"), "No such file or directory")
        self.assert_refused(self.replay(self.directory), str(self.directory))

    def test_names_in_errors_cannot_act_on_a_terminal(self):
        done = self.replay(self.directory / "\x1b[31mred\nline")
        self.assert_refused(done, "x1b")
        self.assertNotIn(b"\x1b", done.stderr)


class Usage(CommandLineTestCase):
    def test_mistakes(self):
        for argv, part in ((["--foo"], "'--foo'"), (["-p"], "'-p'"), ([], "nothing to observe"),
                           (["-d", "soon", "ls"], "'soon'"), (["-p", "1", "ls"], "both a PID")):
            with self.subTest(argv=argv):
                self.assert_refused(run(CLASSIFY, *argv), part)

    def test_schema(self):
        done = run(CLASSIFY, "--json-schema")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn("properties", json.loads(done.stdout))
        run(CLASSIFY, "--json-schema", "-o", str(self.report))
        self.assertEqual(self.report.read_bytes(), done.stdout)

    def test_version_and_help(self):
        self.assertRegex(run(CLASSIFY, "--version").stdout, rb"\Aclassify \d+\.\d+\.\d+\n\Z")
        done = run(CLASSIFY, "--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout.startswith(b"Usage: classify"))

    def test_man_page_and_completion_know_every_option(self):
        options = {option for argv in ([], ["verify"]) for option in
                   re.findall(r"--[a-z][a-z-]+", run(CLASSIFY, *argv, "--help").stdout.decode())}
        self.assertGreater(len(options), 15)
        for name in ("docs/classify.1", "completions/classify.bash"):
            text = (ROOT / name).read_text().replace("Fl -", "--")
            with self.subTest(name=name):
                self.assertEqual(set(re.findall(r"--[a-z][a-z-]+", text)), options)

    @needs_root
    def test_without_rights(self):
        """auto falls back and says why in the report; ebpf refuses in one line."""
        binary = self.public_binary()
        done = run(*AS_NOBODY, binary, "--source=ebpf", "--", "echo", "ran")
        self.assert_refused(done, "sudo")
        self.assertEqual(done.stdout, b"")
        done = run(*AS_NOBODY, binary, "--json", "-o", "-", "--", "true")
        report = self.assert_is_report(done.stdout)
        self.assertEqual(report["observation"]["source"], "procfs")

    @needs_root
    def test_root_without_rights(self):
        """As in a container: to become root is no remedy for root."""
        done = run(*AS_POWERLESS_ROOT, self.public_binary(), "--source=ebpf", "--", "true")
        self.assert_refused(done, "container", "CAP_BPF")
        self.assertNotIn(b"sudo", done.stderr)

    @needs_root
    def test_kernel_without_type_information(self):
        """Refused by name through eBPF; auto falls back to /proc and says why."""
        hide = ["unshare", "--mount", "sh", "-c",
                'mount --bind /dev/null /sys/kernel/btf/vmlinux || exit 77; exec "$@"', "sh"]
        if run(*hide, "true").returncode:
            self.skipTest("nothing can be mounted over /sys/kernel/btf/vmlinux here")
        done = run(*hide, CLASSIFY, "--source=ebpf", "--", "true")
        self.assert_refused(done, "type information", "CONFIG_DEBUG_INFO_BTF")
        done = run(*hide, CLASSIFY, "-q", "--json", "-o", str(self.directory / "report"), "--", "true")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        observation = json.loads((self.directory / "report").read_text())["observation"]
        self.assertEqual(observation["source"], "procfs")
        self.assertIn("type information", observation["source_note"])


if __name__ == "__main__":
    main()
