"""Feeds a pipe: so many lines, one at each interval of seconds."""
import sys
import time

lines, interval = int(sys.argv[1]), float(sys.argv[2])
start = time.monotonic()
for i in range(lines):
    time.sleep(max(0, start + i * interval - time.monotonic()))
    print(f"line {i} of a log that grows while it is read", flush=True)
