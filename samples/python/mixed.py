"""Compute for a moment, then ask a slow service that takes as long again."""
import sys
import time

from compute import compute
from fetch import fetch

ROUNDS = 20
SIZE = 2_000_000

url = sys.argv[1]
for _ in range(ROUNDS):
    started = time.perf_counter()
    compute(SIZE)
    fetch(url, delay=time.perf_counter() - started)
