"""Ask a slow service over connections that are kept: one for each worker."""
import http.client
import threading
from urllib.parse import urlsplit

import runner

url, delay = runner.arguments(str, float)
service = urlsplit(url)
mine = threading.local()
idle = []  # (reader, writer) of connections that no coroutine uses


def fetch(_item):
    if not hasattr(mine, "connection"):
        mine.connection = http.client.HTTPConnection(service.hostname, service.port)
    mine.connection.request("GET", f"/?delay={delay}")
    return len(mine.connection.getresponse().read())


async def fetch_async(_item):
    import asyncio
    connection = idle.pop() if idle else await asyncio.open_connection(service.hostname,
                                                                       service.port)
    reader, writer = connection
    writer.write(f"GET /?delay={delay} HTTP/1.1\r\nHost: {service.netloc}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    answer = await reader.readexactly(length)
    idle.append(connection)
    return len(answer)


runner.main(fetch, fetch_async)
