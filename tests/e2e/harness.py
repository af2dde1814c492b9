"""What the end-to-end tests share: finding and running classify, and checking its reports.

CLASSIFY_BUILD names the build directory (default: build/), CLASSIFY the binary in it. The tests
run on at most two CPUs, so that "more workers than cores" means the same on every machine, and
ahead of other processes where permitted.
"""
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "samples"))
import sample_set  # noqa: E402  (lives beside the samples)

BUILD = pathlib.Path(os.environ.get("CLASSIFY_BUILD", ROOT / "build"))
CLASSIFY = os.environ.get("CLASSIFY", str(BUILD / "cli" / "classify"))
PLACE = sample_set.Place(binaries=str(BUILD / "samples"))
CPUS = 2
NICENESS = -15  # where permitted: ahead of ordinary processes, behind the system's own
TIMEOUT_S = 60  # of one run; only ever reached when something hangs
SKIPPED = 77  # the exit status that CTest takes for a skipped test
EXIT_OF_CLASSIFY = 125  # classify itself failed
UNEXPLAINED_SHARE = 0.02  # of waiting, that may be for no known cause
MOSTLY_BUSY = 0.1  # of wall time: a program that is quiet for less computes
SHARE_TOLERANCE = 0.001  # parts sum to their whole within this share of it


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of classify: what it printed and returned, and its report (None: it wrote none)."""
    status: int
    stdout: str
    stderr: str
    report: dict


def run_classify(options, command=(), binary=CLASSIFY, prefix=(), stdin=None, env=None):
    """Runs [prefix] classify options [-- command] and returns the Run, its report taken as JSON."""
    with tempfile.TemporaryDirectory(prefix="classify-e2e-") as directory:
        os.chmod(directory, 0o1777)  # the prefix may have made somebody else of us
        output = pathlib.Path(directory, "report.json")
        argv = [*prefix, binary, "--json", "-o", str(output), *options]
        if command:
            argv += ["--", *command]
        done = subprocess.run(argv, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, errors="replace",
                              env=env, timeout=TIMEOUT_S, check=False)
        text = output.read_text() if output.exists() else ""
    return Run(done.returncode, done.stdout, done.stderr, json.loads(text) if text else None)


def run_sample(sample, options=(), place=PLACE, **how):
    """Runs @sample under classify with all that it needs around it; @how as in run_classify."""
    with sample_set.prepared(sample, place) as ready:
        return run_classify(["-q", *options], ready.argv, stdin=ready.stdin, env=ready.env, **how)


def schema():
    done = subprocess.run([CLASSIFY, "--json-schema"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def why_no_ebpf():
    """Why this process can't use BPF here, found without classify's help; "" when it can."""
    cache = pathlib.Path(CLASSIFY).resolve().parents[1] / "CMakeCache.txt"
    if cache.exists() and "LIBBPF_FOUND:INTERNAL=1" not in cache.read_text():
        return "classify was built without libbpf 1.0, and so without eBPF"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "the kernel has no BTF (/sys/kernel/btf/vmlinux)"
    bpf = {"x86_64": 321, "aarch64": 280}.get(platform.machine())
    if bpf is None:
        return f"no BPF programs for {platform.machine()}"
    map_create, lru_hash = 0, 9  # this type of map is for those with CAP_BPF only
    attributes = (ctypes.c_uint32 * 32)(lru_hash, 4, 4, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(bpf, map_create, attributes, ctypes.sizeof(attributes))
    if fd < 0:
        return f"bpf(): {os.strerror(ctypes.get_errno())}: needs CAP_BPF and CAP_PERFMON, or root"
    os.close(fd)
    return ""


def repeat(default):
    """How often each sample is run: CLASSIFY_E2E_REPEAT, or @default where that is not set."""
    return int(os.environ.get("CLASSIFY_E2E_REPEAT", default))


class ReportTestCase(unittest.TestCase):
    """A test case that knows what holds of every report and what a sample expects of its own."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = schema()

    def check_run(self, run, status=0):
        self.assertEqual(run.status, status, f"exit status; stderr: {run.stderr}")
        self.assertIsNotNone(run.report, f"no report written; stderr: {run.stderr}")
        jsonschema.validate(run.report, self.schema)
        self.check_sums(run.report)

    def check_sums(self, report):
        """Thread time and program time each sum to their whole."""
        thread = report["thread_time"]
        parts = sum(thread[state] for state in
                    ("on_cpu_s", "run_queue_s", "throttled_s", "stopped_s"))
        parts += sum(wait["seconds"] for wait in thread["waits"])
        self.check_whole("thread time", parts, thread["wall_s"])

        program = report["program_time"]
        self.check_whole("program time",
                         program["computing_s"] + program["starved_s"] + program["quiet_s"],
                         program["wall_s"])
        self.check_whole("duration", program["wall_s"], report["observation"]["duration_s"])
        causes = sum(wait["seconds"] for wait in program["waits"]) + program["idle_s"]
        self.assertAlmostEqual(causes, program["quiet_s"],
                               delta=SHARE_TOLERANCE * program["wall_s"], msg="causes of quiet")
        if report["observation"]["source"] == "ebpf":
            self.check_starved(thread, program)

    def check_starved(self, thread, program):
        """While the program starves, a thread of it is in a run queue."""
        queued_s = thread["run_queue_s"] + thread["throttled_s"]
        self.assertLessEqual(program["starved_s"],
                             queued_s + SHARE_TOLERANCE * program["wall_s"] + 0.005)

    def check_explained(self, report):
        """Nearly all waiting is explained, the threads' and the program's."""
        program = report["program_time"]
        quiet_s = max(program["quiet_s"], MOSTLY_BUSY * program["wall_s"])
        for view, whole_s in (("thread_time", waiting_s(report)), ("program_time", quiet_s)):
            self.assertLessEqual(report[view]["unexplained_s"], UNEXPLAINED_SHARE * whole_s,
                                 f"unexplained {view}")

    def check_whole(self, what, parts_s, whole_s):
        self.assertGreater(whole_s, 0, what)
        self.assertAlmostEqual(parts_s, whole_s, delta=SHARE_TOLERANCE * whole_s, msg=what)

    def check_sample(self, sample, report):
        """The report says of @sample what samples.json knows to be true. Reports all that's off."""
        verdict, advice = report["verdict"], report["recommendation"]
        pairs = (("class", sample.verdict_class, verdict["class"]),
                 ("subclass", sample.subclass, verdict["subclass"]),
                 ("current model", sample.current, report["concurrency"]["current"]),
                 ("recommended model", sample.model, advice["model"]),
                 ("action", sample.action, advice["action"]))
        wrong = [f"{what}: {seen}, not {expected}" for what, expected, seen in pairs
                 if expected is not None and expected != seen]
        found = [finding["id"] for finding in report["findings"]]
        alarms = [finding["id"] for finding in report["findings"] if finding["severity"] != "info"]
        wrong += [f"not found: {name}" for name in sample.findings if name not in found]
        wrong += [f"false alarm: {name}" for name in alarms
                  if name not in sample.findings + sample.may_find]
        wrong += [f"found twice: {name}" for name in set(found) if found.count(name) > 1]
        if wrong:
            self.fail("; ".join(wrong) + "\n" + carrying_numbers(report))


def carrying_numbers(report):
    """The part of a report that says why it concluded what it did, to print beside a failure."""
    names = ("observation", "verdict", "recommendation", "concurrency", "program_time", "ratios", "thread_time",
             "findings")
    return json.dumps({name: report[name] for name in names}, indent=1)


def waiting_s(report):
    """Seconds that the threads waited or were stopped."""
    time = report["thread_time"]
    return sum(wait["seconds"] for wait in time["waits"]) + time["stopped_s"]


def stand_apart():
    """Makes what the samples get of this machine depend less on what else runs on it: beside a
    busy neighbour "cpu-starved" would be the right verdict, not the expected one."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CPUS])
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def main():
    """Runs the tests of the calling file; the status is SKIPPED when all were skipped."""
    stand_apart()
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    for test, reason in result.skipped:
        print(f"SKIPPED {test}: {reason}", file=sys.stderr)
    if not result.wasSuccessful():
        sys.exit(1)
    # A class that is skipped as a whole counts as skipped but not as run.
    sys.exit(SKIPPED if len(result.skipped) >= max(result.testsRun, 1) else 0)
