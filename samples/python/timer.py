"""Sleep, and do next to nothing in between."""
import time

TICKS = 20
INTERVAL = 0.1

for tick in range(TICKS):
    time.sleep(INTERVAL)
print(TICKS, "ticks")
