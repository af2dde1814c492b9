"""Wait in the main thread for one worker that computes."""
from threading import Thread

from compute import compute

SIZE = 80_000_000

worker = Thread(target=compute, args=(SIZE,))
worker.start()
worker.join()
