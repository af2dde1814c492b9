"""
A small program for record_python_image: a few tasks that wait in different ways, and modules that
take little to read. Tells its process's number and its thread's, then waits.
"""

import asyncio
import os
import sys
import threading

kept = []


async def numbers():
    yield 1
    await asyncio.sleep(3600)


async def iterate():
    async for _ in numbers():
        pass


async def wait(awaitable):
    await awaitable


class Own:
    def __await__(self):
        yield from asyncio.get_running_loop().create_future().__await__()


def start(name, coroutine):
    kept.append(asyncio.ensure_future(coroutine))
    kept[-1].set_name(name)
    return kept[-1]


async def main():
    sleep = start("sleep", wait(asyncio.sleep(3600)))
    start("iterate", iterate())
    start("t\u00e2che \u4efb", wait(sleep))
    start("gather", wait(asyncio.gather(sleep)))
    start("shield", wait(asyncio.shield(sleep)))
    start("wait", asyncio.wait({sleep}))
    start("own", wait(Own()))
    kept.append(asyncio.tasks._PyTask(wait(sleep), loop=asyncio.get_running_loop(), name="py"))
    await asyncio.sleep(0.1)
    kept.append(dict(sys.modules))
    for name in kept[-1]:
        if name not in ("threading", "asyncio.tasks"):
            del sys.modules[name]
    print(os.getpid(), threading.get_ident(), flush=True)
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
