"""Computes and waits by turns, most of it at one line each: mix.py TRUTH PORT SECONDS. Runs on every
Python from 3.8 on."""
import sys
import time

import truth


def hot(cnt):
    x = 1
    for _ in range(cnt): x = x * 69 % 653 * 3 % 811 * 5 % 409 + x // 3 % 7 * 5  # HOT
    return x


def other(cnt):
    return sorted(str(i) for i in range(cnt))


def wait_here(partner):
    partner.sendall(truth.question(5))
    return partner.recv(1)  # WAIT


def nap():
    time.sleep(0.001)  # OTHER_WAIT


def main(path, port, seconds):
    partner = truth.connect(port)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        with truth.section("HOT"):
            hot(90000)
        with truth.section("OTHER"):
            other(18000)
        with truth.section("WAIT"):
            wait_here(partner)
        with truth.section("OTHER_WAIT"):
            nap()
    truth.write(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
