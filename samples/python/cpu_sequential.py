"""Compute one result after another."""
from compute import compute

TASKS = 8
SIZE = 10_000_000

results = [compute(SIZE) for _ in range(TASKS)]
print(len(results), "results")
