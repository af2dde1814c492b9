"""Work that computes: pure Python that never lets go of the GIL on its own account."""
ROUNDS_PER_MS = 55000  # of the loop below: about a millisecond on the machine of docs/accuracy.md


def compute(milliseconds):
    total = 0
    for i in range(int(milliseconds * ROUNDS_PER_MS)):
        total += i & 7
    return total
