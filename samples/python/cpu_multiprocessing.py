"""Compute in as many processes as there are cores; an argument asks for that many times more."""
import os
import sys
from multiprocessing import Pool

from compute import compute

CORES = len(os.sched_getaffinity(0))
TASKS = 8 * CORES
SIZE = 10_000_000

if __name__ == "__main__":
    workers = CORES * int(sys.argv[1] if len(sys.argv) > 1 else 1)
    with Pool(workers) as pool:
        results = pool.map(compute, [SIZE] * TASKS, chunksize=1)
    print(len(results), "results from", workers, "processes")
