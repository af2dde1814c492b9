"""Planted lines in the other forms that Python code takes: a method behind a decorator, a generator, a
lambda, a comprehension, a context manager: forms.py TRUTH PORT SECONDS."""
import contextlib
import functools
import sys
import time

import truth


def counted(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        wrapper.cnt += 1
        return function(*arguments)
    wrapper.cnt = 0
    return wrapper


class Computer:
    def __init__(self):
        self.sum = 0

    @counted
    def hot(self, cnt):
        for i in range(cnt): self.sum = (self.sum * 3 + i) % 653 if i % 3 else i  # HOT


def other(cnt):
    return sum(x for x in map(lambda i: i * i % 7, range(cnt)))


class Service:
    def __init__(self, partner):
        self.partner = partner

    @contextlib.contextmanager
    def asked(self):
        self.partner.sendall(truth.question(5))
        yield self.partner

    def answers(self, cnt):
        """A generator: the wait is within it, while who consumes it is its caller."""
        for _ in range(cnt):
            with self.asked() as partner:
                yield partner.recv(1)  # WAIT


def nap():
    time.sleep(0.001)  # OTHER_WAIT


def main(path, port, seconds):
    computer, service = Computer(), Service(truth.connect(port))
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        with truth.section("HOT"):
            computer.hot(120000)
        with truth.section("OTHER"):
            other(18000)
        with truth.section("WAIT"):
            list(service.answers(2))
        with truth.section("OTHER_WAIT"):
            nap()
    truth.write(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
