"""Compute in coroutines: they run one after another, and nothing else gets a turn."""
import asyncio

from compute import compute

TASKS = 8
SIZE = 10_000_000


async def work():
    return compute(SIZE)


async def main():
    results = await asyncio.gather(*(work() for _ in range(TASKS)))
    print(len(results), "results")


asyncio.run(main())
