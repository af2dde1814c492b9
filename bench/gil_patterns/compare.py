"""Simulates the cases that measure.py printed (on stdin) and prints both as a table:

    python3.11 bench/gil_patterns/measure.py | python3 bench/gil_patterns/compare.py build/bench
"""
import json
import os
import subprocess
import sys

SPINNERS = ["", "a spinner", "2 spinners", "3 spinners", "4 spinners"]


def simulated(case, directory):
    command = [os.path.join(directory, "simulate_gil_pattern"),
               str(case["waiting"]), str(case["spinning"]),
               str(case["compute_ms"]), str(case["pause_ms"])]
    return float(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else "build/bench"
    print("| compute/sleep | threads | beside them | measured | from, to | simulated | error |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for line in sys.stdin:
        case = json.loads(line)
        result = simulated(case, directory)
        low, high = case["spread"]
        print(f"| {case['nominal']} | {case['waiting']} | {SPINNERS[case['spinning']]} "
              f"| {case['measured']:.3f} "
              f"| {low:.3f}, {high:.3f} | {result:.3f} "
              f"| {100 * (result / case['measured'] - 1):+.1f}% |")


if __name__ == "__main__":
    main()
