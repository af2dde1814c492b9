"""Compute in the main thread, beside sixteen workers that nobody gives anything to do."""
from queue import Queue
from threading import Thread

from compute import compute

SIZE = 80_000_000
WORKERS = 16


def serve(tasks):
    while tasks.get() is not None:
        pass


tasks = Queue()
for _ in range(WORKERS):
    Thread(target=serve, args=(tasks,)).start()
print(compute(SIZE))
for _ in range(WORKERS):
    tasks.put(None)
