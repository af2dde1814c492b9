"""Services for test_services.py to attach to, and clients that keep a log of what they asked.

Everything runs on free ports of 127.0.0.1 and in temporary directories, and is killed by the test's
clean-up. Logs hold instants of time.time(), as started_at of a report does, so that what was
offered is counted inside the window that was observed and nowhere else.
"""
import contextlib
import datetime
import glob
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAMS = pathlib.Path(__file__).resolve().parent / "service_programs.py"
HOST = "127.0.0.1"
DEADLINE_S = 20  # for a state that a test waits for; only ever reached when something hangs
TICK_S = 0.01


def go_ahead(priority):
    """Ahead of all that is not real-time, where permitted: what else runs on this machine must not
    change what is measured."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


def go_ahead_of_all():
    """Whoever offers a load must not wait for a CPU, or the load is another than it says."""
    go_ahead(2)


def go_next():
    """A server, which is short of CPUs only where its clients make it so."""
    go_ahead(1)


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise unittest.SkipTest(f"{name} is not installed: scripts/setup --test")
    return found


def until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"gave up waiting until {what}")
        time.sleep(TICK_S)


def free_port():
    with socket.socket() as one:
        one.bind((HOST, 0))
        return one.getsockname()[1]


def accepts(port):
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0


def start(test, argv, **how):
    """Starts @argv, to be killed with all that it leaves in its process group."""
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
           "stderr": subprocess.DEVNULL, "start_new_session": True, **how}
    process = subprocess.Popen(argv, **how)
    test.addCleanup(end, process)
    return process


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


def directory(test, owner=None):
    place = tempfile.mkdtemp(prefix="classify-services-")
    test.addCleanup(shutil.rmtree, place, ignore_errors=True)
    if owner:
        shutil.chown(place, owner, owner)
    return pathlib.Path(place)


def start_program(test, mode, *arguments, priority=go_next):
    """A mode of service_programs.py; returns the process and the numbers that it announced."""
    process = start(test, [sys.executable, "-I", "-B", str(PROGRAMS), mode, *map(str, arguments)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True,
                    preexec_fn=priority)
    return process, [int(number) for number in process.stdout.readline().split()]


class Upstream:
    """The slow service at the far end; served() ends it and tells when it worked on what."""

    def __init__(self, test, delay_s):
        self.delay_s = delay_s
        self.process, (self.port,) = start_program(test, "upstream", delay_s,
                                                   priority=go_ahead_of_all)

    def served(self):
        printed, _ = self.process.communicate()
        return [tuple(one) for one in json.loads(printed)]


class Clients:
    """@cnt clients that each ask @port, wait for the answer and stay away for @gap_s, over again;
    each is a tenth slower at that than the one before, so that they don't fall into step. A
    context: they ask while it lasts, and at least two answers have come when it begins."""

    def __init__(self, port, cnt=1, gap_s=0):
        self.port = port
        self.asked = []  # (sent, received) of each request
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(gap_s * (1 + i / 10),),
                                         daemon=True) for i in range(cnt)]

    def run(self, gap_s):
        go_ahead_of_all()
        while not self.stopped.is_set():
            begin = time.time()
            with socket.create_connection((HOST, self.port), timeout=DEADLINE_S) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\nHost: service\r\n\r\n")
                while connection.recv(4096):
                    pass
            self.asked.append((begin, time.time()))
            self.stopped.wait(gap_s)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        until(lambda: len(self.asked) >= 2, "the service answers")
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


class Window:
    """The time that a report is about."""

    def __init__(self, report):
        whole, _, fraction = report["started_at"].rstrip("Z").partition(".")
        second = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
        self.begin = second + float("0." + (fraction or "0"))
        self.end = self.begin + report["observation"]["duration_s"]

    def inside(self, begin, end):
        """How much of an interval lies inside."""
        return max(0.0, min(end, self.end) - max(begin, self.begin))

    def seconds(self, intervals):
        return sum(self.inside(*one) for one in intervals)

    def count(self, intervals):
        """How many of them; of one that lies across a border, its part."""
        return sum(self.inside(*one) / (one[1] - one[0]) for one in intervals)

    def covered(self, intervals):
        """How long at least one of them lasted."""
        total, reached = 0.0, self.begin
        for begin, end in sorted(intervals):
            total += self.inside(max(begin, reached), end)
            reached = max(reached, end)
        return total


def cpu_clock_s(pid):
    """CPU time of a process and of its threads, those that have ended, too. The clock's number is
    the one that clock_getcpuclockid() makes."""
    return time.clock_gettime((~pid << 3) | 2)


def cpu_s(pid):
    """CPU time of a process and of its children, as far as it has any."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        pids = [pid, *map(int, children.read().split())]
    total = 0
    for one in pids:
        with contextlib.suppress(OSError):  # it has ended
            total += cpu_clock_s(one)
    return total


def until_busy(pid):
    before = cpu_s(pid)
    until(lambda: cpu_s(pid) > before + 0.05, f"process {pid} is under load")


def start_redis(test):
    """Returns its process and port."""
    port, place = free_port(), directory(test)
    server = start(test, [program("redis-server"), "--port", str(port), "--bind", HOST, "--save",
                          "", "--daemonize", "no", "--dir", str(place)])
    until(lambda: accepts(port), "redis accepts connections")
    return server, port


NGINX_CONFIGURATION = """
worker_processes 1; daemon off; pid {place}/pid; error_log {place}/error.log;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    server {{ listen {host}:{port}; location / {{ {action}; }} }}
}}
"""


def start_nginx(test, action, priority=None):
    """One worker that answers every request by @action; returns its master's process and port."""
    port, place = free_port(), directory(test)
    os.chmod(place, 0o755)
    configuration = place / "nginx.conf"
    configuration.write_text(NGINX_CONFIGURATION.format(place=place, host=HOST, port=port,
                                                        action=action))
    server = start(test, [program("nginx"), "-c", str(configuration)], preexec_fn=priority)
    until(lambda: accepts(port), "nginx accepts connections")
    return server, port


class Postgres:
    """A cluster of its own, filled for pgbench; it refuses to run as root, so as its own user."""

    SLEEP_S = 0.02

    def __init__(self, test):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        if not found:
            raise unittest.SkipTest("PostgreSQL is not installed: scripts/setup --test")
        self.test, self.bin = test, pathlib.Path(found[-1]).parent
        self.user = []
        owner = None
        if os.geteuid() == 0:
            owner = next(user for user in ("postgres", "nobody") if self.has_user(user))
            self.user = [program("setpriv"), f"--reuid={owner}", f"--regid={pwd.getpwnam(owner)[3]}",
                         "--clear-groups", "--"]
        self.place, self.port = directory(test, owner), free_port()
        self.sleep = self.place / "sleep.sql"
        self.sleep.write_text(f"SELECT pg_sleep({self.SLEEP_S});\n")
        os.chmod(self.place, 0o755)
        data = str(self.place / "data")
        self.run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        self.server = start(test, [*self.user, str(self.bin / "postgres"), "-D", data, "-k",
                                   str(self.place), "-p", str(self.port), "-c",
                                   f"listen_addresses={HOST}"], cwd=self.place)
        until(lambda: self.run("pg_isready", "-h", HOST, "-p", str(self.port), check=False) == 0,
              "PostgreSQL is ready")
        self.run("pgbench", *self.at(HOST), "-i", "-s", "1", "--quiet")

    @staticmethod
    def has_user(name):
        try:
            pwd.getpwnam(name)
        except KeyError:
            return False
        return True

    def run(self, name, *arguments, check=True):
        done = subprocess.run([*self.user, str(self.bin / name), *arguments], cwd=self.place,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, universal_newlines=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{name}: {done.stderr}")
        return done.returncode

    def at(self, host):
        return ("-h", str(host), "-p", str(self.port), "-U", "postgres", "postgres")

    def bench_argv(self, host, *arguments):
        return [str(self.bin / "pgbench"), *self.at(host), "-n", *arguments]

    def start_bench(self, host, *arguments):
        """pgbench, once it has connected; transactions() of what it logs tells what it did."""
        prefix = self.place / "log"
        bench = start(self.test, [*self.user, *self.bench_argv(host, "-l", f"--log-prefix={prefix}",
                                                               *arguments)], cwd=self.place)
        until(lambda: glob.glob(f"{prefix}.*"), "pgbench writes its log")
        return bench

    def transactions(self):
        """(begin, end) of each. Logged are latency (with the lag behind its schedule, if it has
        one) and the end in seconds and microseconds."""
        done = []
        for name in glob.glob(str(self.place / "log.*")):
            for line in pathlib.Path(name).read_text().splitlines(keepends=True):
                if not line.endswith("\n"):
                    break  # being written
                fields = [int(field) for field in line.split()]
                took_us = fields[2] - (fields[6] if len(fields) > 6 else 0)
                end_s = fields[4] + fields[5] / 1e6
                done.append((end_s - took_us / 1e6, end_s))
        return done
