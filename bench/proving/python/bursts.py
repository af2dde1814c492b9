"""By turns a burst of requests to a quick service and a stretch of computing: under a GIL the two get into
each other's way as soon as they are in two threads."""
import http.client
from urllib.parse import urlsplit

import runner
import work

url, requests, delay, compute_ms = runner.arguments(str, int, float, float)
service = urlsplit(url)


def operation(item):
    if item % 2:
        return work.compute(compute_ms)
    connection = http.client.HTTPConnection(service.hostname, service.port)
    for _ in range(requests):
        connection.request("GET", f"/?delay={delay}")
        connection.getresponse().read()
    connection.close()
    return requests


async def operation_async(item):
    if item % 2:
        return work.compute(compute_ms)
    import asyncio
    reader, writer = await asyncio.open_connection(service.hostname, service.port)
    for _ in range(requests):
        writer.write(f"GET /?delay={delay} HTTP/1.1\r\nHost: {service.netloc}\r\n\r\n".encode())
        await reader.readuntil(b"}\n")
    writer.close()
    return requests


runner.main(operation, operation_async)
