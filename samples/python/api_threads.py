"""Ask a slow service from a pool of threads: their waits overlap."""
import sys
from concurrent.futures import ThreadPoolExecutor

from fetch import fetch

REQUESTS = 80
DELAY = 0.2
WORKERS = 8

url = sys.argv[1]
with ThreadPoolExecutor(WORKERS) as pool:
    answers = list(pool.map(lambda _: fetch(url, DELAY), range(REQUESTS)))
print(len(answers), "answers")
