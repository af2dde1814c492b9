#!/usr/bin/python3
"""Exports of stacks: where they go, what they are refused for, and that they tell what JSON tells."""
import pathlib

from support import (AS_NOBODY, CLASSIFY, ROOT, CommandLineTestCase, Terminal, main, needs_root, run)

FORMATS = ("folded", "speedscope", "pprof")
WITHOUT_STACKS = str(ROOT / "tests" / "recordings" / "ebpf" / "gcc.json")


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

    def test_options_that_exclude_exports(self):
        for options, part in ((["--no-stacks"], "--no-stacks"), (["--source=procfs"], "procfs")):
            for export in FORMATS:
                with self.subTest(options=options, export=export):
                    done = run(CLASSIFY, "-f", export, "-o", str(self.report), *options, "--",
                               "touch", str(self.marker))
                    self.assert_refused(done, f"--format={export}", part)
                    self.assertFalse(self.marker.exists())
                    self.assertFalse(self.report.exists())


if __name__ == "__main__":
    main()
