"""Runs an operation in every form: one after another, in a pool of threads, on an event loop, in a
pool of processes. A program of this directory defines what is done once and hands it to main().

Nothing is imported before a form needs it, so that start-up costs what it would cost a user's program.
"""
import sys


def arguments(*kinds):
    """The family's own arguments, which stand before the options; one for each of @kinds."""
    return [kind(word) for kind, word in zip(kinds, sys.argv[1:])]


def _options():
    words = sys.argv[sys.argv.index("--form"):]
    return dict(zip(words[::2], words[1::2]))


def form():
    return _options()["--form"]


def operations():
    return int(_options()["--operations"])


def _sync(operation, items, _workers, _cnt):
    return [operation(item) for item in items]


def _threads(operation, items, workers, _cnt):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(operation, items))


def _multiprocessing(operation, items, workers, cnt):
    from concurrent.futures import ProcessPoolExecutor
    chunk = max(1, cnt // (32 * workers))  # small enough to be dealt out evenly
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(operation, items, chunksize=chunk))


def _async(operation, items, workers, _cnt):
    import asyncio

    async def run():
        free = asyncio.Semaphore(workers)

        async def limited(item):
            async with free:
                return await operation(item)
        return await asyncio.gather(*[limited(item) for item in items])
    return asyncio.run(run())


FORMS = {"sync": _sync, "threads": _threads, "async": _async, "multiprocessing": _multiprocessing}


def _blocking(operation):
    """An operation for which no awaitable call exists: it holds up the loop."""
    async def twin(item):
        return operation(item)
    return twin


def main(operation, twin=None, items=None):
    """Does operation(item) for each of @items, or for 0 to --operations; on an event loop await
    twin(item). Prints how many results there were."""
    cnt = operations()
    if form() == "async":
        operation = twin or _blocking(operation)
    results = FORMS[form()](operation, range(cnt) if items is None else items,
                            int(_options()["--workers"]), cnt)
    print(sum(result is not None for result in results), "results")
