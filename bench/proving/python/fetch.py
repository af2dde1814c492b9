"""Ask a slow service, over a connection of its own for each request, and compute on the answer."""
import urllib.request
from urllib.parse import urlsplit

import runner
import work

url, delay, compute_ms = runner.arguments(str, float, float)
service = urlsplit(url)


def fetch(_item):
    with urllib.request.urlopen(f"{url}?delay={delay}") as response:
        answer = response.read()
    return work.compute(compute_ms) or len(answer)


async def fetch_async(_item):
    import asyncio
    reader, writer = await asyncio.open_connection(service.hostname, service.port)
    writer.write(f"GET {service.path}?delay={delay} HTTP/1.1\r\nHost: {service.netloc}\r\n"
                 "Connection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return work.compute(compute_ms) or len(answer)


runner.main(fetch, fetch_async)
