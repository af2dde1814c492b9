"""Threads that compute and threads that wait, under the one GIL: threads.py TRUTH PORT SECONDS."""
import sys
import threading
import time

import truth


def hot(cnt):
    x = 1
    for _ in range(cnt): x = x * 69 % 653 * 3 % 811 * 5 % 409 + x // 3 % 7 * 5  # HOT
    return x


def wait_here(partner):
    return partner.recv(1)  # WAIT


def compute(end):
    while time.monotonic() < end:
        with truth.section("HOT"):
            hot(60000)


def ask(port, end):
    """What it waits for is far longer than what it then waits for the GIL."""
    partner = truth.connect(port)
    while time.monotonic() < end:
        partner.sendall(truth.question(200))
        with truth.section("WAIT"):
            wait_here(partner)


def main(path, port, seconds):
    end = time.monotonic() + float(seconds)
    threads = [threading.Thread(target=ask, args=(port, end), name=f"asker-{i}") for i in range(3)]
    threads.append(threading.Thread(target=compute, args=(end,), name="computer"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    truth.write(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
