"""Ask a slow service from a pool of processes: right for computing, wasted on waiting."""
import sys
from functools import partial
from multiprocessing import Pool

from fetch import fetch

REQUESTS = 80
DELAY = 0.2
WORKERS = 8

if __name__ == "__main__":
    url = sys.argv[1]
    with Pool(WORKERS) as pool:
        answers = pool.map(partial(fetch, url), [DELAY] * REQUESTS, chunksize=1)
    print(len(answers), "answers")
