"""Wait in the main thread for one worker that asks a slow service."""
import sys
from threading import Thread

from fetch import fetch

REQUESTS = 20
DELAY = 0.1


def ask(url):
    for _ in range(REQUESTS):
        fetch(url, DELAY)


worker = Thread(target=ask, args=(sys.argv[1],))
worker.start()
worker.join()
