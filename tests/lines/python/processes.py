"""Processes of multiprocessing that compute and wait, by the start method that is asked for:
processes.py TRUTH PORT SECONDS fork|spawn."""
import multiprocessing
import sys

import mix
import truth


def work(path, port, seconds):
    truth.forget()
    mix.main(path, port, seconds)


def main(path, port, seconds, method):
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=work, args=(path, port, seconds)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
