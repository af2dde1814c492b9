"""Compute in four threads, which take turns with the one GIL."""
from concurrent.futures import ThreadPoolExecutor

from compute import compute

TASKS = 8
SIZE = 10_000_000
WORKERS = 4

with ThreadPoolExecutor(WORKERS) as pool:
    results = list(pool.map(compute, [SIZE] * TASKS))
print(len(results), "results")
