#!/usr/bin/python3
"""Real servers, attached to while idle and under load: the split between idle, upstream and CPU is
the one that the load makes, within 5%.

What was offered is counted inside the observed window from the logs of those who offered it: the
upstream (when it worked on each request) and the clients.
"""
import pathlib
import unittest

import harness
import services

TOLERANCE_SHARE = 0.05
DELAY_S, BURN_S, GAP_S = 0.05, 0.03, 0.04
SEQUENTIAL_S, CONCURRENT_S, LOADED_S, IDLE_S = 5, 3, 2, 1.5
IDLE_SHARE = 0.97


def reason_s(view, reason):
    return sum(wait["seconds"] for wait in view["waits"] if wait["reason"] == reason)


class ServiceTestCase(harness.ReportTestCase):
    def attach(self, pid, duration_s):
        run = harness.run_classify(["-q", "--source", "ebpf", "-d", str(duration_s),
                                    "-p", str(pid)])
        self.check_run(run)
        return run.report

    def check_near(self, what, reported_s, offered_s, report, slack_s=0.0):
        if abs(reported_s - offered_s) > TOLERANCE_SHARE * offered_s + slack_s:
            self.fail(f"{what}: {reported_s:.3f} s reported, {offered_s:.3f} s offered\n"
                      + harness.carrying_numbers(report))

    def check_idle(self, report):
        program = report["program_time"]
        self.assertEqual(report["verdict"]["class"], "idle", harness.carrying_numbers(report))
        self.assertGreater(program["idle_s"], IDLE_SHARE * program["wall_s"],
                           harness.carrying_numbers(report))
        self.check_no_results(report)

    def check_quiet(self, report, asked):
        """Idle is when no request is there. What a server does after its answer falls into that
        time, too, and so does what it starves meanwhile."""
        program = report["program_time"]
        self.check_near("idle", program["idle_s"],
                        program["wall_s"] - services.Window(report).covered(asked), report,
                        program["starved_s"])

    def check_no_results(self, report, reasons=("network", "ipc", "disk", "device")):
        """Nobody was waited for: nothing is charged to I/O."""
        program = report["program_time"]
        for reason in reasons:
            self.assertLess(reason_s(program, reason), 0.01 * program["wall_s"],
                            f"{reason}\n" + harness.carrying_numbers(report))

    def check_busy(self, report):
        """Limited by its CPUs and nothing else: the rest of the time the clients were slower."""
        program = report["program_time"]
        self.assertIn(report["verdict"]["class"], ("cpu-bound", "cpu-starved"),
                      harness.carrying_numbers(report))
        self.check_no_results(report)
        accounted_s = program["computing_s"] + program["starved_s"] + program["idle_s"]
        self.assertGreater(accounted_s, 0.97 * program["wall_s"],
                           harness.carrying_numbers(report))


    def check_far_end(self, report, reason, process):
        """The process that was waited for is named."""
        comm = pathlib.Path(f"/proc/{process.pid}/comm").read_text().strip()
        wait = next(wait for wait in report["thread_time"]["waits"] if wait["reason"] == reason)
        self.assertEqual(wait["objects"][0]["far_end"], f"{comm}[{process.pid}]")


class Servers(ServiceTestCase):
    """Programs of others."""

    def test_redis(self):
        server, port = services.start_redis(self)
        self.check_idle(self.attach(server.pid, IDLE_S))
        services.start(self, [services.program("redis-benchmark"), "-p", str(port), "-t", "get,set",
                              "-n", "100000000", "-q"])
        services.until_busy(server.pid)
        self.check_busy(self.attach(server.pid, LOADED_S))

    def test_nginx(self):
        server, port = services.start_nginx(self, 'return 200 "served\\n"')
        self.check_idle(self.attach(server.pid, IDLE_S))
        services.start(self, [services.program("wrk"), "-d", "60", "-t", "1", "-c", "16",
                              f"http://{services.HOST}:{port}/"])
        services.until_busy(server.pid)
        self.check_busy(self.attach(server.pid, LOADED_S))

    def test_nginx_as_proxy(self):
        upstream = services.Upstream(self, DELAY_S)
        server, port = services.start_nginx(
            self, f"proxy_pass http://{services.HOST}:{upstream.port}", services.go_next)
        with services.Clients(port, gap_s=GAP_S) as clients:
            report = self.attach(server.pid, SEQUENTIAL_S)
        self.check_far_end(report, "network", upstream.process)
        window = services.Window(report)
        program = report["program_time"]
        served = upstream.served()
        self.check_near("upstream", reason_s(program, "network"),
                        window.count(served) * DELAY_S, report)
        self.check_quiet(report, clients.asked)

    def test_postgres(self):
        database = services.Postgres(self)
        with self.subTest("idle"):
            self.check_idle(self.attach(database.server.pid, IDLE_S))
        with self.subTest("asked now and then"):
            database.start_bench(services.HOST, "-R", "40", "-c", "2", "-T", "60")
            # A request that comes while a helper looks around makes its nap count, for 50 ms or so.
            report = self.attach(database.server.pid, SEQUENTIAL_S)
            program = report["program_time"]
            self.check_no_results(report, ("network", "ipc", "device"))
            self.assertGreater(program["idle_s"] + reason_s(program, "disk"),
                               0.95 * (program["wall_s"] - program["starved_s"]),
                               harness.carrying_numbers(report))


class PostgresClient(ServiceTestCase):
    """pgbench, whose every transaction takes 20 ms in the server, at 25 of them a second."""

    ARGUMENTS = ("-R", "25", "-c", "1")

    def check_transactions(self, report, database, reason):
        window = services.Window(report)
        program = report["program_time"]
        transactions = database.transactions()
        offered_s = window.count(transactions) * database.SLEEP_S
        self.assertGreater(window.count(transactions), 50)
        self.check_near(reason, reason_s(program, reason), offered_s, report)
        self.check_near("sleeping until the next", reason_s(program, "timer"),
                        program["wall_s"] - window.seconds(transactions), report)
        self.assertEqual(program["idle_s"], 0)

    def attached(self, host_of, reason):
        database = services.Postgres(self)
        bench = database.start_bench(host_of(database), *self.ARGUMENTS, "-T", "6",
                                     "-f", str(database.sleep))
        report = self.attach(bench.pid, SEQUENTIAL_S - 1)
        self.check_far_end(report, reason, database.server)
        bench.wait()
        self.check_transactions(report, database, reason)

    def test_attached_over_tcp(self):
        self.attached(lambda _: services.HOST, "network")

    def test_attached_over_a_unix_socket(self):
        self.attached(lambda database: database.place, "ipc")


class CallsUpstream(ServiceTestCase):
    """Services in Python whose every request burns CPU and calls a slow upstream."""

    def observe_one_by_one(self, mode, pid_of=lambda process, workers: process.pid,
                           duration_s=SEQUENTIAL_S):
        """One client that stays away for a while after each answer. Returns the report, what the
        upstream served, what the client asked, and the CPU time of each request, all in all."""
        upstream = services.Upstream(self, DELAY_S)
        process, (port, *workers) = services.start_program(self, mode, upstream.port, BURN_S)
        before_s = services.cpu_s(process.pid)
        with services.Clients(port, gap_s=GAP_S) as clients:
            report = self.attach(pid_of(process, workers), duration_s)
        request_s = (services.cpu_s(process.pid) - before_s) / len(clients.asked)
        self.assertGreaterEqual(request_s, BURN_S)
        return report, upstream.served(), clients.asked, request_s

    def check_one_by_one(self, mode):
        report, served, asked, request_s = self.observe_one_by_one(mode)
        window = services.Window(report)
        program = report["program_time"]
        burnt = [(begin - BURN_S, begin) for begin, _ in served]
        self.check_near("upstream", reason_s(program, "network"), window.count(served) * DELAY_S,
                        report)
        self.check_near("CPU", program["computing_s"], window.count(burnt) * request_s, report)
        self.check_quiet(report, asked)

    def observe_at_once(self, mode, cnt=8, gap_s=0, burn_s=0.002):
        upstream = services.Upstream(self, DELAY_S)
        process, (port, *_) = services.start_program(self, mode, upstream.port, burn_s)
        with services.Clients(port, cnt, gap_s) as clients:
            report = self.attach(process.pid, CONCURRENT_S)
        return report, upstream.served(), clients.asked

    def test_threads_one_by_one(self):
        self.check_one_by_one("threaded")

    def test_asyncio_one_by_one(self):
        self.check_one_by_one("asyncio")

    def test_prefork_one_by_one(self):
        self.check_one_by_one("prefork")

    def test_reuseport_one_by_one(self):
        self.check_one_by_one("reuseport")

    def check_one_worker(self, mode):
        """Attached to alone: its share of the requests isn't known, but what each took is."""
        report, _, _, request_s = self.observe_one_by_one(mode, lambda _, workers: workers[0])
        program = report["program_time"]
        network = next(wait for wait in report["thread_time"]["waits"]
                       if wait["reason"] == "network")
        self.assertEqual(report["target"]["processes_peak"], 1)
        self.assertGreater(network["count"], 5)
        self.check_near("upstream", network["seconds"], network["count"] * DELAY_S, report, DELAY_S)
        self.check_near("CPU", program["computing_s"], network["count"] * request_s, report,
                        request_s)
        self.check_near("upstream of the program", reason_s(program, "network"),
                        network["seconds"], report)
        self.check_near("idle", program["idle_s"],
                        program["wall_s"] - program["computing_s"] - program["starved_s"]
                        - network["seconds"], report)

    def test_one_worker_of_prefork(self):
        self.check_one_worker("prefork")

    def test_one_worker_of_reuseport(self):
        self.check_one_worker("reuseport")

    def test_threads_at_once(self):
        report, served, _ = self.observe_at_once("threaded")
        window = services.Window(report)
        self.check_near("upstream, thread by thread", reason_s(report["thread_time"], "network"),
                        window.seconds(served), report)
        self.check_near("upstream", window.seconds(served), window.count(served) * DELAY_S, report)
        self.assertLess(report["program_time"]["idle_s"], 0.05 * report["program_time"]["wall_s"])

    def test_asyncio_at_once(self):
        report, _, _ = self.observe_at_once("asyncio")
        program = report["program_time"]
        self.check_near("upstream", reason_s(program, "network"),
                        program["wall_s"] - program["computing_s"] - program["starved_s"], report)

    def check_with_gaps(self, mode, tolerance_share):
        """What comes while others are being served doesn't make the time before it idle."""
        report, _, asked = self.observe_at_once(mode, cnt=4, gap_s=2 * DELAY_S)
        program = report["program_time"]
        busy_s = services.Window(report).covered(asked)
        slack_s = tolerance_share * program["wall_s"]
        for what, reported_s, offered_s in (
                ("idle", program["idle_s"], program["wall_s"] - busy_s),
                ("upstream", reason_s(program, "network"),
                 busy_s - program["computing_s"] - program["starved_s"])):
            if abs(reported_s - offered_s) > slack_s:
                self.fail(f"{what}: {reported_s:.3f} s reported, {offered_s:.3f} s offered\n"
                          + harness.carrying_numbers(report))

    def test_threads_with_gaps(self):
        self.check_with_gaps("threaded", TOLERANCE_SHARE)

    def test_asyncio_with_gaps(self):
        # An answer that comes while the loop computes ends no wait: what was quiet before it and
        # ended by another request stays idle.
        self.check_with_gaps("asyncio", 2 * TOLERANCE_SHARE)


def load_tests(loader, _tests, _pattern):
    """Not the common base."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (Servers, PostgresClient, CallsUpstream))


def setUpModule():
    if harness.why_no_ebpf():
        raise unittest.SkipTest(f"eBPF is not to be had here: {harness.why_no_ebpf()}")


if __name__ == "__main__":
    harness.main()
