"""Tasks of asyncio of two kinds that wait at lines of their own, one at a time, so that it is known
for which the loop waits: tasks.py TRUTH PORT SECONDS."""
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


async def fetch(reader, writer):
    writer.write(truth.question(10))
    with truth.section("WAIT"):
        await wait_here(reader)
    with truth.section("HOT"):
        hot(60000)


async def nap():
    with truth.section("WAIT2"):
        await asyncio.sleep(0.004)  # WAIT2


async def run(path, port, seconds):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        await asyncio.ensure_future(fetch(reader, writer))
        await asyncio.ensure_future(nap())
    writer.close()
    truth.write(path)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
