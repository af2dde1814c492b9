"""Interleaved runs, for the benchmarks beside this file: the machine's moods hit all alike."""
import os
import pathlib
import statistics
import subprocess
import sys
import time


def wait_for_probes(observer):
    """Returns when @observer has attached: it says nothing itself, but it holds a link then."""
    while observer.poll() is None:
        fds = pathlib.Path(f"/proc/{observer.pid}/fd")
        links = [os.readlink(fd) for fd in fds.iterdir()]
        if any("bpf_link" in link or "bpf-link" in link or "perf_event" in link for link in links):
            return
        time.sleep(0.01)
    raise subprocess.CalledProcessError(observer.returncode, observer.args)


def measure(base, tools, rounds):
    """Runs base() and then each of @tools, {name: function}, round after round. Returns pairs of
    what base and tool measured, by name; a tool that isn't there is left out, and said so."""
    results = {name: [] for name in tools}
    for done in range(rounds):
        untouched = base()
        for name in list(results):
            try:
                results[name].append((untouched, tools[name]()))
            except (FileNotFoundError, subprocess.CalledProcessError, IndexError) as error:
                print(f"skipped: {name}: {error}", file=sys.stderr)
                del results[name]
        print(f"round {done + 1} of {rounds}", end="\r", file=sys.stderr, flush=True)
    return results


def print_ratios(results, unit):
    """The median ratio of each tool to the untouched run of the same round, with its quartiles."""
    print(f"{'tool':26} {'ratio':>6} {'quartiles':>15} {unit:>12}")
    for name, pairs in results.items():
        ratios = sorted(tool / base for base, tool in pairs)
        low, middle, high = (statistics.quantiles(ratios, n=4) if len(ratios) > 1
                             else ratios * 3)
        added = statistics.median(tool - base for base, tool in pairs)
        print(f"{name:26} {middle:6.3f} {low:7.3f}-{high:.3f} {added:+12.0f}")


def median_base(results):
    return statistics.median(base for pairs in results.values() for base, _ in pairs)
