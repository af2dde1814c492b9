"""Ask a slow service twice, the second time under a lock that all workers share."""
import threading
import urllib.request
from urllib.parse import urlsplit

import runner

url, delay = runner.arguments(str, float)
service = urlsplit(url)


def shared_lock(form):
    if form == "multiprocessing":
        import multiprocessing
        return multiprocessing.Lock()
    if form == "async":
        import asyncio
        return asyncio.Lock()
    return threading.Lock()


def ask():
    with urllib.request.urlopen(f"{url}?delay={delay}") as response:
        return len(response.read())


async def ask_async():
    import asyncio
    reader, writer = await asyncio.open_connection(service.hostname, service.port)
    writer.write(f"GET /?delay={delay} HTTP/1.1\r\nHost: {service.netloc}\r\n"
                 "Connection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return len(answer)


lock = shared_lock(runner.form())


def operation(_item):
    ask()
    with lock:
        return ask()


async def operation_async(_item):
    await ask_async()
    async with lock:
        return await ask_async()


runner.main(operation, operation_async)
