"""Threads of real CPython that compute under the GIL and sleep in turn: what N of them take for what
one takes, for the simulation in analyzer/replay to be compared with. Prints a JSON line per case:
lengths as one thread alone sees them, and the throughput of N threads as a multiple of one's.
"""
import json
import os
import statistics
import sys
import threading
import time

PATTERNS_MS = [(1, 1), (0.1, 1), (5, 5), (0.2, 10), (20, 20)]
THREADS = [2, 4, 8, 16, 32]
RUN_S = 1.5
ROUNDS = 5
QUIET_SHARE = 0.08  # of all CPUs: a run during which others took more is repeated
MAX_REPEATS = 6


def spin(count):
    while count:
        count -= 1


def count_for(length_s):
    count = 100000
    best = min(timed(spin, count) for _ in range(30))
    return max(1, int(count * length_s / best))


def timed(function, argument):
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


def machine_busy_s():
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def operations(count, pause_s, until, done):
    operation_cnt = 0
    while time.perf_counter() < until:
        spin(count)
        if pause_s:
            time.sleep(pause_s)
        operation_cnt += 1
    done.append(operation_cnt)


def throughput(threads, run_s):
    """@threads: (count, pause) of each. Operations per second of each, and others' share of the
    machine meanwhile."""
    busy, own, start = machine_busy_s(), time.process_time(), time.perf_counter()
    results = [[] for _ in threads]
    running = [threading.Thread(target=operations, args=(count, pause, start + run_s, done))
               for (count, pause), done in zip(threads, results)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    wall = time.perf_counter() - start
    others = (machine_busy_s() - busy - (time.process_time() - own)) / (wall * os.cpu_count())
    return [done[0] / wall for done in results], others


def quiet_throughput(threads, run_s=RUN_S):
    best = None
    for _ in range(MAX_REPEATS):
        rates, others = throughput(threads, run_s)
        if best is None or others < best[1]:
            best = rates, others
        if best[1] < QUIET_SHARE:
            break
        time.sleep(1)
    return best


def solo_lengths(count, pause_s, run_s=0.5):
    """Mean compute and mean sleep of a thread that is alone."""
    computed = slept = 0
    operation_cnt = 0
    until = time.perf_counter() + run_s
    start = time.perf_counter()
    while start < until:
        spin(count)
        middle = time.perf_counter()
        time.sleep(pause_s)
        end = time.perf_counter()
        computed += middle - start
        slept += end - middle
        start = end
        operation_cnt += 1
    return computed / operation_cnt, slept / operation_cnt


def pattern(compute_ms, pause_ms, thread_cnts):
    count = count_for(compute_ms / 1e3)
    rows = {n: [] for n in thread_cnts}
    computes, pauses, others_max = [], [], 0
    for _ in range(ROUNDS):
        compute, pause = solo_lengths(count, pause_ms / 1e3)
        computes.append(compute)
        pauses.append(pause)
        alone, others = quiet_throughput([(count, pause_ms / 1e3)])
        others_max = max(others_max, others)
        for n in thread_cnts:
            rates, others = quiet_throughput([(count, pause_ms / 1e3)] * n)
            others_max = max(others_max, others)
            rows[n].append(sum(rates) / alone[0])
    for n in thread_cnts:
        print(json.dumps({"pattern": "pool", "threads": n,
                          "compute_ms": statistics.median(computes) * 1e3,
                          "pause_ms": statistics.median(pauses) * 1e3,
                          "nominal": f"{compute_ms}/{pause_ms} ms",
                          "measured": statistics.median(rows[n]),
                          "spread": [min(rows[n]), max(rows[n])],
                          "others": round(others_max, 3)}), flush=True)


def convoy(compute_ms, pause_ms):
    """One thread that never waits beside one that does: what is left of the latter's rate."""
    count = count_for(compute_ms / 1e3)
    spinning = count_for(0.02)
    ratios, computes, pauses, others_max = [], [], [], 0
    for _ in range(ROUNDS):
        compute, pause = solo_lengths(count, pause_ms / 1e3)
        computes.append(compute)
        pauses.append(pause)
        alone, _ = quiet_throughput([(count, pause_ms / 1e3)])
        beside, others = quiet_throughput([(count, pause_ms / 1e3), (spinning, 0)])
        others_max = max(others_max, others)
        ratios.append(beside[0] / alone[0])
    print(json.dumps({"pattern": "convoy", "threads": 2,
                      "compute_ms": statistics.median(computes) * 1e3,
                      "pause_ms": statistics.median(pauses) * 1e3,
                      "nominal": f"{compute_ms}/{pause_ms} ms beside a spinner",
                      "measured": statistics.median(ratios),
                      "spread": [min(ratios), max(ratios)],
                      "others": round(others_max, 3)}), flush=True)


def main():
    thread_cnts = [int(n) for n in sys.argv[1:]] or THREADS
    convoy(0.05, 0.05)
    convoy(1, 1)
    for compute_ms, pause_ms in PATTERNS_MS:
        pattern(compute_ms, pause_ms, thread_cnts)


if __name__ == "__main__":
    main()
