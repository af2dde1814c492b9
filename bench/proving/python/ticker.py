"""Do a little at fixed times, as a poller or a scheduler does: more workers don't make it end sooner."""
import time

import runner
import work

(interval,) = runner.arguments(float)
START = time.monotonic()


def left(item):
    return max(0, START + interval * (item + 1) - time.monotonic())


def operation(item):
    time.sleep(left(item))
    return work.compute(0.2)


async def operation_async(item):
    import asyncio
    await asyncio.sleep(left(item))
    return work.compute(0.2)


runner.main(operation, operation_async)
