"""Ask a slow service from coroutines that block: each call holds up the whole event loop."""
import asyncio
import sys

from fetch import fetch

REQUESTS = 20
DELAY = 0.1


async def ask(url):
    return fetch(url, DELAY)  # should be awaitable


async def main(url):
    answers = await asyncio.gather(*(ask(url) for _ in range(REQUESTS)))
    print(len(answers), "answers")


asyncio.run(main(sys.argv[1]))
