"""Many tasks of asyncio at once: most of them fetch, one ticks: crowd.py TRUTH PORT SECONDS. A loop that
waits for many at a time leaves no exact truth of how long it did for which; which line is the first
is clear: the ticker's waits are one in twenty."""
import asyncio
import sys
import time

import truth


def hot(cnt):
    x = 1
    for _ in range(cnt): x = x * 69 % 653 * 3 % 811 * 5 % 409 + x // 3 % 7 * 5  # HOT
    return x


async def wait_here(reader):
    return await reader.readexactly(1)  # WAIT


async def fetch(port, end):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    while time.monotonic() < end:
        writer.write(truth.question(40))
        await wait_here(reader)
        with truth.section("HOT"):
            hot(25000)
    writer.close()


async def tick(end):
    while time.monotonic() < end:
        await asyncio.sleep(0.1)


async def run(path, port, seconds):
    end = time.monotonic() + float(seconds)
    await asyncio.gather(tick(end), *(fetch(port, end) for _ in range(8)))
    truth.write(path)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
