"""The programs with planted lines: how each is built and run, what it plants, and whether a report says
so. tests/e2e/test_lines.py and bench/lines/run share it.

A program computes at the line marked HOT and waits at the one marked WAIT, measures for itself how many
seconds it does (c/truth.h), and does other things besides. It asks partner.py, outside of its tree.
"""
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SYSTEM_PYTHON = "/usr/bin/python3"
PYENV = pathlib.Path(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions")
PYTHON_VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
TOLERANCE = 0.03  # of all that a program did, by which a line's share may be off
COMPLETE = 0.95  # of the time whose stacks are known, that reaches where it all began
BUILD_TIMEOUT_S = 300
LINE, FUNCTION, MODULE = "line", "function", "module"  # what can be known of a place


class Missing(Exception):
    """What a program needs isn't here."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """A planted line: @label is how its comment ends."""
    section: str  # of the truth
    label: str
    function: str  # its last name, without what it is in


HOT = Mark("HOT", "HOT", "hot")
WAIT = Mark("WAIT", "WAIT", "wait_here")


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    language: str
    source: str  # that has the planted lines
    run: tuple  # words with {placeholders}: see command()
    build: tuple = ()  # commands, likewise; {out} is what they make
    marks: tuple = (HOT, WAIT)
    reason: str = "network"  # of the wait that is marked WAIT
    knows: str = LINE
    is_exact: bool = True  # its truth says how long each line took
    is_brief: bool = False  # waits so briefly that being woken takes as long
    is_in_tests: bool = False  # of every change; the others are for bench/lines/run
    env: tuple = ()
    note: str = ""


def _c(name, flags, source="c/mix.c", cc="gcc", shape=(), place="{port}", after=(), **more):
    if cc == "clang":
        flags += " -fbracket-depth=2048"  # of steps.h
    build = f"{cc} -D_GNU_SOURCE {flags} {HERE / source} {HERE / 'c/truth.c'} -o {{out}} -pthread"
    return Program(name, "c", source, ("{out}", "{truth}", place, "{seconds}", *shape),
                   (tuple(build.split()), *after), **more)


def _c_programs():
    yield _c("c_O0", "-O0 -g", is_in_tests=True)
    yield _c("c_O2", "-O2 -g", is_in_tests=True)
    yield _c("c_O2_frame_pointers", "-O2 -g -fno-omit-frame-pointer")
    yield _c("c_O2_inlined", "-O2 -g -DINLINED", is_in_tests=True)
    yield _c("c_O3_lto", "-O3 -g -flto")
    yield _c("c_clang", "-O2 -g", cc="clang")
    yield _c("c_clang_inlined", "-O2 -g -DINLINED", cc="clang")
    yield _c("c_dwarf4_no_pie", "-O2 -gdwarf-4 -no-pie")
    yield _c("c_compressed_debug", "-O2 -g -gz")
    yield _c("c_static", "-O2 -g -static")
    yield _c("c_split_debug", "-O2 -g -DINLINED", after=(
        ("objcopy", "--only-keep-debug", "{out}", "{out}.debug"),
        ("strip", "-g", "{out}"),
        ("objcopy", "--add-gnu-debuglink={out}.debug", "{out}")))
    yield _c("c_no_debug", "-O2", knows=FUNCTION, is_in_tests=True)
    yield _c("c_stripped_exports", "-O2 -rdynamic -s", knows=FUNCTION)
    yield _c("c_stripped", "-O2 -s", knows=MODULE, is_in_tests=True)
    yield _c("c_fifo", "-O2 -g", place="{fifos}", reason="ipc")
    yield _c("c_threads", "-O2 -g", "c/threads.c", is_in_tests=True)
    waits = {"short": ("wait_briefly",), "uneven": ("wait_long", "wait_short"),
             "stdio": ("stdio_long", "stdio_short"), "helper": ("answered",)}
    for shape, functions in waits.items():
        marks = [Mark(section, f"{shape} {section}", function)
                 for section, function in zip(("WAIT", "WAIT2"), functions)]
        yield _c(f"c_waits_{shape}", "-O2 -g", "c/waits.c", shape=(shape,), marks=(HOT, *marks),
                 is_brief=shape == "short", is_in_tests=shape == "short")


def _other_compiled():
    truth = ("gcc", "-c", "-O2", "-D_GNU_SOURCE", str(HERE / "c/truth.c"), "-o", "{out}.truth.o")
    for name, compiler, flags in (("cpp_O2", "g++", "-O2"), ("cpp_O0", "g++", "-O0"),
                                  ("cpp_clang", "clang++", "-O2 -fbracket-depth=2048")):
        yield Program(name, "c++", "cpp/mix.cpp", ("{out}", "{truth}", "{port}", "{seconds}"),
                      (truth, (compiler, "-g", *flags.split(), str(HERE / "cpp/mix.cpp"), "{out}.truth.o",
                               "-o", "{out}", "-pthread")), is_in_tests=name == "cpp_O2")
    for name, flags in (("rust", ("-C", "debuginfo=1")),
                        ("rust_debug", ("-C", "opt-level=0", "-C", "debuginfo=2"))):
        yield Program(name, "rust", "rust/mix.rs", ("{out}", "{truth}", "{port}", "{seconds}"),
                      (("rustc", "-O", *flags, "-o", "{out}", str(HERE / "rust/mix.rs")),),
                      is_in_tests=name == "rust")
    build = (("go", "build", "-o", "{out}", str(HERE / "go/mix.go")),)
    run = ("{out}", "{truth}", "{port}", "{seconds}")
    yield Program("go", "go", "go/mix.go", (*run, "thread"), build,
                  (HOT, Mark("WAIT", "WAIT", "waitHere")))
    yield Program("go_net", "go", "go/mix.go", (*run, "net"), build,
                  (HOT, Mark("WAIT", "net WAIT", "waitNet")), is_exact=False,
                  is_in_tests=True,
                  note="waits through the runtime's poller, for many goroutines at once")


def _python(name, script, python=SYSTEM_PYTHON, **more):
    return Program(name, "python", f"python/{script}.py",
                   (python, "-B", str(HERE / f"python/{script}.py"), "{truth}", "{port}",
                    "{seconds}", *more.pop("words", ())), **more)


def _python_programs():
    two = (HOT, WAIT, Mark("WAIT2", "WAIT2", "nap"))
    yield _python("python_mix", "mix", is_in_tests=True)
    yield _python("python_forms", "forms", marks=(HOT, Mark("WAIT", "WAIT", "answers")))
    yield _python("python_threads", "threads", is_in_tests=True)
    yield _python("python_tasks", "tasks", marks=two)
    yield _python("python_crowd", "crowd", is_exact=False)
    for method in ("fork", "spawn"):
        yield dataclasses.replace(
            _python(f"python_{method}", "processes", words=(method,)), source="python/mix.py")
    for which in ("frees", "keeps"):
        yield _python(f"numpy_{which}", "arrays", words=(which,), is_in_tests=which == "frees",
                      marks=(Mark("HOT", f"{which} HOT", f"hot_{which}"), WAIT))
    for version in PYTHON_VERSIONS:
        python = _pyenv_python(version)
        short = version.replace(".", "")
        yield _python(f"python{short}", "mix", python, is_in_tests=True)
        yield _python(f"python{short}_forms", "forms", python,
                      marks=(HOT, Mark("WAIT", "WAIT", "answers")))
        yield _python(f"python{short}_threads", "threads", python)
        yield _python(f"python{short}_tasks", "tasks", python, marks=two)


def _pyenv_python(version):
    """The newest of @version there is; a path that doesn't exist if there is none."""
    found = [path for path in PYENV.glob(f"{version}.*") if path.is_dir()]
    found.sort(key=lambda path: [int(part) if part.isdigit() else 0
                                 for part in path.name.split(".")])
    return str((found[-1] if found else PYENV / version) / "bin" / "python")


def _jit_programs():
    node = ("node", "--perf-basic-prof", "--interpreted-frames-native-stack",
            "--no-logfile-per-isolate", "--logfile={truth}.v8",
            str(HERE / "node/mix.js"), "{truth}")
    yield Program("node", "jit", "node/mix.js", (*node, "{fifos}", "{seconds}", "sync"),
                  marks=(HOT, Mark("WAIT", "WAIT", "waitHere")), reason="ipc", knows=FUNCTION,
                  is_in_tests=True)
    yield Program("node_loop", "jit", "node/mix.js", (*node, "{port}", "{seconds}", "loop"),
                  marks=(HOT,), is_exact=False, knows=FUNCTION,
                  note="an event loop that waits runs no JavaScript: the wait is nobody's line")
    # Only compiled methods have a name: all of them are, in haste.
    java = ("java", "-XX:+PreserveFramePointer", "-Xcomp", "-XX:TieredStopAtLevel=1",
            "-XX:-Inline", "-cp", "{out}", "Mix")
    yield Program("java", "jit", "java/Mix.java", (*java, "{truth}", "{port}", "{seconds}"),
                  (("javac", "-d", "{out}", str(HERE / "java/Mix.java")),),
                  marks=(HOT, Mark("WAIT", "WAIT", "waitHere")), knows=FUNCTION)


def load():
    return [*_c_programs(), *_other_compiled(), *_python_programs(), *_jit_programs()]


def line_of(program, mark):
    """The number of the line that ends with @mark's comment."""
    pattern = re.compile(r"(//|#|/\*) %s( \*/)?$" % re.escape(mark.label))
    lines = (HERE / program.source).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if pattern.search(line))


def build(program, directory):
    """Builds @program below @directory unless it is there already; returns what was made. Raises
    Missing, or CalledProcessError."""
    for command in (*program.build, program.run):
        if command[0] != "{out}" and not shutil.which(command[0]):
            raise Missing(f"there is no {command[0]} here")
    if program.name.startswith("numpy"):
        asked = [program.run[0], "-c", "import numpy"]
        if subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode:
            raise Missing("there is no NumPy here")
    if not program.build:
        return ""
    digest = hashlib.sha256(repr(program.build).encode())
    for path in sorted([*(HERE / "c").iterdir(), HERE / program.source]):
        digest.update(path.read_bytes())
    out = pathlib.Path(directory, f"{program.name}-{digest.hexdigest()[:12]}")
    done = out / "built"
    if not done.exists():
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        for command in program.build:
            words = [word.format(out=out / program.name) for word in command]
            subprocess.run(words, check=True, timeout=BUILD_TIMEOUT_S, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, cwd=out, env=dict(os.environ, GOFLAGS=""))
        done.touch()
    return str(out / program.name)


@contextlib.contextmanager
def partner():
    """Yields the port and the directory of FIFOs of a running partner.py."""
    with tempfile.TemporaryDirectory(prefix="classify-lines-") as directory:
        os.chmod(directory, 0o755)
        server = subprocess.Popen([SYSTEM_PYTHON, str(HERE / "partner.py"), directory],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with server:
            try:
                yield int(server.stdout.readline()), directory
            finally:
                server.terminate()


@contextlib.contextmanager
def prepared(program, built, seconds):
    """Yields the words of @program's command and a function that returns its truth once it ran."""
    with partner() as (port, fifos), tempfile.TemporaryDirectory(prefix="classify-truth-") as place:
        os.chmod(place, 0o1777)
        path = pathlib.Path(place, "truth.json")
        words = [word.format(out=built, truth=path, port=port, fifos=fifos, seconds=seconds)
                 for word in program.run]
        yield words, lambda: _sum([json.loads(line) for line in path.read_text().splitlines()])


def _sum(processes):
    if not processes:
        raise RuntimeError("the program wrote no truth")
    return {section: {kind: sum(process[section][kind] for process in processes)
                      for kind in processes[0][section]} for section in processes[0]}


def last_name(function):
    """"hot" of planted::hot<int>(int), Computer.hot, main.hot, hot.<locals>.<lambda>, hot.constprop.0,
    "*hot mix.js:35:13"."""
    name = re.sub(r"\(.*|<.*?>|\.(constprop|isra|part|cold|lto_priv)\b.*| .*", "",
                  re.sub(r"^(JS|LazyCompile|Function|Script):", "", function))
    parts = [part for part in re.split(r"::|\.|/|;", name.strip("*~^+ ")) if part]
    if re.fullmatch(r"h[0-9a-f]{16}", parts[-1] if parts else ""):
        parts.pop()  # that Rust adds
    return parts[-1] if parts else ""


def is_at(program, built, mark, spot):
    """Whether @spot of a report is where @mark is planted."""
    if program.knows == MODULE:
        return os.path.basename(spot["module"] or "") == os.path.basename(built)
    if last_name(spot["function"] or "") != mark.function:
        return False
    return program.knows == FUNCTION or (
        spot["line"] == line_of(program, mark)
        and os.path.basename(spot["file"] or "") == os.path.basename(program.source))


def compare(program, built, report, truth):
    """[(mark, true share, reported share)] of all that the program did, by its own account."""
    whole_s = sum(times["cpu_s"] + times["wait_s"] for times in truth.values())
    rows = []
    for mark in program.marks:
        is_hot = mark.section == "HOT"
        true_s = truth[mark.section]["cpu_s" if is_hot else "wait_s"]
        if program.is_brief and mark.section == "WAIT":
            true_s -= woken_s(report, truth)
        reported_s = sum(spot["seconds"] for spot in report["hot_spots"]
                         if (spot["kind"] == "on-cpu") == is_hot
                         and is_at(program, built, mark, spot))
        rows.append((mark, true_s / whole_s, reported_s / whole_s))
    return rows


def woken_s(report, truth):
    """Seconds between being woken and entering a run queue: the kernel's accounts, by which programs
    measure themselves, have them as waiting, and classify as being in the run queue."""
    return report["thread_time"]["run_queue_s"] - sum(one["delay_s"] for one in truth.values())


def clean(report):
    """Removes what engines leave behind for profilers."""
    pathlib.Path(f"/tmp/perf-{report['target']['pid']}.map").unlink(missing_ok=True)


def what_is_wrong(program, built, report, truth, tolerance=TOLERANCE):
    """One line for each thing that @report doesn't say of @program as it is true; [] if all is well."""
    wrong = []
    for mark in program.marks[:2]:
        kind = "on-cpu" if mark.section == "HOT" else "wait"
        spots = [spot for spot in report["hot_spots"] if spot["kind"] == kind]
        if not spots:
            wrong.append(f"no {kind} hot spot")
            continue
        if not is_at(program, built, mark, spots[0]):
            wrong.append(f"first {kind}: {place(spots[0])}, not {mark.function} at "
                         f"{program.source}:{line_of(program, mark)}")
        if kind == "wait" and spots[0]["reason"] != program.reason:
            wrong.append(f"waits for {spots[0]['reason']}, not {program.reason}")
    if program.is_exact and program.knows != MODULE:
        wrong += [f"{mark.label}: {reported:.1%} of all, not {true:.1%}"
                  for mark, true, reported in compare(program, built, report, truth)
                  if abs(true - reported) > tolerance]
    complete = report["observation"]["stacks"]["complete_share"]
    if complete is None or complete < COMPLETE:
        wrong.append(f"complete stacks: {complete}")
    return wrong


def place(spot):
    return (f"{spot['function']} {spot['file']}:{spot['line']} in {spot['module']} "
            f"({spot['seconds']:.2f} s {spot['reason'] or spot['kind']})")


if __name__ == "__main__":
    for one in load():
        print(one.name, "(in tests)" if one.is_in_tests else "", one.note)
    sys.exit(0)
