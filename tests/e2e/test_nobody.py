#!/usr/bin/python3
"""Without any rights the lecture's samples are still judged rightly, through /proc.

Root drops to user nobody without capabilities; anybody else runs as they are. Binary and samples
are copied to where nobody can read them. CLASSIFY_E2E_REPEAT is how often each is run (default 1).
"""
import dataclasses
import os
import pathlib
import shutil
import tempfile

import harness
from harness import sample_set

AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")


class LectureAsNobody(harness.ReportTestCase):
    prefix = AS_NOBODY if os.geteuid() == 0 else ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory(prefix="classify-nobody-")
        cls.addClassCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        cls.binary = shutil.copy(harness.CLASSIFY, directory.name)
        samples = pathlib.Path(directory.name, "samples")
        shutil.copytree(sample_set.SAMPLES_DIR, samples,
                        ignore=shutil.ignore_patterns("__pycache__"))
        cls.place = dataclasses.replace(harness.PLACE, samples=str(samples))

    def check(self, sample):
        for attempt in range(harness.repeat(1)):
            with self.subTest(run=attempt + 1):
                run = harness.run_sample(sample, [], self.place, binary=self.binary,
                                         prefix=self.prefix)
                self.check_run(run)
                self.assertEqual(run.report["observation"]["source"], "procfs")
                self.check_sample(sample, run.report)


def test_of_sample(sample):
    return lambda self: self.check(sample)


for one in sample_set.load():
    if one.is_of_lecture:
        setattr(LectureAsNobody, f"test_{one.name}", test_of_sample(one))

if __name__ == "__main__":
    harness.main()
