"""Compute, then ask a slow service while holding a lock on a file, as programs do that share a spool."""
import fcntl
import urllib.request

import runner
import work

url, directory, delay, compute_ms = runner.arguments(str, str, float, float)


def operation(_item):
    total = work.compute(compute_ms)
    with open(f"{directory}/spool.lock", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with urllib.request.urlopen(f"{url}?delay={delay}") as response:
            return len(response.read()) + total


runner.main(operation)
