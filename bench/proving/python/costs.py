"""One run of one measurement of bench/proving/costs, in a process of its own: prints a figure a line as
"name value unit". The first argument says which, the second the URL of a far end that answers at once."""
import sys
import time

ITEMS = 4000
REQUESTS = 300
LARGE_BYTES = 200 << 20


def show(name, value, unit):
    print(name, f"{value:.4g}", unit, sep="\t")


def echo(item):
    return item


def nap(_item):
    time.sleep(0.02)  # so that every worker gets one


def per_item(function, *arguments):
    start = time.perf_counter()
    for _ in function(*arguments):
        pass
    return 1e6 * (time.perf_counter() - start) / ITEMS


def cpu_s():
    return time.process_time()


def threads():
    from concurrent.futures import ThreadPoolExecutor
    for workers in (1, 2, 8, 32):
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(nap, range(workers)))
            show(f"ThreadPoolExecutor({workers}).map, an item", per_item(pool.map, echo,
                                                                        range(ITEMS)), "us")


def thread_start():
    import threading
    done = threading.Event()
    all_threads = [threading.Thread(target=done.wait) for _ in range(200)]
    rss = resident_kb()
    start = time.perf_counter()
    for thread in all_threads:
        thread.start()
    show("start of a thread", 1e6 * (time.perf_counter() - start) / len(all_threads), "us")
    show("memory of a thread", (resident_kb() - rss) / len(all_threads), "KiB")
    done.set()


def resident_kb(pid="self", kinds=("Pss",)):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        fields = [line.split() for line in rollup]
    return sum(int(words[1]) for words in fields if words[0].rstrip(":") in kinds)


def tasks():
    import asyncio

    async def run():
        free = asyncio.Semaphore(64)

        async def limited(item):
            async with free:
                return echo(item)
        start = time.perf_counter()
        await asyncio.gather(*[limited(i) for i in range(ITEMS)])
        show("asyncio task with semaphore", 1e6 * (time.perf_counter() - start) / ITEMS, "us")
        start = time.perf_counter()
        await asyncio.gather(*[sleeping(free, i) for i in range(ITEMS)])
        show("asyncio task with semaphore that waits once",
             1e6 * (time.perf_counter() - start) / ITEMS, "us")

    async def sleeping(free, item):
        async with free:
            await asyncio.sleep(0)
            return echo(item)
    asyncio.run(run())


def processes():
    from concurrent.futures import ProcessPoolExecutor
    import multiprocessing
    for chunk in (1, 64):
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(nap, range(4)))
            begin_s = cpu_s()
            wall = per_item(lambda: pool.map(echo, range(ITEMS), chunksize=chunk))
            show(f"ProcessPoolExecutor(2).map, chunks of {chunk}, an item", wall, "us")
            show("  of that, CPU of the parent", 1e6 * (cpu_s() - begin_s) / ITEMS, "us")
    with multiprocessing.Pool(2) as pool:
        pool.map(nap, range(4), chunksize=1)
        for chunk in (1, None):
            begin_s = cpu_s()
            wall = per_item(lambda: pool.map(echo, range(ITEMS), chunksize=chunk))
            show(f"multiprocessing.Pool(2).map, chunks of {chunk or 'its own choice'}, an item",
                 wall, "us")
            show("  of that, CPU of the parent (Pool)", 1e6 * (cpu_s() - begin_s) / ITEMS, "us")


def _start_pool(workers, method):
    """Milliseconds until all workers of a new pool have answered once, less their nap."""
    from concurrent.futures import ProcessPoolExecutor
    import multiprocessing
    start = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method)) as pool:
        list(pool.map(nap, range(workers)))
        taken_ms = 1e3 * (time.perf_counter() - start) - 20
        private = [resident_kb(pid, ("Private_Dirty", "Private_Clean"))
                   for pid in list(pool._processes)]  # pylint: disable=protected-access
        pss = [resident_kb(pid) for pid in list(pool._processes)]
        start = time.perf_counter()
    return taken_ms, 1e3 * (time.perf_counter() - start), private, pss


def _show_start(what, method):
    for workers in (2, 8):
        taken_ms, end_ms, private, pss = _start_pool(workers, method)
        show(f"start of a process by {method}, {what}, pool of {workers}", taken_ms / workers, "ms")
        show("  its end", end_ms / workers, "ms")
    show(f"memory of a worker by {method}, {what}: private", sum(private) / len(private), "KiB")
    show(f"memory of a worker by {method}, {what}: PSS", sum(pss) / len(pss), "KiB")


def fork():
    _show_start("small", "fork")


def fork_large():
    large = bytearray(LARGE_BYTES)
    large[::4096] = b"x" * len(large[::4096])
    _show_start("200 MB in one block", "fork")


def fork_objects():
    objects = [[i] for i in range(1500000)]  # about 200 MB
    _show_start("200 MB of objects", "fork")
    del objects


def spawn():
    _show_start("small", "spawn")


def forkserver():
    _show_start("small", "forkserver")


def imports():
    for name in ("concurrent.futures.thread", "asyncio", "concurrent.futures.process",
                 "urllib.request"):
        run = ("import time; a = time.perf_counter(); import {}; "
               "print(time.perf_counter() - a)").format(name)
        import subprocess
        taken = subprocess.run([sys.executable, "-c", run], stdout=subprocess.PIPE, check=True)
        show(f"import {name}", 1e3 * float(taken.stdout), "ms")
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    show("start and end of the interpreter", 1e3 * (time.perf_counter() - start), "ms")


def _burn(cnt):
    start = time.perf_counter()
    total = 0
    for i in range(cnt):
        total += i & 7
    return time.perf_counter() - start


def efficiency():
    """What two processes get done on two CPUs of what one gets done on one."""
    from concurrent.futures import ProcessPoolExecutor
    work = 20000000
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(nap, range(4)))
        alone_s = sum(pool.map(_burn, [work]))
        start = time.perf_counter()
        list(pool.map(_burn, [work] * 2))
        both_s = time.perf_counter() - start
        alone_s += sum(pool.map(_burn, [work]))
    show("two processes in pure Python, of one", alone_s / both_s, "times")


def gil():
    """Threads that compute beside each other: what the GIL's hand-over takes."""
    import threading
    work = 6000000
    alone_s = _burn(work)
    for workers in (2, 4):
        all_threads = [threading.Thread(target=_burn, args=(work,)) for _ in range(workers)]
        start = time.perf_counter()
        for thread in all_threads:
            thread.start()
        for thread in all_threads:
            thread.join()
        show(f"{workers} threads in pure Python, of one",
             workers * alone_s / (time.perf_counter() - start), "times")


def _urls():
    from urllib.parse import urlsplit
    url = sys.argv[2]
    return url, urlsplit(url)


def _per_request(name, function):
    function()
    begin_s, start = cpu_s(), time.perf_counter()
    for _ in range(REQUESTS):
        function()
    show(f"{name}, a request: CPU", 1e6 * (cpu_s() - begin_s) / REQUESTS, "us")
    show(f"{name}, a request: wall", 1e6 * (time.perf_counter() - start) / REQUESTS, "us")


def http_client():
    import http.client
    import urllib.request
    url, service = _urls()

    def opened():
        with urllib.request.urlopen(url) as response:
            response.read()

    def connected():
        connection = http.client.HTTPConnection(service.hostname, service.port)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    kept = http.client.HTTPConnection(service.hostname, service.port)

    def reused():
        kept.request("GET", "/")
        kept.getresponse().read()
    _per_request("urllib", opened)
    _per_request("http.client", connected)
    _per_request("http.client, connection kept", reused)


def streams():
    import asyncio
    _url, service = _urls()
    ask = f"GET / HTTP/1.1\r\nHost: {service.netloc}\r\nConnection: close\r\n\r\n".encode()

    async def fetch():
        reader, writer = await asyncio.open_connection(service.hostname, service.port)
        writer.write(ask)
        await reader.read()
        writer.close()

    async def limited(free):
        async with free:
            await fetch()

    async def run():
        await fetch()
        for workers in (1, 32):
            free = asyncio.Semaphore(workers)
            begin_s, start = cpu_s(), time.perf_counter()
            await asyncio.gather(*[limited(free) for _ in range(REQUESTS)])
            show(f"asyncio streams, {workers} at once, a request: CPU",
                 1e6 * (cpu_s() - begin_s) / REQUESTS, "us")
            show(f"asyncio streams, {workers} at once, a request: wall",
                 1e6 * (time.perf_counter() - start) / REQUESTS, "us")
    asyncio.run(run())


def urllib_threads():
    import urllib.request
    from concurrent.futures import ThreadPoolExecutor
    url, _service = _urls()

    def opened(_item):
        with urllib.request.urlopen(url) as response:
            return response.read()
    opened(0)
    for workers in (1, 4, 32):
        with ThreadPoolExecutor(workers) as pool:
            begin_s, start = cpu_s(), time.perf_counter()
            list(pool.map(opened, range(REQUESTS)))
            show(f"urllib in {workers} threads, a request: CPU",
                 1e6 * (cpu_s() - begin_s) / REQUESTS, "us")
            show(f"urllib in {workers} threads, a request: wall",
                 1e6 * (time.perf_counter() - start) / REQUESTS, "us")


MEASUREMENTS = (imports, threads, thread_start, tasks, processes, fork, fork_large, fork_objects,
                spawn, forkserver, efficiency, gil, http_client, streams, urllib_threads)

if __name__ == "__main__":
    next(one for one in MEASUREMENTS if one.__name__ == sys.argv[1])()
