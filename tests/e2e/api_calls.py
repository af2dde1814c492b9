"""The same calls of a slow service, rewritten: api_calls.py URL REQUESTS WORKERS [one-at-a-time]

With one worker they come one after the other; with more a pool of threads makes them. "one-at-a-time"
is the rewrite that went wrong: all workers share one connection's lock.
"""
import contextlib
import pathlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "samples/python"))
from fetch import fetch  # noqa: E402  (lives with the samples)

DELAY = 0.2

url, requests, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
turn = threading.Lock() if "one-at-a-time" in sys.argv else contextlib.nullcontext()


def call(_):
    with turn:
        return fetch(url, DELAY)


if workers == 1:
    answers = [call(number) for number in range(requests)]
else:
    with ThreadPoolExecutor(workers) as pool:
        answers = list(pool.map(call, range(requests)))
print(len(answers), "answers")
