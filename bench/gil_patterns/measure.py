"""Threads of real CPython that compute under the GIL and sleep in turn: what N of them take for what
one takes, for the simulation in analyzer/replay to be compared with. Prints a JSON line per case:
lengths as one thread alone sees them, and the throughput of N threads as a multiple of one's.
"""
import argparse
import json
import os
import statistics
import threading
import time

CONVOYS_MS = [(0.05, 0.05), (0.05, 0.07), (0.05, 0.13), (0.3, 0.5), (1, 1)]
PATTERNS_MS = [(1, 1), (0.1, 1), (5, 5), (0.2, 10), (20, 20)]
THREADS = [2, 4, 8, 16, 32]
BESIDE_SPINNERS = [(1, 1), (2, 1), (4, 1), (8, 1), (1, 2), (1, 4)]
RUN_S = 1.5
QUIET_SHARE = 0.08  # of all CPUs: a run during which others took more is repeated


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
    spun = 0
    start = time.perf_counter()
    while start < until:
        spin(count)
        spun += time.perf_counter() - start
        if pause_s:
            time.sleep(pause_s)
        operation_cnt += 1
        start = time.perf_counter()
    done += [operation_cnt, spun]


def throughput(threads):
    """@threads: (count, pause) of each. Operations per second of each, seconds from beginning to
    end of what an operation of the first computes, and others' share of the machine meanwhile."""
    busy, own, start = machine_busy_s(), time.process_time(), time.perf_counter()
    results = [[] for _ in threads]
    running = [threading.Thread(target=operations, args=(count, pause, start + RUN_S, done))
               for (count, pause), done in zip(threads, results)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    wall = time.perf_counter() - start
    others = (machine_busy_s() - busy - (time.process_time() - own)) / (wall * os.cpu_count())
    return [done[0] / wall for done in results], results[0][1] / results[0][0], others


def quiet_throughput(threads, tries):
    best = None
    for _ in range(tries):
        result = throughput(threads)
        if best is None or result[2] < best[2]:
            best = result
        if best[2] < QUIET_SHARE:
            break
        if tries > 1:
            time.sleep(1)
    return best


def measure(compute_ms, pause_ms, cases, options):
    """@cases: how many threads compute and sleep, and beside how many that only compute."""
    operation = count_for(compute_ms / 1e3), pause_ms / 1e3
    spinner = count_for(0.02), 0
    ratios = {case: [] for case in cases}
    computes, pauses, others_max = [], [], 0
    for _ in range(options.rounds):
        (alone,), compute, _ = quiet_throughput([operation], options.tries)
        computes.append(compute)
        pauses.append(1 / alone - compute)
        for waiting, spinning in cases:
            threads = [operation] * waiting + [spinner] * spinning
            rates, _, others = quiet_throughput(threads, options.tries)
            others_max = max(others_max, others)
            ratios[waiting, spinning].append(sum(rates[:waiting]) / alone)
    for waiting, spinning in cases:
        measured = ratios[waiting, spinning]
        print(json.dumps({"nominal": f"{compute_ms}/{pause_ms} ms",
                          "waiting": waiting, "spinning": spinning,
                          "compute_ms": statistics.median(computes) * 1e3,
                          "pause_ms": statistics.median(pauses) * 1e3,
                          "measured": statistics.median(measured),
                          "spread": [min(measured), max(measured)],
                          "others": round(others_max, 3)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="whose median is taken")
    parser.add_argument("--tries", type=int, default=6,
                        help="of a run that others disturb; 1 on a machine that is never quiet, "
                        "under chrt -f 20")
    options = parser.parse_args()
    for compute_ms, pause_ms in CONVOYS_MS:
        measure(compute_ms, pause_ms, BESIDE_SPINNERS, options)
    for compute_ms, pause_ms in PATTERNS_MS:
        measure(compute_ms, pause_ms, [(n, 0) for n in THREADS], options)


if __name__ == "__main__":
    main()
