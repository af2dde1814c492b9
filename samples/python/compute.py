"""Work that computes: pure Python, which never lets go of the GIL for long."""


def compute(n):
    return sum(i * i for i in range(n))
