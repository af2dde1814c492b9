"""NumPy within Python: the hot line is in a function of NumPy's that lets go of the GIL ("frees") or in
one that keeps it ("keeps"): arrays.py TRUTH PORT SECONDS frees|keeps."""
import sys
import time

import numpy

import truth

SHUFFLED = numpy.random.default_rng(1).integers(0, 1 << 30, 150_000)
TEXTS = numpy.array([f"text {i}" for i in range(50_000)])
SMALL = numpy.arange(30_000)


def hot_frees():
    return numpy.sort(SHUFFLED)  # frees HOT


def hot_keeps():
    return numpy.char.upper(TEXTS)  # keeps HOT


def other():
    return (SMALL * 3 % 7).sum()


def wait_here(partner):
    partner.sendall(truth.question(5))
    return partner.recv(1)  # WAIT


def nap():
    time.sleep(0.001)  # OTHER_WAIT


def main(path, port, seconds, which):
    partner = truth.connect(port)
    hot = {"frees": hot_frees, "keeps": hot_keeps}[which]
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        with truth.section("HOT"):
            hot()
        with truth.section("OTHER"):
            for _ in range(10):
                other()
        with truth.section("WAIT"):
            wait_here(partner)
        with truth.section("OTHER_WAIT"):
            nap()
    truth.write(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
